//! The model file, read in place: what is known of words, and the weights of features.
//!
//! Both are sets of hashes in buckets. The first bits of a hash name the bucket, a directory says where
//! it begins, and a few other bits of the hash tell its entries apart. The directory holds how far a
//! bucket's begin is from where it would be if all were equally full, so two bytes are enough. A stranger
//! is taken for an entry about once in a few hundred times; the trainer knows and measures that.

/// What the file begins with.
pub const MAGIC: &[u8; 4] = b"PNM1";
/// Bytes before the tables: magic, four counts, the scale of weights, twelve weights of transitions.
pub const HEADER: usize = 4 + 4 * 4 + 4 + 12 * 4;
/// Bits of a word's entry that say what it is.
pub const CODE_BITS: u32 = 5;

/// What is known of a word: is it a name, is it a word, does it announce a name.
///
/// 1 to 26 are `first * 9 + last * 3 + word`, each 0 (no), 1 (rare) or 2 (common).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Code(pub u8);

impl Code {
    /// Nothing is known.
    pub const UNKNOWN: Self = Self(0);
    /// `hi`, `liebe`, `bonjour`
    pub const GREETING: Self = Self(27);
    /// `mr`, `frau`, `señora`
    pub const TITLE: Self = Self(28);
    /// `regards`, `grüße`, `saludos`
    pub const FAREWELL: Self = Self(29);
    /// `with`, `cc`, `llamo`, `spoke`: words that often stand beside a name.
    pub const SAYING: Self = Self(30);
    /// `van`, `de`, `bin`
    pub const PARTICLE: Self = Self(31);

    /// A code from its three parts, each 0 to 2.
    #[must_use]
    pub const fn of(first: u8, last: u8, word: u8) -> Self {
        Self(first * 9 + last * 3 + word)
    }

    /// Whether it announces a name.
    #[must_use]
    pub const fn is_cue(self) -> bool {
        self.0 >= 27
    }

    /// How common it is as a first name.
    #[must_use]
    pub const fn first(self) -> u8 {
        if self.is_cue() { 0 } else { self.0 / 9 }
    }

    /// How common it is as a surname.
    #[must_use]
    pub const fn last(self) -> u8 {
        if self.is_cue() { 0 } else { self.0 / 3 % 3 }
    }

    /// How common it is as a word.
    #[must_use]
    pub const fn word(self) -> u8 {
        if self.is_cue() { 2 } else { self.0 % 3 }
    }

    /// Whether it is the name of people.
    #[must_use]
    pub const fn is_name(self) -> bool {
        self.first() > 0 || self.last() > 0
    }
}

/// One set of hashes.
#[derive(Clone, Copy, Debug)]
struct Table<'a> {
    bits: u32,
    count: u64,
    directory: &'a [u8],
    entries: &'a [u8],
    width: usize,
}

impl<'a> Table<'a> {
    /// Where the bucket begins, in entries.
    fn begin(&self, bucket: u64) -> usize {
        let even = (bucket * self.count) >> self.bits;
        let at = bucket as usize * 2;
        let delta = self
            .directory
            .get(at..at + 2)
            .and_then(|b| b.try_into().ok())
            .map_or(0, i16::from_le_bytes);
        even.wrapping_add_signed(i64::from(delta)) as usize
    }

    fn bucket(&self, hash: u64) -> &'a [u8] {
        let bucket = hash >> (64 - self.bits);
        let (from, to) = (self.begin(bucket) * self.width, self.begin(bucket + 1) * self.width);
        self.entries.get(from..to).unwrap_or(&[])
    }
}

/// The whole file.
#[derive(Clone, Copy, Debug)]
pub struct Model<'a> {
    words: Table<'a>,
    features: Table<'a>,
    /// The unit of the weights.
    pub scale: f32,
    transitions: &'a [u8],
}

impl<'a> Model<'a> {
    /// Reads the header. `None` if this is no model.
    #[must_use]
    pub fn read(bytes: &'a [u8]) -> Option<Self> {
        let number = |at: usize| -> Option<u32> {
            Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
        };
        if bytes.get(..4)? != MAGIC {
            return None;
        }
        let (words, rest) = Self::table(bytes.get(HEADER..)?, number(4)?, number(8)?, 2)?;
        let (features, _) = Self::table(rest, number(12)?, number(16)?, 4)?;
        let scale = f32::from_bits(number(20)?);
        Some(Self { words, features, scale, transitions: bytes.get(24..HEADER)? })
    }

    fn table(
        bytes: &'a [u8],
        bits: u32,
        count: u32,
        width: usize,
    ) -> Option<(Table<'a>, &'a [u8])> {
        if !(1..=24).contains(&bits) {
            return None;
        }
        let (directory, rest) = bytes.split_at_checked(((1usize << bits) + 1) * 2)?;
        let (entries, rest) = rest.split_at_checked(count as usize * width)?;
        Some((Table { bits, count: u64::from(count), directory, entries, width }, rest))
    }

    /// What is known of the word with this hash.
    #[must_use]
    pub fn code(&self, hash: u64) -> Code {
        let print = word_print(hash);
        for entry in self.words.bucket(hash).chunks_exact(2) {
            let Ok(entry) = entry.try_into().map(u16::from_le_bytes) else { continue };
            if entry >> CODE_BITS == print {
                return Code((entry & 31) as u8);
            }
        }
        Code::UNKNOWN
    }

    /// The weights of a feature, for the begin of a name and for its inside, in units of the scale.
    #[must_use]
    pub fn weights(&self, hash: u64) -> Option<[i8; 2]> {
        let print = feature_print(hash).to_le_bytes();
        for entry in self.features.bucket(hash).chunks_exact(4) {
            if let [a, b, begin, inside] = *entry
                && [a, b] == print
            {
                return Some([begin as i8, inside as i8]);
            }
        }
        None
    }

    /// The weight of going from one label to the next; label 3 is the start.
    #[must_use]
    pub fn transition(&self, from: usize, to: usize) -> f32 {
        let at = (from * 3 + to) * 4;
        self.transitions
            .get(at..at + 4)
            .and_then(|b| b.try_into().ok())
            .map_or(0.0, f32::from_le_bytes)
    }
}

/// The bits that tell words of one bucket apart.
#[must_use]
pub const fn word_print(hash: u64) -> u16 {
    ((hash >> 4) & 0x7ff) as u16
}

/// The bits that tell features of one bucket apart.
#[must_use]
pub const fn feature_print(hash: u64) -> u16 {
    ((hash >> 8) & 0xffff) as u16
}
