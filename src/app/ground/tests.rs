//! The gate on a disk that takes its time.

use std::collections::BTreeMap;
use std::sync::mpsc;

use super::*;
use crate::audit::{self, Filter, Follow, From};
use crate::config::Secret;
use crate::domain::{
    Approver, Call, CallId, CallMeta, ClientHint, Digest, Effect, Hold, HoldEvent, HoldState,
    JsonText, Principal, PrincipalKind, Revision, Subject,
};
use crate::gate::{Admission, Holding, Looked, ReleaseError};
use crate::policy::Source;
use crate::store::fault::{Failure, Faults, Operation};

const TOOL: &str = "create_article";

fn config(folder: &std::path::Path) -> Config {
    let token = Secret::new("tok_0123456789abcdef".to_owned());
    let upstream = "http://127.0.0.1:1/mcp".parse().unwrap();
    let mut config = Config::in_code(folder.join("data"), upstream, token);
    config.principals = vec![Arc::new(Principal {
        id: "bot".parse().unwrap(),
        kind: PrincipalKind::Agent,
        roles: vec!["knowledge-author".to_owned()],
        groups: Vec::new(),
        attributes: BTreeMap::new(),
        on_behalf_of: None,
    })];
    let (id, groups) = ("ann".parse().unwrap(), vec!["kb-editors".to_owned()]);
    config.approvers = vec![Arc::new(Approver { id, groups })];
    config
}

/// A gate on a disk that fails as it is planned.
struct Made {
    _folder: tempfile::TempDir,
    config: Config,
    faults: Faults,
    _store: Store,
    gate: Arc<Gate>,
    identity: Arc<Identity>,
}

impl Made {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (config, faults) = (config(folder.path()), Faults::default());
        let options = store::Options { ballast_bytes: 0, ..store::Options::default() };
        let (store, _) = Store::open_with(&config.data, &options, &faults).unwrap();
        let identity = Arc::new(Identity::open(&config).unwrap());
        let people = Arc::new(People::open(&config).unwrap());
        let pins = Arc::new(Pins::open(config.data.join("pins.json")).unwrap());
        let ruleset = Ruleset::load(&Source::Shipped).unwrap();
        let gate = Arc::new(gate(&config, ruleset, &store, &pins, &people).unwrap());
        Self { _folder: folder, config, faults, _store: store, gate, identity }
    }

    /// A call that people released, and the digest of its tool's definition.
    async fn released(&self) -> (Hold, Digest) {
        let definition = Digest::of("test", &[]);
        let call = Call {
            id: CallId(uuid::Uuid::nil()),
            at: clock::now(),
            principal: self.config.principals[0].clone(),
            revision: Revision::V2025_11_25,
            client: ClientHint::default(),
            method: "tools/call".to_owned(),
            subject: Subject::Tool {
                name: TOOL.to_owned(),
                effect: Effect::Write,
                definition: Some(definition),
            },
            payload: JsonText::empty_object(),
            continuation: None,
            meta: CallMeta::default(),
        };
        let admitted = self.gate.admit(call, Vec::new(), Holding::DEFAULT).await.unwrap();
        let Admission::Held(hold) = admitted else { panic!("it is not held") };
        let approved = HoldEvent::Approved {
            approver: "ann".parse().unwrap(),
            binding: hold.binding().digest(),
            valid_until: clock::now().plus(std::time::Duration::from_secs(600)),
            groups: vec!["kb-editors".to_owned()],
        };
        (self.gate.holds().step(hold.id, approved).await.unwrap(), definition)
    }

    /// The kinds of all records, those of holds by their events.
    fn records(&self) -> Vec<&'static str> {
        let all = audit::tail(&self.config.data, Filter::default(), From::Start, Follow::No);
        let name = |event: &Event| match event {
            Event::Hold { event, .. } => event.name(),
            event => event.kind(),
        };
        all.unwrap().map(|entry| name(&entry.unwrap().record.event)).collect()
    }
}

/// A pause that falls into a release counts wherever the release is: what is told to whoever pauses is that nothing
/// goes any more.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pause_that_falls_into_a_release_lets_nothing_go() {
    // The record that the disk hangs at: the claim, or why the call may go.
    for (syncs, hanging) in [(0, "claimed"), (1, "decision")] {
        let made = Made::new();
        let (hold, definition) = made.released().await;
        let before = made.records().len();
        let (go_on, hangs) = mpsc::channel();
        made.faults.plan(Operation::Sync, syncs, Failure::Block(hangs));
        let (gate, identity, id) = (made.gate.clone(), made.identity.clone(), hold.id);
        let releasing = tokio::spawn(async move {
            gate.release(id, Some(definition), Looked::Nothing, &identity).await.map(drop)
        });
        while !made.records()[before..].contains(&hanging) {
            assert!(!releasing.is_finished(), "{:?}", made.records());
            tokio::task::yield_now().await;
        }
        let (gate, bot) = (made.gate.clone(), hold.binding().principal.clone());
        let pausing = tokio::spawn(async move { gate.pause(&bot, "ann", true).await });
        while !made.gate.is_paused(&hold.binding().principal) {
            tokio::task::yield_now().await;
        }
        drop(go_on);
        let told = releasing.await.unwrap();
        let is_told = matches!(&told, Err(ReleaseError::Stale(why)) if why.contains("paused"));
        assert!(is_told && pausing.await.unwrap().unwrap(), "{hanging}: {told:?}");
        // Nothing goes, and nothing says that it may after the pause was there.
        let records = made.records().split_off(before);
        let decided = records.contains(&"decision");
        assert_eq!(decided, hanging == "decision", "{hanging}: {records:?}");
        assert!(!records.contains(&"sending"), "{hanging}: {records:?}");
        let state = made.gate.holds().hold(id).unwrap().state;
        assert_eq!(state, HoldState::Pending, "{hanging}: {records:?}");
    }
}

#[tokio::test]
async fn a_fault_of_the_data_folder_is_not_told_as_one_of_policies() {
    let folder = tempfile::tempdir().unwrap();
    let mut config = config(folder.path());
    (config.plugins.shipped, config.plugins.without) = (false, vec!["*".to_owned()]);
    private::make_folder(&config.data).unwrap();
    std::fs::write(config.data.join("policies"), "no folder").unwrap();
    let error = Ground::open(&config).await.map(drop).unwrap_err();
    assert!(matches!(error, AppError::Data(_)), "{error}");
}
