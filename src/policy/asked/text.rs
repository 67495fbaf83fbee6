//! JSON inside a written question, letter by letter as it was written.
//!
//! A tree would lose the order of members and the spelling of numbers, and with them the digest of
//! what was recorded and the order of an answer's records.

use bytes::Bytes;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::value::RawValue;

use crate::domain::JsonText;
use crate::mcp::json::Object;

/// One JSON value as it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written(JsonText);

impl Written {
    /// `{}`.
    pub(super) const fn nothing() -> Self {
        Self(JsonText::empty_object())
    }

    pub(super) fn is_nothing(&self) -> bool {
        self.0.as_str() == "{}"
    }

    /// The text.
    #[must_use]
    pub const fn text(&self) -> &JsonText {
        &self.0
    }

    /// A member that is a text.
    pub(super) fn str(&self, name: &str) -> Option<String> {
        Object::parse(&self.0)?.str(name).map(std::borrow::Cow::into_owned)
    }
}

impl Default for Written {
    fn default() -> Self {
        Self::nothing()
    }
}

impl From<JsonText> for Written {
    fn from(text: JsonText) -> Self {
        Self(text)
    }
}

impl Serialize for Written {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let raw: &RawValue =
            serde_json::from_str(self.0.as_str()).map_err(serde::ser::Error::custom)?;
        raw.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Written {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw: Box<RawValue> = Box::deserialize(deserializer)?;
        Ok(Self(JsonText::from_valid(Bytes::from(String::from(Box::<str>::from(raw))))))
    }
}

/// A value that must be an object.
pub(super) fn object<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Written, D::Error> {
    let written = Written::deserialize(deserializer)?;
    if written.0.as_str().starts_with('{') {
        return Ok(written);
    }
    Err(de::Error::custom("arguments and parameters are mappings of names to values"))
}

/// Whether a member need not be written.
pub(super) fn is_unset<T: Default + PartialEq>(member: &T) -> bool {
    *member == T::default()
}
