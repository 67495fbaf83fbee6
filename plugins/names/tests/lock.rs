//! `model.lock` speaks of the model and the templates that are here.

use sha2::{Digest, Sha256};
use std::fs;
use std::path::Path;

#[test]
fn the_lock_is_fresh() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let lock = fs::read_to_string(here.join("model.lock")).unwrap();
    let mut seen = 0;
    for (digest, name) in lock.lines().filter_map(|line| line.split_once("  ")) {
        // The tables and the public data are not kept here.
        let Ok(bytes) = fs::read(here.join(name)) else { continue };
        let found: String = Sha256::digest(&bytes).iter().map(|b| format!("{b:02x}")).collect();
        assert_eq!(found, digest, "{name} is not what the model was trained with");
        seen += 1;
    }
    let templates = fs::read_dir(here.join("train/templates")).unwrap().count();
    assert_eq!(seen, templates + 1, "each template and the model");
}
