//! What to look at before deciding, in our words, the worst first.
//!
//! Each warning is a fact about the call that can be checked in the views below it; none of them is
//! a judgement, and the absence of warnings is none either.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::document::{Document, Seen};
use super::fields::{self, Field};
use super::hosts::{self, Link};
use super::visible::{Hidden, plain};
use super::{Asked, Body, Now, Texts};
use crate::domain::Effect;
use crate::intercom::Catalogue;

/// Something to look at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Warning {
    /// Which.
    pub code: WarningCode,
    /// How bad it can be.
    pub severity: Severity,
    /// What it is, in words.
    pub text: String,
    /// Hosts, addresses, words: written by others, so to be shown as [`super::visible()`] says.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub details: Vec<String>,
}

/// How bad it can be.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Somebody may be trying to deceive, or much is lost.
    Danger,
    /// It matters.
    Caution,
    /// Good to know.
    Note,
}

/// Which warning it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "each is explained by the text that it comes with")]
pub enum WarningCode {
    NotRead,
    UnknownTool,
    BecomesPublished,
    BecomesDraft,
    ChangesPublished,
    MostlyRemoved,
    NothingChanges,
    HostsAdded,
    OddLinks,
    Scripts,
    Embedded,
    Images,
    Loads,
    Forms,
    Styles,
    Comments,
    Concealed,
    Direction,
    Tags,
    Invisible,
    Controls,
    LooksAlike,
    PersonalData,
    Moves,
    AuthorChanges,
    OtherLanguages,
    NoPreview,
    Permanent,
}

/// What warnings are made of.
pub(super) struct Facts<'a> {
    pub(super) asked: Asked<'a>,
    pub(super) object: Option<&'a Map<String, Value>>,
    pub(super) arguments: &'a Map<String, Value>,
    pub(super) fields: &'a [Field],
    pub(super) texts: Option<&'a Texts>,
    pub(super) body: Option<&'a Body>,
    pub(super) links: &'a [Link],
}

/// More details than these are counted.
const DETAILS: usize = 20;

#[derive(Default)]
struct List(Vec<Warning>);

impl List {
    fn add(&mut self, code: WarningCode, severity: Severity, text: impl Into<String>) {
        self.with(code, severity, text, Vec::new());
    }

    fn with(
        &mut self,
        code: WarningCode,
        severity: Severity,
        text: impl Into<String>,
        mut details: Vec<String>,
    ) {
        if details.len() > DETAILS {
            let more = details.len() - DETAILS;
            details.truncate(DETAILS);
            details.push(format!("and {more} more"));
        }
        self.0.push(Warning { code, severity, text: text.into(), details });
    }
}

/// The warnings of a call, the worst first.
pub(super) fn warnings(facts: &Facts<'_>) -> Vec<Warning> {
    let mut list = List::default();
    state(facts, &mut list);
    about_fields(facts, &mut list);
    hidden(facts, &mut list);
    if let Some(texts) = facts.texts {
        links(facts, texts, &mut list);
        brought(texts, &mut list);
    }
    if facts.body.is_some_and(|body| body.preview.is_none()) {
        let text = "the text cannot be laid out safely (too long, too nested, or read otherwise each \
                    time it is cleaned), so it has no preview; read its source";
        list.add(WarningCode::NoPreview, Severity::Caution, text);
    }
    if !facts.asked.found.is_empty() {
        let kinds = facts.asked.found.iter().map(|(kind, count)| format!("{count} {kind}"));
        let text = format!("personal data: {}", kinds.collect::<Vec<_>>().join(", "));
        list.add(WarningCode::PersonalData, Severity::Caution, text);
    }
    list.0.sort_by_key(|warning| warning.severity);
    list.0
}

/// What becomes of the object's state.
fn state(facts: &Facts<'_>, list: &mut List) {
    let Some(entry) = Catalogue::shipped().entry(facts.asked.tool) else {
        let text = "Portcullis does not know this tool: read its arguments word by word";
        list.add(WarningCode::UnknownTool, Severity::Danger, text);
        return;
    };
    if entry.effect == Effect::Read {
        return;
    }
    let unread = match facts.asked.now {
        Now::NotRead { why } => Some(why),
        Now::Read { .. } if facts.object.is_none() => Some("Intercom's answer was not understood"),
        Now::New | Now::Read { .. } => None,
    };
    if let Some(why) = unread {
        let text =
            format!("what there is now could not be read, so nothing is compared: {}", plain(why));
        list.add(WarningCode::NotRead, Severity::Danger, text);
    }
    let before = facts.object.and_then(|object| object.get("state")).map(fields::text);
    let after = facts.arguments.get("state").map(fields::text);
    let is = |state: &Option<String>, name: &str| state.as_deref() == Some(name);
    if is(&after, "published") && !is(&before, "published") {
        list.add(WarningCode::BecomesPublished, Severity::Caution, "customers can read it at once");
    } else if is(&before, "published") && after.is_some() && !is(&after, "published") {
        list.add(WarningCode::BecomesDraft, Severity::Caution, "customers can no longer read it");
    } else if is(&before, "published") && facts.fields.iter().any(Field::is_changed)
        || is(&before, "published") && facts.body.is_some_and(Body::changes)
    {
        let text = "it is published: customers see the change at once";
        list.add(WarningCode::ChangesPublished, Severity::Caution, text);
    }
    if let Some(body) = facts.body.filter(|body| body.compared && body.words.is_mostly_removed()) {
        let percent = body.words.removed * 100 / body.words.before.max(1);
        let text = format!("{percent} % of the words that are there now go away");
        list.add(WarningCode::MostlyRemoved, Severity::Danger, text);
    }
    if facts.asked.tool == "add_internal_note" {
        let text = "a note cannot be taken back, and teammates see it";
        list.add(WarningCode::Permanent, Severity::Note, text);
    }
}

fn about_fields(facts: &Facts<'_>, list: &mut List) {
    let changed = |name: &str| {
        facts
            .fields
            .iter()
            .any(|field| field.name == name && field.old.is_some() && field.is_changed())
    };
    if changed("parent_id") || changed("parent_type") {
        list.add(WarningCode::Moves, Severity::Note, "the article moves to another place");
    }
    if changed("author_id") {
        list.add(
            WarningCode::AuthorChanges,
            Severity::Note,
            "another teammate is shown as its author",
        );
    }
    let Some(object) = facts.object else { return };
    let is_same = !facts.fields.iter().any(Field::is_changed)
        && !facts.body.is_some_and(|body| !body.compared || body.changes());
    if is_same {
        list.add(WarningCode::NothingChanges, Severity::Note, "all of it is like this already");
    }
    let own = object.get("default_locale").and_then(Value::as_str);
    let others: Vec<String> = object
        .get("translated_content")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
        .filter(|(language, content)| {
            content.is_object() && Some(language.as_str()) != own && *language != "type"
        })
        .map(|(language, _)| language.clone())
        .collect();
    if !others.is_empty() {
        let text = "the article has other languages, which stay as they are";
        list.with(WarningCode::OtherLanguages, Severity::Note, text, others);
    }
}

/// What cannot be seen in any of the new texts.
fn hidden(facts: &Facts<'_>, list: &mut List) {
    let mut all = Hidden::default();
    let mut alike = BTreeSet::new();
    for (name, value) in facts.arguments {
        let text = fields::text(value);
        let one = Hidden::of(&text);
        all.invisible += one.invisible;
        all.direction += one.direction;
        all.tags += one.tags;
        all.controls += one.controls;
        if name != fields::BODY {
            look_alikes(text.split_whitespace(), &mut alike);
        }
    }
    if let Some(texts) = facts.texts {
        // What entities stand for, too.
        let one = Hidden::of(&texts.new.text());
        all.invisible = all.invisible.max(one.invisible);
        all.direction = all.direction.max(one.direction);
        all.tags = all.tags.max(one.tags);
        all.controls = all.controls.max(one.controls);
        look_alikes(texts.new.words(), &mut alike);
        let concealed = texts.new.concealed();
        if concealed > 0 {
            let text =
                format!("{concealed} characters are written so that readers do not see them");
            list.add(WarningCode::Concealed, Severity::Danger, text);
        }
    }
    let rows = [
        (
            all.tags,
            WarningCode::Tags,
            "tag character, which nobody sees",
            "tag characters, which spell a text that nobody sees",
        ),
        (
            all.direction,
            WarningCode::Direction,
            "character that changes the reading direction",
            "characters that change the reading direction",
        ),
        (all.invisible, WarningCode::Invisible, "invisible character", "invisible characters"),
        (all.controls, WarningCode::Controls, "control character", "control characters"),
    ];
    for (count, code, singular, words) in rows {
        if count > 0 {
            let words = if count == 1 { singular } else { words };
            list.add(code, Severity::Danger, format!("{count} {words}"));
        }
    }
    if !alike.is_empty() {
        let text = "words that mix alphabets whose letters look alike";
        list.with(WarningCode::LooksAlike, Severity::Danger, text, alike.into_iter().collect());
    }
}

fn look_alikes<'a>(words: impl Iterator<Item = &'a str>, found: &mut BTreeSet<String>) {
    let mixed = words.filter(|word| !word.is_ascii() && word.chars().count() > 3);
    found.extend(mixed.filter(|word| hosts::mixed_scripts(word).is_some()).map(str::to_owned));
}

fn links(facts: &Facts<'_>, texts: &Texts, list: &mut List) {
    let known = texts.old.as_ref().map(hosts::hosts).unwrap_or_default();
    let added: Vec<String> = hosts::hosts(&texts.new)
        .into_iter()
        .filter(|host| !known.contains(host))
        .map(|host| hosts::destination(&format!("https://{host}/")))
        .collect();
    if !added.is_empty() {
        let text = if texts.old.is_some() {
            "links to hosts that are new in it"
        } else {
            "links to other hosts"
        };
        list.with(WarningCode::HostsAdded, Severity::Caution, text, added);
    }
    let odd: Vec<String> = facts
        .links
        .iter()
        .filter(|link| !link.odd.is_empty())
        .map(|link| format!("{} \u{2192} {}: {}", link.text, link.host, link.odd.join("; ")))
        .collect();
    if !odd.is_empty() {
        list.with(
            WarningCode::OddLinks,
            Severity::Danger,
            "links that are not what they seem",
            odd,
        );
    }
}

/// What the new text brings along that the old one does not have.
fn brought(texts: &Texts, list: &mut List) {
    let none = Seen::default();
    let old = texts.old.as_ref().map_or(&none, |old: &Document| &old.seen);
    let new = &texts.new.seen;
    let rows = [
        (new.scripts, old.scripts, WarningCode::Scripts, Severity::Danger, "scripts"),
        (new.forms, old.forms, WarningCode::Forms, Severity::Danger, "forms or form fields"),
        (new.page, old.page, WarningCode::Loads, Severity::Danger, "elements that set up the page"),
        (new.styles, old.styles, WarningCode::Styles, Severity::Caution, "style sheets"),
        (new.comments, old.comments, WarningCode::Comments, Severity::Caution, "comments"),
    ];
    for (count, before, code, severity, words) in rows {
        if count > before {
            let text = format!("{} {words} that are not in it now; see the source", count - before);
            list.add(code, severity, text);
        }
    }
    let rows = [
        (&new.embedded, &old.embedded, WarningCode::Embedded, "frames or films of other sites"),
        (&new.images, &old.images, WarningCode::Images, "pictures, which are not loaded here"),
        (
            &new.loaded,
            &old.loaded,
            WarningCode::Loads,
            "addresses that browsers load by themselves",
        ),
    ];
    for (addresses, before, code, words) in rows {
        let added: BTreeSet<String> =
            addresses.difference(before).map(|address| hosts::destination(address)).collect();
        if !added.is_empty() {
            list.with(code, Severity::Caution, words, added.into_iter().collect());
        }
    }
}
