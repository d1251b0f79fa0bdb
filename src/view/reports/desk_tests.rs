//! What reports know of conversations and agents, beside what the desk knows of them: two readers of the same events.

use super::fold::Fold;
use super::person::Person;
use super::seed::{person_of, talk_of};
use super::talk::Talk;
use super::tests::Shelf;
use crate::desk::Desk;
use crate::desk::event::Event;
use crate::desk::ids::OfferId;
use crate::desk::time::{DeskTime, Now, WallTime};
use crate::journal::record;
use crate::simulate::{Mode, Plan, records_of};

/// After each of many turns of simulated days, with everything that can happen.
#[test]
fn what_reports_know_of_everybody_is_what_the_desk_knows() {
    let mut compared = 0;
    for seed in 1..=12 {
        let records = records_of(Plan { seed, steps: 600, mode: Mode::Safety, sabotage: None }).expect("a good run");
        let (mut desk, mut shelf) = (Desk::default(), Shelf::default());
        let mut fold = Fold::default();
        for stored in &records {
            let record = record::decode(&stored.body).unwrap();
            let events: Vec<Event> = record.events.iter().map(|raw| serde_json::from_str(raw.get()).unwrap()).collect();
            let now = Now { desk: DeskTime(record.head.desk_ms), wall: WallTime(record.head.wall_ms) };
            desk.replay(now, &events, &[]);
            let Ok(()) = fold.turn(now.wall.0, &events, &mut shelf);
            for (id, agent) in desk.agents() {
                let (known, person) = (person_of(agent, 0), fold.persons[&id]);
                assert_eq!(Person { since: 0, ..person }, known, "seed {seed}, record {}, agent {id}", stored.position);
            }
            for (id, conversation) in desk.conversations() {
                let (known, talk) = (talk_of(conversation, 0), &fold.talks[&id]);
                let of = |talk: &Talk| {
                    let offers: Vec<OfferId> = talk.offers.iter().map(|pending| pending.offer).collect();
                    let owner = talk.owner.map(|owner| (owner.agent, owner.wraps_since.is_some()));
                    (talk.queue, talk.channel, talk.waits_since.is_some(), offers, owner, talk.joined)
                };
                let place = format!("seed {seed}, record {}, {id}", stored.position);
                // A message that was left stays one here until it is answered; there, until its queue opens.
                let left = talk.left && known.waits_since.is_some();
                assert_eq!(
                    of(&Talk { waits_since: talk.waits_since.or(left.then_some(0)), ..talk.clone() }),
                    of(&known),
                    "{place}"
                );
                compared += 1;
            }
        }
    }
    assert!(compared > 10_000, "{compared}");
}
