//! What became of releases.

use super::*;

/// What became of a release is told by whether there was one, not by who is in the list of approvals.
#[test]
fn a_release_is_used_never_used_or_there_was_none() {
    let cancelled = || HoldEvent::Cancelled { reason: "x".into() };
    let stale = || HoldEvent::Stale { changed: "x".into() };
    let again = |people| reopened(opened(people).release);
    let rejected = || HoldEvent::Rejected { approver: person("eve"), reason: "no".into() };
    let executed = || HoldEvent::Executed { sealed: "s".into() };
    let (claim, send) = (HoldEvent::Claimed, HoldEvent::Sending);
    let (ok, own) = (approved("ann"), confirmed(OwnAnswer::Accepted));
    let begin = |people, own| {
        let confirm = if own { Confirm::Requester } else { Confirm::Never };
        let release = Release { confirm, ..opened(people).release };
        Hold::open(HoldId::from_random(7), T0, Opened { release, ..opened(people) })
    };
    for (what, people, events, expected) in [
        ("waits", 1, vec![], Used::NotReleased),
        ("withdrawn", 1, vec![cancelled()], Used::NotReleased),
        ("one of two, withdrawn", 2, vec![ok.clone(), cancelled()], Used::NotReleased),
        ("one of two, rejected", 2, vec![ok.clone(), rejected()], Used::NotReleased),
        ("released", 1, vec![ok.clone()], Used::NotYet),
        ("claimed", 1, vec![ok.clone(), claim.clone()], Used::NotYet),
        ("changed at the claim", 1, vec![ok.clone(), claim.clone(), stale()], Used::NotReleased),
        (
            "withdrawn at the claim",
            1,
            vec![ok.clone(), claim.clone(), stale(), cancelled()],
            Used::Never,
        ),
        (
            "released, reopened, rejected",
            1,
            vec![ok.clone(), stale(), again(2), rejected()],
            Used::Never,
        ),
        ("sent", 1, vec![ok.clone(), claim.clone(), send.clone(), executed()], Used::Yes),
        ("taken back", 1, vec![ok, HoldEvent::Revoked { approver: person("ann") }], Used::Never),
        ("own", 1, vec![own.clone()], Used::NotYet),
        ("own, withdrawn", 1, vec![own.clone(), stale(), cancelled()], Used::Never),
        ("own, sent", 1, vec![own, claim, send, executed()], Used::Yes),
        ("declined", 1, vec![confirmed(OwnAnswer::Declined)], Used::NotReleased),
    ] {
        let begin = begin(people, what.starts_with("own") || what == "declined");
        let hold = events.iter().try_fold(begin, |hold, event| hold.apply(T0, event)).unwrap();
        assert_eq!(Used::of(&hold), expected, "{what}");
    }
}
