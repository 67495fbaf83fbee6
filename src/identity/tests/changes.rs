//! What is recorded of files that commands or hands changed.

use serde_json::{Value, json};

use super::*;
use crate::config::private;

/// The records about accounts and agents, in words.
fn records(data: &Path) -> Vec<String> {
    let files = std::fs::read_dir(data).unwrap().map(|it| it.unwrap().path());
    let mut files: Vec<_> =
        files.filter(|it| it.extension().is_some_and(|it| it == "jsonl")).collect();
    files.sort();
    let text: String = files.iter().map(|it| std::fs::read_to_string(it).unwrap()).collect();
    let all = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let word = |it: &Value, name: &str| it[name].as_str().unwrap_or_default().to_owned();
    all.map(|it| {
        let who = word(&it, "account") + &word(&it, "principal");
        let what = word(&it, "detail") + &word(&it, "key");
        format!("{who} {} {what}", word(&it, "change"))
    })
    .collect()
}

struct Files {
    _folder: tempfile::TempDir,
    data: std::path::PathBuf,
    store: Store,
    people: People,
    identity: Identity,
    changes: Changes,
}

impl Files {
    fn open() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = config(folder.path());
        let (store, _) = Store::open(&config.data, &store::Options::default()).unwrap();
        let (people, identity) = (People::open(&config).unwrap(), Identity::open(&config).unwrap());
        let changes = Changes::open(&store).unwrap();
        Self { _folder: folder, data: config.data, store, people, identity, changes }
    }

    /// Writes a file and tells what is recorded then.
    async fn write(&self, name: &str, content: &Value) -> Vec<String> {
        let before = records(&self.data).len();
        private::write(&self.data.join(name), content.to_string().as_bytes()).unwrap();
        self.people.reload().unwrap();
        self.identity.reload().unwrap();
        for _ in 0..2 {
            self.changes.record(&self.people, &self.identity).await.unwrap();
        }
        records(&self.data).split_off(before)
    }
}

const UNTIL: &str = "2030-01-01T00:00:00.000Z";

fn hash() -> Value {
    serde_json::to_value(Digest::of("test", &[])).unwrap()
}

/// A key or a token with more members, those that are null left out.
fn with(mut entry: Value, more: &Value) -> Value {
    for (name, value) in more.as_object().unwrap() {
        entry[name] = value.clone();
    }
    entry
}

#[tokio::test]
async fn what_a_hand_changed_in_keys_is_recorded_where_it_loosens_too() {
    for file in ["approver-keys.json", "keys.json"] {
        let files = Files::open();
        let key = |name: &str, more: Value| {
            let key = json!({"name": name, "id": "a1", "hash": hash(), "created_at": NOW});
            json!({"keys": [with(key, &more)]})
        };
        let none = json!({"keys": []});
        for (what, content, expected) in [
            ("added", key("jane", json!({})), &["jane key_added a1"][..]),
            ("the same", key("jane", json!({"created_at": UNTIL})), &[]),
            ("revoked", key("jane", json!({"revoked_at": NOW})), &["jane key_revoked a1"]),
            ("in force again", key("jane", json!({})), &["jane key_added a1"]),
            (
                "of somebody else",
                key("joe", json!({})),
                &["jane key_revoked a1", "joe key_added a1"],
            ),
            (
                "good for a time",
                key("joe", json!({"expires_at": UNTIL})),
                &["joe key_revoked a1", &format!("joe key_added a1 until {UNTIL}")],
            ),
            ("good for ever", key("joe", json!({})), &["joe key_revoked a1", "joe key_added a1"]),
            (
                "of somebody else and revoked",
                key("jane", json!({"revoked_at": NOW})),
                &["joe key_revoked a1"],
            ),
            ("of somebody else in vain", key("joe", json!({"revoked_at": NOW})), &[]),
            ("long revoked and taken out", none.clone(), &[]),
            ("added again", key("jane", json!({})), &["jane key_added a1"]),
            ("taken out", none, &["jane key_revoked a1"]),
        ] {
            assert_eq!(files.write(file, &content).await, expected, "{file}: {what}");
        }
    }
}

#[tokio::test]
async fn what_a_hand_changed_in_tokens_is_recorded_where_it_loosens_too() {
    let files = Files::open();
    let people = |tokens: &[Value]| {
        let account =
            json!({"name": "jane", "roles": ["approver"], "created_at": NOW, "sessions_from": NOW});
        json!({"people": [with(account, &json!({"tokens": tokens}))]})
    };
    let token = |more: Value| {
        let token =
            json!({"id": "t1", "hash": hash(), "scopes": ["holds:read"], "created_at": NOW});
        people(&[with(token, &more)])
    };
    let both = "t1 for holds:read, holds:decide";
    for (what, content, expected) in [
        (
            "an account with a token",
            token(json!({})),
            &["jane added approver", "jane token_added t1 for holds:read"][..],
        ),
        (
            "good for more",
            token(json!({"scopes": ["holds:read", "holds:decide"]})),
            &["jane token_revoked t1", &format!("jane token_added {both}")],
        ),
        (
            "good for less, and for a time",
            token(json!({"expires_at": UNTIL})),
            &[
                "jane token_revoked t1",
                &format!("jane token_added t1 for holds:read until {UNTIL}"),
            ],
        ),
        ("revoked", token(json!({"revoked_at": NOW})), &["jane token_revoked t1"]),
        ("in force again", token(json!({})), &["jane token_added t1 for holds:read"]),
        ("revoked again", token(json!({"revoked_at": NOW})), &["jane token_revoked t1"]),
        ("long revoked and taken out", people(&[]), &[]),
        ("added again", token(json!({})), &["jane token_added t1 for holds:read"]),
        ("taken out", people(&[]), &["jane token_revoked t1"]),
    ] {
        assert_eq!(files.write("people.json", &content).await, expected, "{what}");
    }
}

/// What an earlier version kept says less, and what it did not say is no change.
#[tokio::test]
async fn marks_of_an_earlier_version_are_no_change() {
    let files = Files::open();
    let key =
        json!({"name": "jane", "id": "a1", "hash": hash(), "created_at": NOW, "expires_at": UNTIL});
    let mark = json!({"name": "jane", "id": "a1", "good": true}).to_string();
    let hash = Digest::of("test", &[]);
    files.store.shelf("account_keys").unwrap().put(hash.as_bytes(), mark.as_bytes()).unwrap();
    let mark = json!({
        "roles": ["approver"], "groups": [], "password": null, "setup": null, "totp": null,
        "tokens": {"t1": true}
    });
    let accounts = files.store.shelf("accounts").unwrap();
    accounts.put(b"jane", mark.to_string().as_bytes()).unwrap();
    let token = json!({"id": "t1", "hash": hash, "scopes": ["holds:read"], "created_at": NOW});
    let account = json!({
        "name": "jane", "roles": ["approver"], "created_at": NOW, "sessions_from": NOW, "tokens": [token]
    });
    private::write(
        &files.data.join("people.json"),
        json!({"people": [account]}).to_string().as_bytes(),
    )
    .unwrap();
    let told = files.write("approver-keys.json", &json!({"keys": [key]})).await;
    assert_eq!(told, [""; 0]);
    let told = files.write("approver-keys.json", &json!({"keys": []})).await;
    assert_eq!(told, ["jane key_revoked a1"]);
}
