//! What the engine looks up: entities, ended offers, outcomes of commands; and what is forgotten.

use super::*;
use crate::desk::stored::Row;

const BY_ADA: Principal = Principal::Agent(ADA);

async fn outcome(desk: &Desk, by: Principal, id: u128, into: Option<ConversationId>) -> Option<Outcome> {
    let outcomes = vec![(by, CommandId(id), into)];
    desk.view.look_up(W, Wanted { outcomes, ..Wanted::default() }).await.unwrap().outcomes.remove(0)
}

#[tokio::test]
async fn a_workspace_is_loaded_as_it_was_left() {
    let mut desk = Desk::new();
    desk.turn(
        vec![opened(C1), opened(C2)],
        vec![],
        vec![(C1, conversation(State::Waiting)), (C2, conversation(State::Closed))],
    )
    .await;
    let row = |kind, id: &str, body: Option<&[u8]>| Row { kind, id: id.into(), body: body.map(<[u8]>::to_vec) };
    let batch = |position, rows| Batch { rows, ..batch_of(turn_at(position, vec![], vec![])) };
    let first = vec![row("agent", "a1", Some(b"{}")), row("queue", "q1", Some(b"1"))];
    desk.view.apply(batch(2, first)).await.unwrap();
    desk.view.apply(batch(3, vec![row("agent", "a1", Some(b"{1}")), row("queue", "q1", None)])).await.unwrap();
    let desk = desk.reopened();
    let stored = desk.view.load(W).await.unwrap();
    assert_eq!(stored.position, 3);
    assert_eq!(stored.rows, [("agent".into(), "a1".into(), b"{1}".to_vec())]);
    assert_eq!(stored.conversations, [(C1, conversation(State::Waiting))]);
    assert_eq!(desk.view.workspaces(), [Arc::from(W)]);
}

#[tokio::test]
async fn a_reopened_conversation_is_loaded_again() {
    let mut desk = Desk::new();
    desk.turn(vec![opened(C1)], vec![], vec![(C1, conversation(State::Closed))]).await;
    assert_eq!(desk.view.load(W).await.unwrap().conversations, []);
    desk.turn(vec![], vec![], vec![(C1, conversation(State::Waiting))]).await;
    assert_eq!(desk.view.load(W).await.unwrap().conversations.len(), 1);
}

#[tokio::test]
async fn a_conversation_is_read_as_it_last_stood_whether_open_or_closed() {
    let mut desk = Desk::new();
    let states =
        [State::Waiting, State::Active { owner: ADA }, State::Closed, State::Closed, State::Waiting, State::Closed];
    for (at, state) in states.into_iter().enumerate() {
        let now = Conversation { last_number: at as u32, ..conversation(state) };
        desk.turn(vec![], vec![], vec![(C1, now.clone())]).await;
        assert_eq!(desk.view.conversation(W, C1).await.unwrap(), Some(now.clone()), "{at}");
        assert_eq!(desk.view.search(W, Filter::default(), None, 5).await.unwrap().rows[0].conversation, now, "{at}");
        assert_eq!(desk.view.load(W).await.unwrap().conversations.len(), usize::from(state != State::Closed), "{at}");
    }
}

#[tokio::test]
async fn an_offer_is_found_once_it_has_ended() {
    let mut desk = Desk::new();
    desk.events(vec![opened(C1), offer_made(1, C1), offer_made(2, C1)]).await;
    desk.events(vec![offer_ended(1, C1, OfferEnd::Rejected, None)]).await;
    let wanted = Wanted { offers: vec![OfferId(1), OfferId(2), OfferId(3), OfferId(u64::MAX)], ..Wanted::default() };
    let found = desk.view.look_up(W, wanted).await.unwrap();
    let first = crate::desk::offer::EndedOffer { conversation: C1, agent: ADA, end: OfferEnd::Rejected };
    assert_eq!((found.position, found.offers), (2, vec![Some(first), None, None, None]));
}

#[tokio::test]
async fn every_end_of_an_offer_is_kept_as_it_was() {
    let mut desk = Desk::new();
    for (at, end) in OfferEnd::ALL.into_iter().enumerate() {
        desk.events(vec![offer_ended(at as u64 + 1, C1, end, None)]).await;
    }
    let offers = (1..=OfferEnd::ALL.len() as u64).map(OfferId).collect();
    let found = desk.view.look_up(W, Wanted { offers, ..Wanted::default() }).await.unwrap();
    assert_eq!(found.offers.into_iter().map(|offer| offer.unwrap().end).collect::<Vec<_>>(), OfferEnd::ALL);
}

#[tokio::test]
async fn an_outcome_belongs_to_its_principal() {
    let mut desk = Desk::new();
    let accepted = done(BY_ADA, 5, Answer::Accepted { conversation: C1 });
    desk.turn(vec![], vec![accepted.clone()], vec![]).await;
    assert_eq!(outcome(&desk, BY_ADA, 5, None).await, Some(accepted));
    assert_eq!(outcome(&desk, BY_ADA, 6, None).await, None);
    assert_eq!(outcome(&desk, Principal::Agent(AgentId(2)), 5, None).await, None);
    assert_eq!(outcome(&desk, Principal::Visitor, 5, None).await, None);
}

#[tokio::test]
async fn a_messages_outcome_lives_as_long_as_the_message() {
    let mut desk = Desk::new();
    let by = Principal::Customer(ZOE);
    let start = done(Principal::Visitor, 1, Answer::Opened { conversation: C1, customer: ZOE, at: wall_of(1) });
    desk.turn(vec![opened(C1), posted(C1, 1, 2)], vec![start.clone()], vec![]).await;
    let second = done(by, 2, Answer::Posted { conversation: C1, number: 2, at: wall_of(2) });
    desk.turn(vec![posted(C1, 2, 3)], vec![second.clone()], vec![]).await;
    assert_eq!(outcome(&desk, Principal::Visitor, 1, None).await, Some(start.clone()));
    let next_week = wall_of(2).0 + 7 * 86_400_000;
    let mut later = turn_at(3, vec![], vec![]);
    later.now.wall = WallTime(next_week);
    desk.view.apply(batch_of(later)).await.unwrap();
    assert!(desk.view.prune(next_week, None, 100).await.unwrap().done);
    assert_eq!(outcome(&desk, by, 2, Some(C1)).await, Some(second));
    assert_eq!(outcome(&desk, Principal::Visitor, 1, Some(C1)).await, Some(start));
    assert_eq!(outcome(&desk, Principal::Visitor, 1, None).await, None);
    assert_eq!(outcome(&desk, by, 2, Some(C2)).await, None);
}

#[tokio::test]
async fn an_outcome_is_forgotten_after_a_day() {
    let mut desk = Desk::new();
    desk.turn(vec![], vec![done(BY_ADA, 5, Answer::Done)], vec![]).await;
    let hour = 3_600_000;
    for (position, hours, remembered) in [(2, 23, true), (3, 25, false)] {
        let mut turn = turn_at(position, vec![], vec![]);
        turn.now.wall = WallTime(wall_of(1).0 + hours * hour);
        desk.view.apply(batch_of(turn)).await.unwrap();
        assert_eq!(outcome(&desk, BY_ADA, 5, None).await.is_some(), remembered, "{hours} h");
    }
    let pruned = desk.view.prune(wall_of(1).0 + 25 * hour, None, 10).await.unwrap();
    assert_eq!((pruned.outcomes, pruned.done), (1, true));
}

#[tokio::test]
async fn a_principal_has_a_most_of_remembered_outcomes_and_the_newest_stay() {
    let mut desk = Desk::new();
    for id in 0..10 {
        let both = vec![done(BY_ADA, id, Answer::Done), done(Principal::ApiKey(9), id, Answer::Done)];
        desk.turn(vec![], both, vec![]).await;
    }
    let step = PruneStep { now_wall_ms: wall_of(20).0, retention_ms: None, outcomes_each_max: 4, only: None };
    let pruned = desk.view.prune_by(step, 10).await.unwrap();
    assert_eq!((pruned.outcomes, pruned.done), (12, true));
    assert_eq!(outcome(&desk, BY_ADA, 5, None).await, None);
    assert!(outcome(&desk, BY_ADA, 6, None).await.is_some());
    assert!(outcome(&desk, Principal::ApiKey(9), 9, None).await.is_some());
}

#[tokio::test]
async fn one_workspaces_old_conversations_go_and_no_others() {
    let mut desk = Desk::new();
    let closed = || conversation(State::Closed);
    desk.turn(vec![opened(C1), ended(C1, 2)], vec![], vec![(C1, closed())]).await;
    let theirs = turn_at(1, vec![opened(C1), posted(C1, 1, 2), ended(C1, 3)], vec![]);
    let batch = Batch { workspace: "other".into(), conversations: vec![(C1, closed())], ..batch_of(theirs) };
    desk.view.apply(batch).await.unwrap();
    let now = wall_of(20).0;
    assert_eq!(desk.view.prune_of("nobody", now, 0, 10).await.unwrap(), Pruned { done: true, ..Pruned::default() });
    let pruned = desk.view.prune_of("other", now, 0, 10).await.unwrap();
    assert_eq!((pruned.conversations, pruned.events, pruned.done), (1, 3, true));
    assert_eq!(desk.view.conversation("other", C1).await.unwrap(), None);
    assert_eq!(desk.view.conversation(W, C1).await.unwrap(), Some(closed()));
}

#[tokio::test]
async fn old_closed_conversations_go_with_all_their_rows_in_bounded_steps() {
    let mut desk = Desk::new();
    let many = (1..=3_000).map(|number| posted(C1, number, number + 1)).collect();
    desk.turn(vec![opened(C1), offer_made(1, C1)], vec![], vec![]).await;
    desk.events(many).await;
    let over = vec![offer_ended(1, C1, OfferEnd::Withdrawn, None), ended(C1, 3_002)];
    desk.turn(over, vec![], vec![(C1, conversation(State::Closed))]).await;
    desk.turn(vec![opened(C2)], vec![], vec![(C2, conversation(State::Waiting))]).await;
    let day = 86_400_000;
    let closed_at = wall_of(3).0;
    assert_eq!(
        desk.view.prune(closed_at + day, Some(day), 10).await.unwrap(),
        Pruned { done: true, ..Pruned::default() }
    );
    let first = desk.view.prune(closed_at + day + 1, Some(day), 1).await.unwrap();
    assert_eq!((first.events, first.conversations, first.done), (2_000, 0, false));
    let rest = desk.view.prune(closed_at + day + 1, Some(day), 10).await.unwrap();
    assert_eq!((rest.events, rest.conversations, rest.done), (1_004, 1, true));
    let wanted = Wanted { conversations: vec![C1, C2], offers: vec![OfferId(1)], ..Wanted::default() };
    let found = desk.view.look_up(W, wanted).await.unwrap();
    assert_eq!(found.conversations, [None, Some(conversation(State::Waiting))]);
    assert_eq!(found.offers, [None]);
    assert_eq!(desk.view.events_of(W, C1, None, 5).await.unwrap().rows, []);
}
