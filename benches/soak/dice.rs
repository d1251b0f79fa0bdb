//! Chance.

pub fn below(most: u32) -> u32 {
    let mut bytes = [0; 4];
    getrandom::fill(&mut bytes).expect("the system gives randomness");
    ((u64::from(u32::from_le_bytes(bytes)) * u64::from(most)) >> 32) as u32
}

pub fn one_in(many: u32) -> bool {
    below(many) == 0
}
