//! Lines of HTTP/1 heads that can be read in two ways: such a head must not be read at all.
//!
//! The parser takes LF for CRLF, as it may (RFC 9112, 2.2), and drops a `Content-Length` beside a
//! `Transfer-Encoding` without a word (6.3). A proxy in front that reads either in the other way would
//! see one request where we see two. The bytes pass by here on their way to the parser, and the letter
//! before the line end, or the colon, that makes a head unclear becomes a NUL, which no head may hold:
//! the parser answers 400 and closes. What a head says is left to the parser; this only finds where heads begin, line by line and
//! by the one length of a body, and of each line what its name is. After a body in chunks it is lost,
//! so the connection ends with such a request.

/// What an HTTP/2 connection begins with; its frames have no lines.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Bytes of a line that are kept: more than the names and lengths that matter have.
const KEPT: usize = 64;

const LENGTH: &[u8] = b"content-length";
const CODING: &[u8] = b"transfer-encoding";

/// Follows the heads of one connection.
#[derive(Debug, Default)]
pub(super) struct Lines {
    /// Bytes of the connection that equal the preface so far; `None` once they do not.
    preface: Preface,
    place: Place,
    head: Head,
    line: Line,
    last: u8,
}

#[derive(Debug)]
enum Preface {
    Equal(usize),
    Whole,
    Other,
}

impl Default for Preface {
    fn default() -> Self {
        Self::Equal(0)
    }
}

/// Where the next byte is.
#[derive(Debug, Default)]
enum Place {
    #[default]
    Head,
    /// In a body of which so many bytes are to come.
    Body(u64),
    /// Nobody here knows; no further request is read from this connection.
    Lost,
}

/// What the lines of a head said so far.
#[derive(Debug, Default)]
struct Head {
    begun: bool,
    length: Option<u64>,
    coded: bool,
}

/// The beginning of a line, how long it is, and where its first colon stands.
#[derive(Debug)]
struct Line {
    kept: [u8; KEPT],
    length: usize,
    colon: Option<usize>,
}

impl Default for Line {
    fn default() -> Self {
        Self { kept: [0; KEPT], length: 0, colon: None }
    }
}

impl Line {
    fn push(&mut self, byte: u8) {
        if let Some(slot) = self.kept.get_mut(self.length) {
            *slot = byte;
        }
        self.length += 1;
    }

    /// Whether it is a header of this name, if it has come to its colon.
    fn is(&self, name: &[u8]) -> bool {
        let own = self.colon.and_then(|colon| self.kept.get(..colon));
        own.is_some_and(|own| own.trim_ascii().eq_ignore_ascii_case(name))
    }

    /// The value, if all of the line was kept.
    fn value(&self) -> Option<&[u8]> {
        Some(self.kept.get(self.colon? + 1..self.length)?.trim_ascii())
    }
}

impl Head {
    /// Takes in the name of a header; whether the head can still be read in one way only.
    fn takes_name(&mut self, line: &Line) -> bool {
        let is_length = line.is(LENGTH);
        self.coded |= line.is(CODING);
        !(self.coded && (is_length || self.length.is_some()))
    }

    /// Takes in a whole line; the same of it.
    fn takes(&mut self, line: &Line) -> bool {
        self.begun = true;
        if !line.is(LENGTH) {
            return true;
        }
        // Equal lengths are one length (RFC 9112, 6.3).
        let length = line.value().and_then(number);
        length.is_some_and(|length| self.length.replace(length).is_none_or(|it| it == length))
    }

    const fn body(&self) -> Place {
        match (self.coded, self.length) {
            (true, _) => Place::Lost,
            (false, None | Some(0)) => Place::Head,
            (false, Some(length)) => Place::Body(length),
        }
    }
}

/// Makes the head that is unclear at `at` one that no parser takes: a NUL in place of the last letter
/// before, so that the head still ends where it ends and is answered at once. Without such a letter
/// in this read, the byte itself must do; the end may then be waited for in vain, and the connection
/// is closed by the clock.
fn spoil(bytes: &mut [u8], text: Option<usize>, at: usize) {
    if let Some(byte) = bytes.get_mut(text.unwrap_or(at)) {
        *byte = 0;
    }
}

fn number(text: &[u8]) -> Option<u64> {
    let digits = !text.is_empty() && text.iter().all(u8::is_ascii_digit);
    std::str::from_utf8(text).ok().filter(|_| digits)?.parse().ok()
}

impl Lines {
    /// Looks at the next bytes of the connection.
    pub(super) fn check(&mut self, bytes: &mut [u8]) {
        self.compare(bytes);
        let mut rest = bytes;
        while !matches!(self.preface, Preface::Whole) && !rest.is_empty() {
            let taken = match self.place {
                Place::Lost => return,
                Place::Head => self.head(rest),
                Place::Body(length) => {
                    let taken = usize::try_from(length).unwrap_or(usize::MAX).min(rest.len());
                    let left = length - taken as u64;
                    self.place = if left == 0 { Place::Head } else { Place::Body(left) };
                    taken
                }
            };
            rest = rest.get_mut(taken..).unwrap_or_default();
        }
    }

    /// Bytes of a head; how many they are.
    fn head(&mut self, bytes: &mut [u8]) -> usize {
        let mut text = None;
        for at in 0..bytes.len() {
            let Some(&byte) = bytes.get(at) else { break };
            let mut is_clear = true;
            match byte {
                b'\n' => {
                    is_clear = self.last == b'\r';
                    let line = std::mem::take(&mut self.line);
                    if line.length > 0 {
                        is_clear &= self.head.takes(&line);
                    } else if self.head.begun {
                        if !is_clear {
                            spoil(bytes, text, at);
                        }
                        // Empty lines before a request line are skipped by the parser.
                        self.place = std::mem::take(&mut self.head).body();
                        self.last = 0;
                        return at + 1;
                    }
                }
                b'\r' => {}
                b':' if self.line.colon.is_none() => {
                    self.line.colon = Some(self.line.length);
                    is_clear = self.head.takes_name(&self.line);
                    self.line.push(byte);
                    text = Some(at);
                }
                other => {
                    self.line.push(other);
                    text = Some(at);
                }
            }
            if !is_clear {
                spoil(bytes, text, at);
            }
            self.last = byte;
        }
        bytes.len()
    }

    fn compare(&mut self, bytes: &[u8]) {
        let Preface::Equal(from) = self.preface else { return };
        let rest = PREFACE.get(from..).unwrap_or_default();
        let common = rest.len().min(bytes.len());
        self.preface = if rest.get(..common) != bytes.get(..common) {
            Preface::Other
        } else if common == rest.len() {
            Preface::Whole
        } else {
            Preface::Equal(from + common)
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the parser sees of a text that comes in pieces of `size` bytes.
    fn seen(text: &str, size: usize) -> String {
        let mut lines = Lines::default();
        let mut bytes = text.as_bytes().to_vec();
        bytes.chunks_mut(size).for_each(|piece| lines.check(piece));
        String::from_utf8(bytes).unwrap()
    }

    /// Each text as it is seen; `@` stands behind the letter that becomes a NUL, and is not in the
    /// text. In pieces, the end of the line may become one.
    #[test]
    fn only_bytes_that_make_a_head_unclear_are_spoilt() {
        let long = format!("POST / HTTP/1.1\r\nContent-Length:{}3@\r\n\r\n", " ".repeat(KEPT));
        for marked in [
            "GET / HTTP/1.1\r\nA: b\r\nContent-Length: 9\r\n\r\nbody\nbody",
            "GET / HTTP/1.1@\nA: b\r\n\r\n",
            "GET / HTTP/1.1\r\nA: b@\nC: d\r\n\r\n",
            "GET / HTTP/1.1\r\nA: b@\r\n\n",
            "\r\nGET / HTTP/1.1@\nA: b\r\n\r\n",
            "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\n\n",
            "PRI * HTTP/2.0@\nA",
            // Requests one after the other, in one read or in many.
            "GET / HTTP/1.1\r\n\r\nGET / HTTP/1.1@\n\r\n",
            "POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\n\n\nGET / HTTP/1.1@\n\r\n",
            "POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\nGET / HTTP/1.1@\n\r\n",
            // One length, twice.
            "POST / HTTP/1.1\r\nContent-Length: 2\r\ncontent-length:2\r\n\r\n\n\nG@\n",
            "POST / HTTP/1.1\r\nContent-Length: 2\r\nContent-Length: 3@\r\n\r\n",
            // No length that everybody reads alike.
            "POST / HTTP/1.1\r\nContent-Length: 2,2@\r\n\r\n",
            "POST / HTTP/1.1\r\nContent-Length: +2@\r\n\r\n",
            "POST / HTTP/1.1\r\nContent-Length:@\r\n\r\n",
            "POST / HTTP/1.1\r\nContent-Length: 18446744073709551616@\r\n\r\n",
            &long,
            // A length beside a coding, in either order and any spelling.
            "POST / HTTP/1.1\r\nContent-Length: 2\r\nTransfer-Encoding:@ chunked\r\n\r\n",
            "POST / HTTP/1.1\r\ntransfer-encoding: x\r\nX: y\r\nCONTENT-LENGTH:@ 2\r\n\r\n",
            "POST / HTTP/1.1\r\nContent-Length: 2\r\n Transfer-Encoding\t:@ chunked\r\n\r\n",
            "POST / HTTP/1.1\r\nTransfer-Encoding: a\r\nContent-Length:@ 2\r\n\r\n",
            "GET / HTTP/1.1\r\n\r\nPOST / HTTP/1.1\r\nTransfer-Encoding:a\r\nContent-Length:@2\r\n\r\n",
            // A coding alone; what follows is the parser's, and no request comes after it.
            "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n\n\r\n0\r\n\r\n\n",
            "POST / HTTP/1.1\r\nX-Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        ] {
            let text = marked.replace('@', "");
            let at = marked.find('@').map(|at| at - 1);
            let spoilt = |place: usize| {
                let mut bytes = text.clone().into_bytes();
                bytes[place] = 0;
                String::from_utf8(bytes).unwrap()
            };
            for size in 1..=text.len() {
                let seen = seen(&text, size);
                let Some(at) = at else {
                    assert_eq!(seen, text, "in pieces of {size}");
                    continue;
                };
                let mut ends = text.match_indices('\n').filter(|(end, _)| *end > at);
                let is_end = size < text.len() && ends.any(|(end, _)| seen == spoilt(end));
                assert!(seen == spoilt(at) || is_end, "{marked:?} in pieces of {size}: {seen:?}");
            }
        }
    }
}
