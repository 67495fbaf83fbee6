"""How a case is written: rules for `admit`, and the inputs they are asked with."""

from dataclasses import dataclass, field

# Stands for a member that is not there.
MISSING = object()

TEXTS = ["", "a", "abc", "Hello, World", "ÄÖßé", "😀é", "a b  c", "  pad\t", "x/y/z", "İIıſ", "a\u0000b", "\u00a0nb\u2003", 'q"\\', "\u0301a", "aaa", "ab" * 400]
ANY = [None, True, False, 0, 1, -1, 1.5, "", "a", "1", [], [1], ["a"], {}, {"a": 1}, [[1]], [None]]

HEAD = "package portcullis.rules.admit\n\nimport rego.v1\n\n"


@dataclass
class Case:
    """A bundle and what it is asked with; the name is what differences are keyed by."""

    name: str
    rules: str
    inputs: list
    files: dict = field(default_factory=dict)


def value(name, expression, inputs, before="", more="", files=None):
    """A rule that allows and says a value."""
    before = f"\t{before}\n" if before else ""
    rule = 'allow contains {"rule": "value", "text": value} if {\n\tinput.probe\n' + before + f"\tvalue := {expression}\n}}\n"
    return Case(name, HEAD + rule + (f"\n{more}\n" if more else ""), inputs, files or {})


def deny(name, body, inputs, more="", files=None):
    """A rule that denies what another allows, if its body holds."""
    rules = (
        'allow contains {"rule": "seen", "text": "seen"} if input.probe\n\n'
        'deny contains {"rule": "spoke", "text": "spoke"} if {\n\tinput.probe\n\t' + body + "\n}\n"
    )
    return Case(name, HEAD + rules + (f"\n{more}\n" if more else ""), inputs, files or {})


def singles(values):
    return [{} if one is MISSING else {"x": one} for one in values]


def pairs(firsts, seconds):
    return [{**first, "y": second} for first in singles(firsts) for second in seconds if second is not MISSING]
