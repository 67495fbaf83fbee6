"""Writes src/words.rs from lexicon.txt: every word once, with all its classes. With two more arguments it writes the
hashes of name_words.txt, sorted, as u32 in little endian."""
import struct
import sys
import unicodedata


def fold(word):
    for a, b in (("ß", "ss"), ("ø", "o"), ("ł", "l"), ("æ", "ae"), ("œ", "oe"), ("đ", "d"), ("ı", "i")):
        word = word.replace(a, b)
    return "".join(c for c in unicodedata.normalize("NFKD", word.lower()) if not unicodedata.combining(c))


words = {}
for line in open(sys.argv[1], encoding="utf-8"):
    if line.startswith("#") or ":" not in line:
        continue
    kind, rest = line.split(":", 1)
    for word in rest.split():
        word = fold(word)
        if word.isalnum():
            classes = words.setdefault(word, [])
            if kind not in classes:
                classes.append(kind)
out = ["//! What single words say. Made by data/lexicon.py from data/lexicon.txt; change that.", "", "use crate::lexicon::*;", "",
       "/// Folded words and their classes.", "#[rustfmt::skip]", "pub(crate) static WORDS: &[(&str, u64)] = &["]
line = ""
for word in sorted(words):
    item = f'("{word}", {" | ".join(words[word])}), '
    if len(line) + len(item) > 140:
        out.append("    " + line.rstrip())
        line = ""
    line += item
out.append("    " + line.rstrip())
out.append("];")
open(sys.argv[2], "w", encoding="utf-8").write("\n".join(out) + "\n")
if len(sys.argv) > 4:
    def fnv(word):
        h = 0x811C9DC5
        for b in word.encode():
            h = ((h ^ b) * 0x01000193) & 0xFFFFFFFF
        return h

    hashes = sorted({fnv(w.strip()) for w in open(sys.argv[3], encoding="utf-8") if w.strip()})
    open(sys.argv[4], "wb").write(struct.pack(f"<{len(hashes)}I", *hashes))
