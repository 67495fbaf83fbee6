//! The vault's file: sealed frames, one behind the other.
//!
//! A head with a random salt, then frames: length, nonce, ciphertext (XChaCha20-Poly1305, so that random
//! nonces never meet). The salt and the frame's number are bound to it, so frames cannot be moved,
//! left out or taken from another file. The first frame is empty and tells a wrong key from damage. A
//! frame that was cut by a crash at the end is dropped: what it held is found again by the next answer
//! that shows it, under the same suffix. Damage anywhere else refuses the file.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use chacha20poly1305::aead::{Aead as _, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use zeroize::Zeroizing;

use super::VaultError;
use crate::store::random;

/// Its name in the data folder.
pub(super) const NAME: &str = "pseudonyms.vault";
const MAGIC: &[u8; 8] = b"PCVAULT1";
const SALT: usize = 16;
const NONCE: usize = 24;
/// The longest frame.
const MOST_FRAME: usize = 4 << 20;
/// The longest file.
const MOST_BYTES: u64 = 1 << 30;

/// What one frame holds, wiped when it is dropped.
pub(super) type Frame = Zeroizing<Vec<u8>>;

/// The open file, at its end.
pub(super) struct VaultFile {
    path: PathBuf,
    file: File,
    seal: XChaCha20Poly1305,
    salt: [u8; SALT],
    frames: u64,
    bytes: u64,
}

impl VaultFile {
    /// Opens the file, making it if there is none; gives what each frame holds, and how many bytes of a
    /// cut frame were dropped.
    pub(super) fn open(
        folder: &Path,
        seal: &XChaCha20Poly1305,
    ) -> Result<(Self, Vec<Frame>, u64), VaultError> {
        let path = folder.join(NAME);
        let failed = |source| VaultError::Io { path: path.clone(), source };
        // Left behind by a crash while the file was written anew.
        let _ = fs::remove_file(beside(&path));
        let mut options = OpenOptions::new();
        let opened = options.read(true).write(true).open(&path);
        let mut file = match opened {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let made = Self::make(&path, &path, seal)?;
                return Ok((made, Vec::new(), 0));
            }
            Err(error) => return Err(failed(error)),
        };
        if file.metadata().map_err(failed)?.len() > MOST_BYTES {
            return Err(VaultError::Damaged { path, place: MOST_BYTES });
        }
        let mut all = Vec::new();
        file.read_to_end(&mut all).map_err(failed)?;
        let head = all.split_first_chunk::<8>().filter(|(magic, _)| *magic == MAGIC);
        let Some((salt, body)) = head.and_then(|(_, rest)| rest.split_first_chunk::<SALT>()) else {
            // A crash right after it was made leaves less than a head, and nothing is lost by that.
            if all.len() < MAGIC.len() + SALT && MAGIC.starts_with(all.get(..8).unwrap_or(&all)) {
                fs::remove_file(&path).map_err(failed)?;
                return Ok((Self::make(&path, &path, seal)?, Vec::new(), 0));
            }
            return Err(VaultError::Damaged { path, place: 0 });
        };
        let mut this = Self { path, file, seal: seal.clone(), salt: *salt, frames: 0, bytes: 0 };
        let (frames, cut) = this.read(body)?;
        this.bytes = all.len() as u64 - cut;
        let at_end = |file: &mut File, bytes| {
            file.set_len(bytes)?;
            file.seek(SeekFrom::Start(bytes)).map(|_| ())
        };
        at_end(&mut this.file, this.bytes).map_err(|source| this.failed(source))?;
        if this.frames == 0 {
            this.append(&[])?;
        }
        Ok((this, frames, cut))
    }

    /// Reads the frames; what is behind the last whole one was cut by a crash.
    fn read(&mut self, body: &[u8]) -> Result<(Vec<Frame>, u64), VaultError> {
        let mut frames = Vec::new();
        let mut rest = body;
        while !rest.is_empty() {
            let left = rest.len() as u64;
            let place = MAGIC.len() as u64 + SALT as u64 + body.len() as u64 - left;
            let damaged = || VaultError::Damaged { path: self.path.clone(), place };
            let Some((length, behind)) = rest.split_first_chunk::<4>() else {
                return Ok((frames, left));
            };
            let length = u32::from_le_bytes(*length) as usize;
            if length > MOST_FRAME {
                return Err(damaged());
            }
            let Some((frame, behind)) = behind.split_at_checked(length) else {
                return Ok((frames, left));
            };
            match self.opened(frame) {
                Some(plain) => frames.push(plain),
                None if self.frames == 0 => return Err(VaultError::OtherKey(self.path.clone())),
                None if behind.is_empty() => return Ok((frames, left)),
                None => return Err(damaged()),
            }
            self.frames += 1;
            rest = behind;
        }
        Ok((frames, 0))
    }

    /// Adds a frame. What was handed to the system survives the end of this process.
    pub(super) fn append(&mut self, plain: &[u8]) -> Result<(), VaultError> {
        let nonce = random::<NONCE>().map_err(|_| VaultError::Random)?;
        let aad = self.bound();
        let payload = Payload { msg: plain, aad: &aad };
        let sealed = self
            .seal
            .encrypt(XNonce::from_slice(&nonce), payload)
            .map_err(|_| VaultError::Random)?;
        let length = u32::try_from(sealed.len() + NONCE).unwrap_or(u32::MAX);
        let frame = [length.to_le_bytes().as_slice(), &nonce, &sealed].concat();
        if let Err(source) = self.file.write_all(&frame) {
            // Half a frame must not stand before a whole one.
            let back = self.file.set_len(self.bytes);
            let _ = back.and_then(|()| self.file.seek(SeekFrom::Start(self.bytes)).map(|_| ()));
            return Err(self.failed(source));
        }
        self.frames += 1;
        self.bytes += frame.len() as u64;
        Ok(())
    }

    /// Puts what was written on the disk.
    pub(super) fn sync(&self) -> Result<(), VaultError> {
        self.file.sync_data().map_err(|source| self.failed(source))
    }

    /// How long it is.
    pub(super) const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Writes the file anew with these frames, and takes the old one's place at once.
    pub(super) fn rewrite(
        &mut self,
        frames: impl Iterator<Item = Frame>,
    ) -> Result<(), VaultError> {
        let mut other = Self::make(&beside(&self.path), &self.path, &self.seal)?;
        for frame in frames {
            other.append(&frame)?;
        }
        other.sync()?;
        fs::rename(beside(&self.path), &self.path).map_err(|source| self.failed(source))?;
        *self = other;
        Ok(())
    }

    /// A new file at `place`, which is to be found at `path`.
    fn make(place: &Path, path: &Path, seal: &XChaCha20Poly1305) -> Result<Self, VaultError> {
        let salt = random::<SALT>().map_err(|_| VaultError::Random)?;
        let path = path.to_owned();
        let failed = |source| VaultError::Io { path: path.clone(), source };
        let mut options = OpenOptions::new();
        let mut file =
            options.write(true).create_new(true).mode(0o600).open(place).map_err(failed)?;
        file.write_all(&[MAGIC.as_slice(), &salt].concat()).map_err(failed)?;
        let bytes = (MAGIC.len() + SALT) as u64;
        let mut this = Self { path, file, seal: seal.clone(), salt, frames: 0, bytes };
        this.append(&[])?;
        Ok(this)
    }

    fn opened(&self, frame: &[u8]) -> Option<Frame> {
        let (nonce, sealed) = frame.split_at_checked(NONCE)?;
        let aad = self.bound();
        let payload = Payload { msg: sealed, aad: &aad };
        self.seal.decrypt(XNonce::from_slice(nonce), payload).ok().map(Zeroizing::new)
    }

    /// What the next frame is bound to.
    fn bound(&self) -> Vec<u8> {
        [b"portcullis/pseudonyms/frame/v1".as_slice(), &self.salt, &self.frames.to_be_bytes()]
            .concat()
    }

    fn failed(&self, source: io::Error) -> VaultError {
        VaultError::Io { path: self.path.clone(), source }
    }
}

fn beside(path: &Path) -> PathBuf {
    path.with_extension("vault.new")
}
