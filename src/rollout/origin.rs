//! Where bundles come from: what is built in, a folder, a file, or a server.

use crate::config::PolicyOrigin;
use crate::policy::{Bundle, Fingerprint, LoadErrors, Source};
use crate::upstream::{BundleServer, FetchError, Fetched};

/// Why a source gave no bundle.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// What is there is no bundle.
    #[error(transparent)]
    Bundle(#[from] LoadErrors),
    /// The server.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// The reader's thread was lost.
    #[error("the bundle was not read: {0}")]
    Lost(String),
}

/// The source that configuration names.
pub(super) struct Origin {
    /// As people are told.
    pub(super) shown: String,
    place: Place,
}

enum Place {
    Disk(Source),
    Server(Box<BundleServer>),
}

/// How a source looked when it was read, so that it need not be read again.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Look {
    files: Option<Fingerprint>,
    etag: Option<String>,
}

impl Origin {
    pub(super) fn new(origin: &PolicyOrigin) -> std::io::Result<Self> {
        let place = match origin {
            PolicyOrigin::Server(server) => Place::Server(Box::new(BundleServer::new(server)?)),
            PolicyOrigin::Shipped => Place::Disk(Source::Shipped),
            PolicyOrigin::Folder(path) => Place::Disk(Source::Folder(path.clone())),
            PolicyOrigin::Bundle(path) => Place::Disk(Source::Archive(path.clone())),
        };
        Ok(Self { shown: origin.to_string(), place })
    }

    /// Whether the source may be away while what it gave stays in order.
    pub(super) const fn is_remote(&self) -> bool {
        matches!(self.place, Place::Server(_))
    }

    /// How the source looks now, as far as that is known without reading it.
    pub(super) async fn look(&self, known: &Look) -> Look {
        match &self.place {
            Place::Disk(source) => {
                let source = source.clone();
                let files = tokio::task::spawn_blocking(move || source.fingerprint()).await;
                Look { files: files.ok().flatten(), etag: None }
            }
            Place::Server(_) => known.clone(),
        }
    }

    /// Reads the bundle. `None` if the server says that it is the one of `known`.
    pub(super) async fn read(&self, known: &Look) -> Result<Option<(Bundle, Look)>, ReadError> {
        let lost = |error: tokio::task::JoinError| ReadError::Lost(error.to_string());
        match &self.place {
            Place::Disk(source) => {
                let source = source.clone();
                // First the look: what is written after it is read again at the next one.
                let read = move || (source.fingerprint(), Bundle::read(&source));
                let (files, bundle) = tokio::task::spawn_blocking(read).await.map_err(lost)?;
                Ok(Some((bundle?, Look { files, etag: None })))
            }
            Place::Server(server) => match server.fetch(known.etag.as_deref()).await? {
                Fetched::Unchanged => Ok(None),
                Fetched::Bundle { bytes, etag } => {
                    let read = move || Bundle::of_archive(&bytes);
                    let bundle = tokio::task::spawn_blocking(read).await.map_err(lost)??;
                    Ok(Some((bundle, Look { files: None, etag })))
                }
            },
        }
    }
}
