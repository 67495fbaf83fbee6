"""Where our answer is not OPA's, by the name of the case, with the kind of difference and why it is right.

Kinds: `error` (the evaluation ends, which denies), `refused` (the bundle is not loaded, so nothing is allowed),
`value` (another value, nothing let through), `interpreter` (bytecode decides as OPA does, the interpreter, which
explains and tests, says otherwise). That we let through what OPA stops is not a kind.
"""


def by_name():
    """`{name: {kind: justification}}`."""
    table = {}
    for kind, why, names in DIFFERENCES:
        for name in names:
            assert kind not in table.setdefault(name, {}), f"{name} is listed twice"
            table[name][kind] = why
    return table


def _numbered(name, count):
    return [f"{name} {number}" for number in range(count)]


DIFFERENCES = [
    ("refused", "Needs facts from outside or from the clock; a decision must be repeatable from its record.",
     ["refused http.send", "refused time.now_ns", "refused rand.intn", "refused opa.runtime", "refused net.lookup_ip_addr", "refused io.jwt.decode"]),
    ("refused", "The engine's values are not OPA's, or it panics.",
     ["refused walk", "refused strings.count", "refused units.parse", "refused units.parse_bytes", "refused object.subset",
      "refused json.remove", "refused json.filter", "refused numbers.range_step", "refused base64.is_valid", "refused json.is_valid",
      "refused semver.is_valid", "refused regex.is_valid", "refused time.add_date", "refused time.parse_ns", "refused glob.quote_meta"]),
    ("refused", "The engine does not have it.",
     ["refused hex.encode", "refused template text", "operator unary minus", "object rule by a literal", "object rule with a conflict",
      "object rule by a reference", "some key, value with a known key", "function with default"]),
    ("refused", "An agent could choose how much memory it takes.", [*_numbered("refused numbers.range", 4), "refused bits.lsh of the input"]),
    ("refused", "The engine reads such a pattern by Unicode, or otherwise than OPA.", [*_numbered("refused regex.match", 10), "refused regex.match of the input"]),
    ("refused", "The engine matches patterns of objects that have more members, OPA does not.",
     ["refused object pattern", "refused object pattern by =", "refused object pattern in some", "refused object pattern of a function"]),
    ("refused", "`sprintf` is checked at load: OPA would write its mistakes into the text.",
     ["refused sprintf of a verb", "refused sprintf of the input", "refused sprintf with too few values"]),
    ("refused", "`with` is for tests: bytecode does not know it.", ["refused with"]),
    ("refused", "`not` over a field that may be missing could allow.", ["refused not that may allow", "not not"]),
    ("refused", "`in` as a value is false where the value is missing; OPA has no value then.", ["refused assigned membership", "refused membership as a value"]),
    ("error", "A verb gets what it is for: OPA would write `%!s(int=5)` or `%!v(MISSING)` into the text.",
     ["builtin sprintf %s", "builtin sprintf %d", "builtin sprintf of a list of values", "builtin sprintf of big numbers",
      "bundle default", "bundle knowledge-author", "bundle lockdown", "bundle quality-analyst",
      "bundle read-only-support"]),
    ("error", "An empty text to replace stands between all letters, which nobody means; OPA also breaks letters apart.",
     ["builtin replace", "builtin strings.replace_n"]),
    ("error", "Only `*` and `**` are the same everywhere: OPA's `?` also stands for nothing.", _numbered("builtin glob.match", 6)),
    ("error", "The same key twice, a number that cannot be held, half a character: calls that hold them are refused, too.", ["builtin json.unmarshal"]),
    ("error", "A version is three numbers without leading zeros; OPA takes others too.", ["builtin semver.compare"]),
    ("error", "A line break within base64 is refused.", ["builtin base64.decode"]),
    ("error", "A shift beyond 32 bits is refused.", ["builtin bits.rsh"]),
    ("error", "A day is not always 24 hours long; OPA takes `1d`.", ["builtin time.parse_duration_ns"]),
    ("error", "The number cannot be written as JSON; comparisons with it are exact.", ["operator beyond what a float holds"]),
    ("error", "The interpreter, which decides these, ends where something other than a collection is iterated.",
     ["some key, value in", "some key, value in collects", "some key, value in a list", "some key, _ in", "some _, value in",
      "some key, value with a literal key", "object comprehension", "object comprehension by value", "object comprehension with a conflict", "object rule"]),
    ("interpreter", "The interpreter ends where something other than a collection is iterated.",
     ["some in", "some in with a comparison", "some in collects", "some value with a literal", "some in some", "in within some",
      "set comprehension", "list comprehension with conditions", "nested comprehensions", "comprehension of a function", "comprehension compared",
      "count of a comprehension", "comprehension with not", "set rule", "set rule of two definitions", "set rule in a condition", "set rule counted",
      "function that loops", "builtin intersection", "builtin union", "builtin sum of a set", "builtin product of a set", "builtin max of a set",
      "builtin min of a set", "bundle default", "bundle conformance", "bundle knowledge-author", "bundle quality-analyst",
      "bundle read-only-support"]),
    ("value", "`not` of a call or a membership whose argument is missing: true here, undefined in OPA. In a rule that denies that is "
     "stricter; in one that may allow the load refuses it (`refused not that may allow`).",
     ["operator not in a list", "operator not in a set", "operator not in a object", "not of a builtin", "not of a function", "not of a set"]),
    ("value", "Letters of Unicode 16 and 17, which OPA's Go does not know.",
     ["builtin lower of every letter", "builtin upper of every letter", "builtin sprintf of every letter"]),
    ("value", "A whole number is written as one; OPA repeats the text of the input, `1000000000000000.0`.", ["builtin json.marshal"]),
    ("value", "The last digit of a binary float; OPA computes with decimals.", ["operator /", "operator sums of tenths"]),
    ("value", "Sets come before objects here and after them in OPA; no input holds a set.", ["order of sets and objects"]),
]
