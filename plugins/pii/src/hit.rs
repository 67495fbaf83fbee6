//! What a recogniser saw in a text.

use std::ops::Range;

/// A span of what is read, with its kind.
#[derive(Debug, Clone)]
pub(crate) struct Hit {
    /// Bytes of the view.
    pub(crate) bytes: Range<usize>,
    pub(crate) kind: &'static str,
    pub(crate) confidence: u8,
    pub(crate) reason: &'static str,
    /// The plain value, if the span spells it in another way.
    pub(crate) value: Option<String>,
    /// Whose it is: the number of a person of [`crate::people::People`].
    pub(crate) who: Option<usize>,
    pub(crate) part: Option<&'static str>,
}

impl Hit {
    pub(crate) const fn new(
        bytes: Range<usize>,
        kind: &'static str,
        confidence: u8,
        reason: &'static str,
    ) -> Self {
        Self { bytes, kind, confidence, reason, value: None, who: None, part: None }
    }

    pub(crate) fn value(mut self, value: String) -> Self {
        self.value = Some(value);
        self
    }
}

/// Keeps of hits that overlap the surer one, of equals the longer; in the order of the text.
pub(crate) fn settle(mut hits: Vec<Hit>) -> Vec<Hit> {
    let rank = |h: &Hit| (h.confidence, h.bytes.len());
    hits.retain(|h| h.bytes.start < h.bytes.end);
    hits.sort_by(|a, b| a.bytes.start.cmp(&b.bytes.start).then(rank(b).cmp(&rank(a))));
    let mut out: Vec<Hit> = Vec::with_capacity(hits.len());
    for mut hit in hits {
        while let Some(last) = out.last_mut() {
            if last.bytes.end <= hit.bytes.start {
                break;
            }
            if rank(last) >= rank(&hit) {
                // What sticks out behind is personal as well.
                hit.bytes.start = last.bytes.end;
                break;
            }
            if last.bytes.start < hit.bytes.start && last.bytes.end <= hit.bytes.end {
                last.bytes.end = hit.bytes.start;
                break;
            }
            if last.bytes.end > hit.bytes.end {
                hit.bytes.start = hit.bytes.end;
                break;
            }
            out.pop();
        }
        if hit.bytes.start < hit.bytes.end {
            out.push(hit);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_surer_hit_stays_and_rests_do_too() {
        let hit = |bytes, confidence| Hit::new(bytes, "x", confidence, "");
        let spans =
            |hits| settle(hits).into_iter().map(|h| (h.bytes, h.confidence)).collect::<Vec<_>>();
        assert_eq!(spans(vec![hit(0..5, 50), hit(0..5, 90)]), [(0..5, 90)]);
        assert_eq!(spans(vec![hit(0..5, 90), hit(3..9, 50)]), [(0..5, 90), (5..9, 50)]);
        assert_eq!(spans(vec![hit(0..5, 50), hit(3..9, 90)]), [(0..3, 50), (3..9, 90)]);
        assert_eq!(spans(vec![hit(0..9, 90), hit(3..5, 50)]), [(0..9, 90)]);
        assert_eq!(spans(vec![hit(3..5, 50), hit(3..9, 40)]), [(3..5, 50), (5..9, 40)]);
    }
}
