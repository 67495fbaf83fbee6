//! Which builtins a policy may use.
//!
//! A decision must be repeatable from its record and bounded in time, so nothing that asks the
//! world (clock, network, randomness, process) is allowed, nor anything that the engine does not
//! do correctly. The rest is split: quick ones cost no more than their arguments are long and may
//! run on an asynchronous worker; the others may multiply their input and run apart.

// The engine's builtins are functions that return `anyhow::Result`; it appears nowhere else.

use regorus::unstable::{BUILTINS, Expr, Ref, Span};
use regorus::{LimitError, Value};

/// A builtin of the engine.
type Builtin = fn(&Span, &[Ref<Expr>], &[Value], bool) -> anyhow::Result<Value>;

/// The quick builtins by name, each in a function of its own that ends the evaluation on an error.
macro_rules! quick {
    ($($name:literal),+ $(,)?) => {
        const QUICK: &[(&str, Builtin)] = &[$(($name, {
            fn call(span: &Span, exprs: &[Ref<Expr>], args: &[Value], _: bool) -> anyhow::Result<Value> {
                stopping($name, span, exprs, args)
            }
            call
        })),+];
    };
}

quick![
    "__builtin_sets.intersection",
    "__builtin_sets.union",
    "abs",
    "array.concat",
    "array.reverse",
    "array.slice",
    "ceil",
    "contains",
    "count",
    "endswith",
    "floor",
    "format_int",
    "indexof",
    "intersection",
    "is_array",
    "is_boolean",
    "is_null",
    "is_number",
    "is_object",
    "is_set",
    "is_string",
    "lower",
    "max",
    "min",
    "object.get",
    "object.keys",
    "object.remove",
    "object.union",
    "product",
    "round",
    "sort",
    "sprintf",
    "startswith",
    "substring",
    "sum",
    "to_number",
    "trim",
    "trim_left",
    "trim_prefix",
    "trim_right",
    "trim_space",
    "trim_suffix",
    "type_name",
    "union",
    "upper",
];

const SLOW: &[&str] = &[
    "base64.decode",
    "base64.encode",
    "base64.is_valid",
    "bits.and",
    "bits.lsh",
    "bits.negate",
    "bits.or",
    "bits.rsh",
    "bits.xor",
    "concat",
    "glob.match",
    "glob.quote_meta",
    "indexof_n",
    "json.filter",
    "json.is_valid",
    "json.marshal",
    "json.remove",
    "json.unmarshal",
    "numbers.range",
    "object.filter",
    "object.subset",
    "object.union_n",
    "regex.is_valid",
    "regex.match",
    "regex.replace",
    "regex.split",
    "replace",
    "semver.compare",
    "semver.is_valid",
    "split",
    "strings.any_prefix_match",
    "strings.any_suffix_match",
    "strings.replace_n",
    "strings.reverse",
    "time.add_date",
    "time.clock",
    "time.date",
    "time.diff",
    "time.format",
    "time.parse_duration_ns",
    "time.parse_ns",
    "time.parse_rfc3339_ns",
    "time.weekday",
    "units.parse",
    "units.parse_bytes",
];

/// Beginnings of names that are refused, with the reason, wherever they stand.
const FORBIDDEN: &[(&str, &str)] = &[
    ("http.", "a policy asks nothing outside; give facts as data"),
    ("net.", "a policy asks nothing outside"),
    ("io.jwt.", "tokens are checked before policy is asked"),
    ("opa.", "a decision must be repeatable from its record"),
    ("rand.", "a decision must be repeatable from its record"),
    ("uuid.", "a decision must be repeatable from its record"),
    ("time.now_ns", "a decision must be repeatable from its record; use `input.now`"),
    ("crypto.", "the engine does not have it"),
    ("test.", "it is for the engine's own tests"),
    ("strings.count", "the engine counts wrongly and panics on an empty text"),
    ("numbers.range_step", "the engine gives wrong values"),
    ("walk", "the engine gives wrong paths in arrays"),
    ("graph.", "the engine gives wrong paths with cycles"),
    ("json.match_schema", "the engine gives wrong values"),
    ("json.verify_schema", "the engine gives wrong values"),
    ("print", "it is for tests only"),
    ("trace", "it is for tests only"),
];

/// Why a call of this name is refused, if it is. Names that the engine does not know pass here:
/// they are functions of the bundle, or the compiler reports them.
pub(super) fn refused(name: &str) -> Option<&'static str> {
    let unlisted = !is_allowed(name) && BUILTINS.contains_key(name);
    forbidden(name).or_else(|| unlisted.then_some("it is not on the list of allowed builtins"))
}

fn forbidden(name: &str) -> Option<&'static str> {
    let (_, why) = FORBIDDEN.iter().find(|(word, _)| {
        if word.ends_with('.') { name.starts_with(word) } else { name == *word }
    })?;
    Some(why)
}

/// Whether a builtin is on the list of those allowed.
pub(super) fn is_allowed(name: &str) -> bool {
    is_quick(name) || SLOW.contains(&name)
}

/// Whether a builtin's cost is bounded by the length of its arguments.
pub(super) fn is_quick(name: &str) -> bool {
    wrapped(name).is_some()
}

/// A quick builtin whose errors end the evaluation.
pub(super) fn wrapped(name: &str) -> Option<Builtin> {
    QUICK.iter().find(|(quick, _)| *quick == name).map(|(_, builtin)| *builtin)
}

/// Calls a builtin, strictly. The machine swallows errors of builtins inside rules, but not those
/// of limits; so every error leaves here as a limit's, one that nothing else gives.
fn stopping(name: &str, span: &Span, exprs: &[Ref<Expr>], args: &[Value]) -> anyhow::Result<Value> {
    let stop = || LimitError::RegexSizeLimitExceeded { limit: 0 };
    let (builtin, _) = BUILTINS.get(name).ok_or_else(stop)?;
    builtin(span, exprs, args, true).map_err(|_| stop().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_builtin_of_the_engine_is_sorted_or_refused_by_default() {
        let quick: Vec<&str> = QUICK.iter().map(|(name, _)| *name).collect();
        let unknown: Vec<_> =
            (quick.iter().chain(SLOW)).filter(|name| !BUILTINS.contains_key(*name)).collect();
        assert!(unknown.is_empty(), "the engine has none of {unknown:?}");
        for name in quick.iter().chain(SLOW) {
            assert!(forbidden(name).is_none(), "{name} is both");
        }
        for name in ["http.send", "io.jwt.decode", "rand.intn", "time.now_ns", "opa.runtime"] {
            assert!(forbidden(name).is_some() && !is_allowed(name), "{name}");
        }
    }
}
