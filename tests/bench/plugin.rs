//! What plugins cost: an empty call, the shipped set on an answer, how that grows with their number,
//! how long a set takes to load and what it holds in memory.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a bench that finds something missing fails, and tells its figures"
)]

#[path = "../../src/plugin/tests/wat.rs"]
#[expect(dead_code, reason = "tests use more of it")]
mod guests;

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use criterion::{Criterion, criterion_group, criterion_main};
use guests::Guest;
use portcullis::config::{PluginEntry, PluginSource, Plugins as Settings};
use portcullis::domain::{Dictionary, Form, Leaf, Party, Phase};
use portcullis::plugin::{Component, Host, Loader, Plugins, SHIPPED};
use tokio::runtime::Runtime;

fn leaf(path: &str, text: &str, form: Form) -> Leaf {
    Leaf {
        document: 1,
        path: path.to_owned(),
        text: text.to_owned(),
        form,
        owner: Some("conversation:215400000001234".to_owned()),
        party: Party::Customer,
    }
}

/// The texts of an answer of about 8 KB: some messages, and many short values.
fn answer() -> Arc<[Leaf]> {
    let body = "<p>Hello, this is Maria Lindqvist. The order 10442 has not arrived, please write to \
                maria.lindqvist@example.com or call +46 70 123 45 67. We moved to Storgatan 12 in \
                Uppsala last month, and the old address is still printed on each invoice.</p>";
    let mut leaves = Vec::new();
    for part in 0..20 {
        let at = |name: &str| format!("/conversation_parts/conversation_parts/{part}/{name}");
        leaves.push(leaf(&at("body"), body, Form::Html));
        leaves.push(leaf(&at("author/name"), "Maria Lindqvist", Form::Text));
        leaves.push(leaf(&at("created_at"), "1732891000", Form::Number));
        leaves.push(leaf(&at("part_type"), "comment", Form::Text));
    }
    leaves.into()
}

/// Resident memory of this process, in KiB.
fn resident() -> u64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = text.lines().find(|line| line.starts_with("VmRSS")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// So many plugins of their own, each another component.
fn own(many: usize) -> (tempfile::TempDir, Settings) {
    let folder = tempfile::tempdir().unwrap();
    let entries = (0..many).map(|number| {
        let name = format!("own-{number}");
        let (path, bytes) =
            (folder.path().join(format!("{name}.wasm")), Guest::named(name.as_bytes()).bytes());
        std::fs::write(&path, &bytes).unwrap();
        let digest = Some(Component::digest_of(&bytes));
        PluginEntry::new(&name, PluginSource::File { path, digest })
    });
    let list = entries.collect();
    (folder, Settings { shipped: false, list, ..Settings::default() })
}

fn load(runtime: &Runtime, settings: &Settings) -> Plugins {
    let loader = Loader::new(Host::start().unwrap());
    runtime.block_on(loader.load(settings)).unwrap()
}

/// Median over many single looks, with the hand-over to another thread.
fn look(bench: &mut Criterion, name: &str, runtime: &Runtime, plugins: &Plugins, on: &Arc<[Leaf]>) {
    let known = Dictionary::default();
    bench.bench_function(name, |bench| {
        bench.iter(|| {
            let asked = plugins.inspect(Phase::Answer, "get_conversation", on, &known);
            let seen = runtime.block_on(asked);
            assert!(seen.findings.is_empty(), "{:?}", seen.findings);
            black_box(seen)
        });
    });
}

fn plugins(bench: &mut Criterion) {
    let runtime = Runtime::new().unwrap();
    let (empty, texts): (Arc<[Leaf]>, _) = (Vec::new().into(), answer());
    let bytes: usize = texts.iter().map(|leaf| leaf.text.len() + leaf.path.len()).sum();
    println!("an answer of {} texts and {bytes} bytes", texts.len());
    for many in [1, 4, 16] {
        let (_folder, settings) = own(many);
        let plugins = load(&runtime, &settings);
        look(bench, &format!("empty look, {many} plugins"), &runtime, &plugins, &empty);
        look(
            bench,
            &format!("look at 8 KB, {many} plugins that find nothing"),
            &runtime,
            &plugins,
            &texts,
        );
    }
    for shipped in SHIPPED {
        let list = vec![PluginEntry::shipped(shipped.name)];
        let before = (resident(), Instant::now());
        let plugins = load(&runtime, &Settings { shipped: false, list, ..Settings::default() });
        let (held, took) = (resident().saturating_sub(before.0), before.1.elapsed());
        println!("{}: loaded in {took:?}, {held} KiB held", shipped.name);
        look(bench, &format!("look at 8 KB, {}", shipped.name), &runtime, &plugins, &texts);
    }
    let loader = Loader::new(Host::start().unwrap());
    let first = Instant::now();
    let all = runtime.block_on(loader.load(&Settings::default())).unwrap();
    let took = first.elapsed();
    let again = Instant::now();
    let _same = runtime.block_on(loader.load(&Settings::default())).unwrap();
    println!("the shipped set: loaded in {took:?}, again in {:?}", again.elapsed());
    look(bench, "look at 8 KB, the shipped set", &runtime, &all, &texts);
}

fn settings() -> Criterion {
    Criterion::default()
        .sample_size(30)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2))
}

criterion_group! { name = benches; config = settings(); targets = plugins }
criterion_main!(benches);
