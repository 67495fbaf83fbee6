//! What Portcullis' own plugins share.
//!
//! [`document`] has the contract's records (`plugins/wit/plugin.wit`) as plain Rust values, so that a
//! plugin is a library that is tested without any wasm. [`kinds`] is the one list of what can be
//! found. [`unfold`] reads a text as a person would: without tags, entities, escapes, invisible
//! characters and look-alike letters, and knows where in the text everything stood. [`words`] looks up
//! the words of a text in tables.
//!
//! A plugin gets a fresh instance for each call, so nothing here has anything to set up: tables are
//! constants, and scanners are written by hand.

#[cfg(target_arch = "wasm32")]
pub mod component;
pub mod document;
pub mod kinds;
pub mod plugin;
pub mod unfold;
pub mod words;

pub use document::{
    Description, Document, Entry, Finding, Form, Leaf, Opinion, Party, Phase, Report,
};
pub use plugin::Plugin;
