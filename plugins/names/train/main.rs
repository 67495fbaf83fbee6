//! Trains the name model: `cargo run --release -p names --features train --bin train -- DATA TABLES`.
//!
//! `DATA` holds the gazetteers, `TABLES` what `corpus.py` gathered. Nothing is drawn by lot that a seed does
//! not fix, so the same input gives the same file, byte for byte. See README.md.

#![expect(
    clippy::indexing_slicing,
    clippy::needless_range_loop,
    clippy::print_stdout,
    reason = "a tool of this project's own, over tables that it has read itself"
)]

mod corpus;
mod generate;
mod learn;
mod lexicon;
mod pack;
mod people;
mod report;
mod templates;

use std::fs;
use std::path::{Path, PathBuf};

use names::table::Model;
use sha2::{Digest, Sha256};

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

/// How many generated texts are learned from, and how many are held back.
const TRAINING: usize = 320_000;
const HELD_BACK: usize = 12_000;

/// A text with the names in it, as ranges of bytes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sample {
    pub(crate) text: String,
    pub(crate) names: Vec<(usize, usize)>,
}

fn main() -> Outcome<()> {
    let mut arguments = std::env::args().skip(1);
    let (Some(data), Some(tables)) = (arguments.next(), arguments.next()) else {
        return Err("usage: train DATA TABLES [THRESHOLD-LISTING]".into());
    };
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (data, tables) = (PathBuf::from(data), PathBuf::from(tables));
    let templates = templates::read(&here.join("train/templates"))?;
    let people = people::People::read(&tables)?;
    let words = lexicon::build(&data, &tables, &here.join("train/templates"))?;
    let empty = pack::pack(&words, &[], &[[0.0; 3]; 3]);
    let known = Model::read(&empty).ok_or("the tables are no model")?;
    println!("{} words, {} bytes", words.len(), empty.len());

    let corpus = corpus::Corpus::read(&tables)?;
    let mut samples = generate::generate(&templates, &people, &corpus, false, TRAINING);
    samples.extend(corpus.tweets("train"));
    let held = generate::generate(&templates, &people, &corpus, true, HELD_BACK);

    let learned = learn::learn(&samples, &known);
    let bytes = pack::pack(&words, &learned.features, &learned.transitions);
    let target = here.join("src/model.bin");
    fs::write(&target, &bytes)?;
    fs::write(here.join("model.lock"), lock(&data, &tables, &bytes)?)?;
    println!(
        "{} features, {} bytes, sha256 {}",
        learned.features.len(),
        bytes.len(),
        digest(&bytes)
    );

    let model = Model::read(&bytes).ok_or("the file is no model")?;
    report::report("generated, templates and names held back", &held, &model);
    report::report("WNUT-17 dev", &corpus.tweets("dev"), &model);
    report::report("WNUT-17 test", &corpus.tweets("test"), &model);
    report::report("catalogues, held back, no names", &corpus.held_back(), &model);
    if let Some(listing) = arguments.next() {
        report::list_errors(&held, &model, listing.parse()?);
        report::list_errors(&corpus.held_back(), &model, 0.5);
    }
    Ok(())
}

/// The digests of what went in and of what came out.
fn lock(data: &Path, tables: &Path, model: &[u8]) -> Outcome<String> {
    let mut out =
        String::from("# Written by the trainer: SHA-256 of its input and of the model.\n");
    let of_data = ["gazetteer/first_ssa.tsv", "gazetteer/last_census1990.tsv"];
    let of_tables =
        ["names.tsv", "places.tsv", "calendar.tsv", "words.tsv", "sentences.tsv", "wnut.tsv"];
    let of_data = of_data.iter().map(|name| (data, *name));
    for (folder, name) in of_data.chain(of_tables.iter().map(|name| (tables, *name))) {
        out += &format!("{}  {name}\n", digest(&fs::read(folder.join(name))?));
    }
    for name in [
        "messages.txt",
        "phrases.txt",
        "cues.txt",
        "brands.txt",
        "cities.txt",
        "trade.txt",
        "organisations.txt",
        "fillers.txt",
    ] {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("train/templates");
        out += &format!("{}  train/templates/{name}\n", digest(&fs::read(folder.join(name))?));
    }
    out += &format!("{}  src/model.bin\n", digest(model));
    Ok(out)
}

fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|b| format!("{b:02x}")).collect()
}
