//! What is refused when it is loaded, and what a load leaves in force.

use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;

use super::*;
use crate::domain::JsonText;

fn unfit(bytes: &[u8]) -> String {
    let host = Host::start().unwrap();
    Component::compile(&host, bytes).unwrap_err().to_string()
}

fn import(name: &str, item: &str) -> Guest {
    let imports = format!("(import \"{name}\" (instance {item}))");
    Guest { imports, ..Guest::default() }
}

#[test]
fn what_is_no_plugin_is_refused_by_name() {
    let function = "(export \"f\" (func))";
    let core = ::wat::parse_str("(module)").unwrap();
    let other_types = "(type $a' (enum \"a\")) (export \"a\" (type (eq $a')))";
    let describe_traps =
        Guest { more: "(start $s) (func $s unreachable)".to_owned(), ..Guest::default() };
    let starts_forever =
        Guest { more: "(start $s) (func $s (loop $l (br $l)))".to_owned(), ..Guest::default() };
    let huge_table = Guest { more: "(table 100000000 funcref)".to_owned(), ..Guest::default() };
    let cut = |bytes: Vec<u8>| bytes[..bytes.len() / 2].to_vec();
    let rows: Vec<(Vec<u8>, &str)> = vec![
        (b"(component)".to_vec(), "does not begin as WebAssembly does"),
        (Vec::new(), "does not begin as WebAssembly does"),
        (core, "it is a core module"),
        (cut(Guest::default().bytes()), "cannot be compiled"),
        (
            import("wasi:clocks/wall-clock@0.2.0", function).bytes(),
            "imports `wasi:clocks/wall-clock@0.2.0`",
        ),
        (
            import("wasi:filesystem/types@0.2.0", function).bytes(),
            "imports `wasi:filesystem/types@0.2.0`",
        ),
        (
            import("wasi:random/random@0.2.0", function).bytes(),
            "imports `wasi:random/random@0.2.0`",
        ),
        (
            import("portcullis:plugin/net@1.0.0", function).bytes(),
            "imports `portcullis:plugin/net@1.0.0`",
        ),
        (import("portcullis:plugin/log@1.0.0", function).bytes(), "does not export"),
        (
            Guest { imports: "(import \"f\" (func))".to_owned(), ..Guest::default() }.bytes(),
            "imports `f`",
        ),
        (
            Guest { package: "2.0.0", ..Guest::default() }.bytes(),
            "made for `portcullis:plugin@2.0.0`",
        ),
        (
            Guest { package: "1.1.0", ..Guest::default() }.bytes(),
            "made for `portcullis:plugin@1.1.0`",
        ),
        (Guest::without_exports().bytes(), "does not export"),
        (describe_traps.bytes(), "failed when it was asked what it is"),
        (starts_forever.bytes(), "it took longer than it may"),
        (huge_table.bytes(), "more room in tables"),
        (Guest::of_memory("60000").bytes(), "more memory"),
        (Guest::of_memory("2 3) (memory 1").bytes(), "cannot be compiled"),
        (Guest::named(b"Guest").bytes(), "`name` must be"),
        (Guest::named(b"\xff").bytes(), "failed when it was asked"),
        (Guest::with_schema("{").bytes(), "`config-schema` is no JSON"),
        (Guest::with_schema("{\"type\": 7}").bytes(), "is no JSON Schema"),
    ];
    for (bytes, expected) in rows {
        let words = unfit(&bytes);
        assert!(words.contains(expected), "{words}, not {expected}");
    }
    let host = Host::start().unwrap();
    let types = import("example:other/types@0.1.0", other_types);
    let component = Component::compile(&host, &types.bytes()).unwrap();
    assert_eq!(component.imports().len(), 2);
    assert!(component.exports()[0].starts_with("portcullis:plugin/inspector@"));
}

#[test]
fn settings_must_fit_the_component() {
    let host = Host::start().unwrap();
    let schema = r#"{"type":"object","required":["prefix"],"properties":{"prefix":{"type":"string"}},"additionalProperties":false}"#;
    let with_schema = Component::compile(&host, &Guest::with_schema(schema).bytes()).unwrap();
    let plain = Component::compile(&host, &Guest::for_tools(&["get_contact"]).bytes()).unwrap();
    let json = |text: &str| Some(JsonText::from_valid(text.to_owned().into()));
    let tools = |tool: &str| Some(std::collections::BTreeSet::from([tool.to_owned()]));
    let entry = || PluginEntry::shipped("x");
    let rows = [
        (&with_schema, PluginEntry { config: json(r#"{"prefix":"AB"}"#), ..entry() }, ""),
        (
            &with_schema,
            PluginEntry { config: json(r#"{"prefix":7}"#), ..entry() },
            "`config/prefix`",
        ),
        (&with_schema, PluginEntry { config: json("[]"), ..entry() }, "`config`"),
        (&with_schema, entry(), "`config`"),
        (&plain, PluginEntry { config: json("{}"), ..entry() }, "takes no `config`"),
        (&plain, PluginEntry { tools: tools("get_contact"), ..entry() }, ""),
        (
            &plain,
            PluginEntry { tools: tools("get_company"), ..entry() },
            "`tools` has `get_company`",
        ),
        (
            &with_schema,
            PluginEntry {
                tools: tools("get_company"),
                config: json(r#"{"prefix":"A"}"#),
                ..entry()
            },
            "",
        ),
    ];
    for (component, entry, expected) in rows {
        match Plugin::of(&entry, component.clone()) {
            Ok(_) => assert!(expected.is_empty(), "{entry:?}"),
            Err(error) => {
                let words = error.to_string();
                assert!(!expected.is_empty() && words.contains(expected), "{words}");
            }
        }
    }
}

fn file(path: &Path, digest: Option<Digest>) -> config::Plugins {
    let source = PluginSource::File { path: path.to_owned(), digest };
    config::Plugins {
        shipped: false,
        list: vec![PluginEntry::new("own", source)],
        ..config::Plugins::default()
    }
}

fn pem(name: &str, der: &[u8]) -> String {
    use base64::Engine as _;
    let text = base64::prelude::BASE64_STANDARD.encode(der);
    format!("-----BEGIN {name}-----\n{text}\n-----END {name}-----\n")
}

fn key(folder: &Path, name: &str) -> SigningKey {
    let document =
        aws_lc_rs::signature::Ed25519KeyPair::generate_pkcs8(&aws_lc_rs::rand::SystemRandom::new())
            .unwrap();
    let path = folder.join(format!("{name}.key"));
    std::fs::write(&path, pem("PRIVATE KEY", document.as_ref())).unwrap();
    let key = SigningKey::read(&path).unwrap();
    std::fs::write(folder.join(format!("{name}.pub")), key.public_pem()).unwrap();
    key
}

async fn load(loader: &Loader, plugins: &config::Plugins) -> String {
    loader.load(plugins).await.map_or_else(|error| error.to_string(), |_| String::new())
}

#[tokio::test(flavor = "multi_thread")]
async fn files_are_pinned_or_signed_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("own.wasm");
    let bytes = Guest::default().bytes();
    std::fs::write(&path, &bytes).unwrap();
    let loader = Loader::new(Host::start().unwrap());
    let digest = Component::digest_of(&bytes);
    let words = load(&loader, &file(&path, None)).await;
    assert!(words.contains(&format!("add `digest: {digest}`")), "{words}");
    assert_eq!(load(&loader, &file(&path, Some(digest))).await, "");
    let other = Component::digest_of(b"x");
    let words = load(&loader, &file(&path, Some(other))).await;
    assert!(words.contains("plugin `own`: ") && words.contains("not the sha256:"), "{words}");
    // With a key, the pin alone is not enough, and another key's signature is none.
    let (good, bad) = (key(folder.path(), "good"), key(folder.path(), "bad"));
    let keys = vec![folder.path().join("good.pub")];
    let signed = |digest| config::Plugins { keys: keys.clone(), ..file(&path, digest) };
    let unsigned = "is not signed by one of the configured keys";
    assert!(load(&loader, &signed(Some(digest))).await.contains(unsigned));
    let beside = folder.path().join("own.wasm.sig");
    for (text, is_good) in [
        (bad.sign(&bytes), false),
        (good.sign(b"other bytes"), false),
        ("nonsense".to_owned(), false),
        (String::new(), false),
        (good.sign(&bytes), true),
    ] {
        std::fs::write(&beside, text).unwrap();
        let words = load(&loader, &signed(None)).await;
        assert_eq!(words.is_empty(), is_good, "{words}");
        assert!(is_good || words.contains(unsigned), "{words}");
    }
    // A file that changed after it was signed, and one that was cut.
    std::fs::write(&path, &bytes[..bytes.len() - 1]).unwrap();
    assert!(load(&loader, &signed(None)).await.contains(unsigned));
    assert!(load(&loader, &file(&path, Some(digest))).await.contains("has the digest"));
    // A link, a file that everybody may change, none.
    std::fs::write(&path, &bytes).unwrap();
    let link = folder.path().join("link.wasm");
    symlink(&path, &link).unwrap();
    assert!(load(&loader, &file(&link, Some(digest))).await.contains("symbolic link"));
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o666)).unwrap();
    assert!(load(&loader, &file(&path, Some(digest))).await.contains("changed by everybody"));
    let none = folder.path().join("none.wasm");
    assert!(load(&loader, &file(&none, Some(digest))).await.contains("none.wasm"));
    for key in ["good.key", "own.wasm.sig", "no.pub"] {
        let keys = vec![folder.path().join(key)];
        assert!(!load(&loader, &config::Plugins { keys, ..file(&path, None) }).await.is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_set_is_loaded_whole_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let entry = |name: &str, guest: &Guest| {
        let (path, bytes) = (folder.path().join(format!("{name}.wasm")), guest.bytes());
        std::fs::write(&path, &bytes).unwrap();
        let digest = Some(Component::digest_of(&bytes));
        PluginEntry::new(name, PluginSource::File { path, digest })
    };
    let loader = Loader::new(Host::start().unwrap());
    let of = |list| config::Plugins { shipped: false, list, ..config::Plugins::default() };
    let good = entry("good", &Guest::default());
    let traps = entry("traps", &Guest::looking("unreachable"));
    let lies = entry("lies", &Guest::finding(&[Found::of(90, 0, 1)]));
    let core = entry("own", &Guest::named(b"NO"));
    let error = loader.load(&of(vec![good.clone(), traps, lies, core])).await.unwrap_err();
    let words = error.to_string();
    for part in [
        "plugin `traps`: it failed when it was tried on a sample",
        "plugin `lies`: it failed when it was tried on a sample",
        "plugin `own`: what it says of itself is not in order",
    ] {
        assert!(words.contains(part), "{words}");
    }
    assert!(!words.contains("good"), "{words}");
    // The same set has the same revision; other settings have another.
    let first = loader.load(&of(vec![good.clone()])).await.unwrap();
    let second = loader.load(&of(vec![good.clone()])).await.unwrap();
    assert_eq!(first.revision(), second.revision());
    let changed = PluginEntry { memory: 8 << 20, ..good };
    let third = loader.load(&of(vec![changed])).await.unwrap();
    assert_ne!(first.revision(), third.revision());
    assert_ne!(first.revision(), Plugins::none().revision());
    let missing = PluginEntry::shipped("no-such");
    let words = loader.load(&of(vec![missing])).await.unwrap_err().to_string();
    assert!(words.contains("no plugin `no-such` comes with Portcullis"), "{words}");
}

/// Two sets take turns two hundred times under load; what is seen is seen by one of them, whole.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_reloads_under_load_leave_no_look_between_two_sets() {
    if !hostile::is_alone("loading::two_hundred_reloads_under_load_leave_no_look_between_two_sets")
    {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let settings = |confidence: u8| {
        let found = Found { confidence, ..Found::of(0, 0, 1) };
        let entries = ["first", "second"].map(|name| {
            // It finds something in the first text, if there is one.
            let inspect = "(if (i32.eqz (local.get 4)) (then
                (i32.store (i32.add (global.get $report) (i32.const 8)) (i32.const 0))))
                (global.get $report)";
            let guest = Guest { name: name.into(), ..Guest::looking(inspect) }.found(&[found]);
            let (path, bytes) =
                (folder.path().join(format!("{name}-{confidence}.wasm")), guest.bytes());
            std::fs::write(&path, &bytes).unwrap();
            let digest = Some(Component::digest_of(&bytes));
            PluginEntry::new(name, PluginSource::File { path, digest })
        });
        config::Plugins { shipped: false, list: entries.into(), ..config::Plugins::default() }
    };
    let sets = [settings(40), settings(60)];
    let loader = Loader::new(Host::start().unwrap());
    let active = Arc::new(arc_swap::ArcSwap::from_pointee(loader.load(&sets[0]).await.unwrap()));
    let over = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let callers: Vec<_> = (0..4)
        .map(|_| {
            let (active, over) = (active.clone(), over.clone());
            tokio::spawn(async move {
                let (texts, mut looks) = (leaves(&["x"]), [0; 2]);
                while !over.load(std::sync::atomic::Ordering::Relaxed) {
                    let plugins = active.load_full();
                    let seen = plugins.inspect(Phase::Answer, "", &texts, &nothing()).await;
                    assert!(seen.findings.is_empty(), "{:?}", seen.findings);
                    let sure: Vec<u8> = seen.spans.iter().map(|span| span.confidence).collect();
                    assert!(sure == [40, 40] || sure == [60, 60], "{sure:?}");
                    looks[usize::from(sure[0] == 60)] += 1;
                }
                looks
            })
        })
        .collect();
    let before = hostile::resident();
    for number in 1..=200 {
        let plugins = loader.load(&sets[number % 2]).await.unwrap();
        active.store(Arc::new(plugins));
    }
    over.store(true, std::sync::atomic::Ordering::Relaxed);
    let mut looks = [0; 2];
    for caller in callers {
        let one = caller.await.unwrap();
        looks = [looks[0] + one[0], looks[1] + one[1]];
    }
    let grown = hostile::resident().saturating_sub(before);
    println!("200 reloads: {looks:?} looks, memory +{grown} KiB");
    assert!(looks.iter().all(|looks| *looks > 0), "{looks:?}");
    assert!(grown < 64 * 1024, "{grown} KiB");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_along_is_what_was_built() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("plugins/dist");
    let mut built: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .filter_map(|file| {
            Some(file.unwrap().file_name().to_str()?.strip_suffix(".wasm")?.to_owned())
        })
        .collect();
    built.sort();
    let mut shipped: Vec<&str> = SHIPPED.iter().map(|it| it.name).collect();
    shipped.sort_unstable();
    assert_eq!(shipped, built);
    let loader = Loader::new(Host::start().unwrap());
    let plugins = loader.load(&config::Plugins::default()).await.unwrap();
    assert_eq!(plugins.facts().len(), SHIPPED.len());
    for (it, plugin) in SHIPPED.iter().zip(&plugins.0.plugins) {
        let kinds: Vec<&str> = plugin.description().kinds.iter().map(String::as_str).collect();
        let mut said = it.kinds.to_vec();
        said.sort_unstable();
        assert_eq!(said, kinds, "{}", it.name);
        assert!(plugin.description().phases.contains(&Phase::Answer), "{}", it.name);
    }
    // What commands say without a compiler is what the loaded set says.
    assert_eq!(announced(&config::Plugins::default()).unwrap(), *plugins.announced());
}

#[test]
fn only_what_looks_at_answers_is_announced() {
    let entry = |phases: Option<&[Phase]>| PluginEntry {
        phases: phases.map(|phases| phases.iter().copied().collect()),
        ..PluginEntry::shipped("secrets")
    };
    let of = |list, without: &[&str]| config::Plugins {
        shipped: false,
        list,
        without: without.iter().map(ToString::to_string).collect(),
        ..config::Plugins::default()
    };
    let covers = |plugins: &config::Plugins, kind| announced(plugins).unwrap().covers(kind);
    assert!(covers(&of(vec![entry(None)], &[]), "secret"));
    assert!(!covers(&of(vec![entry(None)], &[]), "email"));
    assert!(covers(&of(vec![entry(None)], &["email"]), "email"));
    assert!(covers(&of(vec![entry(Some(&[Phase::Answer]))], &[]), "secret"));
    assert!(!covers(&of(vec![entry(Some(&[Phase::Call]))], &[]), "secret"));
    assert!(!covers(&of(Vec::new(), &[]), "*"));
    assert!(covers(&of(Vec::new(), &["*"]), "anything"));
}
