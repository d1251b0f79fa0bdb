//! How ids are packed into SQLite's 64-bit integers, so that a table's own order is the order of time and needs no
//! second index: a workspace's number in the high bits, the id in the low ones.

use crate::desk::ids::{AgentId, CommandId, ConversationId, CustomerId, ImportId, OfferId, Principal, QueueId};

const ID_BITS: u32 = 40;
const INDEX_BITS: u32 = 16;
/// Outcomes are indexed by a hash behind their time, in steps of this. Random keys are then random only among those
/// of the same step: a commit dirties few pages; and a look-up tries the steps of the last day.
const OUTCOME_STEP_MS: u64 = 6 * 3_600_000;
const OUTCOME_STEPS: u64 = 5;
const HASH_BITS: u32 = 57;

/// The number of a workspace in this file.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) struct WorkspaceNumber(pub i64);

/// The id does not fit: no desk has counted that far, so the event that carries it is not one of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TooLarge;

impl WorkspaceNumber {
    fn pack(self, id: u64) -> Result<i64, TooLarge> {
        if id >> ID_BITS != 0 || self.0 >> (63 - ID_BITS) != 0 {
            return Err(TooLarge);
        }
        Ok(self.0 << ID_BITS | id as i64)
    }

    pub fn conversation(self, id: ConversationId) -> Result<i64, TooLarge> {
        self.pack(id.0)
    }

    pub fn offer(self, id: OfferId) -> Result<i64, TooLarge> {
        self.pack(id.0)
    }

    /// Keys of all its conversations: at least the first, below the second.
    pub fn span(self) -> (i64, i64) {
        (self.0 << ID_BITS, (self.0 + 1) << ID_BITS)
    }

    pub fn agent(self, id: AgentId) -> i64 {
        self.0 << 32 | i64::from(id.0)
    }

    pub fn queue(self, id: QueueId) -> i64 {
        self.0 << 32 | i64::from(id.0)
    }

    /// Half of the import's id, mixed with the workspace, as a customer's is.
    pub fn import(self, id: ImportId) -> i64 {
        mix((id.0 >> 64) as u64 ^ mix(self.0 as u64)) as i64
    }

    /// Half of the customer's id, mixed with the workspace: narrow, and told apart by the body for certain.
    pub fn customer(self, id: CustomerId) -> i64 {
        mix((id.0 >> 64) as u64 ^ mix(self.0 as u64)) as i64
    }
}

pub(super) fn id_of(key: i64) -> u64 {
    (key & ((1 << ID_BITS) - 1)) as u64
}

pub(super) fn workspace_of(key: i64) -> i64 {
    key >> ID_BITS
}

/// Position and index of an event as one number.
pub(super) fn place(position: u64, index: usize) -> Result<i64, TooLarge> {
    if position >> (63 - INDEX_BITS) != 0 || index >> INDEX_BITS != 0 {
        return Err(TooLarge);
    }
    Ok((position << INDEX_BITS) as i64 | index as i64)
}

pub(super) fn place_parts(place: i64) -> (u64, u32) {
    ((place >> INDEX_BITS) as u64, (place & ((1 << INDEX_BITS) - 1)) as u32)
}

/// A principal in 1 to 17 bytes.
pub(super) fn principal_bytes(principal: Principal) -> Vec<u8> {
    let (tag, rest): (u8, Vec<u8>) = match principal {
        Principal::Agent(agent) => (1, agent.0.to_be_bytes().to_vec()),
        Principal::Customer(customer) => (2, customer.0.to_be_bytes().to_vec()),
        Principal::ApiKey(key) => (3, key.to_be_bytes().to_vec()),
        Principal::Visitor => (4, Vec::new()),
        Principal::Server => (5, Vec::new()),
    };
    let mut bytes = vec![tag];
    bytes.extend(rest);
    bytes
}

pub(super) fn principal_of(bytes: &[u8]) -> Option<Principal> {
    let (tag, rest) = bytes.split_first()?;
    Some(match tag {
        1 => Principal::Agent(AgentId(u32::from_be_bytes(rest.try_into().ok()?))),
        2 => Principal::Customer(CustomerId(u128::from_be_bytes(rest.try_into().ok()?))),
        3 => Principal::ApiKey(u64::from_be_bytes(rest.try_into().ok()?)),
        4 => Principal::Visitor,
        5 => Principal::Server,
        _ => return None,
    })
}

/// Of a principal's command, for an index; the row itself tells for certain.
pub(super) fn command_hash(principal: Principal, id: CommandId) -> u64 {
    let folded = principal_bytes(principal).iter().fold(0, |hash, byte| mix(hash ^ u64::from(*byte)));
    mix(folded ^ mix(id.0 as u64 ^ mix((id.0 >> 64) as u64)))
}

/// Where the outcome of a command done at this time is indexed.
pub(super) fn outcome_key(hash: u64, wall_ms: u64) -> i64 {
    let step = wall_ms / OUTCOME_STEP_MS % 64;
    (step << HASH_BITS | hash & ((1 << HASH_BITS) - 1)) as i64
}

/// Where it may be, had it been done within the 24 h before `wall_ms`.
pub(super) fn outcome_keys(hash: u64, wall_ms: u64) -> [i64; OUTCOME_STEPS as usize] {
    std::array::from_fn(|back| outcome_key(hash, wall_ms.saturating_sub(back as u64 * OUTCOME_STEP_MS)))
}

/// SplitMix64's finish. It is in the file's format: it never changes.
fn mix(value: u64) -> u64 {
    let mut mixed = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ mixed >> 31
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn principals_survive_packing() {
        for principal in [
            Principal::Agent(AgentId(7)),
            Principal::Customer(CustomerId(1 << 100)),
            Principal::ApiKey(u64::MAX),
            Principal::Visitor,
            Principal::Server,
        ] {
            assert_eq!(principal_of(&principal_bytes(principal)), Some(principal));
        }
        assert_eq!(principal_of(&[1, 2]), None);
        assert_eq!(principal_of(&[]), None);
    }

    #[test]
    fn places_keep_their_order_and_their_parts() {
        assert!(place(1, 65_535).unwrap() < place(2, 0).unwrap());
        assert_eq!(place_parts(place(812, 3).unwrap()), (812, 3));
        assert_eq!(place(1 << 47, 0), Err(TooLarge));
        assert_eq!(place(1, 1 << 16), Err(TooLarge));
    }

    #[test]
    fn ids_of_two_workspaces_never_meet() {
        let most = ConversationId((1 << 40) - 1);
        assert!(WorkspaceNumber(1).conversation(most).unwrap() < WorkspaceNumber(2).span().0);
        assert_eq!(WorkspaceNumber(1).conversation(ConversationId(1 << 40)), Err(TooLarge));
        assert_eq!(id_of(WorkspaceNumber(9).conversation(most).unwrap()), most.0);
    }

    #[test]
    fn an_outcome_is_looked_for_through_a_whole_day() {
        let done = 1_700_000_000_000;
        for later_h in 0..24 {
            let keys = outcome_keys(77, done + later_h * 3_600_000);
            assert!(keys.contains(&outcome_key(77, done)), "{later_h} h later");
        }
    }
}
