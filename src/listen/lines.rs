//! Line ends of HTTP/1 heads: a bare LF is no line end here.
//!
//! The parser takes LF for CRLF, as it may (RFC 9112, 2.2). A proxy in front that does not would see
//! one header where we see two, so a head with a bare LF must not be read at all. The bytes pass by
//! here on their way to the parser: a bare LF becomes a NUL, which no head may hold, and the parser
//! answers 400 and closes.

/// What an HTTP/2 connection begins with; its frames have no lines.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Follows the heads of one connection.
#[derive(Debug, Default)]
pub(super) struct Lines {
    /// Bytes of the connection that equal the preface so far; `None` once they do not.
    preface: Preface,
    /// The head in which the last bytes were, by the number of requests before it.
    head: usize,
    ended: bool,
    begun: bool,
    length: usize,
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

impl Lines {
    /// Looks at bytes that came while no request was under way, after `requests` requests.
    pub(super) fn check(&mut self, bytes: &mut [u8], requests: usize) {
        self.compare(bytes);
        if matches!(self.preface, Preface::Whole) {
            return;
        }
        if self.head != requests {
            *self = Self { preface: Preface::Other, head: requests, ..Self::default() };
        }
        for byte in bytes {
            if self.ended {
                return;
            }
            match *byte {
                b'\n' if self.last != b'\r' => *byte = 0,
                b'\n' => {
                    // Empty lines before a request line are skipped by the parser.
                    self.ended = self.begun && self.length == 0;
                    self.begun |= self.length > 0;
                    self.length = 0;
                }
                b'\r' => {}
                _ => self.length += 1,
            }
            self.last = *byte;
        }
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
        bytes.chunks_mut(size).for_each(|piece| lines.check(piece, 0));
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn only_bare_line_feeds_of_heads_are_spoilt() {
        for (text, expected) in [
            (
                "GET / HTTP/1.1\r\nA: b\r\n\r\nbody\nbody",
                "GET / HTTP/1.1\r\nA: b\r\n\r\nbody\nbody",
            ),
            ("GET / HTTP/1.1\nA: b\r\n\r\n", "GET / HTTP/1.1\0A: b\r\n\r\n"),
            ("GET / HTTP/1.1\r\nA: b\nC: d\r\n\r\n", "GET / HTTP/1.1\r\nA: b\0C: d\r\n\r\n"),
            ("GET / HTTP/1.1\r\nA: b\r\n\n", "GET / HTTP/1.1\r\nA: b\r\n\0"),
            ("\r\nGET / HTTP/1.1\nA: b\r\n\r\n", "\r\nGET / HTTP/1.1\0A: b\r\n\r\n"),
            ("POST / HTTP/1.1\r\n\r\nPRI\n", "POST / HTTP/1.1\r\n\r\nPRI\n"),
            ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\n\0\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\n\0\n"),
            ("PRI * HTTP/2.0\nA", "PRI * HTTP/2.0\0A"),
        ] {
            for size in 1..=text.len() {
                assert_eq!(seen(text, size), expected, "in pieces of {size}");
            }
        }
    }

    #[test]
    fn each_request_begins_a_head() {
        let mut lines = Lines::default();
        let mut first = *b"GET / HTTP/1.1\r\n\r\n";
        lines.check(&mut first, 0);
        let mut second = *b"GET / HTTP/1.1\n\r\n";
        lines.check(&mut second, 1);
        assert_eq!(&second, b"GET / HTTP/1.1\0\r\n");
    }
}
