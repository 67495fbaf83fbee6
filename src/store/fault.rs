//! The one place where tests make the machine fail: at the boundary to the file system.
//!
//! In the product this is an empty type whose checks vanish. In tests it fails or blocks the Nth
//! operation of a kind, because a disk that returns an error from `fdatasync` cannot be had
//! otherwise. Nothing of our own is replaced.

use std::io;

/// What is about to happen to a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operation {
    Create,
    Write,
    Sync,
    IndexWrite,
    IndexSync,
}

/// The plan of failures: none, outside tests.
#[derive(Debug, Clone, Default)]
pub(crate) struct Faults {
    #[cfg(test)]
    plan: std::sync::Arc<std::sync::Mutex<Option<Plan>>>,
}

impl Faults {
    /// Called before each operation of the writer.
    #[cfg(not(test))]
    #[expect(clippy::unused_self, clippy::unnecessary_wraps, reason = "the tests' form has both")]
    pub(crate) const fn check(&self, _: Operation) -> io::Result<()> {
        Ok(())
    }

    /// Called before each operation of the writer.
    #[cfg(test)]
    pub(crate) fn check(&self, operation: Operation) -> io::Result<()> {
        let mut plan = self.plan.lock().unwrap();
        let Some(due) = plan.as_mut().filter(|plan| plan.operation == operation) else {
            return Ok(());
        };
        if due.after > 0 {
            due.after -= 1;
            return Ok(());
        }
        let failure = plan.take().map(|plan| plan.failure);
        drop(plan);
        match failure {
            Some(Failure::Error(kind)) => Err(io::Error::new(kind, "injected")),
            Some(Failure::Block(until)) => until.recv().map_or(Ok(()), |()| Ok(())),
            None => Ok(()),
        }
    }

    /// Fails the operation that follows `after` others of its kind.
    #[cfg(test)]
    pub(crate) fn plan(&self, operation: Operation, after: usize, failure: Failure) {
        *self.plan.lock().unwrap() = Some(Plan { operation, after, failure });
    }
}

#[cfg(test)]
#[derive(Debug)]
struct Plan {
    operation: Operation,
    after: usize,
    failure: Failure,
}

/// How it fails.
#[cfg(test)]
#[derive(Debug)]
pub(crate) enum Failure {
    Error(io::ErrorKind),
    /// Hangs until the other end is dropped or sends.
    Block(std::sync::mpsc::Receiver<()>),
}
