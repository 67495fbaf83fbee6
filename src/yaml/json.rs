//! The tree as JSON, for policy data.

use serde_json::{Map, Number, Value as Json};

use super::{Fault, Node, Resolved, Value};

impl Node {
    /// The same data as JSON.
    ///
    /// # Errors
    /// The first number that JSON cannot hold or that readers understand differently (leading
    /// zeros, beyond 64 bits, infinite).
    pub fn to_json(&self) -> Result<Json, Fault> {
        match &self.value {
            Value::List(items) => {
                items.iter().map(Self::to_json).collect::<Result<_, _>>().map(Json::Array)
            }
            Value::Map(entries) => {
                let mut map = Map::new();
                for entry in entries {
                    map.insert(entry.key.clone(), entry.node.to_json()?);
                }
                Ok(Json::Object(map))
            }
            Value::Scalar(scalar) => {
                let odd = || {
                    let text = "this number has no one meaning in JSON; put it in quotes, or \
                                write it without leading zeros and within 64 bits";
                    Fault { at: self.at, text: text.to_owned() }
                };
                Ok(match scalar.resolve() {
                    Resolved::Null => Json::Null,
                    Resolved::Bool(value) => Json::Bool(value),
                    Resolved::Unsigned(value) => Json::Number(value.into()),
                    Resolved::Negative(value) => Json::Number(value.into()),
                    Resolved::Float(value) => {
                        Json::Number(Number::from_f64(value).ok_or_else(odd)?)
                    }
                    Resolved::OddNumber => return Err(odd()),
                    Resolved::Text(text) => Json::String(text.to_owned()),
                })
            }
        }
    }
}
