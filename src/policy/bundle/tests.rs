//! Bundles: what is read, what is refused, what a signature covers.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::symlink;
use std::path::Path;

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _,
};
use base64::Engine as _;
use flate2::write::GzEncoder;
use proptest::prelude::*;
use tar::{EntryType, Header};
use tempfile::TempDir;

use super::*;

fn listed(folder: &str) -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("policies").join(folder);
    let members = folder::read(&folder).unwrap();
    members.into_iter().map(|(name, bytes)| (name, String::from_utf8(bytes).unwrap())).collect()
}

fn built_in(list: &[(&str, &str)]) -> Vec<(String, String)> {
    list.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
}

#[test]
fn what_is_built_in_is_what_is_in_the_folders() {
    for (name, files) in shipped::PROFILES {
        assert_eq!(built_in(files), listed(name), "{name}");
    }
    let library: Vec<_> =
        listed("lib").into_iter().filter(|(name, _)| !name.ends_with("_test.rego")).collect();
    assert_eq!(built_in(LIBRARY), library);
}

#[test]
fn the_revision_knows_names_and_contents_and_not_the_package() {
    let shipped = Bundle::shipped();
    let was = shipped.revision();
    assert_eq!(revision(&shipped.files().unwrap()), was);
    // A name and a signature are about the rules, not part of them.
    assert_eq!(shipped.clone().named("v1").revision(), was);
    assert_ne!(shipped.clone().named("v1").contents(), shipped.contents());
    let mut other = shipped.clone();
    let text = other.members.remove("visible.rego").unwrap();
    assert_ne!(other.revision(), was);
    other.members.insert("visiblex.rego".to_owned(), text.clone());
    assert_ne!(other.revision(), was);
    other.members.insert("visible.rego".to_owned(), text);
    other.members.remove("visiblex.rego");
    assert_eq!(other.revision(), was);
    other.members.get_mut("visible.rego").unwrap().push(b'\n');
    assert_ne!(other.revision(), was);
}

fn problems(read: Result<Bundle, LoadErrors>) -> Vec<String> {
    match read.and_then(|bundle| bundle.files()) {
        Ok(_) => Vec::new(),
        Err(errors) => errors.problems().iter().map(ToString::to_string).collect(),
    }
}

#[test]
fn a_folder_holds_nothing_unexpected() {
    let folder = tempfile::tempdir().unwrap();
    let problems = |path: &Path| problems(Bundle::read(&Source::Folder(path.to_owned())));
    assert!(problems(folder.path())[0].contains("has no rules"));
    assert!(problems(&folder.path().join("none"))[0].contains("cannot be read"));
    fs::create_dir(folder.path().join("sub.rego")).unwrap();
    fs::write(folder.path().join("a.reg"), "").unwrap();
    fs::write(folder.path().join("README.md"), "").unwrap();
    fs::write(folder.path().join("c.json"), vec![b' '; 1024 * 1024 + 1]).unwrap();
    symlink("loop.rego", folder.path().join("loop.rego")).unwrap();
    let found = problems(folder.path());
    let starts: Vec<&str> = found.iter().map(|text| text.split(':').next().unwrap()).collect();
    assert_eq!(starts, ["a.reg", "c.json", "loop.rego", "sub.rego"], "{found:?}");
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("b.rego"), [b'#', 0xff]).unwrap();
    assert!(problems(folder.path())[0].starts_with("b.rego: is not valid UTF-8"));
}

#[test]
fn a_folder_whose_link_is_swapped_is_read_at_one_moment() {
    const FILES: usize = 20;
    const REVISIONS: usize = 60;
    let outer = tempfile::tempdir().unwrap();
    for revision in 0..REVISIONS {
        let folder = outer.path().join(format!("r{revision}"));
        fs::create_dir(&folder).unwrap();
        for file in 0..FILES {
            fs::write(folder.join(format!("f{file}.rego")), format!("# {revision}")).unwrap();
        }
    }
    // As container platforms do it: files are links through a link, and that one is swapped.
    let mounted = outer.path().join("mounted");
    fs::create_dir(&mounted).unwrap();
    symlink("../r0", mounted.join("..data")).unwrap();
    for file in 0..FILES {
        let name = format!("f{file}.rego");
        symlink(format!("..data/{name}"), mounted.join(&name)).unwrap();
    }
    std::thread::scope(|scope| {
        let swaps = scope.spawn(|| {
            for revision in 1..REVISIONS {
                symlink(format!("../r{revision}"), mounted.join("..next")).unwrap();
                fs::rename(mounted.join("..next"), mounted.join("..data")).unwrap();
            }
        });
        loop {
            let last = swaps.is_finished();
            // What moves too fast is refused; what is read is of one revision.
            if let Ok(members) = folder::read(&mounted) {
                let first = members.values().next().unwrap();
                assert!(members.values().all(|text| text == first), "half and half");
                if last {
                    assert_eq!(first, format!("# {}", REVISIONS - 1).as_bytes());
                    return;
                }
            } else {
                assert!(!last, "nothing moves any more");
            }
        }
    });
}

/// A tar of entries as given, with nothing of our own checks.
fn packed(entries: &[(&[u8], EntryType, &[u8])]) -> Vec<u8> {
    let mut tar = tar::Builder::new(GzEncoder::new(Vec::new(), flate2::Compression::fast()));
    for (name, kind, bytes) in entries {
        let mut header = Header::new_gnu();
        header.as_old_mut().name[..name.len()].copy_from_slice(name);
        header.set_entry_type(*kind);
        header.set_size(bytes.len() as u64);
        if *kind == EntryType::Symlink || *kind == EntryType::Link {
            header.as_old_mut().linkname[..10].copy_from_slice(b"admit.rego");
        }
        header.set_cksum();
        tar.append(&header, *bytes).unwrap();
    }
    tar.into_inner().unwrap().finish().unwrap()
}

const RULE: &[u8] = b"package portcullis.rules.admit\n";

#[test]
fn archives_of_opa_and_tar_are_read() {
    for name in ["admit.rego", "/admit.rego", "./admit.rego"] {
        let bundle = Bundle::of_archive(&packed(&[
            (b"./", EntryType::Directory, b""),
            (name.as_bytes(), EntryType::Regular, RULE),
        ]));
        let bundle = bundle.unwrap();
        assert_eq!(bundle.sizes().collect::<Vec<_>>(), [("admit.rego", RULE.len())]);
    }
}

#[test]
fn archives_hold_nothing_unexpected() {
    let long = vec![b'#'; 1024 * 1024 + 1];
    let cases: &[(&[u8], EntryType, &[u8], &str)] = &[
        (b"../x.rego", EntryType::Regular, b"", "is a path"),
        (b"..", EntryType::Regular, b"", "is a path"),
        (b"/etc/x.rego", EntryType::Regular, b"", "is a path"),
        (b"//x.rego", EntryType::Regular, b"", "is a path"),
        (b"sub/x.rego", EntryType::Regular, b"", "is a path"),
        (b"..\\x.rego", EntryType::Regular, b"", "is a path"),
        (b"sub/", EntryType::Directory, b"", "is a path"),
        (b"x.rego", EntryType::Symlink, b"", "is no plain file (Symlink)"),
        (b"x.rego", EntryType::Link, b"", "is no plain file (Link)"),
        (b"x.rego", EntryType::Fifo, b"", "is no plain file (Fifo)"),
        (b"x.rego", EntryType::Char, b"", "is no plain file (Char)"),
        (b"x.rego", EntryType::Directory, b"", "is no plain file (Directory)"),
        (b"admit.rego", EntryType::Regular, b"", "is there twice"),
        (b"./admit.rego", EntryType::Regular, b"", "is there twice"),
        (b"/admit.rego", EntryType::Regular, b"", "is there twice"),
        (b"x.rego\x7f", EntryType::Regular, b"", "control or invisible characters"),
        (b"x\xff.rego", EntryType::Regular, b"", "is a name that is not UTF-8"),
        (b"policy.wasm", EntryType::Regular, b"", "is not a `.rego`, `.json` or `.yaml` file"),
        (b"README.md", EntryType::Regular, b"", "is not a `.rego`, `.json` or `.yaml` file"),
        (b"..data", EntryType::Regular, b"", "is not a `.rego`, `.json` or `.yaml` file"),
        (b"x.rego", EntryType::Regular, &long, "has more than 1048576 bytes"),
        (b"x.rego", EntryType::Regular, b"# \xff", "x.rego: is not valid UTF-8"),
        (b".manifest", EntryType::Regular, b"{\"wasm\":[]}", "unknown field `wasm`"),
        (b".manifest", EntryType::Regular, b"{\"rego_version\":0}", "`rego_version` must be 1"),
        (
            b".manifest",
            EntryType::Regular,
            b"{\"revision\":\"a\\u202eb\"}",
            "plain characters only",
        ),
        (b".manifest", EntryType::Regular, b"[1]", "is no manifest"),
    ];
    for (name, kind, bytes, expected) in cases {
        let archive = packed(&[(b"admit.rego", EntryType::Regular, RULE), (name, *kind, bytes)]);
        let found = problems(Bundle::of_archive(&archive));
        assert!(
            found.len() == 1 && found[0].contains(expected),
            "{}: {found:?}, not {expected}",
            String::from_utf8_lossy(name)
        );
    }
}

#[test]
fn archives_are_bounded_and_whole() {
    let good = packed(&[(b"admit.rego", EntryType::Regular, RULE)]);
    assert!(problems(Bundle::of_archive(&good)).is_empty());
    let mut longer = good.clone();
    longer.extend_from_slice(&good);
    let mut bomb = GzEncoder::new(Vec::new(), flate2::Compression::best());
    for _ in 0..33 {
        bomb.write_all(&[0; 1024 * 1024]).unwrap();
    }
    let data = |count: usize| -> Vec<u8> {
        let names: Vec<String> = (0..count).map(|index| format!("d{index}.json")).collect();
        let entries: Vec<(&[u8], EntryType, &[u8])> =
            names.iter().map(|name| (name.as_bytes(), EntryType::Regular, &b"{}"[..])).collect();
        packed(&entries)
    };
    for (archive, expected) in [
        (Vec::new(), "is no whole gzip"),
        (b"package x".to_vec(), "is no whole gzip"),
        (longer, "goes on after the end"),
        (bomb.finish().unwrap(), "unpacks to more than"),
        (vec![0; MAX_ARCHIVE_BYTES + 1], "has more than"),
        (data(201), "more than 200 files"),
        (data(1001), "more than 1000 entries"),
        (packed(&[]), "has no rules"),
    ] {
        let found = problems(Bundle::of_archive(&archive));
        assert!(found.iter().any(|text| text.contains(expected)), "{found:?}, not {expected}");
    }
}

#[test]
fn roots_bound_what_a_bundle_defines() {
    let of = |manifest: &str, data: &str| {
        let archive = packed(&[
            (b"admit.rego", EntryType::Regular, RULE),
            (b"data.json", EntryType::Regular, data.as_bytes()),
            (b".manifest", EntryType::Regular, manifest.as_bytes()),
        ]);
        problems(Bundle::of_archive(&archive))
    };
    let data = r#"{"roles": {"a": {"x": 1}}}"#;
    for roots in [r#"[""]"#, r#"["portcullis", "roles"]"#, r#"["portcullis/rules", "roles/a"]"#] {
        assert!(of(&format!(r#"{{"roots": {roots}}}"#), data).is_empty(), "{roots}");
    }
    for (roots, outside) in [
        (r#"["roles"]"#, "admit.rego: defines `data.portcullis.rules.admit`"),
        (r#"["portcullis/rul", "roles"]"#, "admit.rego: defines"),
        (r#"["portcullis"]"#, "data.json: defines `data.roles`"),
        (r#"["portcullis", "roles/b"]"#, "data.json: defines `data.roles.a`"),
        ("[]", "admit.rego: defines"),
    ] {
        let found = of(&format!(r#"{{"roots": {roots}}}"#), data);
        assert!(found.iter().any(|text| text.starts_with(outside)), "{roots}: {found:?}");
    }
}

/// A pair of keys in PEM files.
struct Pair {
    folder: TempDir,
}

impl Pair {
    fn of(algorithm: Algorithm) -> Self {
        let random = SystemRandom::new();
        let info = |oid: &[u8], public: &[u8]| -> Vec<u8> {
            let (oid, bits) = (der(0x30, oid), der(0x03, &[&[0], public].concat()));
            der(0x30, &[oid, bits].concat())
        };
        let (private, public) = match algorithm {
            Algorithm::EdDsa => {
                let document = Ed25519KeyPair::generate_pkcs8(&random).unwrap();
                let pair = Ed25519KeyPair::from_pkcs8(document.as_ref()).unwrap();
                let oid = [6, 3, 0x2b, 0x65, 0x70];
                (document.as_ref().to_vec(), info(&oid, pair.public_key().as_ref()))
            }
            Algorithm::Es256 => {
                let kind = &ECDSA_P256_SHA256_FIXED_SIGNING;
                let document = EcdsaKeyPair::generate_pkcs8(kind, &random).unwrap();
                let pair = EcdsaKeyPair::from_pkcs8(kind, document.as_ref()).unwrap();
                let public = AsDer::<PublicKeyX509Der<'_>>::as_der(pair.public_key());
                (document.as_ref().to_vec(), public.unwrap().as_ref().to_vec())
            }
            Algorithm::Rs256 => {
                use aws_lc_rs::rsa::{KeyPair, KeySize};
                let pair = KeyPair::generate(KeySize::Rsa2048).unwrap();
                let private = AsDer::<Pkcs8V1Der<'_>>::as_der(&pair).unwrap();
                let public = AsDer::<PublicKeyX509Der<'_>>::as_der(pair.public_key());
                (private.as_ref().to_vec(), public.unwrap().as_ref().to_vec())
            }
        };
        let folder = tempfile::tempdir().unwrap();
        for (name, word, der) in [("key", "PRIVATE", private), ("pub", "PUBLIC", public)] {
            let text = base64::engine::general_purpose::STANDARD.encode(der);
            let pem = format!("-----BEGIN {word} KEY-----\n{text}\n-----END {word} KEY-----\n");
            fs::write(folder.path().join(name), pem).unwrap();
        }
        Self { folder }
    }

    fn private(&self) -> PathBuf {
        self.folder.path().join("key")
    }

    fn signing(&self) -> SigningKey {
        SigningKey::read(&self.private(), None).unwrap()
    }

    fn public(&self) -> Keys {
        Keys::read(&[self.folder.path().join("pub")]).unwrap()
    }
}

/// One value of DER that is shorter than 128 bytes.
fn der(tag: u8, content: &[u8]) -> Vec<u8> {
    [&[tag, u8::try_from(content.len()).unwrap()], content].concat()
}

#[test]
fn signatures_cover_every_file_and_no_other() {
    let stranger = Pair::of(Algorithm::EdDsa);
    for algorithm in Algorithm::ALL {
        let pair = Pair::of(algorithm);
        assert_eq!(pair.signing().algorithm(), algorithm);
        let bundle = Bundle::shipped().named("v1");
        let unsigned = bundle.verify(&pair.public()).unwrap_err().to_string();
        assert!(unsigned.contains("is not signed, but keys are configured"), "{unsigned}");
        let signed = bundle.signed(&pair.signing()).unwrap();
        assert!(signed.verify(&pair.public()).is_ok(), "{algorithm:?}");
        // Through an archive as well.
        let again = Bundle::of_archive(&signed.to_archive().unwrap()).unwrap();
        assert_eq!(again, signed);
        assert!(again.verify(&pair.public()).is_ok());
        let refused = |members: Members, keys: &Keys, expected: &str| {
            let error = signature::verify(&members, keys).unwrap_err().to_string();
            assert!(error.contains(expected), "{algorithm:?}: {error}, not {expected}");
        };
        let change = |change: &dyn Fn(&mut Members)| {
            let mut members = signed.members.clone();
            change(&mut members);
            members
        };
        let keys = pair.public();
        let more = change(&|all| drop(all.insert("more.rego".to_owned(), Vec::new())));
        refused(more, &keys, "does not sign `more.rego`");
        let fewer = change(&|all| drop(all.remove("admit.rego")));
        refused(fewer, &keys, "signs `admit.rego`, which the bundle does not have");
        let other = change(&|all| all.get_mut("admit.rego").unwrap().push(b'\n'));
        refused(other, &keys, "signs another content of `admit.rego`");
        let renamed = change(&|all| drop(all.insert(MANIFEST.to_owned(), b"{}".to_vec())));
        refused(renamed, &keys, "signs another content of `.manifest`");
        let none = change(&|all| {
            all.insert(SIGNATURES.to_owned(), br#"{"signatures":[]}"#.to_vec());
        });
        refused(none, &keys, "holds no signature");
        let wrong = if algorithm == Algorithm::EdDsa { "is not signed by" } else { "of another" };
        refused(signed.members.clone(), &stranger.public(), wrong);
    }
}

/// The rules of OPA's documentation ("Signing"), which its own reader applies to these two files.
#[test]
fn structured_files_are_hashed_by_their_value() {
    let text = "{ \"b\" : [1, 2.50, true,null],\n \"a\":{\"z\":\"<\u{e9}\u{2028}\\n\",\"B\":{}}}";
    let mut out = String::new();
    signature::canonical(text.as_bytes(), 9, &mut out).unwrap();
    assert_eq!(out, "{\"a\":{\"B\":{},\"z\":\"<\u{e9}\\u2028\\n\"},\"b\":[1,2.50,true,null]}");
    let deep = "[".repeat(100_000);
    for bad in ["", "{", "[1,]", "{}x", &deep] {
        assert!(signature::canonical(bad.as_bytes(), 64, &mut String::new()).is_err());
    }
}

#[test]
fn tokens_that_choose_their_own_rules_are_refused() {
    let pair = Pair::of(Algorithm::EdDsa);
    let signed = Bundle::shipped().signed(&pair.signing()).unwrap();
    let text = String::from_utf8(signed.signature().unwrap().to_vec()).unwrap();
    let token = text.split('"').nth(3).unwrap().to_owned();
    let [_, claims, signature] = token.split('.').collect::<Vec<_>>()[..] else { panic!() };
    let encode = |text: &str| base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(text);
    let none = format!("{}.{claims}.", encode(r#"{"alg":"none"}"#));
    let hmac = format!("{}.{claims}.{signature}", encode(r#"{"alg":"HS256"}"#));
    let scoped = Scoped { files: Vec::new(), scope: "write", exp: None };
    let ended = Scoped { files: Vec::new(), scope: "", exp: Some(1_000_000) };
    let made = |claims: &Scoped| {
        let key = EncodingKeyOf(&pair).read();
        let header = jsonwebtoken::Header::new(jsonwebtoken::Algorithm::EdDSA);
        jsonwebtoken::encode(&header, claims, &key).unwrap()
    };
    for (token, expected) in [
        (none, "cannot be read"),
        (hmac, "of another algorithm"),
        (token.clone(), ""),
        (made(&scoped), "was signed for the scope `write`"),
        (made(&ended), "ExpiredSignature"),
        ("a.b".to_owned(), "cannot be read"),
    ] {
        let mut members = signed.members.clone();
        let file = format!(r#"{{"signatures":["{token}"]}}"#);
        members.insert(SIGNATURES.to_owned(), file.into_bytes());
        let verified = signature::verify(&members, &pair.public());
        match verified {
            Ok(()) => assert!(expected.is_empty(), "{token}"),
            Err(problem) => {
                assert!(!expected.is_empty() && problem.text.contains(expected), "{problem}");
            }
        }
    }
}

#[derive(serde::Serialize)]
struct Scoped {
    files: Vec<String>,
    scope: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    exp: Option<u64>,
}

struct EncodingKeyOf<'p>(&'p Pair);

impl EncodingKeyOf<'_> {
    fn read(&self) -> jsonwebtoken::EncodingKey {
        jsonwebtoken::EncodingKey::from_ed_pem(&fs::read(self.0.private()).unwrap()).unwrap()
    }
}

#[test]
fn keys_are_what_they_should_be() {
    let pair = Pair::of(Algorithm::Rs256);
    for path in [pair.private(), PathBuf::from("Cargo.toml")] {
        let error = Keys::read(std::slice::from_ref(&path)).unwrap_err().to_string();
        assert!(error.contains("holds no public key in PEM"), "{error}");
    }
    let error = SigningKey::read(&pair.folder.path().join("pub"), None).err().unwrap();
    assert!(error.to_string().contains("holds no private key"), "{error}");
    assert!(SigningKey::read(&pair.private(), Some(Algorithm::EdDsa)).is_err());
    assert!(
        Keys::read(&[PathBuf::from("none")]).unwrap_err().to_string().contains("cannot be read")
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn the_same_files_are_the_same_archive(
        mut files in proptest::collection::btree_map("[a-z]{1,20}\\.(rego|json)", any::<Vec<u8>>(), 0..6),
    ) {
        files.insert("a.rego".to_owned(), RULE.to_vec());
        let bundle = Bundle { members: files.clone(), manifest: Manifest::default() };
        let archive = bundle.to_archive().unwrap();
        // From a folder, with its own times and order.
        let folder = tempfile::tempdir().unwrap();
        for (name, bytes) in files.iter().rev() {
            fs::write(folder.path().join(name), bytes).unwrap();
        }
        let source = Source::Folder(folder.path().to_owned());
        prop_assert_eq!(Bundle::read(&source).unwrap().to_archive().unwrap(), archive.clone());
        let again = Bundle::of_archive(&archive).unwrap();
        prop_assert_eq!(again.contents(), bundle.contents());
        prop_assert_eq!(again.revision(), bundle.revision());
    }

    #[test]
    fn damaged_archives_are_refused_or_the_same(at in any::<prop::sample::Index>(), bit in 0..8u8) {
        let good = Bundle::shipped().to_archive().unwrap();
        let mut bad = good.clone();
        let at = at.index(bad.len());
        bad[at] ^= 1 << bit;
        // gzip's own header has bytes that mean nothing to the content.
        if let Ok(bundle) = Bundle::of_archive(&bad) {
            prop_assert_eq!(bundle.contents(), Bundle::shipped().contents());
        }
    }
}
