//! `${NAME}` and `${file:path}` inside values, where secrets come from, and paths beside the file.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::private;

/// Bytes of the largest file that `${file:...}` reads.
const MAX_BYTES: u64 = 64 << 10;

/// Looks up a variable of the environment.
pub type Lookup<'a> = &'a dyn Fn(&str) -> Option<OsString>;

/// What references draw from.
pub(super) struct Source<'a> {
    /// The folder of the configuration file, which relative paths start from.
    pub(super) folder: &'a Path,
    pub(super) environment: Lookup<'a>,
    /// Whether credentials are read at all: who looks at the log needs none of them.
    pub(super) secrets: bool,
}

/// A text with its references filled in.
pub(super) struct Filled {
    pub(super) text: Zeroizing<String>,
    /// Whether anything came from outside the file: then the text must not be shown.
    pub(super) drawn: bool,
}

impl Source<'_> {
    /// Fills in references; `$$` is a dollar sign. The error is what is wrong and what to do.
    pub(super) fn fill(&self, text: &str) -> Result<Filled, String> {
        let mut filled = Filled { text: Zeroizing::new(String::new()), drawn: false };
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('$') {
            filled.text.push_str(before);
            if let Some(after) = after.strip_prefix('$') {
                filled.text.push('$');
                rest = after;
            } else if let Some(after) = after.strip_prefix('{') {
                let (reference, after) = after.split_once('}').ok_or(
                    "`${` has no closing `}`; close it, or write `$${` for the two characters",
                )?;
                filled.text.push_str(&self.draw(reference)?);
                filled.drawn = true;
                rest = after;
            } else {
                filled.text.push('$');
                rest = after;
            }
        }
        filled.text.push_str(rest);
        Ok(filled)
    }

    fn draw(&self, reference: &str) -> Result<Zeroizing<String>, String> {
        if let Some(path) = reference.strip_prefix("file:") {
            return self.file(path);
        }
        let word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
        if reference.is_empty()
            || !reference.bytes().all(word)
            || reference.starts_with(|c: char| c.is_ascii_digit())
        {
            return Err(format!(
                "`${{{reference}}}` is no reference; write `${{NAME}}` for a variable of the \
                 environment, `${{file:path}}` for a file's contents, `$${{` for the two characters"
            ));
        }
        let value = (self.environment)(reference).ok_or_else(|| {
            format!(
                "the environment variable `{reference}` is not set; set it, or use `${{file:path}}`"
            )
        })?;
        value.into_string().map(Zeroizing::new).map_err(|_| {
            format!("the environment variable `{reference}` is not valid UTF-8; set it anew")
        })
    }

    /// A path as the file means it: a relative one starts from the file's folder. Without steps that go
    /// nowhere, as people read it in messages.
    pub(super) fn beside(&self, path: &str) -> PathBuf {
        self.folder.join(path).components().collect()
    }

    fn file(&self, path: &str) -> Result<Zeroizing<String>, String> {
        let path = self.beside(path);
        let bytes = private::read(&path, MAX_BYTES).map_err(|error| error.to_string())?;
        let text = std::str::from_utf8(&bytes)
            .map_err(|_| format!("`{}` is not valid UTF-8; write text into it", path.display()))?;
        let line = text.strip_suffix('\n').unwrap_or(text);
        Ok(Zeroizing::new(line.strip_suffix('\r').unwrap_or(line).to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_filled_in() {
        let folder = tempfile::tempdir().unwrap();
        private::write(&folder.path().join("token"), b"from-file\r\n").unwrap();
        private::write(&folder.path().join("binary"), b"\xff").unwrap();
        let environment = |name: &str| match name {
            "A" => Some(OsString::from("alpha")),
            "NESTED" => Some(OsString::from("${A}")),
            _ => None,
        };
        let source = Source { folder: folder.path(), environment: &environment, secrets: true };
        for (text, expected) in [
            ("plain", Ok("plain")),
            ("x${A}y${A}", Ok("xalphayalpha")),
            ("${file:token}", Ok("from-file")),
            ("${NESTED}", Ok("${A}")),
            ("$$ $${A} $A 5$", Ok("$ ${A} $A 5$")),
            ("${A", Err("no closing `}`")),
            ("${}", Err("is no reference")),
            ("${A-B}", Err("is no reference")),
            ("${1A}", Err("is no reference")),
            ("${B}", Err("variable `B` is not set")),
            ("${file:none}", Err("No such file")),
            ("${file:binary}", Err("not valid UTF-8")),
        ] {
            match (source.fill(text), expected) {
                (Ok(filled), Ok(expected)) => {
                    assert_eq!(filled.text.as_str(), expected);
                    assert_eq!(
                        filled.drawn,
                        text.contains("${A}") && !text.contains("$${") || text.starts_with("${"),
                        "{text}"
                    );
                }
                (Err(problem), Err(expected)) => assert!(problem.contains(expected), "{problem}"),
                (Ok(_), Err(_)) => panic!("{text} should be refused"),
                (Err(problem), Ok(_)) => panic!("{text}: {problem}"),
            }
        }
    }
}
