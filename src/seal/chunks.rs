//! What is too large to be sealed whole: chunks of one stream, each sealed by itself, so that a file is never in memory as a whole.
//!
//! ```text
//! chunk n: XChaCha20-Poly1305, nonce = 19 random bytes of the stream | n u32 BE | 1 for the last, else 0
//! ```
//!
//! Number and last-flag are in the nonce, and key number and the caller's context are authenticated with each chunk: so a chunk that is
//! changed, left out, put elsewhere or cut off after is noticed where it is read.

use std::fmt;

use chacha20poly1305::aead::{AeadInOut, Tag};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305};

use super::sealed::{ClearKey, bound};
use super::{KeyNumber, Unsealed};

/// Of a stream's nonces: random, and the same in all of them.
pub const STREAM_BYTES: usize = 19;
/// What sealing adds to each chunk.
pub const CHUNK_MORE_BYTES: usize = 16;

/// One stream of chunks, to be sealed or to be opened. Its key no log shows.
pub struct Chunks {
    cipher: XChaCha20Poly1305,
    stream: [u8; STREAM_BYTES],
    bound: Vec<u8>,
}

impl fmt::Debug for Chunks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Chunks(..)")
    }
}

impl Chunks {
    pub(super) fn of(number: KeyNumber, key: &ClearKey, context: &[u8], stream: [u8; STREAM_BYTES]) -> Self {
        Self { cipher: XChaCha20Poly1305::new(&key.0.into()), stream, bound: bound(number, context) }
    }

    /// What must be kept beside the chunks to open them.
    #[must_use]
    pub fn stream(&self) -> [u8; STREAM_BYTES] {
        self.stream
    }

    /// Seals a chunk where it stands; its tag comes behind it.
    pub fn seal(&self, number: u32, last: bool, chunk: &mut Vec<u8>) {
        let tag = self
            .cipher
            .encrypt_inout_detached(&self.nonce(number, last).into(), &self.bound, chunk.as_mut_slice().into())
            .expect("a chunk far below 256 GiB encrypts");
        chunk.extend_from_slice(&tag);
    }

    /// Opens a chunk where it stands.
    ///
    /// # Errors
    /// `Damaged`: it is not this chunk of this stream.
    pub fn open(&self, number: u32, last: bool, chunk: &mut Vec<u8>) -> Result<(), Unsealed> {
        let clear_bytes = chunk.len().checked_sub(CHUNK_MORE_BYTES).ok_or(Unsealed::Damaged)?;
        let (sealed, tag) = chunk.split_at_mut(clear_bytes);
        let tag = Tag::<XChaCha20Poly1305>::try_from(&*tag).map_err(|_| Unsealed::Damaged)?;
        self.cipher
            .decrypt_inout_detached(&self.nonce(number, last).into(), &self.bound, sealed.into(), &tag)
            .map_err(|_| Unsealed::Damaged)?;
        chunk.truncate(clear_bytes);
        Ok(())
    }

    fn nonce(&self, number: u32, last: bool) -> [u8; 24] {
        let mut nonce = [0; 24];
        nonce[..STREAM_BYTES].copy_from_slice(&self.stream);
        nonce[STREAM_BYTES..23].copy_from_slice(&number.to_be_bytes());
        nonce[23] = u8::from(last);
        nonce
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: ClearKey = ClearKey([7; 32]);

    fn chunks() -> Chunks {
        Chunks::of(KeyNumber(3), &KEY, b"here", [9; STREAM_BYTES])
    }

    /// Three chunks, the last shorter.
    fn sealed() -> Vec<Vec<u8>> {
        let clear = [vec![1; 100], vec![2; 100], vec![3; 7]];
        let seal = |(number, mut chunk): (usize, Vec<u8>)| {
            chunks().seal(number as u32, number == 2, &mut chunk);
            chunk
        };
        clear.into_iter().enumerate().map(seal).collect()
    }

    fn opens(chunks: &Chunks, sealed: &[Vec<u8>]) -> bool {
        sealed
            .iter()
            .enumerate()
            .all(|(number, chunk)| chunks.open(number as u32, number + 1 == sealed.len(), &mut chunk.clone()).is_ok())
    }

    #[test]
    fn what_was_sealed_is_opened() {
        let mut all = Vec::new();
        for (number, mut chunk) in sealed().into_iter().enumerate() {
            chunks().open(number as u32, number == 2, &mut chunk).unwrap();
            all.extend(chunk);
        }
        assert_eq!(all, [vec![1; 100], vec![2; 100], vec![3; 7]].concat());
        assert!(opens(&chunks(), &sealed()));
    }

    #[test]
    fn damage_is_noticed_in_each_chunk_and_at_each_of_its_bytes() {
        for number in 0..3 {
            for at in 0..sealed()[number].len() {
                let mut damaged = sealed();
                damaged[number][at] ^= 1;
                assert!(!opens(&chunks(), &damaged), "chunk {number}, byte {at}");
            }
            let mut shorter = sealed();
            shorter[number].pop();
            assert!(!opens(&chunks(), &shorter), "chunk {number} is shorter");
            shorter[number].truncate(CHUNK_MORE_BYTES - 1);
            assert!(!opens(&chunks(), &shorter), "chunk {number} is shorter than a tag");
        }
    }

    #[test]
    fn chunks_that_are_cut_off_left_out_swapped_or_repeated_are_noticed() {
        let whole = sealed();
        let cases: [(&str, &[usize]); 6] = [
            ("cut off", &[0, 1]),
            ("the first alone", &[0]),
            ("left out", &[0, 2]),
            ("swapped", &[1, 0, 2]),
            ("repeated", &[0, 0, 1, 2]),
            ("goes on", &[0, 1, 2, 2]),
        ];
        for (what, order) in cases {
            let found: Vec<Vec<u8>> = order.iter().map(|place| whole[*place].clone()).collect();
            assert!(!opens(&chunks(), &found), "{what}");
        }
    }

    #[test]
    fn a_chunk_opens_for_its_key_its_place_and_its_stream_alone() {
        let others = [
            Chunks::of(KeyNumber(4), &KEY, b"here", [9; STREAM_BYTES]),
            Chunks::of(KeyNumber(3), &ClearKey([8; 32]), b"here", [9; STREAM_BYTES]),
            Chunks::of(KeyNumber(3), &KEY, b"there", [9; STREAM_BYTES]),
            Chunks::of(KeyNumber(3), &KEY, b"here", [8; STREAM_BYTES]),
        ];
        assert!(others.iter().all(|other| !opens(other, &sealed())));
    }
}
