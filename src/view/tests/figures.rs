//! How fast it is. Small unless `OFFHOOK_VIEW_CONVERSATIONS` says how many conversations to make; prints what it saw.

use super::*;

fn cycle(position: u64, id: ConversationId) -> [CommittedTurn; 3] {
    let by = Principal::Agent(ADA);
    let customer = CustomerId(u128::from(id.0).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835));
    let start = Answer::Opened { conversation: id, customer, at: wall_of(position) };
    let first = vec![opened(id), posted(id, 1, 2), offer_made(id.0, id)];
    let command = |at: u64| u128::from(id.0 * 4 + at).wrapping_mul(0xda94_2042_e4dd_58b5_f39c_c060_5ced_c835);
    [
        turn_at(position, first, vec![done(Principal::Visitor, command(0), start)]),
        turn_at(
            position + 1,
            vec![offer_ended(id.0, id, OfferEnd::Accepted, Some(3))],
            vec![done(by, command(1), Answer::Accepted { conversation: id })],
        ),
        turn_at(position + 2, vec![ended(id, 4)], vec![done(by, command(2), Answer::Done)]),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_large_workspace_is_written_and_loaded() {
    let many: u64 =
        std::env::var("OFFHOOK_VIEW_CONVERSATIONS").ok().and_then(|many| many.parse().ok()).unwrap_or(2_000);
    let open = many / 100;
    let mut desk = Desk::new();
    let began = Instant::now();
    let (mut id, mut waiting) = (0, std::collections::VecDeque::new());
    while id < many {
        let mut batch = Batch {
            workspace: W.into(),
            after: desk.position,
            turns: Vec::new(),
            to: 0,
            rows: Vec::new(),
            conversations: Vec::new(),
        };
        for _ in 0..500.min(many - id) {
            id += 1;
            let spread = id % (many / open) == 0;
            for turn in cycle(desk.position + 1, ConversationId(id)) {
                desk.position = turn.position;
                batch.turns.push(Arc::new(turn));
            }
            let customer = CustomerId(u128::from(id).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835));
            let state = if spread { State::Active { owner: AgentId(id as u32 % 500) } } else { State::Closed };
            let row = Conversation { customer, opened_at: wall_of(desk.position), ..conversation(state) };
            batch.conversations.push((ConversationId(id), row));
        }
        batch.to = desk.position;
        waiting.push_back(desk.view.apply(batch));
        if waiting.len() > 8 {
            waiting.pop_front().unwrap().await.unwrap();
        }
    }
    for applied in waiting {
        applied.await.unwrap();
    }
    let took = began.elapsed();
    let bytes = std::fs::metadata(desk.dir.path().join("view.db")).unwrap().len();
    println!(
        "{many} cycles of 3 turns in {took:?}: {:.0} turns/s, {bytes} bytes",
        desk.position as f64 / took.as_secs_f64()
    );
    let desk = desk.reopened();
    for _ in 0..2 {
        let began = Instant::now();
        let stored = desk.view.load(W).await.unwrap();
        println!("{} open loaded in {:?}", stored.conversations.len(), began.elapsed());
        assert_eq!(stored.conversations.len() as u64, open);
    }
    let wanted =
        Wanted { outcomes: (0..64).map(|id| (Principal::Visitor, CommandId(id), None)).collect(), ..Wanted::default() };
    for _ in 0..2 {
        let began = Instant::now();
        let found = desk.view.look_up(W, wanted.clone()).await.unwrap();
        println!("64 outcomes looked up in {:?}", began.elapsed());
        assert!(found.outcomes.iter().all(Option::is_none));
    }
}
