//! Choices by chance that can be made again.

/// A small generator of our own, so that a printed seed gives the same choices for ever.
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    /// By `OFFHOOK_SEED`, or by chance; it is printed, so that a run's choices can be made again.
    pub fn new() -> Self {
        let given = std::env::var("OFFHOOK_SEED").ok().and_then(|text| text.parse().ok());
        let seed = given.unwrap_or_else(|| {
            let mut bytes = [0; 8];
            getrandom::fill(&mut bytes).expect("the system gives randomness");
            u64::from_le_bytes(bytes) | 1
        });
        println!("OFFHOOK_SEED={seed}");
        Self(seed)
    }

    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    pub fn below(&mut self, most: u64) -> u64 {
        self.next() % most
    }

    /// Another one, whose choices do not depend on how often this one is asked.
    pub fn fork(&mut self) -> Self {
        Self(self.next() | 1)
    }
}
