//! Signatures of bundles and the keys that make them: what they cover, and what is refused.

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _,
};
use base64::Engine as _;
use tempfile::TempDir;

use super::*;

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
