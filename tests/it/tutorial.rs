//! The tutorials in `policies/README.md` and `plugins/README.md`, word by word: their commands are run
//! by a shell in an empty folder beside a running Portcullis, and what they say is printed is looked for
//! in what is printed.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::stand::{Setup, Stand, binary};

/// A block of commands, and the pieces of its output in their order.
struct Step<'a> {
    commands: &'a str,
    prints: Vec<&'a str>,
}

/// The blocks of `sh`, each with the block of `text` behind it if there is one.
fn steps(page: &str) -> Vec<Step<'_>> {
    let mut steps: Vec<Step<'_>> = Vec::new();
    let mut rest = page;
    while let Some((_, block)) = rest.split_once("\n```") {
        let (language, block) = block.split_once('\n').unwrap();
        let (body, behind) = block.split_once("\n```").unwrap();
        match language {
            "sh" => steps.push(Step { commands: body, prints: Vec::new() }),
            "text" => steps.last_mut().unwrap().prints = body.lines().collect(),
            _ => {}
        }
        // The closing fence may be the line before the next opening one.
        rest = behind;
    }
    steps
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_tutorial_is_true() {
    let roles = "knowledge-author, support-reader";
    let more = "holds: { wait: 300ms, poll: 300ms }\nreplay: { keep: calls }\n".to_owned();
    let stand = Stand::start(Setup { roles, more, ..Setup::default() }).await;
    follow("policies/README.md", &stand, 7);
}

/// Takes a compiler for WebAssembly, which not every machine has: `tests/run` installs one and demands
/// the test.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_tutorial_of_plugins_is_true() {
    if !has_guest_compiler() {
        assert!(std::env::var_os("PORTCULLIS_GUESTS").is_none(), "there is no guest compiler");
        return;
    }
    let more = "plugins:\n  shipped: false\n  without: ['*']\n".to_owned();
    let stand = Stand::start(Setup { more, ..Setup::default() }).await;
    follow("plugins/README.md", &stand, 7);
}

/// As `build` of a new plugin in Rust looks for one.
fn has_guest_compiler() -> bool {
    let root = Command::new("rustc").args(["--print", "sysroot"]).output().unwrap().stdout;
    let root = String::from_utf8(root).unwrap();
    let own = Path::new(root.trim()).join("lib/rustlib/wasm32-unknown-unknown");
    own.exists() || Path::new("/usr/lib/rustlib/src/rust/library/std").exists()
}

/// Runs the commands of a page, in order.
fn follow(page: &str, stand: &Stand, at_least: usize) {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join(page);
    let page = std::fs::read_to_string(page).unwrap();
    let tools = stand.folder.path().join("bin");
    std::fs::create_dir(&tools).unwrap();
    std::os::unix::fs::symlink(binary(), tools.join("portcullis")).unwrap();
    let path = format!("{}:{}", tools.display(), std::env::var("PATH").unwrap());
    let steps = steps(&page);
    assert!(steps.len() >= at_least, "the page has its blocks");
    for Step { commands, prints } in steps {
        let output = Command::new("sh")
            .args(["-euc", commands])
            .current_dir(stand.folder.path())
            .env("PATH", &path)
            .env("URL", &stand.url)
            .env("AGENT_KEY", &stand.key)
            .env("NO_COLOR", "1")
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let complaints = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{commands}\n{said}\n{complaints}");
        let mut left = said.as_str();
        for piece in prints {
            let Some((_, behind)) = left.split_once(piece) else {
                panic!("{commands}\nshould print {piece:?} in this place:\n{said}")
            };
            left = behind;
        }
    }
}
