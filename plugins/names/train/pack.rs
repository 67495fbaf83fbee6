//! Writes the model file that `table` reads.

use std::collections::BTreeMap;

use names::table::{CODE_BITS, Code, HEADER, MAGIC, feature_print, word_print};

/// A feature and its weights for begin and inside.
pub(crate) type Feature = (u64, [f32; 2]);

/// The largest weight that the file can hold.
pub(crate) const LARGEST: f32 = 4.0;
const SCALE: f32 = LARGEST / 127.0;

/// Puts it all into bytes.
pub(crate) fn pack(
    words: &BTreeMap<u64, Code>,
    features: &[Feature],
    transitions: &[[f32; 3]; 3],
) -> Vec<u8> {
    let mut entries = Vec::new();
    for (hash, code) in words {
        entries.push((
            *hash,
            (word_print(*hash) << CODE_BITS | u16::from(code.0)).to_le_bytes().to_vec(),
        ));
    }
    let (word_bits, word_count, word_bytes) =
        table(entries, 4, |e| u16::from_le_bytes([e[0], e[1]]) >> CODE_BITS);
    let mut entries = Vec::new();
    for (hash, weights) in features {
        let [begin, inside] = weights.map(|w| (w / SCALE).round().clamp(-127.0, 127.0) as i8);
        let [a, b] = feature_print(*hash).to_le_bytes();
        entries.push((*hash, vec![a, b, begin as u8, inside as u8]));
    }
    entries.sort();
    let (feature_bits, feature_count, feature_bytes) =
        table(entries, 1, |e| u16::from_le_bytes([e[0], e[1]]));
    let mut out = MAGIC.to_vec();
    for number in [word_bits, word_count, feature_bits, feature_count, SCALE.to_bits()] {
        out.extend(number.to_le_bytes());
    }
    transitions.iter().flatten().for_each(|t| out.extend(t.to_le_bytes()));
    out.resize(HEADER, 0);
    out.extend(word_bytes);
    out.extend(feature_bytes);
    out
}

/// A directory and its entries. Two entries of one bucket that cannot be told apart become one.
fn table(
    entries: Vec<(u64, Vec<u8>)>,
    each: usize,
    print: impl Fn(&[u8]) -> u16,
) -> (u32, u32, Vec<u8>) {
    let bits = (entries.len() / each).max(2).ilog2();
    let mut buckets: Vec<Vec<Vec<u8>>> = vec![Vec::new(); 1 << bits];
    for (hash, entry) in entries {
        let bucket = &mut buckets[(hash >> (64 - bits)) as usize];
        if bucket.iter().all(|other| print(other) != print(&entry)) {
            bucket.push(entry);
        }
    }
    let count: usize = buckets.iter().map(Vec::len).sum();
    let mut out = Vec::new();
    let mut begin = 0_usize;
    for number in 0..=buckets.len() {
        let even = (number as u64 * count as u64) >> bits;
        out.extend(((begin as i64 - even as i64) as i16).to_le_bytes());
        begin += buckets.get(number).map_or(0, Vec::len);
    }
    out.extend(buckets.concat().concat());
    (bits, count as u32, out)
}
