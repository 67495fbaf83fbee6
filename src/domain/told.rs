//! What an agent is told of the rules that spoke.
//!
//! A rule's title, its words and its hint are for everybody; its name, its place and everything of
//! a rule that is marked internal stay with the records and the approvers. Portcullis' own checks
//! come before the rules: what policy makes of a call that cannot be one would only lead the agent
//! astray.

use super::Reason;

/// More reasons than these make a text that no agent reads.
const MOST: usize = 4;
/// For rules that are none of the agent's business, and for faults.
const NEUTRAL: &str = "the rules of this installation demand it; its operators know more";

/// The words of each rule with its title, then what the agent could do instead. Goes on after a
/// colon and ends in a full stop.
#[must_use]
pub fn told(reasons: &[Reason]) -> String {
    let open = || reasons.iter().filter(|reason| !reason.internal);
    let own = open().any(|reason| reason.at.is_none());
    let open = || open().filter(|reason| reason.at.is_none() == own).take(MOST);
    let mut why: Vec<String> = open()
        .map(|reason| match &reason.title {
            Some(title) => format!("{} ({})", bare(&reason.text), bare(title)),
            None => bare(&reason.text).to_owned(),
        })
        .collect();
    if !own && reasons.iter().any(|reason| reason.internal) {
        why.push(NEUTRAL.to_owned());
    }
    let mut text = format!("{}.", why.join("; "));
    let mut hints: Vec<&str> = open().filter_map(|reason| reason.hint.as_deref()).collect();
    hints.dedup();
    for hint in hints {
        text.push_str(&format!(" {}.", bare(hint)));
    }
    text
}

fn bare(text: &str) -> &str {
    text.trim().trim_end_matches(['.', ':'])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reason(title: Option<&str>, text: &str, hint: Option<&str>) -> Reason {
        Reason {
            at: Some("secret.rego:7".to_owned()),
            title: title.map(str::to_owned),
            hint: hint.map(str::to_owned),
            ..Reason::new("admit.secret_name", text)
        }
    }

    #[test]
    fn words_title_and_hint_in_this_order() {
        let rows = [
            (vec![reason(None, "no", None)], "no."),
            (vec![reason(Some("Title."), "words.", Some("Do that"))], "words (Title). Do that."),
            (
                vec![reason(Some("A"), "a", Some("Do x.")), reason(None, "b", Some("Do x."))],
                "a (A); b. Do x.",
            ),
        ];
        for (reasons, text) in rows {
            assert_eq!(told(&reasons), text);
        }
    }

    #[test]
    fn nothing_of_an_internal_rule_is_told() {
        let internal =
            Reason { internal: true, ..reason(Some("Fraud watch"), "marked", Some("hide")) };
        assert_eq!(told(std::slice::from_ref(&internal)), format!("{NEUTRAL}."));
        let both = told(&[internal, reason(Some("Open"), "said", None)]);
        assert_eq!(both, format!("said (Open); {NEUTRAL}."));
    }

    #[test]
    fn our_own_checks_come_before_the_rules() {
        let rule = reason(Some("Rule"), "pinned", Some("Use another tool"));
        assert_eq!(told(&[rule, Reason::new("tool.unknown", "no such tool")]), "no such tool.");
    }

    #[test]
    fn many_reasons_stay_short_and_show_no_place() {
        let many: Vec<Reason> =
            (0..64).map(|number| reason(None, &format!("n{number}"), None)).collect();
        let text = told(&many);
        assert_eq!(text, "n0; n1; n2; n3.");
        assert!(!text.contains("rego") && !text.contains("secret"));
    }
}
