//! Where leaves stand: the objects that hold them, and what these objects are.

use kit::{Document, Form, Leaf, Party};
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

/// A hasher without a seed: a plugin has no randomness.
#[derive(Default)]
pub(crate) struct Fnv(u64);

impl Hasher for Fnv {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut eight = [0u8; 8];
            for (to, from) in eight.iter_mut().zip(chunk) {
                *to = *from;
            }
            self.0 = (self.0.rotate_left(5) ^ u64::from_le_bytes(eight))
                .wrapping_mul(0x517c_c1b7_2722_0a95);
        }
    }
}

pub(crate) type Map<K, V> = HashMap<K, V, BuildHasherDefault<Fnv>>;

/// An object of the payload: what its members say about it.
#[derive(Debug, Default)]
pub(crate) struct Object<'a> {
    pub(crate) kind: Option<&'a str>,
    pub(crate) id: Option<&'a str>,
    pub(crate) email: Option<&'a str>,
    pub(crate) has_phone: bool,
    pub(crate) name: Option<&'a str>,
    /// What a pair says that its value is: `{"field": "email", "value": ...}`.
    pub(crate) label: Option<&'a str>,
    owner: Option<&'a str>,
    party: Party,
}

impl Object<'_> {
    /// Whether it is a person by its type, or by having an address of one.
    pub(crate) fn is_person(&self) -> bool {
        match self.kind {
            Some("user" | "lead" | "contact" | "admin" | "teammate" | "visitor" | "person") => true,
            Some("from" | "to" | "cc" | "bcc" | "reply_to") => true,
            Some(_) => false,
            None => self.email.is_some() || self.has_phone,
        }
    }

    /// Whether it says by its type that it is a person.
    pub(crate) fn is_record(&self) -> bool {
        self.kind.is_some() && self.is_person()
    }

    /// Whose it is. What it is itself counts for more than where it stands: a teammate's message names
    /// customers.
    pub(crate) fn party(&self) -> Party {
        match self.kind {
            Some("user" | "lead" | "contact" | "visitor") => Party::Customer,
            Some("admin" | "teammate" | "team") => Party::Teammate,
            Some("bot" | "workflow") => Party::Bot,
            // Whoever a message went to is told by the records of people, or by nothing.
            Some("from" | "to" | "cc" | "bcc" | "reply_to") => Party::Unknown,
            _ => self.party,
        }
    }

    /// A word for whom it is: the record, else the address.
    pub(crate) fn subject(&self) -> Option<String> {
        if let (Some(id), true) = (self.id, self.is_person()) {
            let kind = if self.party() == Party::Teammate { "admin" } else { "contact" };
            return Some(format!("{kind}:{id}"));
        }
        if let Some(owner) = self.owner
            && (owner.starts_with("contact:") || owner.starts_with("admin:"))
        {
            return Some(owner.to_owned());
        }
        self.email.map(str::to_lowercase)
    }
}

/// Where each leaf stands.
pub(crate) struct Places<'a> {
    objects: Vec<Object<'a>>,
    of: Vec<usize>,
    keys: Vec<&'a str>,
}

/// Splits a pointer into the place of the object and the last name.
fn split(path: &str) -> (&str, &str) {
    path.rsplit_once('/').unwrap_or(("", path))
}

fn is_index(name: &str) -> bool {
    !name.is_empty() && name.len() < 5 && name.bytes().all(|b| b.is_ascii_digit())
}

impl<'a> Places<'a> {
    pub(crate) fn of(document: &'a Document) -> Self {
        let mut numbers: Map<(u32, &'a str), usize> = Map::default();
        let mut objects: Vec<Object<'a>> = Vec::new();
        let mut of = Vec::with_capacity(document.leaves.len());
        let mut last: Option<((u32, &'a str), usize)> = None;
        for leaf in &document.leaves {
            let (parent, key) = split(&leaf.path);
            let here = (leaf.document, parent);
            let n = match last {
                Some((place, n)) if place == here => n,
                _ => *numbers.entry(here).or_insert_with(|| {
                    objects.push(Object::default());
                    objects.len() - 1
                }),
            };
            last = Some((here, n));
            of.push(n);
            if let Some(object) = objects.get_mut(n) {
                learn(object, key, leaf);
            }
        }
        let mut places = Self { objects, of, keys: Vec::with_capacity(document.leaves.len()) };
        for (n, leaf) in document.leaves.iter().enumerate() {
            let key = places.key_of(n, leaf);
            places.keys.push(key);
        }
        places
    }

    /// The name that says what a value is: of a list's element that of the list, of a pair's value
    /// the pair's.
    fn key_of(&self, n: usize, leaf: &'a Leaf) -> &'a str {
        let (mut parent, mut key) = split(&leaf.path);
        if let ("value" | "values" | "answer" | "content", Some(label)) =
            (key, self.object(n).label)
        {
            return label.rsplit('.').next().unwrap_or(label);
        }
        while is_index(key) || matches!(key, "value" | "values" | "previous" | "answer") {
            if parent.is_empty() {
                break;
            }
            (parent, key) = split(parent);
        }
        key
    }

    /// People with a record: their address, the record, their party.
    pub(crate) fn records(&self) -> impl Iterator<Item = (&'a str, String, Party)> + '_ {
        let full = |o: &&Object<'a>| o.id.is_some() && o.is_person();
        self.objects.iter().filter(full).filter_map(|o| Some((o.email?, o.subject()?, o.party())))
    }

    pub(crate) fn key(&self, leaf: usize) -> &'a str {
        self.keys.get(leaf).copied().unwrap_or_default()
    }

    pub(crate) fn object(&self, leaf: usize) -> &Object<'a> {
        static NONE: Object<'static> = Object {
            kind: None,
            id: None,
            email: None,
            has_phone: false,
            name: None,
            label: None,
            owner: None,
            party: Party::Unknown,
        };
        self.of.get(leaf).and_then(|n| self.objects.get(*n)).unwrap_or(&NONE)
    }

    /// The nearest object around a leaf that is a person: a contact holds its attributes in an object
    /// of their own.
    pub(crate) fn person(&self, leaves: &'a [Leaf], leaf: usize) -> Option<&Object<'a>> {
        let here = self.object(leaf);
        if here.is_person() {
            return Some(here);
        }
        let path = leaves.get(leaf).map(|l| l.path.as_str()).unwrap_or_default();
        let (parent, _) = split(path);
        let (outer, name) = split(parent);
        if !matches!(name, "custom_attributes" | "location" | "avatar" | "customer" | "details") {
            return None;
        }
        // The members of the outer object stand near by: before this one, mostly.
        let number = |n: usize| self.of.get(n).copied();
        let near = |n: &usize| leaves.get(*n).is_some_and(|l| split(&l.path).0 == outer);
        let found = (0..leaf)
            .rev()
            .take(64)
            .find(near)
            .or_else(|| (leaf + 1..leaves.len().min(leaf + 64)).find(near))?;
        let object = number(found).and_then(|n| self.objects.get(n))?;
        object.is_person().then_some(object)
    }
}

/// What a member says about its object.
fn learn<'a>(object: &mut Object<'a>, key: &'a str, leaf: &'a Leaf) {
    if object.party == Party::Unknown {
        object.party = leaf.party;
    }
    if object.owner.is_none() {
        object.owner = leaf.owner.as_deref();
    }
    if leaf.form == Form::Key {
        return;
    }
    let text = leaf.text.as_str();
    match key {
        "type" => object.kind = Some(text),
        "id" => object.id = Some(text),
        "email" | "email_address" if text.contains('@') => object.email = Some(text),
        "phone" if !text.is_empty() => object.has_phone = true,
        "name" => object.name = Some(text),
        _ => {}
    }
    if matches!(key, "field" | "label" | "key" | "name" | "attribute" | "question") {
        object.label = Some(text);
    }
}
