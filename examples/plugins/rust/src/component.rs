//! The plugin as a component: what `plugins/wit/plugin.wit` asks for.

wit_bindgen::generate!({ path: "wit", world: "plugin" });

use exports::portcullis::plugin::inspector::{Description, Document, Guest, Report};
use portcullis::plugin::types::{Finding, Party, Phase};

struct Plugin;

export!(Plugin);

impl Guest for Plugin {
    fn describe() -> Description {
        Description {
            name: "customer-number".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            summary: "The numbers by which the company knows its customers".to_owned(),
            kinds: vec!["customer_number".to_owned()],
            labels: Vec::new(),
            phases: vec![Phase::Call, Phase::Answer],
            tools: Vec::new(),
            config_schema: crate::CONFIG_SCHEMA.to_owned(),
        }
    }

    fn inspect(document: Document, config: String) -> Result<Report, String> {
        let config: crate::Config = match config.as_str() {
            "" => crate::Config::default(),
            text => serde_json::from_str(text).map_err(|error| error.to_string())?,
        };
        let mut findings = Vec::new();
        for (number, leaf) in (0..).zip(&document.leaves) {
            let found = crate::numbers(&leaf.text, &config.prefix);
            findings.extend(found.into_iter().map(|found| finding(number, &leaf.text, found)));
        }
        Ok(Report { findings, labels: Vec::new(), opinion: None })
    }
}

fn finding(leaf: u32, text: &str, found: crate::Number) -> Finding {
    let crate::Number { start, end, plain } = found;
    Finding {
        leaf,
        start: start as u32,
        end: end as u32,
        kind: "customer_number".to_owned(),
        confidence: 95,
        reason: "shape".to_owned(),
        // The number as the company writes it, if it is written in another way here.
        value: (text[start..end] != plain).then_some(plain),
        subject: None,
        part: None,
        party: Party::Customer,
    }
}
