//! The house keeps its plan: imports run one way, engines stay in their rooms, files stay small.
//!
//! The sources are read as text. Comments, strings and characters are blanked first, so that a word
//! in a sentence is no import.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// The rooms from the top to the ground; each may name those below it and nothing above. Rooms of
/// one line stand beside each other and do not know each other.
const ORDER: &[(&[&str], &str)] = &[
    (&["main"], "the binary: nothing but a call of cli"),
    (&["cli"], "commands may use everything"),
    (&["simulator"], "the outside world; cli and tests start it, it knows no room (see below)"),
    (&["app"], "the one place that builds all rooms"),
    (&["ops"], "health and metrics: asks the rooms that app built, changes nothing"),
    (
        &["console", "control"],
        "the doors of people: pages, and commands to the rooms that app built",
    ),
    (&["notify"], "people are told of holds; what they press goes to the desk"),
    (&["desk"], "what people do with holds: asks the gate, releases through upstream"),
    (&["rollout"], "which policies decide: fetched by upstream, put in force at the gate"),
    (&["proxy"], "the agents' side: asks the gate, sends through upstream"),
    (&["review"], "a held call beside what there is now, for eyes: pure"),
    (&["listen", "upstream"], "upstream spends the permits that only gate makes"),
    (&["replay"], "past questions, asked again: reads tape and log, acts on nothing"),
    (&["gate"], "the one road: asks the judges and the record keepers"),
    (
        &["holds", "trail", "tape"],
        "folds of the log: calls that wait, what principals did and saw; what policy was asked",
    ),
    (&["audit", "policy", "plugin", "redact", "vault", "identity"], "judges and record keepers"),
    (&["store"], "the only place that knows a database; knows values, not judges"),
    (&["config"], "what an operator may say; a store is opened with values from it"),
    (&["clock"], "the only reader of the wall clock"),
    (&["intercom"], "what Intercom's tools are, on top of the protocol's reading of JSON"),
    (&["mcp"], "bytes to messages and back, pure"),
    (&["yaml", "domain"], "values and rules, pure; yaml knows nothing of Portcullis"),
];

/// Libraries and the rooms that may name them.
const ENGINES: &[(&str, &[&str])] = &[
    ("regorus", &["policy"]),
    ("wasmtime", &["plugin"]),
    ("sled", &["store"]),
    ("hyper", &["proxy", "upstream", "listen"]),
    ("hyper_util", &["proxy", "upstream", "listen"]),
    ("hyper_rustls", &["upstream", "listen"]),
    ("rustls", &["upstream", "listen"]),
    ("saphyr_parser", &["yaml"]),
    ("clap", &["cli"]),
    ("html5ever", &["review"]),
    ("ammonia", &["review"]),
    // The simulator serves by it as well.
    ("axum", &["console"]),
    ("tower", &["console"]),
    ("askama", &["console", "cli"]),
    ("argon2", &["identity"]),
    ("openidconnect", &["identity"]),
    ("lettre", &["notify"]),
];

/// Lines of a file without the tests at its end, and lines of a function.
const FILE_LINES: usize = 450;
const FUNCTION_LINES: usize = 80;

#[test]
fn imports_run_one_way() {
    let ranks = ranks();
    let mut wrong = Vec::new();
    for source in sources("src") {
        let from = source.room.as_str();
        let Some(rank) = ranks.get(from) else {
            wrong.push(format!("{}: the room `{from}` has no place in the order", source.name));
            continue;
        };
        for (line, to) in rooms_named(&source.code) {
            let below = ranks.get(to.as_str()).is_some_and(|other| rank < other);
            if to != from && !below {
                wrong.push(format!("{}:{line}: `{from}` must not name `{to}`", source.name));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn the_order_names_every_room_once_and_the_table_is_alive() {
    let names: Vec<_> = ORDER.iter().flat_map(|(names, _)| *names).copied().collect();
    assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len());
    let rooms: BTreeSet<String> = sources("src").into_iter().map(|source| source.room).collect();
    // The check sees what it must see: known imports, and a forbidden one if there were one.
    let seen = |room: &str| {
        let of_room = sources("src").into_iter().filter(|source| source.room == room);
        of_room
            .flat_map(|source| rooms_named(&source.code))
            .map(|(_, to)| to)
            .collect::<BTreeSet<_>>()
    };
    assert!(seen("proxy").contains("gate") && seen("upstream").contains("gate"));
    assert!(seen("domain").iter().all(|to| to == "domain"), "{:?}", seen("domain"));
    assert!(rooms.contains("gate") && rooms.contains("policy"), "{rooms:?}");
    let text =
        "// crate::cli\nuse crate::{cli::x, app as y, gate::{z}};\nlet s = \"crate::proxy\";";
    let found: Vec<_> = rooms_named(&code(text)).into_iter().map(|(_, to)| to).collect();
    assert_eq!(found, ["cli", "app", "gate"]);
}

#[test]
fn engines_are_named_in_their_rooms_only() {
    let mut wrong = Vec::new();
    let mut used = BTreeSet::new();
    for source in sources("src") {
        for (engine, rooms) in ENGINES {
            for line in lines_naming(&source.code, engine) {
                used.insert(*engine);
                if !rooms.contains(&source.room.as_str()) {
                    wrong.push(format!("{}:{line}: `{engine}`", source.name));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    for engine in ["regorus", "wasmtime", "sled", "hyper", "hyper_util", "hyper_rustls"] {
        assert!(used.contains(engine), "{engine} is never named: does the check still see it?");
    }
}

#[test]
fn the_simulator_shares_nothing_with_the_product() {
    let mut wrong = Vec::new();
    for source in sources("examples/simulator") {
        for (line, text) in source.code.lines().enumerate() {
            // Within the simulator `crate` is the product's library.
            for word in ["crate::", "portcullis::"] {
                if text.replace("crate::simulator", "").contains(word) {
                    wrong.push(format!("{}:{}: {}", source.name, line + 1, text.trim()));
                }
            }
        }
    }
    for source in sources("src").iter().filter(|source| source.room != "cli") {
        for (line, _) in rooms_named(&source.code).iter().filter(|(_, to)| to == "simulator") {
            wrong.push(format!("{}:{line}: names the simulator", source.name));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn every_file_says_what_it_is_for() {
    let silent: Vec<_> = ["src", "examples/simulator", "tests/it"]
        .iter()
        .flat_map(|folder| sources(folder))
        .filter(|source| !source.text.trim_start().starts_with("//!"))
        .map(|source| source.name)
        .collect();
    assert!(silent.is_empty(), "without `//!`: {silent:?}");
}

#[test]
fn files_and_functions_stay_small() {
    let mut wrong = Vec::new();
    let (mut longest_file, mut longest_function) = ((0, String::new()), (0, String::new()));
    for source in ["src", "examples/simulator"].iter().flat_map(|folder| sources(folder)) {
        let lines = without_test_tail(&source.text).lines().count();
        // A file of tests is a list of cases; it may be as long as there are cases.
        if !source.is_tests() {
            longest_file = longest_file.max((lines, source.name.clone()));
            if lines > FILE_LINES {
                wrong.push(format!("{}: {lines} lines, {FILE_LINES} at most", source.name));
            }
        }
        let product = without_test_tail(&source.code).len();
        for (start, name, lines) in functions(&source.code) {
            let offset: usize = source.code.lines().take(start).map(|line| line.len() + 1).sum();
            if source.is_tests() || offset > product {
                continue;
            }
            let place = format!("{}:{}: `{name}`", source.name, start + 1);
            longest_function = longest_function.max((lines, place.clone()));
            if lines > FUNCTION_LINES {
                wrong.push(format!("{place} has {lines} lines, {FUNCTION_LINES} at most"));
            }
        }
    }
    println!("longest file: {longest_file:?}\nlongest function: {longest_function:?}");
    assert!(longest_function.0 > 20, "functions are no longer found: {longest_function:?}");
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn every_test_file_is_mounted() {
    let folder = root().join("tests/it");
    let main = std::fs::read_to_string(folder.join("main.rs")).unwrap();
    let main = code(&main);
    for entry in std::fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let mounted = main.lines().any(|line| line.trim() == format!("mod {name};"));
        assert!(mounted || name == "main", "tests/it/{name} is no module of tests/it/main.rs");
    }
}

/// One file of the sources.
struct Source {
    /// From the root of the package.
    name: String,
    /// The first folder or file below `src`.
    room: String,
    text: String,
    code: String,
}

impl Source {
    fn is_tests(&self) -> bool {
        self.name.contains("/tests/") || self.name.ends_with("/tests.rs")
    }
}

fn ranks() -> BTreeMap<&'static str, usize> {
    let with_rank = ORDER.iter().enumerate();
    with_rank.flat_map(|(rank, (names, _))| names.iter().map(move |name| (*name, rank))).collect()
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// All Rust files below a folder of the package; `lib.rs`, which only lists the rooms, is left out.
fn sources(folder: &str) -> Vec<Source> {
    let mut paths = Vec::new();
    collect(&root().join(folder), &mut paths);
    paths.sort();
    let sources = paths.into_iter().filter(|path| !path.ends_with("src/lib.rs")).map(|path| {
        let within = path.strip_prefix(root().join(folder)).unwrap();
        let first = within.components().next().unwrap().as_os_str().to_str().unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        Source {
            name: path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned(),
            room: first.trim_end_matches(".rs").to_owned(),
            code: code(&text),
            text,
        }
    });
    let sources: Vec<_> = sources.collect();
    assert!(!sources.is_empty(), "no sources in {folder}");
    sources
}

fn collect(folder: &Path, paths: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, paths);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            paths.push(path);
        }
    }
}

/// The rooms that a text names by `crate::room` or `use crate::{room, ...}`, with their lines.
fn rooms_named(code: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (at, _) in code.match_indices("crate::") {
        if code[..at].chars().next_back().is_some_and(is_word) {
            continue;
        }
        let line = code[..at].matches('\n').count() + 1;
        let rest = &code[at + "crate::".len()..];
        let Some(group) = rest.strip_prefix('{') else {
            found.push((line, word(rest)));
            continue;
        };
        let mut depth = 0;
        let mut start = true;
        for (index, letter) in group.char_indices() {
            match letter {
                '{' => depth += 1,
                '}' if depth == 0 => break,
                '}' => depth -= 1,
                ',' if depth == 0 => start = true,
                letter if start && is_word(letter) => {
                    found.push((line, word(&group[index..])));
                    start = false;
                }
                _ => {}
            }
        }
    }
    found.retain(|(_, room)| !room.is_empty());
    found
}

/// The lines on which a library is named as a path.
fn lines_naming(code: &str, library: &str) -> Vec<usize> {
    code.match_indices(library)
        .filter(|(at, _)| {
            let before = code[..*at].chars().next_back();
            let after = &code[at + library.len()..];
            let path = after.starts_with("::") || after.trim_start().starts_with("as ");
            let whole = !before.is_some_and(|letter| is_word(letter) || letter == ':');
            // `hyper` is no `hyper_util`; `use sled;` names it as well.
            whole && (path || after.starts_with(';') || after.starts_with('!'))
        })
        .map(|(at, _)| code[..at].matches('\n').count() + 1)
        .collect()
}

fn word(text: &str) -> String {
    text.chars().take_while(|letter| is_word(*letter)).collect()
}

fn is_word(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

/// The text before the module of tests at the end of a file.
fn without_test_tail(text: &str) -> &str {
    let tail = text.rfind("\n#[cfg(test)]\nmod tests");
    tail.map_or(text, |at| &text[..at])
}

/// Functions with a body: their line from 0, name, and number of lines from `fn` to the brace.
fn functions(code: &str) -> Vec<(usize, String, usize)> {
    let mut found = Vec::new();
    for (at, _) in code.match_indices("fn ") {
        if code[..at].chars().next_back().is_some_and(is_word) {
            continue;
        }
        let name = word(&code[at + 3..]);
        let Some(body) = code[at..].find(['{', ';']).filter(|_| !name.is_empty()) else { continue };
        if code[at + body..].starts_with(';') {
            continue;
        }
        let mut depth = 0;
        let end = code[at + body..].char_indices().find_map(|(index, letter)| {
            depth += match letter {
                '{' => 1,
                '}' => -1,
                _ => 0,
            };
            (depth == 0).then_some(at + body + index)
        });
        let Some(end) = end else { continue };
        let line = |to: usize| code[..to].matches('\n').count();
        found.push((line(at), name, line(end) - line(at) + 1));
    }
    found
}

/// The text with comments, strings and characters blanked, line by line as before.
fn code(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let skip = match first {
            '/' if rest.starts_with("//") => rest.find('\n').unwrap_or(rest.len()),
            '/' if rest.starts_with("/*") => rest.find("*/").map_or(rest.len(), |end| end + 2),
            '"' => string_end(rest),
            'r' | 'b' if !out.chars().next_back().is_some_and(is_word) => prefixed_end(rest),
            '\'' => character_end(rest),
            _ => 0,
        };
        if skip == 0 {
            out.push(first);
            rest = &rest[first.len_utf8()..];
        } else {
            out.extend(rest[..skip].chars().map(|letter| if letter == '\n' { '\n' } else { ' ' }));
            rest = &rest[skip..];
        }
    }
    out
}

fn string_end(rest: &str) -> usize {
    let mut escaped = false;
    for (index, letter) in rest.char_indices().skip(1) {
        match letter {
            '"' if !escaped => return index + 1,
            letter => escaped = letter == '\\' && !escaped,
        }
    }
    rest.len()
}

/// The end of `r"..."`, `r#"..."#`, `b"..."`, `br"..."` or `b'.'`; 0 if it is a plain word.
fn prefixed_end(rest: &str) -> usize {
    let start = rest.find(|letter| !matches!(letter, 'r' | 'b')).unwrap_or(rest.len());
    let (prefix, body) = rest.split_at(start);
    if !matches!(prefix, "r" | "b" | "br") {
        return 0;
    }
    if prefix.contains('r') {
        let hashes = body.chars().take_while(|letter| *letter == '#').count();
        if !body[hashes..].starts_with('"') {
            return 0;
        }
        let close = format!("\"{}", "#".repeat(hashes));
        let inner = &body[hashes + 1..];
        return inner.find(&close).map_or(rest.len(), |end| start + hashes + 1 + end + close.len());
    }
    match body.chars().next() {
        Some('"') => start + string_end(body),
        Some('\'') => start + character_end(body),
        _ => 0,
    }
}

/// The end of a character; 0 if it is a lifetime.
fn character_end(rest: &str) -> usize {
    let inner = &rest[1..];
    let length = if inner.starts_with('\\') {
        inner[2..].find('\'').map(|end| end + 2)
    } else {
        let letter = inner.chars().next().map_or(0, char::len_utf8);
        inner[letter..].starts_with('\'').then_some(letter)
    };
    length.map_or(0, |length| length + 2)
}
