//! What the host keeps of one call: the bounds of its memory and what it wrote to the log.

use std::sync::Arc;

use wasmtime::ResourceLimiter;
use wasmtime::component::HasData;

use super::contract::portcullis::plugin::log::Level;
use crate::domain::is_hidden;

/// Lines of the log that one call may write; what is more is counted.
const LINES: usize = 16;
/// Characters of a line.
const LINE_CHARS: usize = 300;
/// Elements of all tables together.
const TABLE_ELEMENTS: usize = 40_000;
/// Tables, memories and core instances of one component: languages that link several modules into
/// one component need some.
const TABLES: usize = 16;
const MEMORIES: usize = 4;
const INSTANCES: usize = 64;

/// The store's data.
pub(super) struct Guest {
    plugin: Arc<str>,
    /// Bytes that its memories may still grow.
    memory_left: usize,
    table_left: usize,
    lines: usize,
    /// Where lines are kept for whoever tries a plugin out.
    kept: Option<Vec<String>>,
}

/// A guest wanted more than it may have.
#[derive(Debug, thiserror::Error)]
#[error("it wanted more {0} than it may have")]
pub(super) struct OverBound(&'static str);

impl Guest {
    pub(super) const fn new(plugin: Arc<str>, memory: usize) -> Self {
        Self { plugin, memory_left: memory, table_left: TABLE_ELEMENTS, lines: 0, kept: None }
    }

    /// One whose lines are kept.
    pub(super) fn keeping(mut self) -> Self {
        self.kept = Some(Vec::new());
        self
    }

    /// The lines that were kept.
    pub(super) fn into_lines(self) -> Vec<String> {
        self.kept.unwrap_or_default()
    }

    /// How many lines it wrote that nobody sees.
    pub(super) const fn lines_lost(&self) -> usize {
        self.lines.saturating_sub(LINES)
    }

    /// A line of a plugin may hold words of customers, so it is only for whoever looks for faults:
    /// never above the level `debug`, and marked as what it is.
    pub(super) fn log(&mut self, level: Level, text: &str) {
        self.lines += 1;
        let shown = tracing::enabled!(target: "portcullis::plugin", tracing::Level::DEBUG);
        if self.lines > LINES || !(shown || self.kept.is_some()) {
            return;
        }
        let said = match level {
            Level::Debug => "debug",
            Level::Info => "info",
            Level::Warn => "warn",
            Level::Error => "error",
        };
        let untrusted: String =
            text.chars().filter(|it| !is_hidden(*it)).take(LINE_CHARS).collect();
        tracing::debug!(target: "portcullis::plugin", plugin = &*self.plugin, said, untrusted);
        if let Some(kept) = &mut self.kept {
            kept.push(format!("{said}: {untrusted}"));
        }
    }
}

impl HasData for Guest {
    type Data<'a> = &'a mut Self;
}

impl ResourceLimiter for Guest {
    /// Counts over all memories. An error ends the guest, where `false` would only tell it.
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        take(&mut self.memory_left, current, desired, "memory")
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        take(&mut self.table_left, current, desired, "room in tables")
    }

    fn instances(&self) -> usize {
        INSTANCES
    }

    fn tables(&self) -> usize {
        TABLES
    }

    fn memories(&self) -> usize {
        MEMORIES
    }
}

fn take(
    left: &mut usize,
    current: usize,
    desired: usize,
    what: &'static str,
) -> wasmtime::Result<bool> {
    let more = desired.saturating_sub(current);
    *left = left.checked_sub(more).ok_or(OverBound(what))?;
    Ok(true)
}
