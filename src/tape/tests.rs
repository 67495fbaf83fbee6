//! What is kept comes back, sealed and bounded.

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use super::*;
use crate::config::Secret;
use crate::domain::{
    CallId, CallMeta, ClientHint, Effect, JsonText, Judge, Principal, PrincipalKind, Reason,
    Revision, Subject, Timestamp, TrailView,
};
use crate::intercom::records::Content;
use crate::policy::AnswerKind;

const SECRET: &str = "jane@acme.example";

pub(super) fn config(data: &Path, keep: Keep) -> Config {
    let upstream = "http://127.0.0.1:1".parse().unwrap();
    let mut config = Config::in_code(data.to_owned(), upstream, Secret::new("x".repeat(40)));
    config.replay = Replay { keep, answer_size: 1000, ..Replay::default() };
    config
}

fn round(number: u128) -> Round {
    let principal = Principal {
        id: "bot".parse().unwrap(),
        kind: PrincipalKind::Agent,
        roles: vec!["r".to_owned()],
        groups: Vec::new(),
        attributes: [("team".to_owned(), "7".to_owned())].into(),
        on_behalf_of: None,
    };
    let payload = format!(r#"{{"z":1.50,"email":"{SECRET}","a":[1e2]}}"#);
    Round {
        ruleset: Digest::of("r", &[]),
        counted: true,
        call: Call {
            id: CallId(uuid::Uuid::from_u128(number)),
            at: Timestamp::default(),
            principal: Arc::new(principal),
            revision: Revision::V2025_11_25,
            client: ClientHint::default(),
            method: "tools/call".to_owned(),
            subject: Subject::Tool { name: "x".into(), effect: Effect::Read, definition: None },
            payload: JsonText::from_valid(payload.into_bytes().into()),
            continuation: None,
            meta: CallMeta::default(),
        },
        facts: Facts {
            now: crate::clock::now(),
            environment: "test".into(),
            trail: TrailView { labels: vec!["l".to_owned()], ..TrailView::default() },
            seen: Arc::default(),
        },
        others: Verdict::Allow,
        said: Finding {
            judge: Judge::Policy,
            verdict: Verdict::Hold,
            reasons: vec![Reason::new("admit.a", "text")],
            obligations: Vec::new(),
            release: None,
            fault: None,
        },
    }
}

fn answer(bytes: usize) -> AnswerFacts {
    let text = format!(r#"{{"content":[{{"type":"text","text":"{}"}}]}}"#, "x".repeat(bytes));
    let text = JsonText::from_valid(text.into_bytes().into());
    let content = Content::of_result(Some("x"), &text);
    AnswerFacts { kind: AnswerKind::Result, method: None, bytes: bytes as u64, content }
}

pub(super) fn sealer(data: &Path) -> Sealer {
    Sealer::load(data).unwrap()
}

fn all(config: &Config) -> Vec<Result<Entry, Unread>> {
    let lockbox = lockbox(config, &sealer(&config.data)).unwrap();
    read(&config.data, lockbox, Timestamp::default()).unwrap().collect()
}

/// Keeps some questions and waits until they are written.
fn keep(config: &Config, numbers: std::ops::Range<u128>) {
    let tape = Tape::open(config, &sealer(&config.data)).unwrap();
    for number in numbers {
        let mut rounds = tape.rounds();
        rounds.add(|| round(number));
        tape.call(rounds);
        tape.answer(&answer(10), || round(number));
    }
}

/// A question on its way.
pub(super) fn heard(number: u128) -> Heard {
    Heard { bytes: 0, what: What::Call { rounds: vec![round(number)], again: false } }
}

/// Makes a file older than what is kept.
pub(super) fn aged(path: &Path, config: &Config) {
    let old = std::time::SystemTime::now() - config.replay.age - Duration::from_secs(1);
    fs::File::options().append(true).open(path).unwrap().set_modified(old).unwrap();
}

pub(super) fn files(data: &Path) -> Vec<PathBuf> {
    segment::list(&data.join(segment::FOLDER)).unwrap().into_iter().map(|(_, path)| path).collect()
}

#[test]
fn what_is_kept_comes_back_letter_by_letter_and_is_sealed() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(folder.path(), Keep::Answers);
    keep(&config, 0..3);
    keep(&config, 3..5);
    let entries: Vec<Entry> = all(&config).into_iter().map(Result::unwrap).collect();
    assert_eq!(entries.len(), 10);
    assert_eq!(files(folder.path()).len(), 2);
    let entry = &entries[6];
    assert_eq!((entry.call.unwrap().0.as_u128(), entry.question), (3, Question::Admit));
    let kept = &entry.rounds[0];
    let asked = round(3);
    assert_eq!(kept.asked.arguments.text(), &asked.call.payload);
    assert_eq!(kept.asked.trail, asked.facts.trail);
    assert_eq!(kept.said.rules, ["admit.a"]);
    let shown = entries[7].rounds[0].asked.answer.as_ref().unwrap();
    assert!(shown.result.as_ref().unwrap().text().as_str().contains("xxxxxxxxxx"));
    for path in files(folder.path()) {
        let bytes = fs::read(&path).unwrap();
        assert!(!bytes.windows(SECRET.len()).any(|part| part == SECRET.as_bytes()));
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
    // With another secret it is not ours to read.
    let mut other = config.clone();
    other.pseudonyms.key = Some(Secret::new("ab".repeat(32)));
    assert!(all(&other).iter().all(|it| it.as_ref().is_err_and(|why| *why == Unread::Frame)));
}

#[test]
fn only_what_configuration_wants_is_kept() {
    for (wanted, count) in [(Keep::Nothing, 0), (Keep::Calls, 2), (Keep::Answers, 4)] {
        let folder = tempfile::tempdir().unwrap();
        let config = config(folder.path(), wanted);
        keep(&config, 0..2);
        assert_eq!(all(&config).len(), count, "{wanted:?}");
    }
    let folder = tempfile::tempdir().unwrap();
    let config = config(folder.path(), Keep::Answers);
    let tape = Tape::open(&config, &sealer(folder.path())).unwrap();
    tape.answer(&answer(1001), || round(0));
    drop(tape);
    let entries = all(&config);
    let asked = &entries[0].as_ref().unwrap().rounds[0].asked;
    assert!(asked.is_without_content());
    assert!(asked.answer.as_ref().unwrap().result.is_none());
}

/// Lists, people's wishes, and held calls that are judged again are asked and kept as what they are.
#[test]
fn lists_wishes_and_later_judgements_come_back() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(folder.path(), Keep::Calls);
    let tape = Tape::open(&config, &sealer(folder.path())).unwrap();
    let Round { call, facts, said, ruleset, .. } = round(0);
    let tool = |name: &str, effect, pinned, labels: &[&str]| ToolFacts {
        name: name.to_owned(),
        effect,
        pinned,
        labels: labels.iter().map(|label| (*label).to_owned()).collect(),
    };
    let tools = vec![
        tool("get_article", Effect::Read, true, &[]),
        tool("get_article", Effect::Write, true, &[]),
        tool("update_article", Effect::Write, false, &["odd"]),
    ];
    let finding = Finding { verdict: Verdict::Allow, ..said };
    let said = Visible { tools: ["get_article".to_owned()].into(), finding };
    tape.list(|| List {
        ruleset,
        counted: true,
        principal: (*call.principal).clone(),
        client: ClientHint::default(),
        tools,
        facts: facts.clone(),
        said,
    });
    let approver = Approver { id: "ann".parse().unwrap(), groups: vec!["g".to_owned()] };
    let later = |seconds| facts.now.plus(Duration::from_secs(seconds));
    let hold = HoldFacts {
        id: crate::domain::HoldId::from_random(7),
        opened_at: later(1),
        expires_at: later(9),
        release: crate::domain::Release { people: 2, ..crate::domain::Release::default() },
        approvals: vec!["bob".parse().unwrap()],
    };
    let ask = ApproveFacts { approver: &approver, action: Action::Edit, hold: &hold, call: &call };
    tape.wish(&ask, || round(0));
    let mut rounds = tape.rounds();
    rounds.add(|| round(0));
    tape.call_again(rounds);
    drop(tape);
    let entries: Vec<Entry> = all(&config).into_iter().map(Result::unwrap).collect();
    let [list, wish, again] = entries.try_into().unwrap();
    assert_eq!((list.call, list.question), (None, Question::Visible));
    assert_eq!(list.rounds[0].said.tools, Some(["get_article".to_owned()].into()));
    let Kept { asked, .. } = &list.rounds[0];
    assert_eq!(asked.principal.id.as_deref(), Some("bot"));
    assert_eq!(&asked.trail, &facts.trail);
    // What is ordinary is a name alone.
    let written = serde_json::to_value(&asked.tools).unwrap();
    let other = serde_json::json!({"name": "update_article", "pinned": false, "labels": ["odd"]});
    let whole = [
        "get_article".into(),
        serde_json::json!({"name": "get_article", "effect": "write"}),
        other,
    ];
    assert_eq!(written, serde_json::Value::from(whole.to_vec()));
    assert_eq!((wish.call, wish.question), (Some(call.id), Question::Approve));
    let asked = &wish.rounds[0].asked;
    let releaser = asked.approver.as_ref().unwrap();
    assert_eq!((&*releaser.id, releaser.action), ("ann", Some(Action::Edit)));
    let written = serde_json::to_value(&asked.hold).unwrap();
    let whole = serde_json::json!({"id": hold.id, "opened_at": hold.opened_at,
        "expires_at": hold.expires_at, "release": hold.release, "approvals": ["bob"]});
    assert_eq!(written, whole);
    assert_eq!(asked.arguments.text(), &call.payload);
    assert_eq!((again.call, again.question, again.again), (Some(call.id), Question::Admit, true));
}

#[test]
fn damage_costs_what_it_hits_and_a_torn_end_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(folder.path(), Keep::Calls);
    keep(&config, 0..2);
    keep(&config, 2..4);
    let paths = files(folder.path());
    let whole = fs::read(&paths[1]).unwrap();
    fs::write(&paths[1], &whole[..whole.len() - 1]).unwrap();
    assert_eq!(all(&config).len(), 2);
    let mut changed = whole.clone();
    *changed.last_mut().unwrap() ^= 1;
    fs::write(&paths[1], &changed).unwrap();
    assert_eq!(all(&config).iter().filter(|it| it.is_err()).count(), 1);
    // A length that is damaged, or a tear in what nobody writes any more, is not the end.
    let mut longer = whole.clone();
    longer[2] ^= 1;
    let mut absurd = whole.clone();
    absurd[3] = 0xff;
    for damaged in [&longer[..], &absurd, &whole[..whole.len() - 1], &whole[..2]] {
        fs::write(&paths[1], damaged).unwrap();
        aged(&paths[1], &config);
        let read = all(&config);
        assert_eq!((read.len(), read.iter().filter(|it| it.is_err()).count()), (3, 1));
    }
    // Nor is a file that cannot be opened as if it were not there.
    fs::remove_file(&paths[1]).unwrap();
    std::os::unix::fs::symlink(&paths[1], &paths[1]).unwrap();
    assert_eq!(all(&config).pop().unwrap().unwrap_err(), Unread::File);
    fs::remove_file(&paths[1]).unwrap();
    // A frame is bound to its file.
    fs::write(&paths[1], fs::read(&paths[0]).unwrap()).unwrap();
    assert_eq!(all(&config).iter().filter(|it| it.is_ok()).count(), 2);
}

#[test]
fn the_oldest_goes_by_bytes_and_by_time() {
    let folder = tempfile::tempdir().unwrap();
    let mut config = config(folder.path(), Keep::Calls);
    for number in 0..5 {
        keep(&config, number..number + 1);
    }
    let paths = files(folder.path());
    assert_eq!(paths.len(), 5);
    let size = fs::metadata(&paths[0]).unwrap().len() as usize;
    // Of the room an eighth is for the file that comes next.
    config.replay.size = size * 8 * 2 / 7 + 100;
    keep(&config, 0..0);
    assert_eq!(files(folder.path()), paths[3..]);
    aged(&paths[3], &config);
    // Also when nothing is kept any more.
    config.replay.keep = Keep::Nothing;
    keep(&config, 0..1);
    assert_eq!(files(folder.path()), paths[4..]);
}

#[test]
fn what_is_too_old_goes_also_when_nothing_is_written() {
    for wanted in [Keep::Nothing, Keep::Calls] {
        let folder = tempfile::tempdir().unwrap();
        let mut config = config(folder.path(), Keep::Calls);
        keep(&config, 0..1);
        config.replay.keep = wanted;
        let key = sealer(folder.path());
        let tape = Tape::looking(&config, &key, Duration::from_millis(1)).unwrap();
        let [path] = files(folder.path()).try_into().unwrap();
        aged(&path, &config);
        let until = std::time::Instant::now() + Duration::from_secs(30);
        while path.exists() {
            assert!(std::time::Instant::now() < until, "{wanted:?}: it stays");
            std::thread::yield_now();
        }
        drop(tape);
    }
}

/// Of what is not kept there is a count, and whoever looks sees that nothing is.
#[test]
fn what_is_not_kept_is_counted_and_shown() {
    let folder = tempfile::tempdir().unwrap();
    let kept = config(folder.path(), Keep::Calls);
    let key = sealer(folder.path());
    assert_eq!(Tape::open(&config(folder.path(), Keep::Nothing), &key).unwrap().health(), None);
    let well = Tape::open(&kept, &key).unwrap();
    assert_eq!(well.health(), Some(TapeHealth { dropped: 0, writable: true }));
    // The thread broke; nobody takes what is handed over.
    let thread = std::thread::spawn(|| {});
    let until = std::time::Instant::now() + Duration::from_secs(30);
    while !thread.is_finished() {
        assert!(std::time::Instant::now() < until, "the thread goes on");
        std::thread::yield_now();
    }
    let (queue, gone) = mpsc::sync_channel(1);
    drop(gone);
    let (queue, thread, shared) = (Some(queue), Some(thread), Arc::default());
    let tape = Tape { keep: Keep::Calls, queue, shared, thread };
    for dropped in 0..3 {
        assert_eq!(tape.health(), Some(TapeHealth { dropped, writable: false }));
        let mut rounds = tape.rounds();
        rounds.add(|| round(0));
        tape.call(rounds);
    }
}
