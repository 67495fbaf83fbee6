//! A tool on offer, as it is written: its name, or its name with what is not ordinary of it.

use std::fmt;

use serde::de::{Error, MapAccess, Visitor, value::MapAccessDeserializer};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Asked;
use crate::domain::Effect;
use crate::intercom::Catalogue;
use crate::policy::ToolFacts;

/// A tool on offer. What is absent is what the question says of all of them, or the ordinary.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, remote = "Self")]
pub struct Offered {
    /// Its name.
    pub name: String,
    /// Its effect; else the catalogue's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effect: Option<Effect>,
    /// Whether its definition is pinned; true if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pinned: Option<bool>,
    /// What plugins say of its definition.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<String>,
}

impl From<&ToolFacts> for Offered {
    fn from(tool: &ToolFacts) -> Self {
        let effect = Some(tool.effect).filter(|it| *it != Catalogue::shipped().effect(&tool.name));
        let pinned = Some(tool.pinned).filter(|it| !it);
        Self { name: tool.name.clone(), effect, pinned, labels: tool.labels.to_vec() }
    }
}

impl From<String> for Offered {
    fn from(name: String) -> Self {
        Self { name, ..Self::default() }
    }
}

impl Offered {
    /// What rules see of it in this question.
    pub(super) fn facts(&self, asked: &Asked) -> ToolFacts {
        let name = self.name.clone();
        let effect = self.effect.or(asked.effect);
        let effect = effect.unwrap_or_else(|| Catalogue::shipped().effect(&name));
        let pinned = self.pinned.or(asked.pinned).unwrap_or(true);
        let labels = if self.labels.is_empty() { &asked.labels } else { &self.labels };
        ToolFacts { name, effect, pinned, labels: labels.clone().into() }
    }
}

impl Serialize for Offered {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if *self == Self::from(self.name.clone()) {
            return serializer.serialize_str(&self.name);
        }
        Self::serialize(self, serializer)
    }
}

impl<'de> Deserialize<'de> for Offered {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Form)
    }
}

/// Reads either form.
struct Form;

impl<'de> Visitor<'de> for Form {
    type Value = Offered;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a tool, or a mapping with its `name`")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Offered, E> {
        Ok(Offered::from(name.to_owned()))
    }

    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<Offered, A::Error> {
        Offered::deserialize(MapAccessDeserializer::new(members))
    }
}
