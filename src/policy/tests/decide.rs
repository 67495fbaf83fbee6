//! What the shipped rules decide, with rule and place.

use super::*;
use crate::domain::{Action, Approver, HoldId, Release};
use std::time::Duration;

fn rules(finding: &Finding) -> Vec<(&str, &str)> {
    let at = |reason: &'_ Reason| reason.at.as_deref().unwrap_or_default().to_owned();
    for reason in &finding.reasons {
        let place = at(reason);
        let (file, line) = place.split_once(':').unwrap_or_else(|| panic!("{reason:?}"));
        assert!(file.ends_with(".rego") && line.parse::<u32>().unwrap() > 0, "{reason:?}");
    }
    finding.reasons.iter().map(|one| (one.rule.as_str(), one.text.as_str())).collect()
}

#[tokio::test]
async fn the_default_rules_decide_calls() {
    use Effect::{Read, Write};
    use Verdict::{Allow, Deny, Hold};
    let ruleset = load(&Source::Shipped);
    for (roles, name, effect, verdict, rule) in [
        (&["support-reader"][..], "get_conversation", Read, Allow, "admit.read_by_role"),
        (&["support-reader"], "update_article", Write, Deny, "admit.tool_outside_roles"),
        (&["article-editor"], "update_article", Write, Hold, "admit.write_waits"),
        (&["article-editor"], "create_article", Write, Deny, "admit.tool_outside_roles"),
        (&["article-editor"], "get_contact", Read, Deny, "admit.tool_outside_roles"),
        (&["knowledge-author"], "create_article", Write, Hold, "admit.write_waits"),
        (&["note-writer"], "add_internal_note", Write, Hold, "admit.write_waits"),
        (&[], "search", Read, Deny, "admit.tool_outside_roles"),
        (&["support-reader"], "unknown", Write, Deny, "admit.tool_outside_roles"),
    ] {
        let found = ruleset.admit(&tool_call(roles, name, effect, r#"{"id":"1"}"#), &facts()).await;
        assert_eq!((found.verdict, found.fault), (verdict, None), "{roles:?} {name}");
        assert_eq!(rules(&found)[0].0, rule, "{roles:?} {name}");
        assert_eq!(found.release.is_some(), verdict == Hold, "{roles:?} {name}");
    }
    let list = call(&["support-reader"], "tools/list", Subject::Method, "{}");
    let found = ruleset.admit(&list, &facts()).await;
    assert_eq!(rules(&found)[0].0, "admit.harmless_method");
    let read = call(&["support-reader"], "resources/list", Subject::Method, "{}");
    let found = ruleset.admit(&read, &facts()).await;
    assert_eq!(found.verdict, Deny);
    assert_eq!(rules(&found), [("admit.nothing_allows", "no rule allows this call")]);
    assert!(found.reasons[0].at.as_ref().unwrap().starts_with("lib/admit.rego:"));
}

#[tokio::test]
async fn reasons_point_at_the_line_of_their_rule() {
    let ruleset = load(&Source::Shipped);
    let held = tool_call(&["article-editor"], "update_article", Effect::Write, "{}");
    let found = ruleset.admit(&held, &facts()).await;
    let (file, line) = found.reasons[0].at.as_ref().unwrap().split_once(':').unwrap();
    let files = bundle::files(&Source::Shipped).unwrap();
    let text = &files.iter().find(|one| one.name == file).unwrap().text;
    let line: usize = line.parse().unwrap();
    assert_eq!(text.lines().nth(line - 1).unwrap(), "hold contains {");
    assert_eq!(text.lines().nth(line).unwrap().trim(), "\"rule\": \"write_waits\",");
    let release = found.release.unwrap();
    assert_eq!((release.groups, release.people), (vec![String::from("kb-editors")], 1));
    assert_eq!(release.expires, Duration::from_secs(14400));
}

#[tokio::test]
async fn the_default_rules_decide_lists_answers_and_releases() {
    let ruleset = load(&Source::Shipped);
    let offered: Vec<ToolFacts> =
        [("search", true), ("update_article", true), ("get_article", false)]
            .map(|(name, pinned)| ToolFacts {
                name: name.to_owned(),
                effect: Effect::Read,
                pinned,
                labels: Arc::default(),
            })
            .into();
    let client = ClientHint::default();
    for (roles, tools) in [
        (&["support-reader"][..], &["search"][..]),
        (&["article-editor"], &["update_article"]),
        (&[], &[]),
    ] {
        let seen = ruleset.visible(&principal(roles), &client, &offered, &facts()).await;
        assert_eq!(seen.tools.iter().map(String::as_str).collect::<Vec<_>>(), tools);
        assert_eq!((seen.finding.verdict, seen.finding.fault), (Verdict::Allow, None));
        assert_eq!(rules(&seen.finding)[0].0, "visible.tools_shown");
    }
    let call = tool_call(&["support-reader"], "search", Effect::Read, "{}");
    for kind in AnswerKind::ALL {
        let method = (kind == AnswerKind::ServerRequest).then(|| String::from("roots/list"));
        let found = ruleset.disclose(&call, &nothing(kind, method, 9), &facts()).await;
        let denied = matches!(kind, AnswerKind::ServerRequest | AnswerKind::InputRequired);
        assert_eq!(found.verdict == Verdict::Deny, denied, "{kind:?}");
        assert_eq!(found.fault, None);
    }
    let release = |groups: &[&str]| Release {
        groups: groups.iter().map(ToString::to_string).collect(),
        people: 1,
        expires: Duration::from_secs(60),
        ..Release::default()
    };
    for (id, group, groups, verdict) in [
        ("bea", "kb-editors", &["kb-editors"][..], Verdict::Allow),
        ("bea", "other", &["kb-editors"], Verdict::Deny),
        ("bea", "other", &[], Verdict::Allow),
        ("ann", "kb-editors", &["kb-editors"], Verdict::Deny),
    ] {
        let approver = Approver { id: id.parse().unwrap(), groups: vec![group.to_owned()] };
        let hold = HoldFacts {
            id: HoldId::from_random(7),
            opened_at: facts().now,
            expires_at: facts().now,
            release: release(groups),
            approvals: Vec::new(),
        };
        let action = Action::Approve;
        let ask = ApproveFacts { approver: &approver, action, hold: &hold, call: &call };
        let found = ruleset.approve(&ask, &facts()).await;
        assert_eq!((found.verdict, found.fault), (verdict, None), "{id} {group} {groups:?}");
    }
}

#[tokio::test]
async fn the_conformance_bundle_lets_its_role_do_everything() {
    let ruleset = load(&folder("conformance"));
    assert_ne!(ruleset.revision(), load(&Source::Shipped).revision());
    for (roles, verdict) in [(&["conformance"][..], Verdict::Allow), (&["x"], Verdict::Deny)] {
        let call = tool_call(roles, "test_anything", Effect::Write, "{}");
        assert_eq!(ruleset.admit(&call, &facts()).await.verdict, verdict);
        let method = Some(String::from("sampling/createMessage"));
        let answer = nothing(AnswerKind::ServerRequest, method, 1);
        assert_eq!(ruleset.disclose(&call, &answer, &facts()).await.verdict, verdict);
    }
}

#[test]
fn the_default_folder_is_what_is_shipped() {
    assert_eq!(load(&folder("default")).revision(), load(&Source::Shipped).revision());
}

#[test]
fn the_library_passes_its_own_tests() {
    let lib = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("policies/lib");
    let mut files = bundle(&[]);
    for entry in std::fs::read_dir(lib).unwrap() {
        let name = entry.as_ref().unwrap().file_name().into_string().unwrap();
        if name.ends_with("_test.rego") {
            let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
            files.push(File { name, text, kind: FileKind::Tests });
        }
    }
    assert_eq!(files.iter().filter(|file| file.kind == FileKind::Tests).count(), 2);
    if let Err(errors) = load::load(&files) {
        panic!("{errors}");
    }
}

#[tokio::test]
async fn reasons_carry_what_metadata_says() {
    let ruleset = load(&Source::Shipped);
    let denied = tool_call(&["article-editor"], "create_article", Effect::Write, "{}");
    let found = ruleset.admit(&denied, &facts()).await;
    assert_eq!(found.reasons[0].title.as_deref(), Some("Tools by role"));
    assert!(found.reasons[0].hint.as_ref().unwrap().contains("another role"));
    assert!(!found.reasons[0].internal);
    let unknown = call(&["support-reader"], "resources/list", Subject::Method, "{}");
    let found = ruleset.admit(&unknown, &facts()).await;
    assert_eq!(found.reasons[0].title.as_deref(), Some("No rule allows it"));
    let marked = "# METADATA\n# title: Fraud watch\n# custom:\n#   internal: true\n\
                  deny contains {\"rule\": \"a\", \"text\": \"watched\"} if input.tool.name == \"x\"";
    let files = bundle(&[("a.rego", &admit(marked))]);
    let ruleset = Ruleset::new(&files, load::load(&files).unwrap());
    let found = ruleset.admit(&tool_call(&["r"], "x", Effect::Read, "{}"), &facts()).await;
    assert!(found.reasons[0].internal);
    assert!(!crate::domain::told(&found.reasons).contains("watched"));
}
