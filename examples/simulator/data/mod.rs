//! The simulated workspace: who is in it, what they wrote, and the few ways in which a tool may change it.
//!
//! Objects are kept as the JSON that Intercom's REST API would return in version 2.14, because that is what leaves the
//! simulator; other versions are made from it on the way out (`objects`). The clock moves only when something is written, so a
//! workspace that nobody wrote to is a pure function of its seed.

use std::collections::BTreeMap;

use serde_json::Value;

mod generate;
mod names;
mod people;
mod text;

pub(super) use generate::{admin, part};

/// The id of the workspace, as it stands in links.
pub(super) const APP: &str = "ws_test01";
/// The teammate who authorised the connection.
pub(super) const ME: u64 = 7_000_001;
/// Intercom's bot.
pub(super) const FIN: u64 = 7_000_002;
/// When the generated past ends: 22 November 2026.
pub(super) const NOW: i64 = 1_795_305_600;

/// A person of the support team.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Teammate {
    pub(super) id: u64,
    pub(super) name: &'static str,
    pub(super) email: &'static str,
}

/// Those who work here. The bot is not among them.
pub(super) const TEAMMATES: [Teammate; 6] = [
    Teammate { id: ME, name: "Sam Agent", email: "sam.agent@support.example" },
    Teammate { id: 7_000_003, name: "Ines Moreau", email: "ines.moreau@support.example" },
    Teammate { id: 7_000_004, name: "Jonas Weber", email: "jonas.weber@support.example" },
    Teammate { id: 7_000_005, name: "Aiko Tanaka", email: "aiko.tanaka@support.example" },
    Teammate { id: 7_000_006, name: "Carlos Pena", email: "carlos.pena@support.example" },
    Teammate { id: 7_000_007, name: "Beatriz Souza", email: "beatriz.souza@support.example" },
];

/// The simulated workspace.
#[derive(Debug)]
pub(super) struct World {
    pub(super) conversations: BTreeMap<u64, Value>,
    pub(super) contacts: BTreeMap<String, Value>,
    pub(super) companies: BTreeMap<String, Value>,
    pub(super) articles: BTreeMap<u64, Value>,
    /// Seconds since 1970; moves with every write.
    pub(super) clock: i64,
    /// Number of writes so far; answers are cached per revision.
    pub(super) revision: u64,
}

impl World {
    /// The workspace of a seed.
    pub(super) fn new(seed: u64) -> World {
        generate::world(seed)
    }

    /// Marks a write and gives its time.
    pub(super) fn tick(&mut self) -> i64 {
        self.revision += 1;
        self.clock += 1;
        self.clock
    }
}

/// A member of nested objects, by path.
pub(super) fn at<'a>(value: &'a Value, path: &str) -> Option<&'a Value> {
    path.split('.').try_fold(value, |here, key| here.get(key))
}

/// A string member of nested objects, by path; empty when it is not there.
pub(super) fn text_at<'a>(value: &'a Value, path: &str) -> &'a str {
    at(value, path).and_then(Value::as_str).unwrap_or_default()
}

/// Sets a member of an object.
pub(super) fn put(object: &mut Value, key: &str, value: impl Into<Value>) {
    if let Some(members) = object.as_object_mut() {
        members.insert(key.to_owned(), value.into());
    }
}
