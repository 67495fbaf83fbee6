//! Names that mean one person.

use super::same_person;

#[test]
fn aliases_are_one_person() {
    for (a, b, same) in [
        ("jane", "Jane", true),
        ("jane@example.com", "JANE+x@Example.com", true),
        ("jane@example.com", "jane@example.org", false),
        ("jane", "jane2", false),
    ] {
        assert_eq!(same_person(a, b), same, "{a} {b}");
    }
}
