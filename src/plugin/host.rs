//! The engine that plugins run on: what of wasm is switched on, what a plugin may import, and the
//! clock that interrupts it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use wasmtime::component::Linker;
use wasmtime::{Config, Engine};

use super::contract::portcullis::plugin::log::{self, Level};
use super::guest::Guest;

/// How often running plugins are looked at by the clock. A deadline is kept to within two of these.
pub(super) const TICK: Duration = Duration::from_millis(2);
/// Without a call for so many ticks, the clock's thread sleeps.
const IDLE_TICKS: u32 = 500;
/// What a plugin's code may use of the stack. Threads have four times as much.
const STACK: usize = 512 * 1024;

/// One engine for all plugins of a process. Cloning shares it.
#[derive(Clone)]
pub struct Host {
    pub(super) engine: Engine,
    pub(super) linker: Arc<Linker<Guest>>,
    clock: Arc<Clock>,
}

/// The engine cannot work on this machine.
#[derive(Debug, thiserror::Error)]
#[error("the wasm engine cannot be used: {0}")]
pub struct HostError(String);

impl HostError {
    pub(super) fn new(error: impl std::fmt::Display) -> Self {
        Self(error.to_string())
    }
}

impl Host {
    /// Starts the engine and its clock.
    ///
    /// # Errors
    /// If the machine or the system does not allow it.
    pub fn start() -> Result<Self, HostError> {
        let engine = Engine::new(&config()).map_err(|error| HostError(format!("{error:#}")))?;
        let mut linker = Linker::new(&engine);
        log::add_to_linker::<_, Guest>(&mut linker, |guest| guest)
            .map_err(|error| HostError(format!("{error:#}")))?;
        let clock = Clock::start(engine.clone()).map_err(HostError::new)?;
        Ok(Self { engine, linker: Arc::new(linker), clock: Arc::new(clock) })
    }

    /// Keeps the clock awake while something runs.
    pub(super) fn running(&self) -> Running<'_> {
        self.clock.wake()
    }
}

impl std::fmt::Debug for Host {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Host")
    }
}

/// The bounds that are compiled in are those of the language; what a call may use comes with the
/// call.
fn config() -> Config {
    let mut config = Config::new();
    config
        .wasm_component_model(true)
        .epoch_interruption(true)
        .max_wasm_stack(STACK)
        .wasm_tail_call(false)
        .wasm_relaxed_simd(false)
        .wasm_simd(false)
        .wasm_memory64(false)
        .wasm_multi_memory(false)
        .wasm_wide_arithmetic(false)
        .wasm_custom_page_sizes(false)
        // Nobody walks through a guest's frames; what broke is told by the trap's code.
        .wasm_backtrace_max_frames(None)
        .native_unwind_info(false)
        .generate_address_map(false);
    config
}

impl log::Host for Guest {
    fn write(&mut self, level: Level, text: String) -> wasmtime::Result<()> {
        self.log(level, &text);
        Ok(())
    }
}

/// A thread that advances the engine's epoch while plugins run.
struct Clock {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    running: AtomicUsize,
    state: AtomicUsize,
}

/// The clock's thread ticks.
const AWAKE: usize = 0;
/// It sleeps until somebody wakes it.
const ASLEEP: usize = 1;
/// It is to end.
const ENDED: usize = 2;

impl Clock {
    fn start(engine: Engine) -> std::io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let ticking = shared.clone();
        let thread = std::thread::Builder::new()
            .name("plugin-clock".to_owned())
            .spawn(move || tick(&engine, &ticking))?;
        Ok(Self { shared, thread: Some(thread) })
    }

    fn wake(&self) -> Running<'_> {
        self.shared.running.fetch_add(1, Ordering::SeqCst);
        let woken =
            self.shared.state.compare_exchange(ASLEEP, AWAKE, Ordering::SeqCst, Ordering::SeqCst);
        if let (Ok(_), Some(thread)) = (woken, &self.thread) {
            thread.thread().unpark();
        }
        Running(&self.shared)
    }
}

/// While it lives, the clock ticks.
pub(super) struct Running<'a>(&'a Shared);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Drop for Clock {
    fn drop(&mut self) {
        self.shared.state.store(ENDED, Ordering::SeqCst);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            let _ = thread.join();
        }
    }
}

fn tick(engine: &Engine, shared: &Shared) {
    let mut idle = 0;
    loop {
        std::thread::sleep(TICK);
        engine.increment_epoch();
        idle = if shared.running.load(Ordering::SeqCst) == 0 { idle + 1 } else { 0 };
        if idle >= IDLE_TICKS {
            let slept =
                shared.state.compare_exchange(AWAKE, ASLEEP, Ordering::SeqCst, Ordering::SeqCst);
            // Whoever began in between saw an awake clock, so it must not sleep now.
            let nobody = shared.running.load(Ordering::SeqCst) == 0;
            while slept.is_ok() && nobody && shared.state.load(Ordering::SeqCst) == ASLEEP {
                std::thread::park();
            }
            let _ =
                shared.state.compare_exchange(ASLEEP, AWAKE, Ordering::SeqCst, Ordering::SeqCst);
            idle = 0;
        }
        if shared.state.load(Ordering::SeqCst) == ENDED {
            return;
        }
    }
}
