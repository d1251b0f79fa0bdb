//! From which position on a workspace is copied, by what both journals hold of it. Pure.

use crate::journal::Position;

/// What a journal holds of a workspace; the first is above 1 where it was cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extent {
    pub first: Position,
    pub last: Position,
}

/// Where to begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Begin {
    /// The last record that both have: they must be the same. `None`: nothing is there.
    pub shared: Option<Position>,
    /// What is behind it is copied; that is nothing where both end here, or the other one has gone on.
    pub after: Position,
}

/// No record is in both, so that nobody can say whether they are one history.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Apart {
    pub ends: Position,
    pub begins: Position,
}

pub(super) fn begin(source: Extent, target: Option<Extent>) -> Result<Begin, Apart> {
    let Some(target) = target else { return Ok(Begin::whole(source)) };
    let shared = source.last.min(target.last);
    if shared < source.first {
        return Err(Apart { ends: target.last, begins: source.first });
    }
    if shared < target.first {
        return Err(Apart { ends: source.last, begins: target.first });
    }
    Ok(Begin { shared: Some(shared), after: shared })
}

/// Of a workspace that is one node's alone the newer one is kept, whole; `true`: what is there goes first.
pub(super) fn begin_of_one_node(source: Extent, target: Option<Extent>) -> (Begin, bool) {
    match target {
        Some(target) if target.last >= source.last => (Begin { shared: None, after: source.last }, false),
        there => (Begin::whole(source), there.is_some()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn extent(first: u64, last: u64) -> Extent {
        Extent { first: Position(first), last: Position(last) }
    }

    fn behind(position: u64) -> Result<Begin, Apart> {
        Ok(Begin { shared: Some(Position(position)), after: Position(position) })
    }

    #[test]
    fn it_begins_behind_the_last_record_that_both_have() {
        let whole = |after| Ok(Begin { shared: None, after: Position(after) });
        assert_eq!(begin(extent(1, 9), None), whole(0));
        assert_eq!(begin(extent(5, 9), None), whole(4), "of a journal that was cut");
        assert_eq!(begin(extent(1, 9), Some(extent(1, 4))), behind(4));
        assert_eq!(begin(extent(1, 9), Some(extent(1, 9))), behind(9), "everything is there");
        assert_eq!(begin(extent(1, 9), Some(extent(1, 20))), behind(9), "it has gone on");
        assert_eq!(begin(extent(4, 9), Some(extent(1, 4))), behind(4), "the source was cut meanwhile");
        assert_eq!(begin(extent(1, 9), Some(extent(9, 20))), behind(9), "the target was cut meanwhile");
    }

    #[test]
    fn without_a_record_in_both_it_is_refused() {
        let apart = |ends, begins| Err(Apart { ends: Position(ends), begins: Position(begins) });
        assert_eq!(begin(extent(6, 9), Some(extent(1, 4))), apart(4, 6), "records are gone between them");
        assert_eq!(begin(extent(5, 9), Some(extent(1, 4))), apart(4, 5), "nothing to compare");
        assert_eq!(begin(extent(1, 9), Some(extent(10, 20))), apart(9, 10));
    }

    #[test]
    fn of_a_workspace_that_is_one_nodes_alone_the_newer_one_is_kept_whole() {
        let whole = |after| Begin { shared: None, after: Position(after) };
        assert_eq!(begin_of_one_node(extent(30, 40), None), (whole(29), false));
        assert_eq!(begin_of_one_node(extent(30, 40), Some(extent(3, 9))), (whole(29), true));
        assert_eq!(begin_of_one_node(extent(30, 40), Some(extent(35, 45))), (whole(40), false));
    }
}
