//! What people read.

use super::*;

/// Opened, five messages, an offer expired and one accepted, the end: as a customer's stream would have it.
async fn talk(desk: &mut Desk) {
    desk.events(vec![opened(C1), posted(C1, 1, 2), offer_made(1, C1)]).await;
    desk.events(vec![Event::OfferDelivered { offer: OfferId(1), accepts_at: None, of: None }]).await;
    desk.events(vec![offer_ended(1, C1, OfferEnd::Expired, None), offer_made(2, C1)]).await;
    desk.events(vec![offer_ended(2, C1, OfferEnd::Accepted, Some(3))]).await;
    for number in 2..=5 {
        desk.events(vec![posted(C1, number, number + 2)]).await;
    }
    let closed = conversation(State::Closed);
    desk.turn(vec![ended(C1, 8)], vec![], vec![(C1, closed)]).await;
}

fn numbers(page: &Rows<MessageRow>) -> Vec<u32> {
    page.rows.iter().map(|row| row.number).collect()
}

#[tokio::test]
async fn messages_come_in_pages_from_either_end() {
    let mut desk = Desk::new();
    talk(&mut desk).await;
    for (page, limit, expected, more) in [
        (Page::Last, 50, vec![1, 2, 3, 4, 5], false),
        (Page::Last, 2, vec![4, 5], true),
        (Page::Before(4), 2, vec![2, 3], true),
        (Page::Before(3), 2, vec![1, 2], false),
        (Page::After(0), 2, vec![1, 2], true),
        (Page::After(3), 2, vec![4, 5], false),
        (Page::After(5), 2, vec![], false),
        (Page::Before(1), 2, vec![], false),
    ] {
        let found = desk.view.messages(W, C1, page, limit).await.unwrap();
        assert_eq!((numbers(&found), found.more), (expected, more), "{page:?} {limit}");
    }
    let first = desk.view.messages(W, C1, Page::After(0), 1).await.unwrap().rows.remove(0);
    assert_eq!((first.author, first.at, &*first.text), (Author::Customer(ZOE), wall_of(1), "sealed c1 1"));
}

#[tokio::test]
async fn a_page_of_large_messages_ends_early_and_says_so() {
    let mut desk = Desk::new();
    for number in 1..=100 {
        let text = "x".repeat(16 << 10).into();
        let author = Author::Customer(ZOE);
        let files = Default::default();
        desk.events(vec![Event::MessagePosted { conversation: C1, number, author, text, public: number, files }]).await;
    }
    let page = desk.view.messages(W, C1, Page::Last, 100).await.unwrap();
    assert!(page.more && page.rows.len() < 64 && page.rows.last().unwrap().number == 100);
    let next = desk.view.messages(W, C1, Page::Before(page.rows[0].number), 100).await.unwrap();
    assert_eq!(next.rows.last().unwrap().number + 1, page.rows[0].number);
}

#[tokio::test]
async fn a_customer_sees_numbered_events_and_nothing_of_offers() {
    let mut desk = Desk::new();
    talk(&mut desk).await;
    desk.events(vec![Event::ConversationReopened {
        conversation: C1,
        was: None,
        queue: crate::desk::ids::QueueId(1),
        owner: None,
        waiting_since: wall_of(9),
        public: 9,
        wished: None,
    }])
    .await;
    desk.events(vec![Event::ConversationRequeued {
        conversation: C1,
        from: ADA,
        waiting_since: wall_of(9),
        public: 10,
        cause: Default::default(),
        cool_down_until: None,
    }])
    .await;
    let seen = desk.view.public_events(W, C1, 0, 50).await.unwrap();
    assert_eq!(seen.rows.iter().map(|row| row.public).collect::<Vec<_>>(), (1..=10).collect::<Vec<_>>());
    let kinds: Vec<_> = seen.rows.into_iter().map(|row| row.what).collect();
    assert_eq!(kinds[0], Public::Opened);
    assert!(matches!(&kinds[1], Public::Message { number: 1, text, .. } if &**text == "sealed c1 1"));
    assert_eq!(kinds[2], Public::Joined { agent: ADA });
    assert_eq!(kinds[7], Public::Ended { by: Closer::Agent(ADA) });
    assert_eq!(kinds[8..], [Public::Reopened, Public::Requeued]);
    let later = desk.view.public_events(W, C1, 7, 2).await.unwrap();
    assert_eq!((later.rows[0].public, later.rows.len(), later.more), (8, 2, true));
}

#[tokio::test]
async fn every_event_of_a_conversation_is_in_its_log_and_no_other() {
    let mut desk = Desk::new();
    talk(&mut desk).await;
    desk.events(vec![opened(C2), Event::AgentReachable { agent: ADA }]).await;
    let all = desk.view.events_of(W, C1, None, 50).await.unwrap();
    assert_eq!(all.rows.len(), 12);
    assert_eq!(all.rows[3].event, Event::OfferDelivered { offer: OfferId(1), accepts_at: None, of: None });
    assert_eq!((all.rows[5].position, all.rows[5].index, all.rows[5].at), (3, 1, wall_of(3)));
    let rest = desk.view.events_of(W, C1, Some((3, 1)), 2).await.unwrap();
    assert_eq!(rest.rows, all.rows[6..8]);
    assert!(rest.more);
    assert_eq!(desk.view.events_of(W, C2, None, 50).await.unwrap().rows.len(), 1);
    assert_eq!(desk.view.events_of(W, C2, Some((u64::MAX, 0)), 50).await.unwrap().rows, []);
}

#[tokio::test]
async fn unknown_things_are_empty_and_not_errors() {
    let desk = Desk::new();
    assert_eq!(desk.view.messages("nowhere", C1, Page::Last, 5).await.unwrap(), Rows::none());
    assert_eq!(desk.view.conversation(W, C1).await.unwrap(), None);
    assert_eq!(desk.view.load("nowhere").await.unwrap(), Stored::default());
    assert_eq!(desk.view.search(W, Filter::default(), None, 5).await.unwrap(), Hits::default());
    assert_eq!(desk.view.position("nowhere"), 0);
}

#[tokio::test]
async fn search_filters_and_pages_from_the_newest() {
    let mut desk = Desk::new();
    for id in 1..=20 {
        let waiting = Conversation {
            queue: QueueId((id % 2) as u32),
            opened_at: wall_of(id),
            customer: CustomerId(u128::from(id % 4) << 64),
            ..conversation(if id <= 10 { State::Closed } else { State::Active { owner: AgentId((id % 3) as u32) } })
        };
        desk.turn(vec![opened(ConversationId(id))], vec![], vec![(ConversationId(id), waiting)]).await;
    }
    let view = &desk.view;
    let found = async |filter: Filter| {
        let mut ids = Vec::new();
        let mut cursor = None;
        loop {
            let page = view.search(W, filter.clone(), cursor, 3).await.unwrap();
            ids.extend(page.rows.iter().map(|row| row.id.0));
            cursor = page.next;
            if cursor.is_none() {
                return ids;
            }
        }
    };
    let down = |from: u64, to: u64| (from..=to).rev().collect::<Vec<_>>();
    let of = Filter::default;
    assert_eq!(found(of()).await, down(1, 20));
    assert_eq!(found(Filter { state: Some("closed".into()), ..of() }).await, down(1, 10));
    assert_eq!(found(Filter { state: Some("active".into()), ..of() }).await, down(11, 20));
    assert_eq!(found(Filter { state: Some("no such".into()), ..of() }).await, down(1, 0));
    assert_eq!(found(Filter { agent: Some(AgentId(0)), ..of() }).await, [18, 15, 12]);
    assert_eq!(found(Filter { queue: Some(QueueId(1)), agent: Some(AgentId(0)), ..of() }).await, [15]);
    assert_eq!(found(Filter { customer: Some(CustomerId(3 << 64)), ..of() }).await, [19, 15, 11, 7, 3]);
    assert_eq!(found(Filter { customer: Some(CustomerId(3 << 64 | 1)), ..of() }).await, down(1, 0));
    let (from_ms, to_ms) = (Some(wall_of(5).0), Some(wall_of(9).0));
    assert_eq!(found(Filter { from_ms, to_ms, ..of() }).await, down(5, 8));
    assert_eq!(found(Filter { queue: Some(QueueId(0)), from_ms, to_ms, ..of() }).await, [8, 6]);
    assert_eq!(found(Filter { from_ms: Some(u64::MAX), ..of() }).await, down(1, 0));
    let newest = view.conversations_of_customer(W, CustomerId(3 << 64), 2).await.unwrap();
    assert_eq!(newest.iter().map(|row| row.id.0).collect::<Vec<_>>(), [19, 15]);
}

#[tokio::test]
async fn the_last_owner_is_found_after_the_end_even_when_all_came_in_one_batch() {
    let mut desk = Desk::new();
    let all = vec![opened(C1), offer_made(1, C1), offer_ended(1, C1, OfferEnd::Accepted, Some(2)), ended(C1, 3)];
    desk.turn(all, vec![], vec![(C1, conversation(State::Closed))]).await;
    let by_ada = Filter { agent: Some(ADA), ..Filter::default() };
    let row = desk.view.search(W, by_ada, None, 5).await.unwrap().rows.remove(0);
    assert_eq!((row.id, row.owner, row.closed_at), (C1, Some(ADA), Some(wall_of(1))));
}

#[tokio::test]
async fn conversations_are_found_by_disposition_and_tag_as_they_are_labelled_now() {
    let mut desk = Desk::new();
    let labels = |disposition: &str, tags: &[&str]| Labels {
        disposition: Some(disposition.into()),
        tags: tags.iter().map(|tag| Arc::from(*tag)).collect(),
        ..Labels::default()
    };
    let labelled = async |desk: &mut Desk, id: u64, held: Labels, state: State| {
        let conversation_id = ConversationId(id);
        let event = Event::ConversationLabelled {
            conversation: conversation_id,
            by: Mover::Admin,
            labels: Box::new(held.clone()),
        };
        let held = Conversation {
            queue: QueueId((id % 2) as u32),
            customer: CustomerId(u128::from(id) << 64),
            labels: Some(Box::new(held)),
            ..conversation(state)
        };
        desk.turn(vec![opened(conversation_id), event], vec![], vec![(conversation_id, held)]).await;
    };
    for id in 1..=8 {
        let tags: &[&str] = if id % 3 == 0 { &["vip", "billing"] } else { &["vip"] };
        let code = if id <= 4 { "solved" } else { "spam" };
        labelled(&mut desk, id, labels(code, tags), State::Active { owner: ADA }).await;
    }
    labelled(&mut desk, 2, labels("spam", &[]), State::Closed).await;
    let mut desk = desk.reopened();
    let (disposition, tag) = (|code: &str| Some(Arc::from(code)), |tag: &str| Some(Arc::from(tag)));
    let found = async |desk: &Desk, filter: Filter| {
        let page = desk.view.search(W, filter, None, 50).await.unwrap();
        page.rows.iter().map(|row| row.id.0).collect::<Vec<_>>()
    };
    let of = Filter::default;
    assert_eq!(found(&desk, Filter { disposition: disposition("solved"), ..of() }).await, [4, 3, 1]);
    assert_eq!(found(&desk, Filter { disposition: disposition("spam"), ..of() }).await, [8, 7, 6, 5, 2]);
    assert_eq!(found(&desk, Filter { tag: tag("billing"), ..of() }).await, [6, 3]);
    let both = Filter { disposition: disposition("spam"), tag: tag("billing"), ..of() };
    assert_eq!(found(&desk, both.clone()).await, [6]);
    assert_eq!(found(&desk, Filter { customer: Some(CustomerId(6 << 64)), ..both }).await, [6]);
    assert_eq!(found(&desk, Filter { tag: tag("vip"), queue: Some(QueueId(1)), ..of() }).await, [7, 5, 3, 1]);
    assert_eq!(found(&desk, Filter { tag: tag("spam"), ..of() }).await, Vec::<u64>::new());
    assert_eq!(
        found(&desk, Filter { state: Some("closed".into()), disposition: disposition("spam"), ..of() }).await,
        [2]
    );
    let page = desk.view.search(W, Filter { tag: tag("vip"), ..of() }, None, 2).await.unwrap();
    assert_eq!(page.next, Some(ConversationId(7)));
    let next = desk.view.search(W, Filter { tag: tag("vip"), ..of() }, page.next, 2).await.unwrap();
    assert_eq!(next.rows.iter().map(|row| row.id.0).collect::<Vec<_>>(), [6, 5]);
    labelled(&mut desk, 4, Labels::default(), State::Active { owner: ADA }).await;
    assert_eq!(found(&desk, Filter { disposition: disposition("solved"), ..of() }).await, [3, 1]);
}

#[tokio::test]
async fn texts_come_for_a_search_by_words() {
    let mut desk = Desk::new();
    talk(&mut desk).await;
    desk.events(vec![opened(C2)]).await;
    let texts = desk.view.texts(W, vec![C2, C1]).await.unwrap();
    assert_eq!((texts[0].texts.len(), texts[1].texts.len(), texts[1].all), (0, 5, true));
    assert_eq!(&*texts[1].texts[4], "sealed c1 5");
}

#[tokio::test]
async fn a_merged_customer_takes_its_conversations_along() {
    let mut desk = Desk::new();
    desk.turn(
        vec![opened(C1), opened(C2)],
        vec![],
        vec![(C1, conversation(State::Closed)), (C2, conversation(State::Waiting))],
    )
    .await;
    let known = CustomerId(77 << 64);
    let merged = Event::CustomerMerged { from: ZOE, into: known, conversations: vec![C1, C2] };
    // The desk holds the open one alone.
    let open = Conversation { customer: known, ..conversation(State::Waiting) };
    desk.turn(vec![merged], vec![], vec![(C2, open)]).await;
    assert!(desk.view.conversations_of_customer(W, ZOE, 5).await.unwrap().is_empty());
    let now = desk.view.conversations_of_customer(W, known, 5).await.unwrap();
    assert_eq!(
        now.iter().map(|row| (row.id, row.conversation.customer)).collect::<Vec<_>>(),
        [(C2, known), (C1, known)]
    );
    let log = desk.view.events_of(W, C1, None, 5).await.unwrap();
    assert_eq!(log.rows[1].event, Event::CustomerMerged { from: ZOE, into: known, conversations: vec![C1] });
}

#[tokio::test]
async fn a_read_that_takes_too_long_is_ended() {
    let mut desk = Desk::new();
    for id in 1..=300 {
        desk.turn(vec![opened(ConversationId(id))], vec![], vec![(ConversationId(id), conversation(State::Waiting))])
            .await;
    }
    let path = desk.dir.path().join("view.db");
    let readers = Readers::new(&path, settings(), Condition::new(desk.dir.path().join("mark")), 1);
    let late = readers.read(Duration::ZERO, |connection| {
        connection
            .query_row("SELECT count(*) FROM conversation a, conversation b, conversation c", [], |_| Ok(()))
            .or_failed("counting")
    });
    assert!(matches!(late.await, Err(ViewFailed::TooSlow)));
    let again = readers.read(Duration::from_secs(60), |connection| {
        connection.query_row("SELECT count(*) FROM conversation", [], |row| row.get::<_, i64>(0)).or_failed("counting")
    });
    assert_eq!(again.await.unwrap(), 300);
}
