//! Credentials: keys, people, tokens, and files that others could have changed.

use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::sessions::{SessionLimits, Told};
use super::*;
use crate::config::{Config, IdentityMode, Secret};
use crate::domain::{Approver, Principal, PrincipalKind, Role, Timestamp};
use crate::store::{self, Store};

const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

fn config(data: &Path) -> Config {
    let token = Secret::new("tok_0123456789abcdef".to_owned());
    let mut config =
        Config::in_code(data.join("data"), "http://127.0.0.1:1/mcp".parse().unwrap(), token);
    config.principals = ["bot", "other"].into_iter().map(principal).collect();
    let (id, groups) = ("jane".parse().unwrap(), vec!["kb-editors".to_owned()]);
    config.approvers = vec![Arc::new(Approver { id, groups })];
    config
}

fn principal(name: &str) -> Arc<Principal> {
    Arc::new(Principal {
        id: name.parse().unwrap(),
        kind: PrincipalKind::Agent,
        roles: vec!["support-reader".to_owned()],
        groups: Vec::new(),
        attributes: std::collections::BTreeMap::new(),
        on_behalf_of: None,
    })
}

fn bearer(key: &Secret) -> String {
    format!("Bearer {}", key.expose())
}

fn kind(identity: &Identity, header: Option<&[u8]>, now: Timestamp) -> Option<UnauthenticatedKind> {
    identity.authenticate(header, now).err().map(|refused| refused.kind)
}

#[test]
fn a_key_is_its_principal_until_it_is_not() {
    use UnauthenticatedKind::{Expired, Malformed, Missing, Revoked, Unknown, UnknownPrincipal};
    let folder = tempfile::tempdir().unwrap();
    let mut config = config(folder.path());
    let keys = PrincipalKeys::of(&config.data);
    let good = keys.add(&config, "bot", NOW, None).unwrap();
    let expiring = keys.add(&config, "bot", NOW, Some(NOW.plus(Duration::from_secs(60)))).unwrap();
    let revoked = keys.add(&config, "other", NOW, None).unwrap();
    let removed = keys.add(&config, "other", NOW, None).unwrap();
    keys.revoke(&revoked.entry.id, NOW).unwrap();
    let person = ApproverKeys::of(&config.data).add(&config, "jane", NOW, None).unwrap();
    config.principals.truncate(1);
    let identity = Identity::open(&config).unwrap();

    let known = identity.authenticate(Some(bearer(&good.key).as_bytes()), NOW).unwrap();
    assert_eq!((known.principal.id.as_str(), known.credential), ("bot", good.entry.hash));
    assert!(known.token.is_none());
    let lower = format!("bearer  {}", good.key.expose());
    assert_eq!(kind(&identity, Some(lower.as_bytes()), NOW), None);

    let after = NOW.plus(Duration::from_secs(60));
    let other_case = bearer(&good.key).replace("pcl_", "PCL_");
    let longer = format!("{}A", bearer(&good.key));
    let unknown = format!("Bearer pcl_{}", "A".repeat(43));
    let huge = format!("Bearer {}", "A".repeat(1 << 20));
    for (header, now, expected) in [
        (None, NOW, Missing),
        (Some(""), NOW, Malformed),
        (Some("Bearer"), NOW, Malformed),
        (Some("Bearer "), NOW, Malformed),
        (Some("Bearer ="), NOW, Malformed),
        (Some("Basic cGNsXzpwY2xf"), NOW, Malformed),
        (Some(good.key.expose()), NOW, Malformed),
        (Some("Bearer dG9rOjAxMjM0NTY3"), NOW, Malformed),
        (Some(other_case.as_str()), NOW, Malformed),
        (Some(longer.as_str()), NOW, Malformed),
        (Some(huge.as_str()), NOW, Malformed),
        (Some(&format!("{} ", bearer(&good.key))), NOW, Malformed),
        (Some(&bearer(&person.key)), NOW, Malformed),
        (Some(unknown.as_str()), NOW, Unknown),
        (Some(&bearer(&expiring.key)), after, Expired),
        (Some(&bearer(&revoked.key)), NOW, Revoked),
        (Some(&bearer(&removed.key)), NOW, UnknownPrincipal),
    ] {
        let refused = identity.authenticate(header.map(str::as_bytes), now).unwrap_err();
        assert_eq!(refused.kind, expected);
        assert_eq!(refused.status(), 401);
        let challenge = refused.challenge();
        assert!(challenge.starts_with(r#"Bearer realm="portcullis""#), "{challenge}");
        assert_eq!(
            challenge.contains(r#"error="invalid_token", error_description=""#),
            expected != Missing
        );
        assert!(!challenge.contains(good.key.expose()));
    }
}

#[test]
fn a_change_of_the_file_is_seen_by_reload() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(folder.path());
    let identity = Identity::open(&config).unwrap();
    let keys = PrincipalKeys::of(&config.data);
    assert!(!identity.reload().unwrap());
    let issued = keys.add(&config, "bot", NOW, None).unwrap();
    let header = bearer(&issued.key);
    let header = Some(header.as_bytes());
    assert_eq!(kind(&identity, header, NOW), Some(UnauthenticatedKind::Unknown));
    assert!(identity.reload().unwrap());
    assert_eq!(kind(&identity, header, NOW), None);
    assert!(!identity.reload().unwrap());
    keys.revoke("bot", NOW).unwrap();
    assert!(identity.reload().unwrap());
    assert_eq!(kind(&identity, header, NOW), Some(UnauthenticatedKind::Revoked));
    std::fs::remove_file(keys.path()).unwrap();
    assert!(identity.reload().unwrap());
    assert_eq!(kind(&identity, header, NOW), Some(UnauthenticatedKind::Unknown));
}

#[test]
fn a_file_that_cannot_be_trusted_takes_every_key_with_it() {
    type Spoil = fn(&Path);
    let cases: [(&str, Spoil); 4] = [
        ("garbage", |path| std::fs::write(path, "{\"keys\": [}").unwrap()),
        ("a field of another version", |path| {
            let text = std::fs::read_to_string(path).unwrap();
            std::fs::write(path, text.replace("\"hash\"", "\"scope\": 1, \"hash\"")).unwrap();
        }),
        ("readable by others", |path| {
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o644)).unwrap();
        }),
        ("a link", |path| {
            let moved = path.with_extension("moved");
            std::fs::rename(path, &moved).unwrap();
            symlink(moved, path).unwrap();
        }),
    ];
    for (name, spoil) in cases {
        let folder = tempfile::tempdir().unwrap();
        let config = config(folder.path());
        let keys = PrincipalKeys::of(&config.data);
        let issued = keys.add(&config, "bot", NOW, None).unwrap();
        let identity = Identity::open(&config).unwrap();
        let good = std::fs::read(keys.path()).unwrap();
        spoil(keys.path());
        assert!(identity.reload().is_err(), "{name}");
        assert!(Identity::open(&config).is_err(), "{name}");
        let refused = identity.authenticate(Some(bearer(&issued.key).as_bytes()), NOW).unwrap_err();
        assert_eq!((refused.kind, refused.status()), (UnauthenticatedKind::KeysUnreadable, 503));
        std::fs::remove_file(keys.path()).unwrap();
        crate::config::private::write(keys.path(), &good).unwrap();
        assert!(identity.reload().unwrap(), "{name}");
        assert_eq!(kind(&identity, Some(bearer(&issued.key).as_bytes()), NOW), None, "{name}");
    }
}

#[test]
fn the_file_holds_no_key_and_names_must_be_configured() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(folder.path());
    let keys = PrincipalKeys::of(&config.data);
    let issued = keys.add(&config, "bot", NOW, None).unwrap();
    assert!(issued.key.expose().starts_with("pcl_") && issued.key.expose().len() == 47);
    assert!(!format!("{issued:?}").contains(issued.key.expose()));
    let text = std::fs::read_to_string(keys.path()).unwrap();
    assert!(!text.contains(issued.key.expose()) && text.contains(&issued.entry.hash.to_string()));
    assert_eq!(keys.list().unwrap(), [issued.entry]);
    assert_eq!(
        keys.add(&config, "new-bot", NOW, None).unwrap_err().to_string(),
        "`new-bot` is not in the configuration; add it, then try again:\n\n\
         principals:\n  - id: new-bot\n    roles: [support-reader]"
    );
    // An approver's name is no principal's name, and the reverse.
    assert!(matches!(keys.add(&config, "jane", NOW, None), Err(KeysError::NotConfigured { .. })));
    let people = ApproverKeys::of(&config.data);
    assert!(matches!(people.add(&config, "bot", NOW, None), Err(KeysError::NotConfigured { .. })));
    keys.revoke("bot", NOW).unwrap();
    assert!(matches!(keys.revoke("bot", NOW), Err(KeysError::NoSuchKey(_))));
}

#[test]
fn approvers_have_keys_of_their_own() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(folder.path());
    let agent = PrincipalKeys::of(&config.data).add(&config, "bot", NOW, None).unwrap();
    let keys = ApproverKeys::of(&config.data);
    let issued = keys.add(&config, "jane", NOW, None).unwrap();
    let people = People::open(&config).unwrap();
    let jane = people.by_key(issued.key.expose().as_bytes(), NOW).unwrap();
    assert_eq!(
        (jane.id.as_str(), jane.groups.as_slice()),
        ("jane", ["kb-editors".to_owned()].as_slice())
    );
    assert!(people.by_key(agent.key.expose().as_bytes(), NOW).is_none());
    assert!(people.by_key(b"", NOW).is_none());
    keys.revoke("jane", NOW).unwrap();
    assert!(people.reload().unwrap());
    assert!(people.by_key(issued.key.expose().as_bytes(), NOW).is_none());
}

#[test]
fn pass_through_and_anonymous() {
    let folder = tempfile::tempdir().unwrap();
    let mut config = config(folder.path());
    config.identity = IdentityMode::Passthrough { roles: vec!["support-reader".to_owned()] };
    let identity = Identity::open(&config).unwrap();
    let header = b"Bearer dG9rOjEyMzQ1Njc4OTA=".as_slice();
    let known = identity.authenticate(Some(header), NOW).unwrap();
    let digits = known.principal.id.as_str().strip_prefix("passthrough:").unwrap();
    assert!(digits.len() == 64 && digits.bytes().all(|digit| digit.is_ascii_hexdigit()));
    assert_eq!(known.principal.roles, ["support-reader"]);
    assert_eq!(known.token.as_ref().unwrap().expose(), "dG9rOjEyMzQ1Njc4OTA=");
    assert!(!format!("{known:?}").contains("dG9r"));
    let again = identity.authenticate(Some(header), NOW).unwrap();
    assert_eq!(again.principal.id, known.principal.id);
    assert_eq!(kind(&identity, None, NOW), Some(UnauthenticatedKind::Missing));
    for ours in ["Bearer pcl_x", "Bearer pca_x", "Bearer pct_x", "Bearer pcw_x", "Bearer pcs_x"] {
        assert_eq!(
            kind(&identity, Some(ours.as_bytes()), NOW),
            Some(UnauthenticatedKind::Malformed)
        );
    }

    config.identity = IdentityMode::Anonymous(principal("anybody"));
    let identity = Identity::open(&config).unwrap();
    for header in [None, Some(header), Some(b"nonsense".as_slice())] {
        let known = identity.authenticate(header, NOW).unwrap();
        assert_eq!(known.principal.id.as_str(), "anybody");
        assert!(known.token.is_none());
    }
}

#[test]
fn commands_at_the_same_time_lose_no_key() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(folder.path());
    let keys = PrincipalKeys::of(&config.data);
    std::thread::scope(|scope| {
        for name in ["bot", "other", "bot", "other"] {
            let (config, keys) = (&config, &keys);
            scope.spawn(move || {
                for _ in 0..5 {
                    let id = keys.add(config, name, NOW, None).unwrap().entry.id;
                    keys.revoke(&id, NOW).unwrap();
                }
            });
        }
    });
    let list = keys.list().unwrap();
    assert_eq!(list.len(), 20);
    assert!(list.iter().all(|entry| entry.revoked_at == Some(NOW)));
}

const PASSWORD: &str = "four random words here";

fn secret(text: &str) -> Secret {
    Secret::new(text.to_owned())
}

/// Jane, configured and with a password; Joe, with an account of his own.
fn house(folder: &Path) -> (Config, Store, Arc<People>, SignIn) {
    let config = config(folder);
    let (store, _) = Store::open(&config.data, &store::Options::default()).unwrap();
    let people = Arc::new(People::open(&config).unwrap());
    let accounts = people.accounts();
    accounts.add(&config, "jane", &[], &[], NOW).unwrap();
    let groups = ["b", "a", "b"].map(str::to_owned);
    accounts.add(&config, "joe", &groups, &[Role::Auditor], NOW).unwrap();
    for name in ["jane", "joe"] {
        accounts.set_password(name, &secret(PASSWORD), NOW).unwrap();
    }
    people.reload().unwrap();
    let limits =
        SessionLimits { idle: Duration::from_secs(1800), whole: Duration::from_secs(7200) };
    let sign_in = SignIn::open(people.clone(), &store, limits).unwrap();
    (config, store, people, sign_in)
}

async fn come_in(sign_in: &SignIn, name: &str, now: Timestamp) -> Opened {
    sign_in.by_password(name, secret(PASSWORD), "", "test", now).await.unwrap()
}

#[tokio::test]
async fn a_session_ends_when_it_rests_too_long_and_in_any_case() {
    let folder = tempfile::tempdir().unwrap();
    let (_, store, _, sign_in) = house(folder.path());
    let opened = come_in(&sign_in, "jane", NOW).await;
    let id = opened.id.expose();
    let after = |seconds| NOW.plus(Duration::from_secs(seconds));
    let is_in = |id: &str, now| sign_in.by_session(id, now).unwrap().is_some();
    // Used every 29 minutes it lives, but not beyond two hours.
    for minutes in [29, 58, 87, 116] {
        assert!(is_in(id, after(minutes * 60)), "{minutes}");
    }
    assert!(is_in(id, after(7199)) && !is_in(id, after(7200)));
    assert!(!is_in(id, after(7199)), "what ended stays ended");
    let resting = come_in(&sign_in, "jane", NOW).await;
    let id = resting.id.expose();
    assert!(is_in(id, after(1799)));
    assert!(is_in(id, after(1799 + 1799)) && !is_in(id, after(1799 + 1799 + 1800)));
    // A clock that was set back makes nothing longer.
    let opened = come_in(&sign_in, "jane", after(60)).await;
    assert!(!is_in(opened.id.expose(), NOW));
    // What no longer counts is swept away; what does is not.
    let opened = come_in(&sign_in, "joe", NOW).await;
    sign_in.sweep(after(1799)).unwrap();
    assert!(is_in(opened.id.expose(), after(1799)));
    sign_in.sweep(after(9000)).unwrap();
    assert!(store.shelf("sessions").unwrap().all().unwrap().is_empty());
}

#[tokio::test]
async fn sessions_survive_a_restart_but_not_a_logout_nor_a_new_password() {
    let folder = tempfile::tempdir().unwrap();
    let (config, store, people, sign_in) = house(folder.path());
    let kept = come_in(&sign_in, "jane", NOW).await;
    let ended = come_in(&sign_in, "jane", NOW).await;
    let key = sign_in.by_session(ended.id.expose(), NOW).unwrap().unwrap().key;
    sign_in.end(&key).unwrap();
    drop((sign_in, store));
    let (store, _) = Store::open(&config.data, &store::Options::default()).unwrap();
    let limits =
        SessionLimits { idle: Duration::from_secs(1800), whole: Duration::from_secs(7200) };
    let sign_in = SignIn::open(people.clone(), &store, limits).unwrap();
    let jane = sign_in.by_session(kept.id.expose(), NOW).unwrap().unwrap().person;
    assert!(sign_in.by_session(ended.id.expose(), NOW).unwrap().is_none());
    assert_eq!((jane.via, jane.signed_at, jane.stepped_up_at), (Via::Password, NOW, None));
    assert_eq!(
        (jane.groups.as_slice(), jane.roles.as_slice()),
        (["kb-editors".to_owned()].as_slice(), [Role::Approver].as_slice())
    );
    let later = NOW.plus(Duration::from_secs(5));
    people.accounts().set_password("jane", &secret("another four random words"), later).unwrap();
    people.reload().unwrap();
    assert!(sign_in.by_session(kept.id.expose(), later).unwrap().is_none());
    let old = sign_in.by_password("jane", secret(PASSWORD), "", "test", later).await;
    assert!(matches!(old, Err(SignInError::Wrong)));
}

#[tokio::test]
async fn rights_are_looked_up_at_every_use() {
    let folder = tempfile::tempdir().unwrap();
    let (config, _store, people, sign_in) = house(folder.path());
    let opened = come_in(&sign_in, "joe", NOW).await;
    assert_eq!(
        (opened.person.groups.as_slice(), opened.person.roles.as_slice()),
        (["a".to_owned(), "b".to_owned()].as_slice(), [Role::Auditor].as_slice())
    );
    people.accounts().set_groups(&config, "joe", &["c".to_owned()]).unwrap();
    people.accounts().set_roles("joe", &[Role::Approver]).unwrap();
    people.reload().unwrap();
    let joe = sign_in.by_session(opened.id.expose(), NOW).unwrap().unwrap().person;
    assert_eq!(
        (joe.groups.as_slice(), joe.roles.as_slice()),
        (["c".to_owned()].as_slice(), [Role::Approver].as_slice())
    );
    // A file that cannot be trusted lets nobody in, whoever the configuration knows.
    let jane = come_in(&sign_in, "jane", NOW).await;
    std::fs::set_permissions(people.accounts().path(), std::fs::Permissions::from_mode(0o644))
        .unwrap();
    assert!(people.reload().is_err());
    for id in [&opened.id, &jane.id] {
        assert!(sign_in.by_session(id.expose(), NOW).unwrap().is_none());
    }
    std::fs::set_permissions(people.accounts().path(), std::fs::Permissions::from_mode(0o600))
        .unwrap();
    people.reload().unwrap();
    assert!(sign_in.by_session(jane.id.expose(), NOW).unwrap().is_some());
    people.accounts().remove("joe").unwrap();
    people.reload().unwrap();
    assert!(sign_in.by_session(opened.id.expose(), NOW).unwrap().is_none());
}

#[tokio::test]
async fn many_guesses_at_once_are_not_more_guesses() {
    let folder = tempfile::tempdir().unwrap();
    let (_, _store, _, sign_in) = house(folder.path());
    let sign_in = Arc::new(sign_in);
    let tries = (0..64).map(|_| {
        let sign_in = sign_in.clone();
        tokio::spawn(async move {
            sign_in.by_password("jane", secret("wrong"), "", "test", NOW).await.unwrap_err()
        })
    });
    let mut tried = 0;
    for one in tries.collect::<Vec<_>>() {
        if matches!(one.await.unwrap(), SignInError::Wrong) {
            tried += 1;
        }
    }
    assert_eq!(tried, 5);
}

#[test]
fn tokens_have_scopes_and_are_no_keys() {
    let folder = tempfile::tempdir().unwrap();
    let (config, _store, people, _) = house(folder.path());
    let accounts = people.accounts();
    let ends = NOW.plus(Duration::from_secs(60));
    let (token, text) = accounts.add_token("joe", &[Scope::HoldsRead], NOW, Some(ends)).unwrap();
    let (_, all) = accounts.add_token("jane", &Scope::ALL, NOW, None).unwrap();
    people.reload().unwrap();
    let by = |text: &Secret, now| people.by_token(text.expose().as_bytes(), now);
    let joe = by(&text, NOW).unwrap();
    assert_eq!((joe.id.as_str(), joe.via), ("joe", Via::Token));
    assert!(joe.may(Scope::HoldsRead) && !joe.may(Scope::HoldsDecide));
    assert!(by(&all, NOW).unwrap().may(Scope::HoldsDecide));
    assert!(by(&text, ends).is_none());
    assert!(people.by_key(text.expose().as_bytes(), NOW).is_none());
    let identity = Identity::open(&config).unwrap();
    let header = bearer(&text);
    assert_eq!(kind(&identity, Some(header.as_bytes()), NOW), Some(UnauthenticatedKind::Malformed));
    let key = ApproverKeys::of(&config.data).add(&config, "joe", NOW, None).unwrap().key;
    people.reload().unwrap();
    let joe = people.by_key(key.expose().as_bytes(), NOW).unwrap();
    assert!(joe.may(Scope::HoldsDecide) && people.by_token(key.expose().as_bytes(), NOW).is_none());
    let file = std::fs::read_to_string(accounts.path()).unwrap();
    assert!(!file.contains(text.expose()) && file.contains(&token.id));
    accounts.revoke_token("joe", &token.id, NOW).unwrap();
    let again = accounts.revoke_token("joe", &token.id, NOW);
    assert!(matches!(again, Err(AccountsError::NoSuchToken { .. })));
    people.reload().unwrap();
    assert!(by(&text, NOW).is_none() && by(&all, NOW).is_some());
}

#[test]
fn names_are_not_mixed_up_and_configured_groups_stay() {
    let folder = tempfile::tempdir().unwrap();
    let (config, _store, people, _) = house(folder.path());
    let accounts = people.accounts();
    let add = |name: &str, groups: &[String]| accounts.add(&config, name, groups, &[], NOW);
    assert!(matches!(add("Jane", &[]), Err(AccountsError::Alike { .. })));
    assert!(matches!(add("JOE", &[]), Err(AccountsError::Alike { .. })));
    assert!(matches!(add("joe", &[]), Err(AccountsError::Exists(_))));
    assert!(matches!(add("j\u{f6}e", &[]), Err(AccountsError::Name(_))));
    let some = ["x".to_owned()];
    accounts.remove("jane").unwrap();
    assert!(matches!(add("jane", &some), Err(AccountsError::Configured(_))));
    add("jane", &[]).unwrap();
    let changed = accounts.set_groups(&config, "jane", &some);
    assert!(matches!(changed, Err(AccountsError::Configured(_))));
    people.reload().unwrap();
    let listed = people.everybody();
    let jane = listed.iter().find(|one| one.name.as_str() == "jane").unwrap();
    assert!(jane.configured && jane.groups == ["kb-editors"] && !jane.password);
}

#[test]
fn set_up_links_end() {
    let folder = tempfile::tempdir().unwrap();
    let (_, _store, people, _) = house(folder.path());
    let accounts = people.accounts();
    let first = accounts.open_setup("joe", NOW).unwrap();
    let second = accounts.open_setup("joe", NOW).unwrap();
    assert!(matches!(accounts.of_setup(&first, NOW), Err(AccountsError::Link)), "replaced");
    let last = NOW.plus(SETUP_VALID);
    assert_eq!(accounts.of_setup(&second, last.plus(Duration::ZERO)).ok(), None);
    assert_eq!(accounts.of_setup(&second, NOW).unwrap().as_str(), "joe");
    let new = secret("another four random words");
    let late = accounts.finish_setup(&second, &new, last);
    assert!(matches!(late, Err(AccountsError::Link)));
    std::thread::scope(|scope| {
        let tries =
            [0, 1].map(|_| scope.spawn(|| accounts.finish_setup(&second, &new, NOW).is_ok()));
        let good = tries.into_iter().filter(|_| true).map(|it| it.join().unwrap());
        assert_eq!(good.filter(|good| *good).count(), 1);
    });
}

#[test]
fn whom_a_provider_vouches_for_has_the_rights_we_know_if_we_know_any() {
    let folder = tempfile::tempdir().unwrap();
    let (_, _store, people, sign_in) = house(folder.path());
    let told = |groups: &[&str]| Told {
        display: "Somebody".to_owned(),
        groups: groups.iter().map(|it| (*it).to_owned()).collect(),
        roles: vec![Role::Admin],
    };
    let come = |name: &str| {
        let name = name.parse().unwrap();
        sign_in.by_provider(&name, told(&["theirs"]), None, "test", NOW).unwrap().person
    };
    let (jane, new) = (come("jane"), come("new@example.com"));
    assert_eq!(
        (jane.groups.as_slice(), jane.is(Role::Admin)),
        (["kb-editors".to_owned()].as_slice(), false)
    );
    assert_eq!(
        (new.groups.as_slice(), new.is(Role::Admin)),
        (["theirs".to_owned()].as_slice(), true)
    );
    assert_eq!((new.via, new.name.as_str()), (Via::Oidc, "Somebody"));
    assert_eq!(people.spelled("JANE").unwrap().as_str(), "jane");
    assert!(people.spelled("nobody").is_none());
}
