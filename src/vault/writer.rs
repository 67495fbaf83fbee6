//! What writes the vault's file, a little behind.
//!
//! One thread owns the file. It gathers what is new for a moment, seals it as one frame, and writes the
//! file anew when most of it is about what is known better or forgotten by now. If it cannot keep up, or
//! the disk refuses, something is lost that a restart would have known: said once, and mended by writing
//! everything anew.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError, SyncSender};
use std::thread::JoinHandle;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;
use zeroize::Zeroizing;

use super::entry::Entry;
use super::file::VaultFile;
use super::keys::Mark;
use super::{Shelves, VaultError, lock};
use crate::domain::PrincipalId;

/// How long new values are gathered.
const GATHER: Duration = Duration::from_millis(200);
/// The bytes of one frame after which it is written.
const FRAME_BYTES: usize = 256 * 1024;
/// The bytes below which the file is never written anew.
const SMALL: u64 = 1 << 20;
/// About as much as an entry takes in the file.
const BYTES_OF_AN_ENTRY: u64 = 400;
/// How many payloads may wait.
const QUEUE: usize = 1024;

/// A line of a frame: an entry in JSON, sealed as soon as it leaves memory.
pub(super) struct Note(Zeroizing<Vec<u8>>);

#[derive(Serialize)]
struct Kept<'a> {
    w: &'a PrincipalId,
    e: &'a Entry,
}

/// Suffixes of a principal that must not come to mean somebody else.
#[derive(Serialize, Deserialize)]
struct Spent {
    w: PrincipalId,
    x: Vec<(String, Mark)>,
}

#[derive(Deserialize)]
struct Read {
    w: PrincipalId,
    e: Option<Entry>,
    x: Option<Vec<(String, Mark)>>,
}

impl Note {
    pub(super) fn of(who: &PrincipalId, entry: &Entry) -> Option<Self> {
        line(&Kept { w: who, e: entry }).map(Self)
    }
}

fn line<T: Serialize>(value: &T) -> Option<Zeroizing<Vec<u8>>> {
    let mut line = Zeroizing::new(Vec::with_capacity(512));
    serde_json::to_writer(&mut *line, value).ok()?;
    line.push(b'\n');
    Some(line)
}

enum Order {
    Keep(Vec<Note>),
    Flush(oneshot::Sender<bool>),
}

/// The way to the thread. Dropping it writes what waits and ends it.
pub(super) struct Writer {
    orders: Option<SyncSender<Order>>,
    /// Something was lost on the way, so everything is to be written anew.
    lost: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    /// Opens the file, puts what it holds on the shelves, and starts the thread.
    pub(super) fn open(
        folder: &Path,
        shelves: &Arc<Shelves>,
        now: i64,
    ) -> Result<Self, VaultError> {
        let (file, frames, cut) = VaultFile::open(folder, &shelves.keys.seal)?;
        if cut > 0 {
            tracing::warn!(bytes = cut, "the end of the vault's file was cut by a crash; dropped");
        }
        for frame in frames {
            take_up(shelves, &frame);
        }
        shelves.settle(now);
        let (orders, taken) = mpsc::sync_channel(QUEUE);
        let lost = Arc::new(AtomicBool::new(false));
        let live = shelves.values.load(Ordering::Relaxed) as u64 * BYTES_OF_AN_ENTRY;
        let dense = live.min(file.bytes());
        let shelves = shelves.clone();
        let mut work = Work { file, shelves, lost: lost.clone(), failed: false, dense };
        let path = folder.to_owned();
        let thread = std::thread::Builder::new()
            .name("vault".to_owned())
            .spawn(move || work.run(&taken))
            .map_err(|source| VaultError::Io { path, source })?;
        Ok(Self { orders: Some(orders), lost, thread: Some(thread) })
    }

    /// Hands over what is new. Never waits.
    pub(super) fn keep(&self, notes: Vec<Note>) {
        let sent = self.orders.as_ref().map(|orders| orders.try_send(Order::Keep(notes)));
        if !matches!(sent, Some(Ok(()))) {
            self.lost.store(true, Ordering::Relaxed);
        }
    }

    /// Waits until all that was handed over is with the system; whether it is.
    pub(super) async fn flushed(&self) -> bool {
        let (done, outcome) = oneshot::channel();
        let Some(orders) = self.orders.clone() else { return false };
        // The queue may be full for a moment; that must not stop the reactor.
        let sent = tokio::task::spawn_blocking(move || orders.send(Order::Flush(done)).is_ok());
        sent.await.unwrap_or(false) && outcome.await.unwrap_or(false)
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        drop(self.orders.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Puts what a frame holds on the shelves. What a later version wrote in a form that is not known here
/// is left out: it is found again when it is seen again.
fn take_up(shelves: &Shelves, frame: &[u8]) {
    for line in frame.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        let Ok(read) = serde_json::from_slice::<Read>(line) else { continue };
        let shelf = shelves.shelf(&read.w);
        let mut shelf = lock(&shelf);
        if let Some(mut entry) = read.e {
            entry.kept = entry.seen;
            shelf.restore(entry);
        }
        shelf.restore_spent(read.x.unwrap_or_default());
    }
}

struct Work {
    file: VaultFile,
    shelves: Arc<Shelves>,
    lost: Arc<AtomicBool>,
    failed: bool,
    /// The bytes of the file when it was last written anew, about.
    dense: u64,
}

impl Work {
    fn run(&mut self, orders: &mpsc::Receiver<Order>) {
        let mut frame = Zeroizing::new(Vec::new());
        let mut waiting: Vec<oneshot::Sender<bool>> = Vec::new();
        let mut is_open = true;
        while is_open {
            match if frame.is_empty() {
                orders.recv().map_err(|_| RecvTimeoutError::Disconnected)
            } else {
                orders.recv_timeout(GATHER)
            } {
                Ok(Order::Keep(notes)) => {
                    notes.iter().for_each(|note| frame.extend_from_slice(&note.0));
                    if frame.len() < FRAME_BYTES {
                        continue;
                    }
                }
                Ok(Order::Flush(done)) => waiting.push(done),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => is_open = false,
            }
            let written = self.write(&mut frame, orders, &mut waiting);
            waiting.drain(..).for_each(|done| {
                let _ = done.send(written);
            });
        }
        if let Err(error) = self.file.sync() {
            tracing::error!(%error, "the vault's file was not synced");
        }
    }

    /// Writes what was gathered; whether all that there is to know is in the file.
    fn write(
        &mut self,
        frame: &mut Zeroizing<Vec<u8>>,
        orders: &mpsc::Receiver<Order>,
        waiting: &mut Vec<oneshot::Sender<bool>>,
    ) -> bool {
        let mut outcome = Ok(());
        for piece in pieces(frame) {
            outcome = outcome.and_then(|()| self.file.append(piece));
        }
        *frame = Zeroizing::new(Vec::new());
        let lost = self.lost.swap(false, Ordering::Relaxed);
        if outcome.is_err() || lost || self.is_stale() {
            // What still waits is on the shelves already: behind what is written now it would be old.
            let flushes = orders.try_iter().filter_map(|order| match order {
                Order::Flush(done) => Some(done),
                Order::Keep(_) => None,
            });
            waiting.extend(flushes);
            outcome = self.rewrite();
        }
        match &outcome {
            Ok(()) => self.failed = false,
            Err(error) if !self.failed => {
                self.failed = true;
                tracing::error!(%error, "pseudonyms are not kept; a restart will not know new ones");
            }
            Err(_) => {}
        }
        if outcome.is_err() {
            self.lost.store(true, Ordering::Relaxed);
        }
        outcome.is_ok()
    }

    /// Whether most of the file is about what is known better or forgotten.
    fn is_stale(&self) -> bool {
        self.file.bytes() > SMALL && self.file.bytes() / 4 > self.dense
    }

    fn rewrite(&mut self) -> Result<(), VaultError> {
        let mut frames = Vec::new();
        let mut frame = Zeroizing::new(Vec::new());
        for (who, shelf) in self.shelves.each() {
            let shelf = lock(&shelf);
            let spent = shelf.spent();
            let spent = (!spent.is_empty()).then(|| line(&Spent { w: who.clone(), x: spent }));
            let entries = shelf.entries().map(|entry| line(&Kept { w: &who, e: entry }));
            for line in spent.into_iter().chain(entries).flatten() {
                frame.extend_from_slice(&line);
                if frame.len() >= FRAME_BYTES {
                    frames.push(std::mem::take(&mut frame));
                }
            }
        }
        if !frame.is_empty() {
            frames.push(frame);
        }
        self.file.rewrite(frames.into_iter())?;
        self.dense = self.file.bytes();
        Ok(())
    }
}

/// A gathered frame in pieces of whole lines, none of which is too long to be one.
fn pieces(frame: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = frame;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let wanted = rest.len().min(FRAME_BYTES);
        let tail = rest.get(wanted..).unwrap_or_default();
        let end =
            tail.iter().position(|byte| *byte == b'\n').map_or(rest.len(), |at| wanted + at + 1);
        let (piece, behind) = rest.split_at(end.min(rest.len()));
        rest = behind;
        Some(piece)
    })
}
