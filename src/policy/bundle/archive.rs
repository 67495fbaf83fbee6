//! A bundle in one file: OPA's form, a tar within gzip.
//!
//! Read in memory and under bounds at every layer. OPA writes names with a leading `/` and `tar`
//! with a leading `./`; both mean the bundle's own folder and are taken off. Everything else of a
//! path is refused, and so is every entry that is not a plain file.

use std::io::{self, Read as _};

use flate2::bufread::GzDecoder;
use flate2::{Compression, GzBuilder};
use tar::{Archive, Builder, EntryType, Header};

use super::{MAX_FILE_BYTES, Members, admit, check_not_empty};
use crate::domain::is_hidden;
use crate::policy::problem::{LoadErrors, Problem};

/// The largest archive, packed.
pub const MAX_ARCHIVE_BYTES: usize = 8 * 1024 * 1024;
/// All of it, unpacked, with the archive's own headers.
const MAX_UNPACKED_BYTES: u64 = 32 * 1024 * 1024;
/// Entries of any kind, so that empty ones end as well.
const MAX_ENTRIES: usize = 1000;

/// Reads an archive.
pub(super) fn read(bytes: &[u8]) -> Result<Members, LoadErrors> {
    if bytes.len() > MAX_ARCHIVE_BYTES {
        let text = format!("the bundle has more than {MAX_ARCHIVE_BYTES} bytes");
        return Err(Problem::of_bundle(text).into());
    }
    let unpacked = unpack(bytes)?;
    let mut members = Members::new();
    let mut problems = Vec::new();
    let broken = |error: io::Error| Problem::of_bundle(format!("the bundle is no tar: {error}"));
    let mut archive = Archive::new(unpacked.as_slice());
    for (count, entry) in archive.entries().map_err(broken)?.enumerate() {
        if count >= MAX_ENTRIES {
            let text = format!("the bundle has more than {MAX_ENTRIES} entries");
            return Err(Problem::of_bundle(text).into());
        }
        let mut entry = entry.map_err(broken)?;
        let name = match name(&entry.path_bytes()) {
            Ok(name) => name,
            Err(problem) => {
                problems.push(problem);
                continue;
            }
        };
        match entry.header().entry_type() {
            EntryType::Directory if name.is_empty() => continue,
            EntryType::Regular if !name.is_empty() => {}
            other => {
                let text = format!("is no plain file ({other:?}); a bundle is flat");
                problems.push(Problem::of_file(&name, text));
                continue;
            }
        }
        let mut file = Vec::new();
        entry.by_ref().take(MAX_FILE_BYTES + 1).read_to_end(&mut file).map_err(broken)?;
        problems.extend(admit(&mut members, &name, file).err());
    }
    if problems.is_empty() {
        problems.extend(check_not_empty(&members, "the bundle").err());
    }
    LoadErrors::check(problems).map(|_| members)
}

fn unpack(bytes: &[u8]) -> Result<Vec<u8>, Problem> {
    let mut unpacked = Vec::new();
    let mut decoder = GzDecoder::new(bytes).take(MAX_UNPACKED_BYTES + 1);
    decoder
        .read_to_end(&mut unpacked)
        .map_err(|error| Problem::of_bundle(format!("the bundle is no whole gzip: {error}")))?;
    if unpacked.len() as u64 > MAX_UNPACKED_BYTES {
        let text = format!("the bundle unpacks to more than {MAX_UNPACKED_BYTES} bytes");
        return Err(Problem::of_bundle(text));
    }
    // What another reader might take for more of the archive.
    if !decoder.into_inner().into_inner().is_empty() {
        return Err(Problem::of_bundle("the bundle goes on after the end of its gzip"));
    }
    Ok(unpacked)
}

/// The name of a file in the bundle's folder; empty for the folder itself.
fn name(path: &[u8]) -> Result<String, Problem> {
    let shown = String::from_utf8_lossy(path).escape_debug().to_string();
    let refused = |text: &str| Err(Problem::of_file(&shown, text));
    let Ok(text) = std::str::from_utf8(path) else { return refused("is a name that is not UTF-8") };
    let name = text.strip_prefix("./").or(text.strip_prefix('/')).unwrap_or(text);
    if name.contains(['/', '\\']) || name == ".." {
        return refused("is a path; a bundle is flat, its files lie at its top");
    }
    if name.chars().any(is_hidden) {
        return refused("is a name with control or invisible characters");
    }
    Ok(if name == "." { String::new() } else { name.to_owned() })
}

/// Writes an archive: sorted, without times and owners.
pub(super) fn write(members: &Members) -> io::Result<Vec<u8>> {
    // 255: no system, so that every system writes the same.
    let packed = GzBuilder::new().operating_system(255).write(Vec::new(), Compression::best());
    let mut tar = Builder::new(packed);
    for (name, bytes) in members {
        let mut header = Header::new_ustar();
        header.set_entry_type(EntryType::Regular);
        header.set_mode(0o644);
        header.set_size(bytes.len() as u64);
        tar.append_data(&mut header, name, bytes.as_slice())?;
    }
    tar.into_inner()?.finish()
}
