//! Finds personal data in the texts of a call or an answer.
//!
//! The payload names its people itself, so the layers work in this order:
//! - *fields* ([`fields`]): what stands under a name that says what it is;
//! - *recognisers*: what proves itself by its shape or sum ([`email`], [`number`], [`net`], [`secret`]),
//!   by a label before it ([`label`]), or by being built like an address ([`address`]);
//! - *dictionary* ([`people`], [`mention`]): every repetition of what fields of this payload and of
//!   earlier answers hold, in any spelling;
//! - *harvest*: addresses and names that were found in texts join the dictionary;
//! - *names* ([`cues`]): names that only a text has.
//!
//! All of them look at a text as it is read ([`kit::unfold`]), never at its bytes.

mod address;
mod check;
mod codes;
mod config;
mod credential;
mod credential_words;
mod cue;
mod cues;
mod date;
mod east;
mod email;
mod encoded;
mod field_words;
mod fields;
mod figure;
mod fit;
mod hit;
mod inspect;
mod label;
mod lexicon;
mod likely;
mod mention;
mod model;
mod net;
mod number;
mod people;
mod phone;
mod phone_sign;
mod place;
mod report;
mod secret;
mod signature;
mod text;
mod veto;
mod words;

pub use config::{Config, SCHEMA, Word};
pub use inspect::inspect;

use kit::{Description, Phase, kinds};

/// What the plugin says of itself.
pub const DESCRIPTION: Description = Description {
    name: "pii",
    version: env!("CARGO_PKG_VERSION"),
    summary: "Finds personal data: people, their addresses and numbers, in fields and in free text.",
    kinds: kinds::PERSONAL,
    labels: &[],
    phases: &[Phase::Call, Phase::Answer],
    tools: &[],
    config_schema: SCHEMA,
};

/// The plugin, as the kit knows it.
#[derive(Debug, Clone, Copy)]
pub struct Pii;

impl kit::Plugin for Pii {
    fn describe() -> Description {
        DESCRIPTION
    }

    fn inspect(document: &kit::Document, config: &str) -> Result<kit::Report, String> {
        Ok(inspect(document, &Config::parse(config)?))
    }
}

kit::export!(Pii);
