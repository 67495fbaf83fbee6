//! Tests of whole rulesets.

use super::*;

#[test]
fn the_shipped_bundle_loads() {
    if let Err(errors) = Ruleset::load(&Source::Shipped) {
        panic!("{errors}");
    }
}
