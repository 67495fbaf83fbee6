//! Components that mean harm: each costs its own call and nothing else.

use std::time::{Duration, Instant};

use super::*;

/// Ways to break off, and what each is called.
fn behaviours() -> Vec<(&'static str, Guest, Fault)> {
    let forever = "(loop $l (br $l)) unreachable";
    let deep = "(func $f (param i32) (result i32)
        (i32.add (call $f (local.get 0)) (i32.const 1)))";
    let grow = "(loop $l (drop (memory.grow (i32.const 200))) (br $l)) unreachable";
    let table = "(loop $l
        (drop (table.grow $t (ref.null func) (i32.const 10000))) (br $l)) unreachable";
    let copy = "(drop (memory.grow (i32.const 200)))
        (loop $l (memory.copy (i32.const 0) (i32.const 65536) (i32.const 13000000)) (br $l))
        unreachable";
    let fill = "(drop (memory.grow (i32.const 200)))
        (loop $l (memory.fill (i32.const 0) (i32.const 7) (i32.const 13000000)) (br $l))
        unreachable";
    let (timeout, memory) = (Fault::PluginTimeout, Fault::PluginMemory);
    let (trap, invalid) = (Fault::PluginTrap, Fault::PluginInvalidResult);
    let bad_text = Found { reason: "x", ..Found::of(0, 0, 1) };
    vec![
        ("trap", Guest::looking("unreachable"), trap),
        ("division", Guest::looking("(i32.div_u (i32.const 1) (i32.const 0))"), trap),
        (
            "no such function",
            Guest::with("(call_indirect (result i32) (i32.const 3))", "(table 4 funcref)"),
            trap,
        ),
        ("outside of memory", Guest::looking("(i32.load (i32.const -8))"), trap),
        ("recursion", Guest::with("(call $f (i32.const 0))", deep), memory),
        ("4 GiB", Guest::looking("(drop (memory.grow (i32.const 65000))) unreachable"), memory),
        ("memory, bit by bit", Guest::looking(grow), memory),
        ("table", Guest::with(table, "(table $t 1 funcref)"), memory),
        ("long list", Guest::report_of(&[("findings", 0, u32::MAX)]), invalid),
        ("large text", Guest::report_of(&[("labels", 1024, 16_000)]), invalid),
        (
            "no UTF-8",
            Guest::looking(
                "(i32.store8 (i32.add (global.get $first) (i32.const 20)) \
            (i32.const 200)) (global.get $report)",
            )
            .found(&[bad_text]),
            invalid,
        ),
        ("refusal", Guest::refusing("I will not"), Fault::PluginError),
        ("lies about a leaf", Guest::finding(&[Found::of(7, 0, 1)]), invalid),
        ("opinion that there is not", Guest::opinion(Some((9, "allow"))), invalid),
        ("no place", Guest::looking("(i32.const 1073741824)"), invalid),
        ("talk", Guest::logging(100_000_000), timeout),
        ("loop", Guest::looking(forever), timeout),
        ("copies", Guest::looking(copy), timeout),
        ("fills", Guest::looking(fill), timeout),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn each_has_its_name_and_the_next_call_works() {
    for (name, guest, fault) in behaviours() {
        let plugins = set(&[guest, Guest::finding(&[Found::of(0, 0, 1)])], |_| {});
        let began = Instant::now();
        let seen = look(&plugins, &["x"]).await;
        assert_eq!(faults(&seen), [fault], "{name}: {:?}", seen.findings);
        assert_eq!(seen.findings[0].judge, crate::domain::Judge::Plugin("p0".to_owned()));
        assert!(began.elapsed() < Duration::from_millis(500), "{name}: {:?}", began.elapsed());
        let digest = plugins.facts()[0].digest.short();
        assert!(seen.findings[0].reasons[0].text.contains(&digest), "{name}");
        let good = plugins.plugin("p1").unwrap();
        let host = plugins.0.host.as_ref().unwrap();
        let next = good.look_at(host, Phase::Answer, &[leaf("x")], &[]).unwrap();
        assert_eq!(next.spans.len(), 1, "{name}");
    }
}

/// Resident memory of this process, in KiB.
pub(super) fn resident() -> u64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = text.lines().find(|line| line.starts_with("VmRSS")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// Whether this test runs in a process of its own, as one that weighs the process must. If not, it is
/// started in one, and must be good there.
pub(super) fn is_alone(test: &str) -> bool {
    const ALONE: &str = "PORTCULLIS_TEST_ALONE";
    if std::env::var_os(ALONE).is_some() {
        return true;
    }
    let name = format!("plugin::tests::{test}");
    let ran = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", &name, "--nocapture"])
        .env(ALONE, "1")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&ran.stdout);
    print!("{said}");
    assert!(ran.status.success() && said.contains("1 passed"), "{said}\n{ran:?}");
    false
}

/// Ten thousand in a row, a looping one among each twenty: all denied, nothing grows.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_bad_calls_change_nothing() {
    if !is_alone("hostile::ten_thousand_bad_calls_change_nothing") {
        return;
    }
    let all = config::Plugins { faults: u32::MAX, ..config::Plugins::default() };
    let fast: Vec<_> =
        behaviours().into_iter().filter(|(.., fault)| *fault != Fault::PluginTimeout).collect();
    let slow: Vec<_> =
        behaviours().into_iter().filter(|(.., fault)| *fault == Fault::PluginTimeout).collect();
    let build = |(name, guest, fault): &(&'static str, Guest, Fault)| {
        // Those that end by themselves are not to be late on a machine that is busy.
        let millis = if *fault == Fault::PluginTimeout { 5 } else { 1000 };
        let set = set_of(std::slice::from_ref(guest), all.clone(), |entry| {
            entry.deadline = Duration::from_millis(millis);
        });
        (*name, set, *fault)
    };
    let (fast, slow): (Vec<_>, Vec<_>) =
        (fast.iter().map(build).collect(), slow.iter().map(build).collect());
    let mut took = Vec::new();
    let (mut before, mut late) = (0, 0);
    for number in 0..10_000 {
        let sets = if number % 20 == 19 { &slow } else { &fast };
        let (name, plugins, fault) = &sets[number / 20 % sets.len()];
        let began = Instant::now();
        let seen = look(plugins, &["x"]).await;
        took.push(began.elapsed());
        // While the look before it is still being ended, which takes a busy machine its time, a plugin
        // that looped is not asked.
        let ending = *fault == Fault::PluginTimeout && faults(&seen) == [Fault::PluginSuspended];
        assert!(ending || faults(&seen) == [*fault], "{number} {name}: {:?}", seen.findings);
        late += usize::from(faults(&seen) == [Fault::PluginTimeout]);
        if number == 500 {
            before = resident();
        }
    }
    let grown = resident().saturating_sub(before);
    took.sort();
    let (median, p99) = (took[took.len() / 2], took[took.len() * 99 / 100]);
    println!("10000 bad calls: p50 {median:?}, p99 {p99:?}, memory +{grown} KiB");
    assert!(p99 < Duration::from_millis(100), "{p99:?}");
    assert!(late > 100, "plugins that loop were asked {late} times of 500");
    assert!(grown < 32 * 1024, "{grown} KiB");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_stays_between_two_calls() {
    let plugins = set(&[Guest::counting()], |_| {});
    let (one, other) = (leaves(&["principal A's"]), leaves(&["B's"]));
    for number in 0..10_000 {
        let texts = if number % 2 == 0 { &one } else { &other };
        let seen = plugins.inspect(Phase::Answer, "", texts, &nothing()).await;
        assert_eq!(seen.spans[0].confidence, 2, "call {number}: {:?}", seen.findings);
    }
}

/// After some faults one call at a time is tried, after more nobody is asked until the pause ends.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plugin_that_keeps_failing_is_suspended() {
    let all = config::Plugins { pause: Duration::from_secs(60), ..config::Plugins::default() };
    let plugins = set_of(&[Guest::looking("unreachable")], all, |_| {});
    for _ in 0..10 {
        assert_eq!(faults(&look(&plugins, &["x"]).await), [Fault::PluginTrap]);
    }
    for _ in 0..3 {
        assert_eq!(faults(&look(&plugins, &["x"]).await), [Fault::PluginSuspended]);
    }
    let health = plugins.states()[0].health;
    assert_eq!(
        (health.calls, health.faults, health.in_a_row, health.suspended),
        (10, 10, 10, true)
    );
}

/// While one plugin burns its whole deadline for many callers, others are answered.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hostile_plugin_starves_nobody() {
    let guests = [Guest::looking("(loop $l (br $l)) unreachable"), Guest::finding(&[])];
    let number = std::sync::atomic::AtomicUsize::new(0);
    let plugins = set(&guests, |entry| {
        let tool = ["bad", "good"][number.fetch_add(1, std::sync::atomic::Ordering::SeqCst)];
        entry.tools = Some([tool.to_owned()].into());
    });
    let texts = leaves(&["x"]);
    let ask = |tool: &'static str| {
        let (plugins, texts) = (plugins.clone(), texts.clone());
        tokio::spawn(async move {
            let began = Instant::now();
            let seen = plugins.inspect(Phase::Answer, tool, &texts, &nothing()).await;
            (began.elapsed(), faults(&seen))
        })
    };
    let calls: Vec<_> = (0..200).map(|n| ask(if n % 4 == 0 { "good" } else { "bad" })).collect();
    let (mut good, mut bad) = (Vec::new(), Vec::new());
    for (number, call) in calls.into_iter().enumerate() {
        let (took, faults) = call.await.unwrap();
        if number % 4 == 0 {
            assert!(faults.is_empty(), "{faults:?}");
            good.push(took);
        } else {
            assert!(matches!(faults[..], [Fault::PluginTimeout | Fault::PluginSuspended]));
            bad.push(took);
        }
    }
    let worst = |mut all: Vec<Duration>| {
        all.sort();
        all[all.len() - 1]
    };
    let (good, bad) = (worst(good), worst(bad));
    println!("slowest good call {good:?}, slowest bad call {bad:?}");
    // A machine that does much else takes longer than the 50 ms of an idle one.
    assert!(good < Duration::from_secs(1) && bad < Duration::from_secs(1));
}

/// A plugin has its deadline in time of the processor: it is not late because the machine is busy.
#[test]
fn a_busy_machine_makes_no_plugin_late() {
    let deadline = Duration::from_millis(10);
    let plugins = set(&[Guest::looking("(loop $l (br $l)) unreachable")], |entry| {
        entry.deadline = deadline;
    });
    let (plugin, host) = (plugins.plugin("p0").unwrap(), plugins.0.host.as_ref().unwrap());
    let ended = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        let cores = std::thread::available_parallelism().unwrap().get();
        for _ in 0..cores * 3 {
            scope.spawn(|| {
                while !ended.load(std::sync::atomic::Ordering::Relaxed) {
                    std::hint::spin_loop();
                }
            });
        }
        let look = || {
            let (began, before) = (Instant::now(), crate::clock::worked());
            let seen = plugin.look_at(host, Phase::Answer, &[leaf("x")], &[]);
            (seen.map(|_| ()), crate::clock::worked() - before, began.elapsed())
        };
        let looks: Vec<_> = (0..5).map(|_| look()).collect();
        // Whatever they were: the scope waits for the others.
        ended.store(true, std::sync::atomic::Ordering::Relaxed);
        for (seen, worked, waited) in looks {
            assert_eq!(seen.unwrap_err().fault, Fault::PluginTimeout);
            assert!(
                worked >= deadline || waited >= plugin.bounds.patience(),
                "{worked:?} of {deadline:?} in {waited:?}"
            );
        }
    });
}
