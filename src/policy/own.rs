//! Builtins that we bring ourselves, because the engine's answer otherwise than OPA's or may grow
//! without a bound. Each gives exactly OPA's value, or ends the evaluation.
//!
//! Bytecode calls them in place of the engine's ([`super::builtins`]); the interpreter knows them as
//! extensions, which it asks first.

mod cidr;

use std::sync::LazyLock;

use regorus::unstable::{BUILTINS, Expr, Ref, Source, Span};
use regorus::{Engine, Value};

use super::builtins::LIST;
use super::json;
use super::sprintf::sprintf;

/// A builtin of ours; `None` ends the evaluation.
pub(super) type Own = fn(&[Value]) -> Option<Value>;

/// The longest text that a builtin makes out of shorter ones. Rules speak in sentences.
pub(super) const MAX_TEXT: usize = 64 * 1024;

/// The longest pattern of `glob.match`; its cost is the pattern's length times the text's.
const MAX_GLOB: usize = 256;

/// Name, number of arguments, and the builtin.
pub(super) const OWN: &[(&str, u8, Own)] = &[
    ("array.slice", 3, slice),
    ("concat", 2, concat),
    ("count", 1, count),
    ("glob.match", 3, glob_match),
    ("indexof", 2, indexof),
    ("indexof_n", 2, indexof_n),
    ("json.marshal", 1, marshal),
    ("json.unmarshal", 1, unmarshal),
    ("lower", 1, lower),
    ("net.cidr_contains", 2, cidr::contains),
    ("replace", 3, replace),
    ("sprintf", 2, sprintf),
    ("strings.replace_n", 2, replace_n),
    ("substring", 3, substring),
    ("time.parse_rfc3339_ns", 1, parse_rfc3339),
    ("to_number", 1, to_number),
    ("upper", 1, upper),
];

/// The builtin of this name, if it is ours.
pub(super) fn own(name: &str) -> Option<Own> {
    OWN.iter().find(|(own, _, _)| *own == name).map(|(_, _, builtin)| *builtin)
}

/// Teaches the interpreter our builtins, and to end where one of the engine's that bytecode never
/// calls has no value for what it was given: in a rule that denies, no value lets the call pass.
pub(super) fn teach(engine: &mut Engine) -> Result<(), String> {
    for (name, arguments, builtin) in OWN {
        add(engine, name, *arguments, *builtin)?;
    }
    for name in LIST.iter().filter(|listed| !listed.is_quick()).map(|listed| listed.name) {
        if let (None, Some((_, arguments))) = (own(name), BUILTINS.get(name)) {
            add(engine, name, *arguments, move |args: &[Value]| engines(name, args))?;
        }
    }
    Ok(())
}

fn add(
    engine: &mut Engine,
    name: &'static str,
    arguments: u8,
    builtin: impl Fn(&[Value]) -> Option<Value> + Clone + Send + Sync + 'static,
) -> Result<(), String> {
    let call = move |args: Vec<Value>| {
        // The engine wants an error of its own library; ours only says that there is no value.
        let none = || std::io::Error::other(format!("`{name}` cannot do this"));
        builtin(&args).ok_or_else(|| none().into())
    };
    let added = engine.add_extension(name.to_owned(), arguments, Box::new(call));
    added.map_err(|error| error.to_string())
}

/// A place for builtins of the engine, which want one for their messages.
static NOWHERE: LazyLock<Option<(Span, Ref<Expr>)>> = LazyLock::new(|| {
    let source = Source::from_contents(String::from("builtin"), String::from(" ")).ok()?;
    let span = Span { source, line: 1, col: 1, start: 0, end: 0 };
    let part = Ref::new(Expr::Null { span: span.clone(), value: Value::Null, eidx: 0 });
    Some((span, part))
});

/// Calls a builtin of the list, ours if we have one.
#[cfg(test)]
pub(super) fn called(name: &str, args: &[Value]) -> Option<Value> {
    own(name).map_or_else(|| engines(name, args), |own| own(args))
}

/// Calls the engine's builtin, strictly.
fn engines(name: &str, args: &[Value]) -> Option<Value> {
    let (span, part) = NOWHERE.as_ref()?;
    let parts: Vec<Ref<Expr>> = args.iter().map(|_| part.clone()).collect();
    let (builtin, _) = BUILTINS.get(name)?;
    builtin(span, &parts, args, true).ok().filter(|value| *value != Value::Undefined)
}

/// The engine counts the halves of a character beyond the basic plane.
fn count(args: &[Value]) -> Option<Value> {
    let count = match args {
        [Value::String(text)] => text.chars().count(),
        [Value::Array(items)] => items.len(),
        [Value::Set(items)] => items.len(),
        [Value::Object(members)] => members.len(),
        _ => return None,
    };
    Some(count.into())
}

fn concat(args: &[Value]) -> Option<Value> {
    let [Value::String(between), parts] = args else { return None };
    let parts: Vec<&Value> = match parts {
        Value::Array(parts) => parts.iter().collect(),
        Value::Set(parts) => parts.iter_sorted().collect(),
        _ => return None,
    };
    let mut text = String::new();
    for (number, part) in parts.into_iter().enumerate() {
        let Value::String(part) = part else { return None };
        text.push_str(if number > 0 { between } else { "" });
        text.push_str(part);
        if text.len() > MAX_TEXT {
            return None;
        }
    }
    Some(text.into())
}

/// An empty old text is refused: OPA then takes letters apart.
fn replace(args: &[Value]) -> Option<Value> {
    let [Value::String(text), Value::String(old), Value::String(new)] = args else { return None };
    if old.is_empty() {
        return None;
    }
    let count = text.matches(&**old).count();
    let kept = text.len().saturating_sub(count.saturating_mul(old.len()));
    if kept.saturating_add(count.saturating_mul(new.len())) > MAX_TEXT.max(text.len()) {
        return None;
    }
    Some(text.replace(&**old, new).into())
}

/// All pairs in one pass, the first in the order of keys that fits; the engine replaces what it has
/// put in before. An empty key is refused.
fn replace_n(args: &[Value]) -> Option<Value> {
    let [Value::Object(pairs), Value::String(text)] = args else { return None };
    let mut known = Vec::new();
    for pair in pairs.iter_sorted() {
        let (Value::String(old), Value::String(new)) = pair else { return None };
        if old.is_empty() {
            return None;
        }
        known.push((&**old, &**new));
    }
    let mut out = String::new();
    let mut rest = &**text;
    while let Some(letter) = rest.chars().next() {
        let found = known.iter().find_map(|(old, new)| Some((rest.strip_prefix(old)?, *new)));
        if let Some((after, new)) = found {
            out.push_str(new);
            rest = after;
        } else {
            out.push(letter);
            rest = rest.get(letter.len_utf8()..)?;
        }
        if out.len() > MAX_TEXT.max(text.len()) {
            return None;
        }
    }
    Some(out.into())
}

/// Where a text begins in another, in characters. An empty one begins nowhere: OPA refuses it.
fn positions(text: &str, part: &str) -> Option<Vec<usize>> {
    if part.is_empty() {
        return None;
    }
    let starts = text.char_indices().enumerate();
    Some(
        starts
            .filter(|(_, (at, _))| text.get(*at..).is_some_and(|rest| rest.starts_with(part)))
            .map(|(position, _)| position)
            .collect(),
    )
}

fn indexof(args: &[Value]) -> Option<Value> {
    let [Value::String(text), Value::String(part)] = args else { return None };
    if part.is_empty() {
        return None;
    }
    let found =
        text.find(&**part).and_then(|at| text.get(..at)).map(|before| before.chars().count());
    Some(found.map_or_else(|| Value::from(-1), Value::from))
}

fn indexof_n(args: &[Value]) -> Option<Value> {
    let [Value::String(text), Value::String(part)] = args else { return None };
    Some(positions(text, part)?.into_iter().map(Value::from).collect::<Vec<_>>().into())
}

/// From an offset so many characters, to the end for a negative length.
fn substring(args: &[Value]) -> Option<Value> {
    let [Value::String(text), Value::Number(offset), Value::Number(length)] = args else {
        return None;
    };
    let offset = usize::try_from(offset.as_i64()?).ok()?;
    let length = usize::try_from(length.as_i64()?).unwrap_or(usize::MAX);
    Some(text.chars().skip(offset).take(length).collect::<String>().into())
}

/// Ends outside of the array are moved to its ends.
fn slice(args: &[Value]) -> Option<Value> {
    let [Value::Array(items), Value::Number(from), Value::Number(to)] = args else { return None };
    let inside = |end: i64| usize::try_from(end.max(0)).unwrap_or(usize::MAX).min(items.len());
    let (from, to) = (inside(from.as_i64()?), inside(to.as_i64()?));
    let taken = items.iter().skip(from).take(to.saturating_sub(from));
    Some(taken.cloned().collect::<Vec<_>>().into())
}

/// Texts are numbers as JSON writes them; the engine also takes such with spaces around.
fn to_number(args: &[Value]) -> Option<Value> {
    match args {
        [Value::Null] => Some(Value::from(0)),
        [Value::Bool(value)] => Some(Value::from(i64::from(*value))),
        [Value::Number(_)] => args.first().cloned(),
        [Value::String(text)] => {
            let outer = text.starts_with(|c: char| c == '-' || c.is_ascii_digit())
                && text.ends_with(|c: char| c.is_ascii_digit());
            json::read(text).ok().filter(|value| outer && matches!(value, Value::Number(_)))
        }
        _ => None,
    }
}

/// The engine's text with the characters escaped that OPA escapes.
fn marshal(args: &[Value]) -> Option<Value> {
    let text = engines("json.marshal", args)?;
    let Value::String(text) = &text else { return None };
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                out.push_str(&format!("\\u{:04x}", u32::from(letter)));
            }
            letter => out.push(letter),
        }
    }
    Some(out.into())
}

/// Read as calls are: no doubled keys, no number that cannot be held, no magic.
fn unmarshal(args: &[Value]) -> Option<Value> {
    let [Value::String(text)] = args else { return None };
    json::read(text).ok()
}

/// The engine also takes other separators than `T` and `Z`, and a second of 60.
fn parse_rfc3339(args: &[Value]) -> Option<Value> {
    let [Value::String(text)] = args else { return None };
    let upper = text.bytes().all(|b| b.is_ascii_digit() || b"-+:.TZ".contains(&b));
    let leap = text.get(16..19) == Some(":60");
    if upper && !leap { engines("time.parse_rfc3339_ns", args) } else { None }
}

/// Letter by letter, without the language's rules that make several letters of one or look at its
/// neighbours.
fn lower(args: &[Value]) -> Option<Value> {
    let [Value::String(text)] = args else { return None };
    let one = |letter: char| match letter {
        'İ' => 'i',
        letter => single(letter.to_lowercase()).unwrap_or(letter),
    };
    Some(text.chars().map(one).collect::<String>().into())
}

fn upper(args: &[Value]) -> Option<Value> {
    let [Value::String(text)] = args else { return None };
    let one = |letter: char| match letter {
        // Small Greek letters with an iota beneath, whose capitals have it beside them.
        '\u{1f80}'..='\u{1f87}' | '\u{1f90}'..='\u{1f97}' | '\u{1fa0}'..='\u{1fa7}' => {
            char::from_u32(u32::from(letter) + 8).unwrap_or(letter)
        }
        '\u{1fb3}' | '\u{1fc3}' | '\u{1ff3}' => {
            char::from_u32(u32::from(letter) + 9).unwrap_or(letter)
        }
        letter => single(letter.to_uppercase()).unwrap_or(letter),
    };
    Some(text.chars().map(one).collect::<String>().into())
}

fn single(mut letters: impl Iterator<Item = char>) -> Option<char> {
    let first = letters.next()?;
    letters.next().is_none().then_some(first)
}

/// `*` stands for anything without a delimiter, `**` for anything. OPA's other signs are refused:
/// its `?` also stands for nothing. The engine lets `*` run over some delimiters.
fn glob_match(args: &[Value]) -> Option<Value> {
    let [Value::String(pattern), delimiters, Value::String(text)] = args else { return None };
    let delimiters: Vec<char> = match delimiters {
        Value::Null => Vec::new(),
        Value::Array(list) if list.is_empty() => vec!['.'],
        Value::Array(list) => list
            .iter()
            .map(|one| match one {
                Value::String(one) => single(one.chars()),
                _ => None,
            })
            .collect::<Option<_>>()?,
        _ => return None,
    };
    if pattern.len() > MAX_GLOB || pattern.contains(['?', '[', ']', '{', '}', '\\']) {
        return None;
    }
    Some(Value::from(globs(pattern, &delimiters, text)))
}

/// One row for each sign of the pattern: whether the signs so far fit the text up to each place.
fn globs(pattern: &str, delimiters: &[char], text: &str) -> bool {
    let text: Vec<char> = text.chars().collect();
    let mut fits: Vec<bool> = std::iter::once(true).chain(text.iter().map(|_| false)).collect();
    let mut signs = pattern.chars().peekable();
    while let Some(sign) = signs.next() {
        let mut any = false;
        let mut everything = false;
        if sign == '*' {
            any = true;
            while signs.next_if_eq(&'*').is_some() {
                everything = true;
            }
        }
        let mut before = fits.first().copied().unwrap_or(false);
        let mut row = vec![any && before];
        for (letter, here) in text.iter().zip(fits.iter().skip(1)) {
            let delimits = delimiters.contains(letter);
            let last = row.last().copied().unwrap_or(false);
            row.push(match sign {
                '*' => *here || (last && (everything || !delimits)),
                sign => before && sign == *letter,
            });
            before = *here;
        }
        fits = row;
    }
    fits.last().copied().unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::json;

    fn call(name: &str, args: &str) -> Option<Value> {
        let args = json::read(args).unwrap();
        own(name).unwrap()(&args.as_array().unwrap().iter().cloned().collect::<Vec<_>>())
    }

    #[test]
    fn values_are_those_of_opa() {
        for (name, args, expected) in [
            ("count", r#"["a😀é"]"#, "3"),
            ("lower", r#"["İSTΣ"]"#, r#""istσ""#),
            ("upper", r#"["straße ᾳ"]"#, r#""STRAßE ᾼ""#),
            ("indexof", r#"["é😀b", "b"]"#, "2"),
            ("indexof", r#"["a", "b"]"#, "-1"),
            ("indexof_n", r#"["aaa", "aa"]"#, "[0, 1]"),
            ("substring", r#"["aéb", 1, 1]"#, r#""é""#),
            ("substring", r#"["aéb", 9, -1]"#, r#""""#),
            ("array.slice", "[[1, 2, 3], -1, 2]", "[1, 2]"),
            ("array.slice", "[[1, 2, 3], 2, 1]", "[]"),
            ("to_number", r#"["-1.50"]"#, "-1.5"),
            ("to_number", "[null]", "0"),
            (
                "json.unmarshal",
                r#"["{\"$serde_json::private::Number\":1}"]"#,
                r#"{"$serde_json::private::Number":1}"#,
            ),
            ("json.marshal", r#"[{"a": "<&>"}]"#, r#""{\"a\":\"\\u003c\\u0026\\u003e\"}""#),
            ("time.parse_rfc3339_ns", r#"["1970-01-01T00:00:01Z"]"#, "1000000000"),
            ("concat", r#"["-", ["a", "b"]]"#, r#""a-b""#),
            ("strings.replace_n", r#"[{"a": "b", "b": "c"}, "ab"]"#, r#""bc""#),
            ("glob.match", r#"["a:*", [":"], "a:b"]"#, "true"),
            ("glob.match", r#"["a:*", [":"], "a:b:c"]"#, "false"),
            ("glob.match", r#"["a:**", [":"], "a:b:c"]"#, "true"),
            ("glob.match", r#"["*.com", [], "a.com"]"#, "true"),
            ("glob.match", r#"["*.com", [], "a.b.com"]"#, "false"),
            ("glob.match", r#"["*", null, "a.b/c"]"#, "true"),
            ("glob.match", r#"["", null, ""]"#, "true"),
        ] {
            assert_eq!(call(name, args), Some(json::read(expected).unwrap()), "{name} {args}");
        }
    }

    #[test]
    fn other_types_and_signs_end_the_evaluation() {
        for (name, args) in [
            ("count", "[1]"),
            ("count", "[null]"),
            ("lower", "[1]"),
            ("indexof", r#"["a", ""]"#),
            ("indexof_n", r#"["a", ""]"#),
            ("concat", r#"["-", ["a", 1]]"#),
            ("strings.replace_n", r#"[{"": "b"}, "ab"]"#),
            ("glob.match", r#"["[a]", null, "a"]"#),
            ("glob.match", r#"["a?", null, "ab"]"#),
            ("replace", r#"["ab", "", "-"]"#),
            ("substring", r#"["ab", 0.5, 1]"#),
            ("substring", r#"["ab", -1, 1]"#),
            ("array.slice", "[[1, 2], 0, 0.5]"),
            ("to_number", r#"[" 1"]"#),
            ("to_number", r#"["0x1"]"#),
            ("to_number", r#"["1e400"]"#),
            ("json.unmarshal", r#"["{\"a\":1,\"a\":2}"]"#),
            ("time.parse_rfc3339_ns", r#"["1970-01-01 00:00:01Z"]"#),
            ("time.parse_rfc3339_ns", r#"["2026-12-31T23:59:60Z"]"#),
            ("glob.match", r#"["a", ["ab"], "a"]"#),
        ] {
            assert_eq!(call(name, args), None, "{name} {args}");
        }
    }

    #[test]
    fn results_are_bounded() {
        let long = "a".repeat(MAX_TEXT);
        let wide = "b".repeat(100);
        for (name, args) in [
            ("replace", format!(r#"["{long}", "a", "{wide}"]"#)),
            ("concat", format!(r#"["", ["{long}", "{long}"]]"#)),
            ("strings.replace_n", format!(r#"[{{"a": "{wide}"}}, "{long}"]"#)),
        ] {
            assert_eq!(call(name, &args), None, "{name}");
        }
        let kept = call("replace", &format!(r#"["{long}", "a", "c"]"#)).unwrap();
        assert_eq!(kept, Value::from("c".repeat(MAX_TEXT)));
    }
}
