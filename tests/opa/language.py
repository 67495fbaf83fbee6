"""Cases for the language itself: how rules are made and how bodies are read."""

from forms import ANY, MISSING, Case, HEAD, deny, pairs, singles, value

LISTS = [[], [1], [1, 2, 3], [20, 1], [1, "a", None], ["a"], {}, {"a": 1, "b": 20}, "abc", None, 5, [[1, 2], [3]], MISSING]
TREE = [{"a": {"b": [{"c": 1}, {"c": 2}], "d": {"e": "f"}}}, {"a": {"b": []}}, {"a": None}, {"a": [1]}, {"a": "text"}, {}, []]


def cases():
    return [*_iteration(), *_comprehensions(), *_assignments(), *_references(), *_negation(), *_rules(), *_functions(), *_patterns(), *_literals(), *_packages(), *_refused()]


def _iteration():
    yield deny("some in", "some one in input.x\n\tone == 1", singles(LISTS))
    yield deny("some in with a comparison", "some one in input.x\n\tone > 10", singles(LISTS))
    yield value("some in collects", "[one | some one in input.x]", singles(LISTS))
    yield deny("some key, value in", "some key, one in input.x\n\tkey == \"a\"\n\tone == 1", singles(LISTS))
    yield value("some key, value in collects", "[[key, one] | some key, one in input.x]", singles(LISTS))
    yield deny("some key, value in a list", "some place, one in input.x\n\tplace == 1\n\tone > 1", singles(LISTS))
    yield value("some key, _ in", "[key | some key, _ in input.x]", singles(LISTS))
    yield value("some _, value in", "[one | some _, one in input.x]", singles(LISTS))
    yield value("some key, value in a set", "[[key, one] | some key, one in {x | some x in input.x}]", singles(LISTS[:8]))
    yield deny("some key, value with a known key", 'key := "a"\n\tsome key, one in input.x\n\tone == 1', singles(LISTS))
    yield deny("some key, value with a literal key", 'some "a", one in input.x\n\tone == 1', singles(LISTS))
    yield deny("some value with a literal", "some 1 in input.x", singles(LISTS))
    yield value("some pattern in", "[b | some [a, b] in input.x]", singles([[[1, 2], [3, 4]], [[1], [1, 2, 3]], [1], []]))
    yield deny("some declared", "some i\n\tinput.x[i] == 1", singles(LISTS))
    yield deny("some two declared", "some i, j\n\tinput.x[i] == 1\n\tinput.x[j] == 3\n\ti < j", singles(LISTS))
    yield deny("wildcard", "input.x[_] == 1", singles(LISTS))
    yield deny("two wildcards", "input.x[_] == 1\n\tinput.x[_] == 3", singles(LISTS))
    yield deny("nested wildcards", "input.x[_][_] == 2", singles(LISTS))
    yield deny("every", "every one in input.x {\n\t\tone < 10\n\t}", singles(LISTS))
    yield deny("every with key", "every key, one in input.x {\n\t\tone != 20\n\t\tkey != \"b\"\n\t}", singles(LISTS))
    yield deny("every of two conditions", "every one in input.x {\n\t\tis_number(one)\n\t\tone < 10\n\t}", singles(LISTS))
    yield deny("every with outer values", "most := input.y\n\tevery one in input.x {\n\t\tone <= most\n\t}", pairs(LISTS, [2, 100, None]))
    yield deny("every in every", "every list in input.x {\n\t\tevery one in list {\n\t\t\tone < 3\n\t\t}\n\t}", singles([[], [[1, 2]], [[1], [3]], [[]], [1]]))
    yield deny("every with some inside", "every one in input.x {\n\t\tsome two in input.y\n\t\tone == two\n\t}", pairs(LISTS[:6], [[1, 2, 3], [], ["a", 1]]))
    yield deny("every with not inside", "every one in input.x {\n\t\tnot one in {1, 2}\n\t}", singles(LISTS))
    yield deny("every with undefined", "every one in input.x {\n\t\tone.a == 1\n\t}", singles([[], [{"a": 1}], [{"a": 1}, {}], [1], {"k": {"a": 1}}]))
    yield deny("not every", "not all_small", singles(LISTS), more="all_small if {\n\tinput.x\n\tevery one in input.x {\n\t\tone < 10\n\t}\n}")
    yield deny("some in some", "some list in input.x\n\tsome one in list\n\tone == 3", singles(LISTS))
    yield deny("join of two lists", "some a in input.x\n\tsome b in input.y\n\ta == b", pairs(LISTS[:6], [[1], ["a"], [], {"k": 3}]))
    yield deny("in within some", "some one in input.x\n\tone in input.y", pairs(LISTS, [[1], {"k": "a"}, [], None, "a"]))


def _comprehensions():
    yield value("set comprehension", "{one | some one in input.x}", singles(LISTS))
    yield value("list comprehension with conditions", "[one | some one in input.x; is_number(one); one > 1]", singles(LISTS))
    yield value("object comprehension", "{key: one | some key, one in input.x}", singles(LISTS))
    yield value("object comprehension by value", "{sprintf(\"%v\", [one]): one | some one in input.x}", singles(LISTS))
    yield value("object comprehension with a conflict", '{"same": one | some one in input.x}', singles(LISTS))
    yield value("nested comprehensions", "[[inner | some inner in outer] | some outer in input.x]", singles(LISTS))
    yield value("comprehension with outer values", "[one | some one in input.x; one != least]", singles(LISTS[:6]), before="least := 1")
    yield value("comprehension of nothing", "[1 | input.never]", singles([1]))
    yield value("comprehension of a function", "{twice(one) | some one in input.x; is_number(one)}", singles(LISTS), more="twice(x) := [x, x]")
    yield deny("comprehension compared", "{one | some one in input.x} == {1, 2, 3}", singles(LISTS))
    yield deny("count of a comprehension", "count([one | some one in input.x; one > 1]) > 1", singles(LISTS))
    yield value("comprehension with every", "[list | some list in input.x; every one in list { one < 3 }]", singles([[[1, 2], [3]], [[]], []]))
    yield value("comprehension with not", "[one | some one in input.x; not one in {1, 2}]", singles(LISTS))


def _assignments():
    """What a body does where there is nothing to assign: bytecode would go on."""
    here = [1, 2, None, MISSING]
    yield value("assigned and negated", '"v"', singles(here), before="one := input.x\n\tnot one == 1")
    yield value("assigned and not in", '"v"', singles(here), before="one := input.x\n\tnot one in {1}")
    yield value("assigned and not a function", '"v"', singles([*here, {"a": 1}]), before="one := input.x.a\n\tnot f(one)", more="f(x) if x == 1")
    yield value("assigned and every", '"v"', singles(here), before="one := input.x\n\tevery z in [1] {\n\t\tnot z == one\n\t}")
    yield value("assigned and compared inside", "count([1 | not one == 1])", singles(here), before="one := input.x")
    yield value("assigned in a loop", '"v"', singles([[[1, 2]], [[1]], [3], MISSING]), before="some two in input.x\n\tone := two[1]\n\tnot one == 1")
    yield value("assigned by unification", '"v"', singles(here), before="one = input.x\n\tnot one == 1")
    yield value("assigned an object", '"v"', singles(here), before='f := {"a": input.x}\n\tnot f.a == 1')
    yield value("assigned a list", '"v"', singles(here), before="f := [input.x]\n\tnot f[0] == 1")
    yield value("assigned a set", '"v"', singles(here), before="f := {input.x}\n\tnot 1 in f")
    yield value("assigned what a function gives", '"v"', singles(here), before="f := g(input.x)\n\tnot f == 1", more="g(x) := x if x == 1")
    yield value("assigned what a builtin gives", '"v"', singles(["a", "B", 1, MISSING]), before='f := lower(input.x)\n\tnot f == "a"')
    yield value("assigned what a rule gives", '"v"', singles(["a", 1, MISSING]), before="f := rule\n\tnot f == 1", more='rule := 1 if input.x == "a"')
    yield value("assigned data", '"v"', singles(["a", "b", 1, MISSING]), before="f := data.m[input.x]\n\tnot f == 1", files={"m.json": '{"m": {"a": 1, "b": 2}}'})
    yield value("assigned a comparison", '"v"', singles(here), before="f := input.x == 1\n\tnot f")
    yield value("refused assigned membership", '"v"', singles(here), before="f := input.x in {1}\n\tnot f")
    yield value("assigned with a default", '"v"', singles(here), before='f := object.get(input, "x", input.y)\n\tnot f == 1')
    yield value("assigned and never used", '"v"', singles([*ANY, MISSING]), before="unused := input.x\n\tinput.probe")
    yield value("assigned and given", "one", singles([*ANY, MISSING]), before="one := input.x")
    yield value("assigned and looked at", '"v"', singles(here), before="one := input.x\n\tone != 5\n\tnot one == 1")
    yield value("assigned and passed on", '"v"', singles(here), before="one := input.x\n\ttwo := one\n\tnot two == 1")
    yield value("assigned to a pattern", '"v"', singles([[1, 2], [2, 2], [1], MISSING]), before="[one, _] := input.x\n\tnot one == 1")
    yield value("assigned in a comprehension", "[1 | one := input.x; not one == 1]", singles(here))
    yield value("assigned in a function", "f(1)", singles(here), more='f(_) := "v" if {\n\tone := input.x\n\tnot one == 1\n}')
    yield value("assigned in every", '"v"', singles([[1], [2], [{}], [{"a": 1}], MISSING]), before="every z in input.x {\n\t\tone := z.a\n\t\tnot one == 1\n\t}")
    yield value("function that ignores what is missing", "f(input.x)", singles(here), more='f(_) := "v"')
    yield value("function that negates what is missing", "f(input.x)", singles(here), more='f(x) := "v" if not x == 1')
    yield value("list with what is missing", "[input.x, 1]", singles(here))
    yield value("object with what is missing", '{"k": input.x, "l": 1}', singles(here))
    yield value("set comprehension of what is missing", "{y | y := input.x}", singles(here))
    yield value("refused membership as a value", "[input.x in {1}]", singles(here))
    yield deny("membership in what is missing", "1 in input.x", singles([[1], [2], MISSING]))
    yield deny("every over what is missing", "every one in input.x {\n\t\tone == 1\n\t}", singles([[1], MISSING]))
    yield deny("count of what is missing", "count(input.x) == 0", singles([[], [1], MISSING]))


def _references():
    yield value("reference with dots", "input.x.a.b", singles(TREE))
    yield value("reference with an index", "input.x.a.b[0].c", singles(TREE))
    yield value("reference with brackets", 'input.x["a"]["d"]["e"]', singles(TREE))
    yield value("reference by a variable", "input.x[key].b", singles(TREE), before='key := "a"')
    yield value("reference by a member", "input.x[input.y]", pairs([{"a": 1}, [10, 20], "ab", None], ["a", 0, 1, -1, "0", None, 1.0, 0.5]))
    yield value("reference into a literal", '{"a": 1, "b": {"c": 2}}[input.x]', singles(["a", "b", "c", 1]))
    yield value("reference into a list literal", "[10, 20][input.x]", singles([0, 1, 2, -1, "0"]))
    yield value("reference into a set", "[{1, \"a\"}[input.x]]", singles([1, "a", 2]))
    yield value("reference through all", "[c | c := input.x.a.b[_].c]", singles(TREE))
    yield deny("reference that is false", "input.x", singles(ANY))
    yield deny("reference to a member that is false", "input.x.a", singles([{"a": False}, {"a": None}, {"a": 0}, {"a": ""}, {}, {"a": True}]))
    yield value("data by name", "data.limits[input.x]", singles(["a", "b", "c"]), files={"limits.json": '{"limits": {"a": 1, "b": {"c": [1]}}}'})
    yield deny("data by name in a condition", "input.x > data.limits.a", singles([0, 1, 2, None, "a"]), files={"limits.json": '{"limits": {"a": 1}}'})
    yield value("data through all", "[name | some name; data.limits[name] > 1]", singles([1]), files={"limits.json": '{"limits": {"a": 1, "b": 2}}'})
    yield value("input as a whole", "count(input)", singles(ANY))
    yield value("keys of all types", '{1: "a", "1": "b", null: "c", [1]: "d"}[input.x]', singles([1, "1", None, [1], 1.0, True]))


def _negation():
    yield deny("not", "not input.x", singles([*ANY, MISSING]))
    yield deny("not of a comparison", "not input.x == 1", singles([*ANY, MISSING]))
    yield deny("not of a member", "not input.x.a.b", singles(TREE))
    yield deny("not of a rule", "not good", singles([*ANY, MISSING]), more="good if input.x == 1")
    yield deny("not of a function", "not good(input.x)", singles([*ANY, MISSING]), more="good(x) if x == 1")
    yield deny("not of a builtin", 'not startswith(input.x, "a")', singles(["a", "b", "", MISSING]))
    yield deny("not of a builtin with another type", 'not startswith(input.x, "a")', singles([1, None, []]))
    yield deny("not of a set", "not input.x in names", singles([*ANY, MISSING]), more='names contains name if some name in ["a", 1]')
    yield deny("not with a local value", "one := input.x\n\tnot one == 1", singles([*ANY, MISSING]))
    yield deny("not not", "not bad", singles([*ANY, MISSING]), more="bad if not input.x")


def _rules():
    yield value("complete rule", "limit", singles(ANY), more="limit := 5 if input.x\n")
    yield value("default", "limit", singles([*ANY, MISSING]), more="default limit := 1\n\nlimit := 5 if input.x")
    yield value("default false", "[good]", singles([*ANY, MISSING]), more="default good := false\n\ngood if input.x == 1")
    yield value("two definitions of one value", "limit", singles(ANY), more="limit := 5 if input.x == 1\n\nlimit := 5 if input.x != 2")
    yield value("two definitions of two values", "limit", singles([1, 2, 3]), more="limit := 5 if input.x < 3\n\nlimit := 6 if input.x > 1")
    yield deny("two values in a condition", "limit == 5", singles([1, 2, 3]), more="limit := 5 if input.x < 3\n\nlimit := 6 if input.x > 1")
    yield value("else", "level", singles([0, 1, 5, 50, None, "a", MISSING]), more='level := "high" if {\n\tinput.x > 10\n} else := "middle" if {\n\tinput.x > 2\n} else := "low"')
    yield value("else without an end", "level", singles([0, 5, 50, MISSING]), more='level := "high" if {\n\tinput.x > 10\n} else := "middle" if {\n\tinput.x > 2\n}')
    yield value("set rule", "names", singles(LISTS), more="names contains one if some one in input.x")
    yield value("set rule of two definitions", "names", singles(LISTS), more='names contains one if some one in input.x\n\nnames contains "always"')
    yield deny("set rule in a condition", "names[input.y]", pairs(LISTS, [1, "a", None]), more="names contains one if some one in input.x")
    yield deny("set rule counted", "count(names) > 1", singles(LISTS), more="names contains one if some one in input.x")
    yield value("object rule", "sizes", singles(LISTS), more="sizes[key] := one if some key, one in input.x")
    yield value("object rule by a literal", "sizes", singles(ANY), more='sizes["a"] := 1 if input.x\n\nsizes["b"] := 2 if not input.x')
    yield value("object rule with a conflict", "sizes", singles(LISTS), more='sizes["same"] := one if some one in input.x')
    yield value("object rule by a reference", "sizes.a.b", singles(ANY), more="sizes.a.b := 1 if input.x\n\nsizes.a.c := 2")
    yield value("rules of rules", "third", singles(ANY), more="first := input.x\n\nsecond := [first, first]\n\nthird := {\"of\": second}")
    yield deny("condition of a rule", "good", singles([*ANY, MISSING]), more="good if {\n\tinput.x != 1\n\tinput.x != null\n}")
    yield deny("either of two definitions", "good", singles(ANY), more='good if input.x == 1\n\ngood if input.x == "a"')
    yield value("constant", "[limits.a, limits.b[0]]", singles([1]), more='limits := {"a": 1, "b": [2]}')
    yield deny("assignment of undefined", "one := input.x\n\tone != 1", singles([*ANY, MISSING]))
    yield deny("assignment of false", "one := input.x == 1\n\tone == false", singles([*ANY, MISSING]))
    yield Case("hold and deny", HEAD + 'hold contains {"rule": "h", "text": "h", "release": {"groups": ["g"], "people": input.x, "expires_seconds": 60}} if input.x\n\n'
               'deny contains {"rule": "d", "text": "d"} if input.x > 3\n\nallow contains {"rule": "a", "text": "a"} if input.probe', singles([*ANY, 5, MISSING]))


def _functions():
    yield value("function", "twice(input.x)", singles([1, 2, "a", None, MISSING]), more="twice(x) := x * 2")
    yield value("function of two definitions", "sign(input.x)", singles([1, -1, 0, "a", MISSING]), more='sign(x) := "plus" if x > 0\n\nsign(x) := "minus" if x < 0')
    yield value("function that overlaps", "sign(input.x)", singles([1, 5, 10]), more="sign(x) := 1 if x > 0\n\nsign(x) := 2 if x > 5")
    yield value("function with else", "size(input.x)", singles([1, 20, "a", None]), more='size(x) := "big" if {\n\tx > 10\n} else := "small"')
    yield value("function of a literal", "name(input.x)", singles([1, 2, "a", None]), more='name(1) := "one"\n\nname("a") := "letter"')
    yield value("function of a list pattern", "first(input.x)", singles([[1, 2], [1], [], "ab", None]), more="first([a, _]) := a")
    yield value("function with default", "safe(input.x)", singles([1, 0, "a", None]), more="default safe(_) := false\n\nsafe(x) if x == 1")
    yield value("function of a function", "outer(input.x)", singles([1, 2, "a"]), more="outer(x) := inner(inner(x))\n\ninner(x) := [x]")
    yield value("function that loops", "total(input.x)", singles(LISTS), more="total(list) := sum([one | some one in list; is_number(one)])")
    yield deny("function as a condition", "risky(input.x)", singles([*ANY, MISSING]), more='risky(x) if x == 1\n\nrisky(x) if x == "a"')
    yield deny("function that is false", "risky(input.x)", singles(ANY), more="risky(x) := x == 1")
    yield value("function over the input", "near(1)", singles([1, 2, MISSING]), more="near(x) := [x, input.x] if input.x == x")


def _patterns():
    yield value("list pattern", "[a, b]", singles([[1, 2], [1], [1, 2, 3], "ab", None, {}]), before="[a, b] := input.x")
    yield value("list pattern with a literal", "b", singles([[1, 2], [2, 2], [1]]), before="[1, b] = input.x")
    yield value("nested list pattern", "[a, b]", singles([[[1], 2], [1, 2], [[1, 2], 3]]), before="[[a], b] := input.x")
    yield deny("unification", "input.x = 1", singles([*ANY, MISSING]))
    yield deny("unification of variables", "one = input.x\n\tone = 1", singles([*ANY, MISSING]))
    yield deny("unification of lists", "[input.x, 2] = [1, input.y]", pairs([1, 2, None], [2, 3]))
    yield deny("object compared", '{"a": 1} == input.x', singles([{"a": 1}, {"a": 1, "b": 2}, {"a": 1.0}, {}, []]))
    yield value("refused object pattern", "a", singles([{"a": 1}, {"a": 1, "b": 2}, {}]), before='{"a": a} := input.x')
    yield value("refused object pattern by =", "a", singles([{"a": 1}, {"a": 1, "b": 2}, {}]), before='{"a": a} = input.x')
    yield value("refused object pattern in some", "[a | some {\"a\": a} in input.x]", singles([[{"a": 1}], [{"a": 1, "b": 2}]]))
    yield value("refused object pattern of a function", "f(input.x)", singles([{"a": 1}, {"a": 1, "b": 2}]), more='f({"a": a}) := a')


def _literals():
    yield value("literals", '["a\\n\\u00e9\\"", `raw\\n`, 1, -1, 1.5, 1e3, true, null, {}, [], set(), {"a", 1}, {"k": [1]}]', singles([1]))
    yield deny("numbers are equal by value", "input.x == 1", singles([1, 1.0, 1e0, "1", True]))
    yield deny("large numbers", "input.x == 9007199254740991", singles([9007199254740991, 9007199254740992, 9007199254740990]))
    yield deny("whole numbers of 64 bits", "input.x == 18446744073709551615", singles([18446744073709551615, 18446744073709551614]))
    yield deny("negative numbers of 64 bits", "input.x == -9223372036854775808", singles([-9223372036854775808, -9223372036854775807]))
    yield deny("text is not normalised", 'input.x == "é"', singles(["é", "e\u0301", "É"]))
    yield value("order of types", "sort(input.x)", singles([[{}, [], "", 0, True, None, False], [[2], [1, 5], [1]], [{"b": 1}, {"a": 2}], ["b", "B", "é", "z"]]))
    yield value("order of sets and objects", "sort([{one | some one in input.x}, {\"k\": 1}, [1]])", singles([[1], []]))


def _packages():
    helpers = "package helpers\n\nimport rego.v1\n\ngood if input.x == 1\n\nnames contains \"a\"\n\ntwice(x) := x * 2\n"
    yield deny("helper rule", "data.helpers.good", singles([1, 2, MISSING]), files={"helpers.rego": "package helpers\n\nimport rego.v1\n\ngood if input.x == 1\n"})
    yield value("helper function", "data.helpers.twice(input.x)", singles([1, 2]), files={"helpers.rego": "package helpers\n\nimport rego.v1\n\ntwice(x) := x * 2\n"})
    imported = Case("import of a helper", HEAD + 'import data.helpers\n\nallow contains {"rule": "value", "text": helpers.twice(input.x)} if {\n\tinput.probe\n\thelpers.good\n\t"a" in helpers.names\n}\n',
                    singles([1, 2]), {"helpers.rego": helpers})
    yield imported
    yield Case("import of the input", HEAD + 'import input.x as it\n\nallow contains {"rule": "value", "text": it} if {\n\tinput.probe\n\tit\n}\n', singles([1, 0, None, False, MISSING]))
    yield Case("import of a rule", HEAD + 'import data.helpers.good\n\nallow contains {"rule": "value", "text": "v"} if {\n\tinput.probe\n\tgood\n}\n', singles([1, 2]),
               {"helpers.rego": "package helpers\n\nimport rego.v1\n\ngood if input.x == 1\n"})
    yield value("two files of one package", "data.helpers.both", singles([1, 2]),
                files={"a.rego": "package helpers\n\nimport rego.v1\n\nboth contains 1 if input.x == 1\n", "b.rego": "package helpers\n\nimport rego.v1\n\nboth contains 2\n"})


def _refused():
    """What the load refuses and OPA does not; denying all is stricter."""
    yield value("refused http.send", 'http.send({"method": "get", "url": "http://localhost:1"})', singles([1]))
    yield value("refused time.now_ns", "time.now_ns() > 0", singles([1]))
    yield value("refused rand.intn", 'rand.intn("a", 1)', singles([1]))
    yield value("refused opa.runtime", "opa.runtime()", singles([1]))
    yield value("refused net.lookup_ip_addr", 'net.lookup_ip_addr(input.x)', singles(["localhost"]))
    yield value("refused io.jwt.decode", "io.jwt.decode(input.x)", singles(["a"]))
    yield value("refused walk", "[p | walk(input.x, [p, _])]", singles([[1]]))
    yield value("refused strings.count", "strings.count(input.x, input.y)", pairs(["abc", "11111"], ["", "11"]))
    yield value("refused units.parse", "units.parse(input.x)", singles(["1K", "1d"]))
    yield value("refused units.parse_bytes", "units.parse_bytes(input.x)", singles(["1K", "1KiB"]))
    yield value("refused object.subset", "object.subset(input.x, input.y)", pairs([{"a": 1}, [1]], [{}, [1]]))
    yield value("refused json.remove", "json.remove(input.x, input.y)", pairs([{"a": 1}], [["a"], ["b"]]))
    yield value("refused numbers.range_step", "numbers.range_step(1, 5, 2)", singles([1]))
    yield value("refused sprintf of a verb", 'sprintf("%x", [input.x])', singles([1]))
    yield value("refused sprintf of the input", "sprintf(input.x, [1])", singles(["%d", "%s"]))
    yield value("refused sprintf with too few values", 'sprintf("%s %s", ["a"])', singles([1]))
    yield deny("refused with", "good with input as {\"x\": 1}", singles([1, 2]), more="good if input.x == 1")
    yield value("refused hex.encode", "hex.encode(input.x)", singles(["a"]))
    for name in ["base64.is_valid", "json.is_valid", "semver.is_valid", "regex.is_valid"]:
        yield value(f"refused {name}", f"{name}(input.x)", singles(["a"]))
    yield value("refused json.filter", 'json.filter(input.x, ["a/b"])', singles([{"a": 1}]))
    yield value("refused time.add_date", "time.add_date(input.x, 0, -13, 0)", singles([0]))
    yield value("refused time.parse_ns", 'time.parse_ns("2006-01-02", input.x)', singles(["2026-1-2"]))
    yield value("refused not that may allow", "true", singles([{}]), before="not input.y in {1}")
    yield value("refused glob.quote_meta", "glob.quote_meta(input.x)", singles(["a"]))
    yield value("refused template text", '$"{input.x}"', singles(["a"]))
