//! Where a trace goes on: its ids, and how they are written in `traceparent` (W3C Trace Context, level 1). Pure, but for the ids.

use std::fmt;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// A span of a trace, as those name it that come of it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Context {
    pub trace: u128,
    pub span: u64,
}

impl Context {
    /// The beginning of a trace.
    #[must_use]
    pub fn fresh() -> Self {
        Self { trace: u128::from(random()) << 64 | u128::from(random()), span: random() }
    }

    /// Of the same trace.
    #[must_use]
    pub fn child(self) -> Self {
        Self { span: random(), ..self }
    }

    /// What a request brought: whose part it is, and whether that is sampled. `None` for what is not as it must be, which is as if there
    /// were nothing.
    #[must_use]
    pub fn parse(header: &str) -> Option<(Self, bool)> {
        let version = hex(header.get(..2)?)?;
        let rest = header.get(2..)?;
        let fields = rest.get(..53)?;
        // A later version may say more behind a further dash.
        let ends = if version == 0 { rest.len() == 53 } else { rest.len() == 53 || rest.as_bytes()[53] == b'-' };
        let dashes = [0, 33, 50].iter().all(|at| fields.as_bytes()[*at] == b'-');
        let (trace, span, flags) = (hex(&fields[1..33])?, hex(&fields[34..50])? as u64, hex(&fields[51..53])?);
        let holds = version != 0xff && ends && dashes && trace != 0 && span != 0;
        holds.then_some((Self { trace, span }, flags & 1 == 1))
    }
}

/// As a `traceparent` that is sampled: of what is not there is no context.
impl fmt::Display for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "00-{:032x}-{:016x}-01", self.trace, self.span)
    }
}

/// Lower case alone, and no sign.
fn hex(text: &str) -> Option<u128> {
    let plain = text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    plain.then(|| u128::from_str_radix(text, 16).ok()).flatten()
}

/// As good as random, never 0, and no call of the system: SplitMix64 from a random place.
fn random() -> u64 {
    static SEED: OnceLock<u64> = OnceLock::new();
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let seed = *SEED.get_or_init(|| {
        let mut bytes = [0; 8];
        // Without one, ids may be those of another process: nothing rests on them.
        let _ = getrandom::fill(&mut bytes);
        u64::from_le_bytes(bytes)
    });
    const STEP: u64 = 0x9e37_79b9_7f4a_7c15;
    let mut mixed = seed.wrapping_add(NEXT.fetch_add(1, Relaxed).wrapping_mul(STEP));
    mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    (mixed ^ mixed >> 31).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn a_traceparent_comes_back_as_it_was() {
        let (context, sampled) = Context::parse(GOOD).unwrap();
        assert!(sampled);
        assert_eq!((context.trace, context.span), (0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736, 0x00f0_67aa_0ba9_02b7));
        assert_eq!(context.to_string(), GOOD);
        assert!(!Context::parse(&GOOD.replace("-01", "-00")).unwrap().1);
    }

    #[test]
    fn what_is_not_as_it_must_be_is_nothing() {
        let zero_trace = format!("00-{}-00f067aa0ba902b7-01", "0".repeat(32));
        let zero_span = format!("00-4bf92f3577b34da6a3ce929d0e0e4736-{}-01", "0".repeat(16));
        for bad in [
            "",
            "00",
            &GOOD[..54],
            &format!("{GOOD}-more"),
            &GOOD.replacen("00", "ff", 1),
            &GOOD.to_uppercase(),
            &GOOD.replace('-', "_"),
            &GOOD.replace("4bf9", "+bf9"),
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0é",
            &zero_trace,
            &zero_span,
        ] {
            assert_eq!(Context::parse(bad), None, "{bad:?}");
        }
        assert!(Context::parse(&format!("{}-more", GOOD.replacen("00", "01", 1))).is_some(), "a later version");
        assert_eq!(Context::parse(&format!("{}more", GOOD.replacen("00", "01", 1))), None);
    }

    #[test]
    fn ids_differ() {
        let (one, other) = (Context::fresh(), Context::fresh());
        assert!(one.trace != other.trace && one.span != other.span && one.span != 0);
        assert!(one.child().trace == one.trace && one.child().span != one.span);
    }
}
