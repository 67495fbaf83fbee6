//! JSON text to the engine's values, once and strictly.
//!
//! The engine's own reader keeps the last of two equal keys and reads one magic key as a number;
//! both would let a rule see something else than what is sent. This one refuses doubled keys and
//! knows no magic.

use std::collections::BTreeMap;
use std::fmt;

use regorus::Value;
use serde::de::{self, Deserialize, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

/// 2^53.
const MOST_EXACT: f64 = 9_007_199_254_740_992.0;

/// Reads exactly one JSON value.
///
/// # Errors
/// The parser's own words, with line and column. They may quote the text, so they are for files of
/// operators, never for calls.
pub(super) fn read(text: &str) -> Result<Value, serde_json::Error> {
    serde_json::from_str::<Strict>(text).map(|Strict(value)| value)
}

/// An object of the engine from its members.
pub(super) fn object<const N: usize>(members: [(&'static str, Value); N]) -> Value {
    members.into_iter().map(|(key, value)| (Value::from(key), value)).collect::<Members>().into()
}

type Members = BTreeMap<Value, Value>;

struct Strict(Value);

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        Reader.deserialize(input).map(Self)
    }
}

#[derive(Clone, Copy)]
struct Reader;

impl<'de> DeserializeSeed<'de> for Reader {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, input: D) -> Result<Value, D::Error> {
        input.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Reader {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Value, E> {
        // Beyond that not every whole number has a value of its own, and what rules compare would
        // not be what is sent. Whole numbers within 64 bits do not come here.
        if value.abs() > MOST_EXACT {
            return Err(E::custom("a number that cannot be read exactly"));
        }
        // `1.0` and `1e3` are whole numbers, and are written as such.
        #[expect(clippy::cast_possible_truncation, reason = "whole, and within 2^53")]
        let whole = value as i64;
        Ok(if value.fract() == 0.0 { Value::from(whole) } else { Value::from(value) })
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(self)? {
            list.push(item);
        }
        Ok(Value::from(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut map = Members::new();
        while let Some(Strict(key)) = members.next_key()? {
            let value = members.next_value_seed(self)?;
            if map.insert(key, value).is_some() {
                return Err(de::Error::custom("the same key twice in one object"));
            }
        }
        Ok(Value::from(map))
    }
}

#[cfg(test)]
mod tests {
    use super::read;

    #[test]
    fn reads_what_is_written_and_nothing_else() {
        for text in ["null", "true", "-5", "1.5", "\"a\"", "[1,[2]]", r#"{"a":{"b":[]}}"#] {
            assert_eq!(read(text).unwrap().to_json_str().unwrap().replace([' ', '\n'], ""), text);
        }
        for text in [
            "",
            "{} {}",
            r#"{"a":1,"a":2}"#,
            r#"{"a":1,"\u0061":2}"#,
            "1e400",
            "1e17",
            "18446744073709551616",
        ] {
            assert!(read(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_magic_key_of_the_engine_stays_an_object() {
        let value = read(r#"{"$serde_json::private::Number":"1"}"#).unwrap();
        assert_eq!(value.as_object().unwrap().len(), 1);
    }
}
