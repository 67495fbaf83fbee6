//! Credentials: keys, people, tokens, and files that others could have changed.

mod changes;
mod sign_in;

use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::sessions::{SessionLimits, Told};
use super::*;
use crate::config::{Config, IdentityMode, Secret};
use crate::domain::{Approver, Digest, Principal, PrincipalKind, Role, Timestamp};
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
