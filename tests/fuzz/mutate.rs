//! Changes to bytes: a few at once, from a seed, so that whatever is found is found again.

/// What parsers stumble over.
const PIECES: &[&str] = &[
    "{",
    "}",
    "[",
    "]",
    "\"",
    ",",
    ":",
    "null",
    "true",
    "-1",
    "0",
    "1e400",
    "0.5",
    "18446744073709551616",
    "-0",
    "\\u0000",
    "\\ud800",
    "\u{202e}",
    "ä",
    "\u{10ffff}",
    "\n",
    "\r\n",
    " ",
    ".",
    "=",
    ";",
    "type",
    "id",
    "o1",
    "c1",
    "::1",
    "/",
    "%00",
];

pub struct Mutator {
    state: u64,
}

impl Mutator {
    pub fn new(seed: u64) -> Self {
        Self { state: seed.max(1) }
    }

    /// One of `kept`, changed.
    pub fn next(&mut self, kept: &[Vec<u8>], bytes_max: usize) -> Vec<u8> {
        let mut bytes = kept[self.below(kept.len())].clone();
        for _ in 0..=self.below(6) {
            self.change(&mut bytes, kept);
        }
        bytes.truncate(bytes_max);
        bytes
    }

    fn change(&mut self, bytes: &mut Vec<u8>, kept: &[Vec<u8>]) {
        let (at, other) = (self.below(bytes.len() + 1), self.below(bytes.len() + 1));
        let (from, to) = (at.min(other), at.max(other));
        match self.below(9) {
            0 if at < bytes.len() => bytes[at] ^= 1 << self.below(8),
            1 if at < bytes.len() => bytes[at] = [0, 0x7f, 0x80, 0xff, b'0', b'"', b'\\'][self.below(7)],
            2 if at < bytes.len() => bytes[at] = self.below(256) as u8,
            3 => drop(bytes.drain(from..to.min(from + 32))),
            4 => {
                let piece = bytes[from..to.min(from + 64)].to_vec();
                bytes.splice(at..at, piece);
            }
            5 => bytes.truncate(at),
            6 => {
                // The end of another.
                let end = &kept[self.below(kept.len())];
                let cut = self.below(end.len() + 1);
                bytes.truncate(at);
                bytes.extend_from_slice(&end[cut..]);
            }
            _ => {
                let piece = PIECES[self.below(PIECES.len())].as_bytes();
                bytes.splice(at..at, piece.iter().copied());
            }
        }
    }

    /// Below `most`, which is not 0.
    fn below(&mut self, most: usize) -> usize {
        // xorshift64*
        self.state ^= self.state >> 12;
        self.state ^= self.state << 25;
        self.state ^= self.state >> 27;
        (self.state.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % most
    }
}
