//! The list of builtins that rules may use, with their types; all else is refused.
//!
//! The one source of what the lint allows, of what may run on bytecode, and of
//! `portcullis policy capabilities`. Types are written as OPA prints them.

use super::{Builtin, stopping};

/// A builtin that rules may use.
pub(in crate::policy) struct Listed {
    /// Its name in Rego.
    pub(in crate::policy) name: &'static str,
    /// Its arguments and result; empty for what only the compiler calls.
    pub(in crate::policy) types: &'static str,
    /// For quick ones: the call that ends the evaluation on an error. The cost of a quick builtin is
    /// bounded by the length of its arguments, so it may run on an asynchronous worker.
    pub(super) quick: Option<Builtin>,
}

impl Listed {
    /// Whether its cost is bounded by the length of its arguments.
    pub(in crate::policy) const fn is_quick(&self) -> bool {
        self.quick.is_some()
    }
}

/// Makes the list; each quick builtin has a function of its own, because bytecode calls it by a
/// pointer that knows no name.
macro_rules! listed {
    ($($kind:ident $name:literal: $types:literal;)+) => {
        &[$(Listed { name: $name, types: $types, quick: listed!(@$kind $name) }),+]
    };
    (@quick $name:literal) => {
        Some(|span, exprs, args, _| stopping($name, span, exprs, args))
    };
    (@slow $name:literal) => {
        None
    };
}

/// Every builtin that rules may use.
pub(in crate::policy) const LIST: &[Listed] = listed! {
    quick "__builtin_sets.intersection": "";
    quick "__builtin_sets.union": "";
    quick "abs": "number -> number";
    quick "array.concat": "array[any], array[any] -> array[any]";
    quick "array.reverse": "array[any] -> array[any]";
    quick "array.slice": "array[any], number, number -> array[any]";
    quick "ceil": "number -> number";
    quick "concat": "string, any<array[string], set[string]> -> string";
    quick "contains": "string, string -> boolean";
    quick "count": "any<string, array[any], object[any: any], set[any]> -> number";
    quick "endswith": "string, string -> boolean";
    quick "floor": "number -> number";
    quick "format_int": "number, number -> string";
    quick "indexof": "string, string -> number";
    quick "intersection": "set[set[any]] -> set[any]";
    quick "is_array": "any -> boolean";
    quick "is_boolean": "any -> boolean";
    quick "is_null": "any -> boolean";
    quick "is_number": "any -> boolean";
    quick "is_object": "any -> boolean";
    quick "is_set": "any -> boolean";
    quick "is_string": "any -> boolean";
    quick "lower": "string -> string";
    quick "max": "any<array[any], set[any]> -> any";
    quick "min": "any<array[any], set[any]> -> any";
    quick "net.cidr_contains": "string, string -> boolean";
    quick "object.get": "object[any: any], any, any -> any";
    quick "object.keys": "object[any: any] -> set[any]";
    quick "object.remove": "object[any: any], any<array[any], object[any: any], set[any]> -> object[any: any]";
    quick "object.union": "object[any: any], object[any: any] -> object[any: any]";
    quick "product": "any<array[number], set[number]> -> number";
    quick "replace": "string, string, string -> string";
    quick "round": "number -> number";
    quick "sort": "any<array[any], set[any]> -> array[any]";
    quick "split": "string, string -> array[string]";
    quick "sprintf": "string, array[any] -> string";
    quick "startswith": "string, string -> boolean";
    quick "substring": "string, number, number -> string";
    quick "sum": "any<array[number], set[number]> -> number";
    quick "to_number": "any<null, boolean, number, string> -> number";
    quick "trim": "string, string -> string";
    quick "trim_left": "string, string -> string";
    quick "trim_prefix": "string, string -> string";
    quick "trim_right": "string, string -> string";
    quick "trim_space": "string -> string";
    quick "trim_suffix": "string, string -> string";
    quick "type_name": "any -> string";
    quick "union": "set[set[any]] -> set[any]";
    quick "upper": "string -> string";
    slow "base64.decode": "string -> string";
    slow "base64.encode": "string -> string";
    slow "bits.and": "number, number -> number";
    slow "bits.lsh": "number, number -> number";
    slow "bits.negate": "number -> number";
    slow "bits.or": "number, number -> number";
    slow "bits.rsh": "number, number -> number";
    slow "bits.xor": "number, number -> number";
    slow "glob.match": "string, any<null, array[string]>, string -> boolean";
    slow "indexof_n": "string, string -> array[number]";
    slow "json.marshal": "any -> string";
    slow "json.unmarshal": "string -> any";
    slow "numbers.range": "number, number -> array[number]";
    slow "object.filter": "object[any: any], any<array[any], object[any: any], set[any]> -> object[any: any]";
    slow "object.union_n": "array[object[any: any]] -> object[any: any]";
    slow "regex.match": "string, string -> boolean";
    slow "regex.replace": "string, string, string -> string";
    slow "regex.split": "string, string -> array[string]";
    slow "semver.compare": "string, string -> number";
    slow "strings.any_prefix_match": "any<string, array[string], set[string]>, any<string, array[string], set[string]> -> boolean";
    slow "strings.any_suffix_match": "any<string, array[string], set[string]>, any<string, array[string], set[string]> -> boolean";
    slow "strings.replace_n": "object[string: string], string -> string";
    slow "strings.reverse": "string -> string";
    slow "time.clock": "any<number, array<number, string>> -> array<number, number, number>";
    slow "time.date": "any<number, array<number, string>> -> array<number, number, number>";
    slow "time.diff": "any<number, array<number, string>>, any<number, array<number, string>> -> array<number, number, number, number, number, number>";
    slow "time.format": "any<number, array<number, string>, array<number, string, string>> -> string";
    slow "time.parse_duration_ns": "string -> number";
    slow "time.parse_rfc3339_ns": "string -> number";
    slow "time.weekday": "any<number, array<number, string>> -> string";
};

/// The operators: their names among OPA's builtins, their signs and types.
pub(in crate::policy) const OPERATORS: &[(&str, &str, &str)] = &[
    ("and", "&", "set[any], set[any] -> set[any]"),
    ("assign", ":=", "any, any -> boolean"),
    ("div", "/", "number, number -> number"),
    ("eq", "=", "any, any -> boolean"),
    ("equal", "==", "any, any -> boolean"),
    ("gt", ">", "any, any -> boolean"),
    ("gte", ">=", "any, any -> boolean"),
    ("internal.member_2", "in", "any, any -> boolean"),
    ("internal.member_3", "in", "any, any, any -> boolean"),
    ("lt", "<", "any, any -> boolean"),
    ("lte", "<=", "any, any -> boolean"),
    ("minus", "-", "any<number, set[any]>, any<number, set[any]> -> any<number, set[any]>"),
    ("mul", "*", "number, number -> number"),
    ("neq", "!=", "any, any -> boolean"),
    ("or", "|", "set[any], set[any] -> set[any]"),
    ("plus", "+", "number, number -> number"),
    ("rem", "%", "number, number -> number"),
];
