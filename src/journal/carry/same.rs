//! Both journals read and compared, record by record, when everything was carried.

use super::reading::{extent_of, page};
use super::{CarryFailed, Part};
use crate::journal::{Journal, Position, StoredRecord};

/// Reads the records of a part in both; `told` hears how many bytes of bodies were compared. Answers how many records there were. A
/// workspace that is one node's alone is passed over.
///
/// # Errors
/// They are not the same, or could not be read.
pub async fn same(
    source: &dyn Journal,
    target: &dyn Journal,
    part: &Part,
    page_bytes: usize,
    mut told: impl AsyncFnMut(usize),
) -> Result<u64, CarryFailed> {
    if part.is_of_one_node() {
        return Ok(0);
    }
    let workspace = &part.workspace;
    let missing = |position| CarryFailed::Missing { workspace: workspace.clone(), position };
    // Either may have been cut.
    let there = extent_of(target, workspace).await?.ok_or_else(|| missing(part.source.first))?;
    let mut after = Position(part.source.first.max(there.first).0 - 1);
    let mut compared = 0;
    while after < part.source.last {
        let records = page(source, workspace, (after, part.source.last), page_bytes).await?;
        let copies = page(target, workspace, (after, part.source.last), page_bytes).await?;
        if records.is_empty() || copies.is_empty() {
            return Err(missing(after.next()));
        }
        if let Some(position) = first_other(&records, &copies) {
            return Err(CarryFailed::OtherHistory { workspace: workspace.clone(), position });
        }
        let both = records.len().min(copies.len());
        compared += both as u64;
        after = records[both - 1].position;
        told(records[..both].iter().map(|record| record.body.len()).sum()).await;
    }
    Ok(compared)
}

/// Where two pages that begin behind the same position first differ, as far as both reach.
fn first_other(page: &[StoredRecord], copies: &[StoredRecord]) -> Option<Position> {
    page.iter().zip(copies).find(|(record, copy)| record != copy).map(|(record, _)| record.position)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::TurnId;
    use bytes::Bytes;

    #[test]
    fn two_records_are_the_same_by_position_turn_and_body() {
        let record = |position, turn, body: &'static str| StoredRecord {
            position: Position(position),
            turn: TurnId(turn),
            body: Bytes::from_static(body.as_bytes()),
        };
        let page = [record(4, 1, "a"), record(5, 2, "b"), record(6, 3, "c")];
        assert_eq!(first_other(&page, &page.clone()), None);
        assert_eq!(first_other(&page, &page[..1]), None, "the shorter one says nothing of the rest");
        for other in [record(5, 2, "x"), record(5, 9, "b"), record(6, 2, "b")] {
            let copies = [page[0].clone(), other, page[2].clone()];
            assert_eq!(first_other(&page, &copies), Some(Position(5)));
        }
    }
}
