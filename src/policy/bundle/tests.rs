//! Bundles: what is read, what is refused, what a signature covers.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::symlink;
use std::path::Path;

use flate2::write::GzEncoder;
use proptest::prelude::*;
use tar::{EntryType, Header};

use super::*;

mod signatures;

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
    let mut signed = shipped.clone();
    signed.members.insert(SIGNATURES.to_owned(), br#"{"signatures":["x"]}"#.to_vec());
    assert_eq!(signed.revision(), was);
    assert_eq!(signed.files().unwrap(), shipped.files().unwrap());
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
