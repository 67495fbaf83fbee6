//! JSON as text that has been read once.

use bytes::Bytes;

/// One JSON value, as the bytes that the strict reader accepted. Cheap to clone and to cut from a
/// larger document; never parsed again on the road. Holds valid UTF-8 and exactly one value.
#[derive(Clone, PartialEq, Eq)]
pub struct JsonText(Bytes);

impl JsonText {
    /// Wraps bytes that the caller knows to be one valid JSON value in UTF-8: cut from a document
    /// that the strict reader accepted, or written by a serializer. Other bytes become `null`, so
    /// that the invariant holds whatever the caller does.
    #[must_use]
    pub fn from_valid(bytes: Bytes) -> Self {
        if std::str::from_utf8(&bytes).is_ok() { Self(bytes) } else { Self::null() }
    }

    /// Writes a value whose serialization cannot fail (no maps with keys that are not strings).
    #[must_use]
    pub fn of<T: serde::Serialize + ?Sized>(value: &T) -> Self {
        serde_json::to_vec(value).map_or_else(|_| Self::null(), |text| Self(text.into()))
    }

    /// The value `null`.
    #[must_use]
    pub const fn null() -> Self {
        Self(Bytes::from_static(b"null"))
    }

    /// The value `{}`.
    #[must_use]
    pub const fn empty_object() -> Self {
        Self(Bytes::from_static(b"{}"))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // INVARIANT: both constructors checked or wrote UTF-8.
        std::str::from_utf8(&self.0).unwrap_or("null")
    }

    /// The bytes of the text, shared.
    #[must_use]
    pub const fn bytes(&self) -> &Bytes {
        &self.0
    }
}

impl std::fmt::Debug for JsonText {
    /// Shows the length only: a payload may hold personal data, and debug output ends in logs.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "JsonText({} bytes)", self.0.len())
    }
}
