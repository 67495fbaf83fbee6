//! The commands' side of the socket.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::UnixStream;

use super::{Answer, Question, SOCKET};
use crate::domain::JsonText;

/// How long a command waits for an answer: Intercom may have to be asked.
const PATIENCE: Duration = Duration::from_secs(60);

/// Why the server could not be asked.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// No server runs on this data folder.
    #[error("no Portcullis runs on `{}`; start it with `portcullis serve`", .0.display())]
    NotRunning(PathBuf),
    /// The conversation failed.
    #[error("the running Portcullis did not answer: {0}")]
    Io(#[from] io::Error),
    /// It answered something else.
    #[error("the running Portcullis answered what this version does not understand: {0}")]
    Format(#[from] serde_json::Error),
    /// It refused.
    #[error("{0}")]
    Refused(String),
}

/// Whether a server runs on a data folder.
pub async fn is_running(data: &Path) -> bool {
    UnixStream::connect(data.join(SOCKET)).await.is_ok()
}

/// Asks the server that runs on a data folder.
///
/// # Errors
/// If none runs, it does not answer, or it refuses.
pub async fn ask(data: &Path, question: &Question) -> Result<Answer, ControlError> {
    let stream = UnixStream::connect(data.join(SOCKET))
        .await
        .map_err(|_| ControlError::NotRunning(data.to_owned()))?;
    let (reader, mut writer) = stream.into_split();
    let mut line = JsonText::of(question).bytes().to_vec();
    line.push(b'\n');
    writer.write_all(&line).await?;
    let mut answer = String::new();
    let mut reader = BufReader::new(reader);
    let read = reader.read_line(&mut answer);
    tokio::time::timeout(PATIENCE, read)
        .await
        .map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
    match serde_json::from_str(&answer)? {
        Answer::Error { text } => Err(ControlError::Refused(text)),
        answer => Ok(answer),
    }
}
