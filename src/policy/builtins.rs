//! Which builtins a policy may use.
//!
//! A decision must be repeatable from its record and bounded in time, so nothing that asks the
//! world (clock, network, randomness, process) is allowed, nor anything that the engine does not
//! do correctly. The rest is split: quick ones cost no more than their arguments are long and may
//! run on an asynchronous worker; the others may multiply their input and run apart.

// The engine's builtins are functions that return `anyhow::Result`; it appears nowhere else.

mod list;

use regorus::unstable::{BUILTINS, Expr, Ref, Span};
use regorus::{LimitError, Value};

pub(super) use list::{LIST, Listed, OPERATORS};

use super::own;

/// A builtin of the engine.
type Builtin = fn(&Span, &[Ref<Expr>], &[Value], bool) -> anyhow::Result<Value>;

/// Beginnings of names that are refused, with the reason, wherever they stand.
const FORBIDDEN: &[(&str, &str)] = &[
    ("http.", "a policy asks nothing outside; give facts as data"),
    ("net.lookup_ip_addr", "a policy asks nothing outside"),
    ("net.cidr_expand", "its value may be larger than memory; use `net.cidr_contains`"),
    ("net.cidr_is_valid", "the engine accepts other texts than OPA"),
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
    ("json.remove", "the engine gives other values than OPA; use `object.remove`"),
    ("object.subset", "the engine gives other values than OPA; compare the members"),
    ("units.", "the engine knows other units than OPA; give plain numbers"),
    ("glob.quote_meta", "the engine leaves signs unquoted; patterns of `glob.match` are literal"),
    ("json.filter", "the engine gives other values than OPA; use `object.filter`"),
    ("json.is_valid", "the engine accepts other texts than OPA"),
    ("base64.is_valid", "the engine accepts other texts than OPA"),
    ("semver.is_valid", "the engine accepts other versions than OPA"),
    ("time.add_date", "the engine gives other dates than OPA; add seconds to `input.now.unix`"),
    ("time.parse_ns", "the engine accepts other dates than OPA; use `time.parse_rfc3339_ns`"),
    ("regex.is_valid", "the engine accepts other patterns than OPA"),
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

fn listed(name: &str) -> Option<&'static Listed> {
    LIST.iter().find(|listed| listed.name == name)
}

/// Whether a builtin is on the list of those allowed.
pub(super) fn is_allowed(name: &str) -> bool {
    listed(name).is_some()
}

/// Whether a builtin's cost is bounded by the length of its arguments.
pub(super) fn is_quick(name: &str) -> bool {
    wrapped(name).is_some()
}

/// A quick builtin whose errors end the evaluation.
pub(super) fn wrapped(name: &str) -> Option<Builtin> {
    listed(name)?.quick
}

/// Calls a builtin, ours if we have one, strictly. The machine swallows errors of builtins inside
/// rules, but not those of limits; so every error leaves here as a limit's, one that nothing else
/// gives.
fn stopping(name: &str, span: &Span, exprs: &[Ref<Expr>], args: &[Value]) -> anyhow::Result<Value> {
    let stop = || LimitError::RegexSizeLimitExceeded { limit: 0 };
    if let Some(own) = own::own(name) {
        return own(args).ok_or_else(|| stop().into());
    }
    let (builtin, _) = BUILTINS.get(name).ok_or_else(stop)?;
    let value = builtin(span, exprs, args, true).map_err(|_| stop())?;
    // Nothing is the greatest of nothing, in OPA too; all else that has no value is an error there.
    let nothing = value == Value::Undefined && !matches!(name, "max" | "min");
    if nothing { Err(stop().into()) } else { Ok(value) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_builtin_of_the_engine_is_sorted_or_refused_by_default() {
        let names: Vec<_> = LIST.iter().map(|listed| listed.name).collect();
        let unknown: Vec<_> = names.iter().filter(|name| !BUILTINS.contains_key(*name)).collect();
        assert!(unknown.is_empty(), "the engine has none of {unknown:?}");
        for name in &names {
            assert!(forbidden(name).is_none(), "{name} is both");
            assert_eq!(names.iter().filter(|other| *other == name).count(), 1, "{name} twice");
        }
        for (own, arguments, _) in own::OWN {
            assert!(names.contains(own), "{own} is not on the list");
            assert_eq!(BUILTINS.get(own).map(|builtin| builtin.1), Some(*arguments), "{own}");
        }
        for name in ["http.send", "io.jwt.decode", "rand.intn", "time.now_ns", "opa.runtime"] {
            assert!(forbidden(name).is_some() && !is_allowed(name), "{name}");
        }
    }
}
