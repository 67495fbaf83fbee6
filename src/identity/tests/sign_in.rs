//! People who sign in: passwords, second factors, tokens, providers.

use super::*;

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
    let ended_by = sign_in.by_session(ended.id.expose(), NOW).unwrap().unwrap();
    sign_in.end(&ended_by).unwrap();
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

#[tokio::test]
async fn whom_a_provider_vouches_for_has_the_rights_we_know_if_we_know_any() {
    let folder = tempfile::tempdir().unwrap();
    let (_, _store, people, sign_in) = house(folder.path());
    let told = |groups: &[&str]| Told {
        display: "Somebody".to_owned(),
        groups: groups.iter().map(|it| (*it).to_owned()).collect(),
        roles: vec![Role::Admin],
    };
    let come = async |name: &str| {
        let name = name.parse().unwrap();
        let opened = sign_in.by_provider(&name, told(&["theirs"]), None, "test", NOW).await;
        opened.unwrap().person
    };
    let (jane, new) = (come("jane").await, come("new@example.com").await);
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
