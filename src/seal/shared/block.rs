//! A block of keys as the cluster's bucket holds it: the numbers that were taken for it, and each key that is left of them, wrapped. Pure.
//!
//! ```text
//! 1 | end u64 LE | for each key: number u64 LE | nonce 24 bytes | ciphertext 32 bytes | tag 16 bytes
//! ```
//!
//! The first number is in the entry's name. A number of the block without a key is one that was erased.

use crate::seal::store::{WRAPPED_BYTES, Wrapped};

const VERSION: u8 = 1;
const HEAD_BYTES: usize = 1 + 8;
const KEY_BYTES: usize = 8 + WRAPPED_BYTES;

/// What a block has at most, and so how large an entry is.
pub(in crate::seal) const BLOCK_KEYS_MAX: usize = 4_096;
pub(super) const BLOCK_BYTES_MAX: usize = HEAD_BYTES + BLOCK_KEYS_MAX * KEY_BYTES;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::seal) struct Block {
    pub first: u64,
    /// The first number behind it.
    pub end: u64,
    /// By number.
    pub keys: Vec<(u64, Wrapped)>,
}

impl Block {
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(HEAD_BYTES + self.keys.len() * KEY_BYTES);
        bytes.push(VERSION);
        bytes.extend_from_slice(&self.end.to_le_bytes());
        for (number, wrapped) in &self.keys {
            bytes.extend_from_slice(&number.to_le_bytes());
            bytes.extend_from_slice(wrapped);
        }
        bytes
    }

    /// `None` if it is no block that begins there. Whether its keys unwrap is not looked at.
    pub fn decode(first: u64, bytes: &[u8]) -> Option<Block> {
        let (head, rest) = bytes.split_first_chunk::<HEAD_BYTES>()?;
        let end = u64::from_le_bytes(head[1..].try_into().ok()?);
        let (keys, []) = rest.as_chunks::<KEY_BYTES>() else { return None };
        // A store of keys counts in signed numbers.
        if head[0] != VERSION || keys.len() > BLOCK_KEYS_MAX || i64::try_from(end).is_err() {
            return None;
        }
        let mut block = Block { first, end, keys: Vec::with_capacity(keys.len()) };
        let mut next = first;
        for key in keys {
            let (number, wrapped) = key.split_first_chunk::<8>()?;
            let number = u64::from_le_bytes(*number);
            if number < next || number >= end {
                return None;
            }
            next = number + 1;
            block.keys.push((number, wrapped.try_into().ok()?));
        }
        (next <= end && first < end).then_some(block)
    }

    pub fn has(&self, number: u64) -> bool {
        self.keys.binary_search_by_key(&number, |(held, _)| *held).is_ok()
    }

    /// Whether any of them was there.
    pub fn take_out(&mut self, numbers: &[u64]) -> bool {
        let before = self.keys.len();
        self.keys.retain(|(number, _)| !numbers.contains(number));
        self.keys.len() < before
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(first: u64, end: u64, numbers: &[u64]) -> Block {
        let key = |number: &u64| (*number, [*number as u8; WRAPPED_BYTES]);
        Block { first, end, keys: numbers.iter().map(key).collect() }
    }

    #[test]
    fn what_was_written_is_read_back_with_and_without_keys() {
        for block in [block(1, 4, &[1, 2, 3]), block(9, 12, &[10]), block(9, 12, &[]), block(7, 8, &[7])] {
            assert_eq!(Block::decode(block.first, &block.encode()), Some(block));
        }
        let numbers: Vec<u64> = (5..5 + BLOCK_KEYS_MAX as u64).collect();
        let largest = block(5, 5 + BLOCK_KEYS_MAX as u64, &numbers);
        assert_eq!(largest.encode().len(), BLOCK_BYTES_MAX);
        assert_eq!(Block::decode(5, &largest.encode()), Some(largest));
    }

    #[test]
    fn what_is_no_block_of_that_name_is_refused() {
        let whole = block(10, 14, &[10, 12, 13]).encode();
        for end in 0..whole.len() {
            let cut = Block::decode(10, &whole[..end]);
            assert!(cut.is_none() || (end - HEAD_BYTES).is_multiple_of(KEY_BYTES), "cut off at {end}");
        }
        assert_eq!(Block::decode(11, &whole), None, "a number before its first");
        assert_eq!(Block::decode(14, &block(14, 14, &[]).encode()), None, "no number at all");
        assert_eq!(Block::decode(10, &block(10, 13, &[10, 13]).encode()), None, "a number behind its end");
        assert_eq!(Block::decode(10, &block(10, 14, &[12, 11]).encode()), None, "not in order");
        assert_eq!(Block::decode(10, &block(10, 14, &[12, 12]).encode()), None, "twice the same");
        assert_eq!(Block::decode(10, &block(10, u64::MAX, &[]).encode()), None, "beyond what a store counts to");
        let mut newer = whole.clone();
        newer[0] = 2;
        assert_eq!(Block::decode(10, &newer), None, "another version");
        let many: Vec<u64> = (1..=BLOCK_KEYS_MAX as u64 + 1).collect();
        assert_eq!(Block::decode(1, &block(1, 10_000, &many).encode()), None, "too many keys");
    }

    #[test]
    fn what_is_taken_out_is_gone_and_the_rest_stays() {
        let mut block = block(10, 14, &[10, 12, 13]);
        assert!(block.has(12) && !block.has(11));
        assert!(block.take_out(&[12, 99]));
        assert!(!block.has(12) && block.has(13));
        assert!(!block.take_out(&[12]));
        assert_eq!((block.first, block.end, block.keys.len()), (10, 14, 2));
    }
}
