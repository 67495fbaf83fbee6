"""Cases for every builtin and operator that rules may use: expressions over `input.x`, `input.y`, `input.z`
and the values that are put there. Types that do not fit are among them."""

from forms import ANY, MISSING, TEXTS, deny, pairs, singles, value

NUMBERS = [0, 1, -1, 2, 7, 10, -7, 1.5, -1.5, 2.5, 0.1, 1e15, 9007199254740992, -9007199254740992, 255, 4294967296]
PARTS = ["", "a", "b", "ab", "ä", "😀", " ", "/", "\u0000", "aa"]
LISTS = [[], [1], [3, 1, 2], ["b", "a"], [1, "a", None, True, [1], {"a": 1}], [[1], [0]], ["a", "a"], [1.5, 1], [{"b": 1}, {"a": 1}]]
OBJECTS = [{}, {"a": 1}, {"a": {"b": 1, "c": [1, {"d": 2}]}, "e": None}, {"b": 2, "a": 1}, {"a": [1, 2, 3]}, {"": 0}]
SETS = [[], ["a"], ["a", "b"], [1, 2, 3], [[1], [2]], [None, True, "x", 1]]
TIMES = [0, 1, 1700000000123456789, -1, 951782400000000000, 4102444800000000000]


def cases():
    return [*_texts(), *_numbers(), *_collections(), *_encodings(), *_patterns(), *_times(), *_types(), *_operators()]


def _texts():
    for name in ["lower", "upper", "trim_space", "strings.reverse"]:
        yield value(f"builtin {name}", f"{name}(input.x)", singles([*TEXTS, *ANY]))
    for name in ["contains", "startswith", "endswith", "trim", "trim_left", "trim_right", "trim_prefix", "trim_suffix",
                 "split", "indexof", "indexof_n"]:
        odd = pairs([None, 1, [], "a"], [None, 1, {}, "a"])
        yield value(f"builtin {name}", f"{name}(input.x, input.y)", [*pairs(TEXTS, PARTS), *odd])
    yield value("builtin lower of every letter", "lower(input.x)", _every_letter())
    yield value("builtin upper of every letter", "upper(input.x)", _every_letter())
    yield value("builtin trim_space of every letter", "count(trim_space(input.x))", _every_letter(1))
    replaced = [{"x": x, "y": y, "z": z} for x in TEXTS for y in PARTS for z in ["", "-", "$1", "aa"]]
    yield value("builtin replace", "replace(input.x, input.y, input.z)", [*replaced, {"x": 1, "y": "a", "z": "b"}])
    swaps = [{}, {"a": "b", "b": "a"}, {"ab": "1", "a": "2"}, {"a": ""}, {"a": 1}, {"é": "e", "😀": ":)"}, {"": "x"}]
    yield value("builtin strings.replace_n", "strings.replace_n(input.y, input.x)", pairs([*TEXTS, 1], [*swaps, [], None]))
    yield value("builtin concat", "concat(input.x, input.y)", pairs(["", "-", "é", 1], [[], ["a"], ["a", "b"], ["", ""], [1], "a", {}, None]))
    yield value("builtin concat of a set", 'concat(",", {text | some text in input.x})', singles([[], ["b", "a", "é", "B"], [1]]))
    cuts = [{"x": x, "y": y, "z": z} for x in ["", "abc", "é😀b", 1] for y in [0, 1, 2, 5, -1, 1.5, "a"] for z in [-1, 0, 1, 9, None]]
    yield value("builtin substring", "substring(input.x, input.y, input.z)", cuts)
    for name in ["strings.any_prefix_match", "strings.any_suffix_match"]:
        some = ["", "a", "abc", [], ["b", "ab"], ["é"], [1], 1, {}, None]
        yield value(f"builtin {name}", f"{name}(input.x, input.y)", pairs(some, some))
    yield value("builtin format_int", "format_int(input.x, input.y)", pairs([*NUMBERS, "1", None], [2, 8, 10, 16, 3, 0, "10"]))
    yield value("builtin sprintf %s", 'sprintf("<%s>", [input.x])', singles([*TEXTS, *ANY, *LISTS, *OBJECTS]))
    yield value("builtin sprintf %v", 'sprintf("<%v>", [input.x])', singles([*TEXTS, *ANY, *LISTS, *OBJECTS, *NUMBERS]))
    yield value("builtin sprintf %d", 'sprintf("<%d>", [input.x])', singles([*NUMBERS, *ANY]))
    yield value("builtin sprintf of several", 'sprintf("%s/%d/%v 100%%", [input.x, input.y, input.z])',
                [{"x": "a", "y": 1, "z": [1, "b"]}, {"x": "", "y": -3, "z": {"k": {"l": []}}}, {"x": "a", "y": 1}])
    yield value("builtin sprintf of sets", 'sprintf("%v %v", [{x | some x in input.x}, set()])', singles(SETS))
    yield value("builtin sprintf of big numbers", 'sprintf("%d %v", [input.x * input.x * input.x, input.x * input.x])', singles(NUMBERS))
    yield value("builtin sprintf of floats", 'sprintf("%v %v", [input.x, [input.x]])', singles([1.5, 1e-7, 0.0001, 0.00001, 123456.789, 1e15 + 0.5]))
    yield value("builtin sprintf of every letter", 'sprintf("%v", [[input.x]])', _every_letter())
    yield value("builtin sprintf of a list of values", 'sprintf("%v %v", input.x)', singles([["a", 1], ["a"], ["a", 1, 2], "a"]))


def _every_letter(length=64):
    """All letters, so many to a text; one by one those where neighbours matter."""
    letters = [chr(at) for at in range(0x1, 0x20000) if not 0xD800 <= at <= 0xDFFF]
    if length == 1:
        letters = [letter for letter in letters if ord(letter) < 0x3100]
    return singles(["".join(letters[at : at + length]) for at in range(0, len(letters), length)])


def _numbers():
    for name in ["abs", "ceil", "floor", "round"]:
        yield value(f"builtin {name}", f"{name}(input.x)", singles([*NUMBERS, "1", None, []]))
    for name in ["sum", "product", "max", "min"]:
        lists = [[], [1], [1, 2, 3], [-1, 5], [1, "a"], ["a", "b"], [[1], []], [None, True], 5, "ab", {}, {"a": 3}]
        yield value(f"builtin {name}", f"{name}(input.x)", singles(lists))
        yield value(f"builtin {name} of a set", f"{name}({{x | some x in input.x}})", singles(lists[:10]))
    yield value("builtin to_number", "to_number(input.x)", singles(
        ["1", "-1", "1.5", "1e3", "", " 1", "1 ", "0x10", "1_000", "+1", "inf", "NaN", "1e400", "--1", "0b1", "٣", "01", ".5", "5.", *ANY]))
    for name in ["bits.and", "bits.or", "bits.xor", "bits.rsh"]:
        some = [0, 1, 2, 255, -1, -256, 4294967296, 9007199254740991, 1.5, "1"]
        yield value(f"builtin {name}", f"{name}(input.x, input.y)", pairs(some, some))
    yield value("builtin bits.lsh", "bits.lsh(input.x, 3)", singles([0, 1, -1, 9007199254740991, 1.5, "a", None]))
    yield value("builtin bits.lsh far", 'sprintf("%d", [bits.lsh(input.x, 63)])', singles([0, 1, -1, 9007199254740991]))
    yield value("builtin bits.negate", "bits.negate(input.x)", singles([0, 1, -1, 255, 1.5, "a"]))
    yield value("builtin numbers.range", "numbers.range(1, 5)", singles([1]))
    yield value("builtin numbers.range down", "numbers.range(3, -2)", singles([1]))
    for place, (from_, to) in enumerate([("input.x", "5"), ("1", "input.x"), ("1", "1000000000"), ("1", "1e9")]):
        yield value(f"refused numbers.range {place}", f"numbers.range({from_}, {to})", singles([1]))
    yield value("refused bits.lsh of the input", "bits.lsh(1, input.x)", singles([1, 4000000000]))


def _collections():
    yield value("builtin count", "count(input.x)", singles([*TEXTS, *LISTS, *OBJECTS, None, 1, True]))
    yield value("builtin count of a set", "count({x | some x in input.x})", singles(SETS))
    yield value("builtin sort", "sort(input.x)", singles([*LISTS, "ab", {}, 1]))
    yield value("builtin sort of a set", "sort({x | some x in input.x})", singles([*SETS, *LISTS]))
    yield value("builtin array.concat", "array.concat(input.x, input.y)", pairs([*LISTS[:4], "a", None], [*LISTS[:4], {}]))
    yield value("builtin array.reverse", "array.reverse(input.x)", singles([*LISTS, "ab", None]))
    ends = [-1, 0, 1, 2, 9, 1.5, "a"]
    yield value("builtin array.slice", "array.slice(input.x, input.y, input.z)",
                [{"x": x, "y": y, "z": z} for x in [[], [1, 2, 3], "ab"] for y in ends for z in ends])
    keys = ["a", "e", "x", ["a", "b"], ["a", "c", 1, "d"], [], ["a", "x"], 0, None]
    yield value("builtin object.get", 'object.get(input.x, input.y, "default")', pairs([*OBJECTS, [], "a"], keys))
    yield value("builtin object.get of a list", 'object.get({"a": [10, 20]}, ["a", input.x], "default")', singles([0, 1, 2, -1, "0", 0.5]))
    yield value("builtin object.keys", "object.keys(input.x)", singles([*OBJECTS, [1], "a"]))
    for name in ["object.remove", "object.filter"]:
        yield value(f"builtin {name}", f"{name}(input.x, input.y)", pairs([*OBJECTS, 1], [[], ["a"], ["a", "e"], {"a": 1}, {"x": {}}, "a", None, [["a"]]]))
        yield value(f"builtin {name} with a set", f"{name}(input.x, {{y | some y in input.y}})", pairs(OBJECTS, [[], ["a"], ["b", "a"], [1]]))
    yield value("builtin object.union", "object.union(input.x, input.y)", pairs([*OBJECTS, []], [*OBJECTS, "a", {"a": {"b": {"z": 1}}}]))
    yield value("builtin object.union_n", "object.union_n(input.x)", singles([[], [{}], [{"a": 1}, {"a": 2}], [{"a": {"b": 1}}, {"a": {"c": 2}}, {"a": 3}], [1], {}, "a"]))
    for name in ["intersection", "union"]:
        sets = [[], [[1]], [[1, 2], [2, 3]], [["a"], ["b"]], [[]], [1]]
        yield value(f"builtin {name}", f"{name}({{{{y | some y in x}} | some x in input.x}})", singles(sets))
    yield value("operator & |", "[a & b, a | b, a - b]", pairs(SETS, SETS), before="a := {x | some x in input.x}\n\tb := {y | some y in input.y}")


def _encodings():
    for name in ["base64.encode", "base64.decode"]:
        yield value(f"builtin {name}", f"{name}(input.x)", singles([*TEXTS, "YQ==", "YQ", "w6Q=", "_w==", "/w==", "YQ==\n", 1, None]))
    yield value("builtin json.marshal", "json.marshal(input.x)", singles([*TEXTS, *ANY, *LISTS, *OBJECTS, *NUMBERS, "<&>", "\u2028\u007f"]))
    yield value("builtin json.marshal of sets", "json.marshal({x | some x in input.x})", singles(SETS))
    written = ['{"a": 1}', "[1, 2]", "1", "null", '"a"', "", "{", '{"a":1,"a":2}', " 1 ", "1 2", "01", "1e400", "1e17", "nul", "'a'", "[1,]", '{"a":1,}', '"\\ud800"', "\ufeff1", "NaN",
               '{"$serde_json::private::Number":"1"}', "[" * 200 + "]" * 200, "18446744073709551617"]
    yield value("builtin json.unmarshal", "json.unmarshal(input.x)", singles([*written, 1, None, []]))


def _patterns():
    texts = ["", "a", "abc", "a1b2", "ABC", "é", "a.b", "a\nb", "x" * 300, "a-b", 1, None]
    patterns = ["^a", "b$", "^[a-z]+$", "[0-9]", "a.b", "(?i)abc", "^.{1}$", "(a|b)+", "^$", r"\.", "[^a]", r"^[[:alpha:]]+$", "^(?:a|b)*$", "(?s)a.b", r"\pL", "[a-]", "[]a]"]
    for number, pattern in enumerate(patterns):
        yield value(f"builtin regex.match {number}", f"regex.match(`{pattern}`, input.x)", singles(texts))
    for number, pattern in enumerate([r"\d", r"\w+", r"\s", r"\bfoo\b", "[a&&b]", "a**", "(?x)a b", r"\<a", "[[a]]", "(?<n>a)"]):
        yield value(f"refused regex.match {number}", f"regex.match(`{pattern}`, input.x)", singles(texts))
    yield value("refused regex.match of the input", "regex.match(input.x, `a`)", singles(["a", "("]))
    yield value("builtin regex.split", "regex.split(`[ ,]+`, input.x)", singles(["", "a", "a b,c", ",a,", " ", 1]))
    yield value("builtin regex.replace", "regex.replace(input.x, `([a-c])x`, input.y)", pairs(["", "ax", "axbx cx", "é", 1], ["", "-", "$1", "${1}y", "$1y", "$$", "$2", 1]))
    networks = ["10.0.0.0/8", "10.1.2.3/16", "0.0.0.0/0", "::/0", "2001:db8::/32", "10.0.0.0/33", "10.0.0.0/08", "10.0.0.0", "010.0.0.0/8", "10.0.0.0/-1", "", 1]
    addresses = [*networks, "10.1.2.3", "10.1.2", "11.0.0.1", "2001:db8::1", "::1", "fe80::1%eth0", " 10.1.2.3", "office", None]
    yield value("builtin net.cidr_contains", "net.cidr_contains(input.x, input.y)", pairs(networks, addresses))
    globs = ["", "*", "**", "a*", "a.*", "a.**", "?", "a?c", "*.b", "a", "*a*", "**b", "a:*", "[a]", "{a,b}", "\\*", "é?"]
    subjects = ["", "a", "abc", "a.b", "a.b.c", "é😀", "a/b", "a:b:c", "*"]
    for number, signs in enumerate(["null", "[]", '["."]', '["/"]', '[":"]', '[".", "/"]', '["ab"]']):
        yield value(f"builtin glob.match {number}", f"glob.match(input.x, {signs}, input.y)", pairs([*globs, 1], [*subjects, 1]))
    versions = ["1.0.0", "1.2.3", "1.10.0", "1.0.0-alpha", "1.0.0-alpha.1", "1.0.0+b", "v1.0.0", "1.0", "", "01.0.0", "1.0.0-", 1]
    yield value("builtin semver.compare", "semver.compare(input.x, input.y)", pairs(versions, versions))


def _times():
    for name in ["time.clock", "time.date", "time.weekday", "time.format"]:
        yield value(f"builtin {name}", f"{name}(input.x)", singles([*TIMES, "a", None, [0, "UTC"], [0, "Europe/Berlin"], [0, "Nowhere"], [0, ""], [0], 1.5]))
    layouts = ["2006-01-02", "RFC3339", "15:04:05", "Mon Jan 2 2006", "2006-01-02T15:04:05Z07:00", "Jan _2 06 03:04PM"]
    yield value("builtin time.format with a layout", 'time.format([input.x, "UTC", input.y])', pairs(TIMES, layouts))
    yield value("builtin time.parse_rfc3339_ns", "time.parse_rfc3339_ns(input.x)", singles(
        ["2026-01-01T00:00:00Z", "2026-01-01T00:00:00.123456789+02:00", "2026-02-30T00:00:00Z", "2026-01-01", "", "2026-01-01 00:00:00Z", "2026-01-01t00:00:00z",
         "2026-01-01T24:00:00Z", "2026-12-31T23:59:60Z", "9999-01-01T00:00:00Z", "0001-01-01T00:00:00Z", 1, None]))
    yield value("builtin time.parse_duration_ns", "time.parse_duration_ns(input.x)", singles(
        ["1s", "1h30m", "1.5h", "-1m", "", "1", "1d", "100ms", "1us", "1µs", "1ns", "0", "+5s", "1h 2m", "9999999h", 1]))
    yield value("builtin time.diff", "time.diff(input.x, input.y)", pairs([*TIMES, "a"], TIMES))


def _types():
    for name in ["is_array", "is_boolean", "is_null", "is_number", "is_object", "is_set", "is_string", "type_name"]:
        yield value(f"builtin {name}", f"{name}(input.x)", singles([*ANY, *LISTS[:3], *OBJECTS[:3], MISSING]))
        yield value(f"builtin {name} of a set", f"{name}({{input.x}})", singles([1]))


def _operators():
    for sign in ["==", "!=", "<", "<=", ">", ">="]:
        yield value(f"operator {sign}", f"[input.x {sign} input.y]", pairs([*ANY, MISSING], ANY))
        yield deny(f"operator {sign} in a condition", f"input.x {sign} input.y", pairs([*ANY, MISSING], ANY))
        yield deny(f"operator {sign} with a number", f"input.x {sign} 5", singles([*ANY, 4, 5, 6, 5.0, "5", MISSING]))
    for sign in ["+", "-", "*", "/", "%"]:
        some = [0, 1, -1, 2, 7, -7, 1.5, 0.25, "1", None, [], 4294967296, 9007199254740991]
        yield value(f"operator {sign}", f"input.x {sign} input.y", pairs(some, some))
        yield deny(f"operator {sign} in a condition", f"input.x {sign} input.y == 1", pairs([*some, MISSING], some))
    yield value("operator - of sets", "{x | some x in input.x} - {\"a\"}", singles(SETS))
    yield value("operator - of a number and a set", "input.x - {1}", singles([1, "a"]))
    yield value("operator unary minus", "-input.x", singles([1, -1, 0, 1.5, "a", None]))
    yield value("operator order of operators", "[input.x + input.y * 2 - 3, (input.x + input.y) * 2, input.x - input.y - 1]", pairs([1, 5, 7], [2, 3]))
    yield value("operator beyond what a float holds", "1e308 * input.x", singles([0, 1, 10]))
    yield deny("operator beyond what a float holds in a condition", "1e308 * input.x > 5", singles([1, 10]))
    yield value("operator sums of tenths", "0.1 + input.x", singles([0.2, 0.1, 1]))
    for name, sign in [("list", "[1, 2, \"a\", [1]]"), ("set", "{1, 2, \"a\", [1]}"), ("object", '{"k": 1, "l": "a"}')]:
        yield deny(f"operator in a {name}", f"input.x in {sign}", singles([*ANY, 2, MISSING]))
        yield deny(f"operator not in a {name}", f"not input.x in {sign}", singles([*ANY, 2, MISSING]))
    yield deny("operator in the input", "input.x in input.y", pairs([1, "a", None, [1]], [[1], ["a"], {"k": "a"}, {}, "a", None, 1]))
    yield deny("operator key, value in a condition", "input.x, input.y in {\"a\": 1, \"b\": [2]}", pairs(["a", "b", "c"], [1, [2], 2]))
    yield deny("operator key, value in the input", "\"a\", input.y in input.x", pairs([{"a": 1}, ["a"], [], {}, None], [1, 2]))
