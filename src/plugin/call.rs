//! One call of a plugin: a fresh instance under its bounds, and a name for each way to fail.

use std::time::{Duration, Instant};

use wasmtime::{Store, Trap, UpdateDeadline};

use super::contract::PluginPre;
use super::contract::exports::portcullis::plugin::inspector::{Description, Document, Report};
use super::guest::{Guest, OverBound};
use super::host::{Host, TICK};
use crate::clock;
use crate::domain::Fault;

/// Bytes that a report may have when it is copied out of the guest.
const REPORT_BYTES: usize = 4 << 20;

/// The shortest time after which nobody waits for a plugin any more.
const PATIENCE: Duration = Duration::from_millis(300);

/// What one call of a plugin may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Bytes of its memories together.
    pub memory: usize,
    /// How long it may work, in time of the processor.
    pub deadline: Duration,
}

impl Bounds {
    /// How long anybody waits for it, by the clock. A machine that does much else gives a plugin
    /// its time of the processor only bit by bit; one that gives it none is not waited for.
    pub(super) fn patience(&self) -> Duration {
        (self.deadline * 2).max(PATIENCE)
    }
}

impl Default for Bounds {
    fn default() -> Self {
        Self { memory: 16 << 20, deadline: Duration::from_millis(50) }
    }
}

/// Why a call gave nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Which sort.
    pub fault: Fault,
    /// In words, without anything of what was looked at.
    pub text: String,
}

impl Failure {
    pub(super) fn new(fault: Fault, text: impl Into<String>) -> Self {
        Self { fault, text: text.into() }
    }

    /// The name of the rule in records.
    pub(super) const fn rule(&self) -> &'static str {
        match self.fault {
            Fault::PluginTimeout => "plugin.timeout",
            Fault::PluginMemory => "plugin.memory",
            Fault::PluginInvalidResult => "plugin.invalid_result",
            Fault::PluginError => "plugin.error",
            Fault::PluginSuspended => "plugin.suspended",
            Fault::PluginInputTooLarge => "plugin.input_too_large",
            Fault::PluginAbsent => "plugin.absent",
            _ => "plugin.trap",
        }
    }
}

/// Asks a component what it is.
pub(super) fn describe(
    host: &Host,
    pre: &PluginPre<Guest>,
    bounds: &Bounds,
) -> Result<Description, Failure> {
    let _running = host.running();
    let mut store = store(host, Guest::new("new".into(), bounds.memory), bounds);
    let said = pre
        .instantiate(&mut store)
        .and_then(|instance| instance.portcullis_plugin_inspector().call_describe(&mut store));
    said.map_err(|error| failure(&error))
}

/// What one call of a component gave.
pub(super) struct Looked {
    /// Its report, its own word that it could not look, or how it broke.
    pub(super) report: Result<Result<Report, String>, Failure>,
    /// What it wrote to the log.
    pub(super) guest: Guest,
}

/// Lets a component look at a document.
pub(super) fn inspect(
    host: &Host,
    pre: &PluginPre<Guest>,
    guest: Guest,
    bounds: &Bounds,
    document: Document<'_>,
    config: &str,
) -> Looked {
    let _running = host.running();
    let mut store = store(host, guest, bounds);
    let report = pre.instantiate(&mut store).and_then(|instance| {
        instance.portcullis_plugin_inspector().call_inspect(&mut store, document, config)
    });
    Looked { report: report.map_err(|error| failure(&error)), guest: store.into_data() }
}

fn store(host: &Host, guest: Guest, bounds: &Bounds) -> Store<Guest> {
    let mut store = Store::new(&host.engine, guest);
    store.limiter(|guest| guest);
    store.set_hostcall_fuel(REPORT_BYTES);
    // The first tick may come at once.
    store.set_epoch_deadline(ticks(bounds.deadline).saturating_add(1));
    let (before, began, bounds) = (clock::worked(), Instant::now(), *bounds);
    store.epoch_deadline_callback(move |_| {
        let left = bounds.deadline.saturating_sub(clock::worked().saturating_sub(before));
        let is_over = left.is_zero() || began.elapsed() >= bounds.patience();
        Ok(if is_over { UpdateDeadline::Interrupt } else { UpdateDeadline::Continue(ticks(left)) })
    });
    store
}

/// How many ticks of the clock are so long.
fn ticks(time: Duration) -> u64 {
    u64::try_from(time.as_micros().div_ceil(TICK.as_micros())).unwrap_or(u64::MAX >> 1)
}

/// What an error of the engine means. Its words are about memory and types, never about texts.
fn failure(error: &wasmtime::Error) -> Failure {
    if let Some(over) = error.downcast_ref::<OverBound>() {
        return Failure::new(Fault::PluginMemory, over.to_string());
    }
    match error.downcast_ref::<Trap>() {
        Some(Trap::Interrupt) => Failure::new(Fault::PluginTimeout, "it took longer than it may"),
        Some(Trap::StackOverflow) => {
            Failure::new(Fault::PluginMemory, "it wanted more stack than it may have")
        }
        Some(Trap::AllocationTooLarge) => {
            Failure::new(Fault::PluginMemory, "it wanted more memory than it may have")
        }
        Some(trap) => Failure::new(Fault::PluginTrap, trap.to_string()),
        None => {
            let text = super::component::words(&error.root_cause().to_string());
            Failure::new(Fault::PluginInvalidResult, format!("its answer cannot be read: {text}"))
        }
    }
}
