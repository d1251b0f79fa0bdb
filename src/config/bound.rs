//! One bound on what is held in memory for somebody, as a row of the list (`bounds.rs`).

/// How much there may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Most {
    /// As this setting says.
    Setting(&'static str),
    /// A part of the memory budget, at most.
    Budget(&'static str),
    /// Always this.
    Fixed(&'static str),
}

/// One bound.
#[derive(Debug)]
pub struct Bound {
    pub what: &'static str,
    /// Where it is held, below `src/`.
    pub file: &'static str,
    pub most: Most,
    /// What becomes of what does not fit.
    pub beyond: &'static str,
    /// The metric that shows it, if it has one.
    pub metric: &'static str,
}

pub(super) const fn bound(
    what: &'static str,
    file: &'static str,
    most: Most,
    beyond: &'static str,
    metric: &'static str,
) -> Bound {
    Bound { what, file, most, beyond, metric }
}
