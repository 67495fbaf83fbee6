//! Whether somebody decides on a call of their own, under whatever spelling of their name.
//!
//! Names of agents, of the people they act for and of approvers come from configuration, accounts and
//! identity providers, which spell them differently. What may be one person is taken for one: a colleague
//! can decide instead.

use crate::domain::Principal;

/// Whether a principal's calls are a person's own: the agent's name or the human it acts for.
pub(super) fn is_own(name: &str, principal: &Principal) -> bool {
    let acts_for = principal.on_behalf_of.as_deref();
    same_person(name, principal.id.as_str())
        || acts_for.is_some_and(|human| same_person(name, human))
}

/// Whether two names may mean one person: case, spellings of one letter, and for addresses a `+tag`
/// do not make another, nor does a name that is the other's address without its host.
fn same_person(a: &str, b: &str) -> bool {
    let ((a, at), (b, to)) = (plain(a), plain(b));
    a == b && (at == to || at.is_none() || to.is_none())
}

/// The name in one spelling, and its host if it is an address.
fn plain(name: &str) -> (String, Option<String>) {
    use unicode_normalization::UnicodeNormalization as _;
    let seen = name.nfkc().filter(|c| !crate::domain::is_hidden(*c)).map(latin);
    let lower: String = seen.collect::<String>().to_lowercase().nfkc().collect();
    let lower = lower.trim();
    match lower.rsplit_once('@') {
        Some((local, host)) => {
            let local = local.split_once('+').map_or(local, |(before, _)| before);
            (local.to_owned(), Some(host.trim_end_matches('.').to_owned()))
        }
        None => (lower.to_owned(), None),
    }
}

/// Letters of other scripts that look like Latin ones, as those.
const fn latin(c: char) -> char {
    match c {
        'а' | 'А' | 'α' | 'Α' | 'ɑ' => 'a',
        'е' | 'Е' | 'Ε' | 'ε' => 'e',
        'о' | 'О' | 'ο' | 'Ο' => 'o',
        'р' | 'Р' | 'ρ' | 'Ρ' => 'p',
        'с' | 'С' | 'ϲ' => 'c',
        'у' | 'У' | 'Υ' => 'y',
        'х' | 'Х' | 'χ' | 'Χ' => 'x',
        'і' | 'І' | 'ι' | 'Ι' | 'ı' | 'İ' => 'i',
        'ј' | 'Ј' => 'j',
        'ѕ' | 'Ѕ' => 's',
        'һ' | 'Н' | 'Η' => 'h',
        'к' | 'К' | 'κ' | 'Κ' => 'k',
        'м' | 'М' | 'Μ' => 'm',
        'т' | 'Т' | 'τ' | 'Τ' => 't',
        'В' | 'β' | 'Β' => 'b',
        'Ν' => 'n',
        'Ζ' => 'z',
        'ԁ' => 'd',
        'ԛ' => 'q',
        'ԝ' => 'w',
        'ν' => 'v',
        'ⅼ' => 'l',
        _ => c,
    }
}

#[cfg(test)]
mod tests {
    use super::same_person;

    #[test]
    fn aliases_are_one_person() {
        for (a, b, same) in [
            ("jane", "Jane", true),
            ("jane@example.com", "JANE+x@Example.com", true),
            ("jane@example.com", "jane@example.com.", true),
            ("jane@example.com", "jane@example.org", false),
            ("jane", "jane2", false),
            // A person's short name and the address of the same name are taken for one.
            ("jane", "Jane@example.com", true),
            ("jane@example.com", "jane+x", false),
            // Full width, Cyrillic `а`, composed and decomposed, with something that cannot be seen.
            ("jane@example.com", "ｊａｎｅ@example.com", true),
            ("jane@example.com", "j\u{430}ne@example.com", true),
            ("jose", "JOSE\u{200b}", true),
            ("jos\u{e9}@example.com", "jose\u{301}@example.com", true),
            ("jose@example.com", "jos\u{e9}@example.com", false),
        ] {
            assert_eq!(same_person(a, b), same, "{a} {b}");
            assert_eq!(same_person(b, a), same, "{b} {a}");
        }
    }
}
