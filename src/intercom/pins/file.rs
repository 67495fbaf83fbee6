//! `pins.json`: the pins at rest.
//!
//! One readable JSON file, sorted by tool, that holds whole definitions as they came, so that it
//! can be compared and kept under version control. Written to a temporary file, synced, renamed,
//! and the folder synced: a crash leaves the old file or the new one. Readable by its owner only.
//! What is read is checked against the digests in it: a hand that edits a definition must go
//! through `portcullis tools pin`.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::MAX_TOOLS;
use super::book::{Book, Kept, Offered};
use super::pinned::{How, PinnedTool};
use crate::domain::{Digest, JsonText, Timestamp};
use crate::intercom::definition::ToolDefinition;
use crate::mcp::json::{self, Limits};

/// The version of the file's form.
const VERSION: u32 = 1;
/// Largest file that is read.
const MAX_BYTES: usize = 64 * 1024 * 1024;

/// Why pins could not be read or changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PinsError {
    /// The file or its folder.
    #[error("cannot {act} `{}`", path.display())]
    Io {
        /// What was tried.
        act: &'static str,
        /// On which path.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The file was there and is not any more. Taking that for first contact would trust anything.
    #[error(
        "`{}` was removed; the pins in memory stay in force: restore the file, or start Portcullis \
         again to trust what the upstream then offers",
        path.display()
    )]
    Gone {
        /// Which file.
        path: PathBuf,
    },
    /// Not the form that this version writes.
    #[error("`{}` is not a file of pins: {fault}", path.display())]
    Form {
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        fault: String,
    },
    /// A definition does not have the digest written beside it.
    #[error(
        "`{}` was edited: the definition of `{tool}` does not have the digest beside it; \
         restore the file, or remove the tool from it and run `portcullis tools pin {tool}`",
        path.display()
    )]
    Edited {
        /// Which file.
        path: PathBuf,
        /// Which tool.
        tool: String,
    },
    /// The listing is over the bound.
    #[error("the upstream lists {count} tools, over the limit of {MAX_TOOLS}")]
    TooMany {
        /// How many.
        count: usize,
    },
    /// No such tool.
    #[error("the upstream has not offered a tool `{tool}`; see `portcullis tools list`")]
    Unknown {
        /// Its name.
        tool: String,
    },
    /// The tool is as pinned.
    #[error("`{tool}` is pinned as the upstream offers it: there is nothing to pin")]
    NothingOffered {
        /// Its name.
        tool: String,
    },
    /// The upstream offers something else by now.
    #[error(
        "`{tool}` changed again: {reviewed} was reviewed, {offered} is offered; \
         look at `portcullis tools diff {tool}` first"
    )]
    NotReviewed {
        /// Its name.
        tool: String,
        /// What was looked at.
        reviewed: String,
        /// What is offered.
        offered: String,
    },
    /// Two definitions under one name.
    #[error("the upstream lists `{tool}` more than once, so none of them can be pinned")]
    Repeated {
        /// Its name.
        tool: String,
    },
    /// The definition could never be called.
    #[error("`{tool}` cannot be used: {fault}")]
    Unusable {
        /// Its name.
        tool: String,
        /// Why.
        fault: String,
    },
}

/// Where the pins lie.
#[derive(Debug)]
pub(super) struct PinsFile {
    path: PathBuf,
}

/// Held while the file is changed; released on drop.
#[derive(Debug)]
pub(super) struct Lock(#[expect(dead_code, reason = "held, never read")] File);

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Form {
    version: u32,
    tools: BTreeMap<String, ToolForm>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ToolForm {
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    absent: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pinned: Option<PinnedForm>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    offered: Option<OfferedForm>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PinnedForm {
    digest: Digest,
    at: Timestamp,
    how: How,
    definition: Box<RawValue>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct OfferedForm {
    digest: Digest,
    at: Timestamp,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    repeated: bool,
    definition: Box<RawValue>,
}

impl PinsFile {
    pub(super) const fn new(path: PathBuf) -> Self {
        Self { path }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The book at rest; an absent file is an empty book.
    pub(super) fn read(&self) -> Result<Book, PinsError> {
        match self.bytes()? {
            Some(bytes) => self.parse(bytes),
            None => Ok(Book::default()),
        }
    }

    /// The book at rest, if it is not the one that `known` was read from or written as. A file that
    /// is gone is no change but an error: only a process that never saw one may begin anew.
    pub(super) fn read_if_changed(&self, known: &Book) -> Result<Option<Book>, PinsError> {
        let bytes = self.bytes()?;
        if bytes.as_deref().map(digest) == known.on_disk {
            return Ok(None);
        }
        match bytes {
            Some(bytes) => self.parse(bytes).map(Some),
            None => Err(PinsError::Gone { path: self.path.clone() }),
        }
    }

    /// Keeps other processes from changing the file until the lock is dropped.
    pub(super) fn lock(&self) -> Result<Lock, PinsError> {
        let path = self.path.with_extension("lock");
        let lock = || -> io::Result<File> {
            let file = OpenOptions::new().create(true).append(true).mode(0o600).open(&path)?;
            file.lock()?;
            Ok(file)
        };
        lock().map(Lock).map_err(|source| PinsError::Io { act: "lock", path: path.clone(), source })
    }

    /// Puts `book` on disk, whole and durable.
    pub(super) fn write(&self, book: &mut Book) -> Result<(), PinsError> {
        let form = Form {
            version: VERSION,
            tools: book.tools().map(|(name, kept)| (name.clone(), ToolForm::of(kept))).collect(),
        };
        let mut text = serde_json::to_vec_pretty(&form).map_err(|error| self.form(error))?;
        text.push(b'\n');
        let temporary = self.path.with_extension("json.new");
        let wrong = |act, path: &Path| {
            let path = path.to_owned();
            move |source| PinsError::Io { act, path, source }
        };
        // A left-over of a crash may have other permissions.
        match fs::remove_file(&temporary) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(wrong("remove", &temporary)(error));
            }
            _ => {}
        }
        let write = || -> io::Result<()> {
            let mut file =
                OpenOptions::new().write(true).create_new(true).mode(0o600).open(&temporary)?;
            file.write_all(&text)?;
            file.sync_all()
        };
        write().map_err(wrong("write", &temporary))?;
        fs::rename(&temporary, &self.path).map_err(wrong("replace", &self.path))?;
        let folder = self.path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let folder = folder.unwrap_or(Path::new("."));
        File::open(folder).and_then(|it| it.sync_all()).map_err(wrong("sync", folder))?;
        book.on_disk = Some(digest(&text));
        Ok(())
    }

    fn bytes(&self) -> Result<Option<Vec<u8>>, PinsError> {
        match fs::read(&self.path) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(PinsError::Io { act: "read", path: self.path.clone(), source }),
        }
    }

    fn parse(&self, bytes: Vec<u8>) -> Result<Book, PinsError> {
        let on_disk = digest(&bytes);
        // Read strictly first: the definitions inside become texts that nobody reads again.
        let limits = Limits { max_bytes: MAX_BYTES, ..Limits::default() };
        let document = json::read(Bytes::from(bytes), &limits).map_err(|error| self.form(error))?;
        let form: Form =
            serde_json::from_str(document.text().as_str()).map_err(|error| self.form(error))?;
        if form.version != VERSION {
            return Err(self.form(format!("version {} is not {VERSION}", form.version)));
        }
        let tools = form.tools.into_iter().map(|(name, tool)| {
            let kept = self.tool(&name, tool)?;
            Ok((name, kept))
        });
        Ok(Book::of(tools.collect::<Result<_, PinsError>>()?, on_disk))
    }

    fn tool(&self, name: &str, form: ToolForm) -> Result<Kept, PinsError> {
        let edited = || PinsError::Edited { path: self.path.clone(), tool: super::named(name) };
        let read = |text: &RawValue, digest: Digest| {
            let text = JsonText::from_valid(Bytes::copy_from_slice(text.get().as_bytes()));
            let definition = ToolDefinition::read(&text).ok();
            definition.filter(|it| it.digest == digest && it.name == name).ok_or_else(edited)
        };
        let pinned = form.pinned.map(|it| -> Result<_, PinsError> {
            let definition = read(&it.definition, it.digest)?;
            Ok(Arc::new(PinnedTool::new(definition, it.at, it.how)))
        });
        let offered = form.offered.map(|it| -> Result<_, PinsError> {
            let definition = read(&it.definition, it.digest)?;
            Ok(Arc::new(Offered { definition, at: it.at, repeated: it.repeated }))
        });
        if pinned.is_none() && offered.is_none() {
            return Err(self.form(format!("`{}` has no definition", super::named(name))));
        }
        let (pinned, offered) = (pinned.transpose()?, offered.transpose()?);
        Ok(Kept { pinned, offered, absent: form.absent })
    }

    fn form(&self, fault: impl std::fmt::Display) -> PinsError {
        PinsError::Form { path: self.path.clone(), fault: fault.to_string() }
    }
}

impl ToolForm {
    fn of(kept: &Kept) -> Self {
        let pinned = kept.pinned().and_then(|it| {
            let definition = raw(&it.definition)?;
            Some(PinnedForm { digest: it.definition.digest, at: it.at, how: it.how, definition })
        });
        let offered = kept.offered().and_then(|it| {
            let (digest, definition) = (it.definition.digest, raw(&it.definition)?);
            Some(OfferedForm { digest, at: it.at, repeated: it.repeated, definition })
        });
        Self { absent: kept.absent, pinned, offered }
    }
}

/// The definition's text as a value to be written as it is. A definition is valid JSON always.
fn raw(definition: &ToolDefinition) -> Option<Box<RawValue>> {
    RawValue::from_string(definition.text.as_str().to_owned()).ok()
}

fn digest(bytes: &[u8]) -> Digest {
    Digest::of("portcullis/pins/v1", &[bytes])
}
