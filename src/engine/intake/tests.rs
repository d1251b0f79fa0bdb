//! Who is refused first, who overtakes whom, and whose order stays.

use super::*;
use crate::desk::ids::{AgentId, OfferId};

fn asked(ask: Ask) -> Asked<ReplyTo> {
    Asked::untraced(Command::of_server(ask), ReplyTo::Nobody)
}

fn open() -> Ask {
    Ask::Open(Box::new(crate::desk::command::OpenAsk {
        customer: crate::desk::ids::CustomerId(1),
        key: crate::desk::ids::KeyNumber(1),
        channel: "chat".into(),
        queue: "support".into(),
        ..Default::default()
    }))
}

fn ready() -> Ask {
    Ask::Ready { agent: AgentId(0) }
}

fn accept() -> Ask {
    Ask::Accept { agent: AgentId(0), offer: OfferId(1) }
}

#[test]
fn starts_are_refused_first_and_accepts_last_and_edges_never() {
    let intake = Intake::new(Limits { commands_max: 100, bytes_max: 1 << 20 });
    let fill = |ask: &dyn Fn() -> Ask| (0..200).take_while(|_| intake.put(asked(ask()), 0).is_ok()).count();
    assert_eq!(fill(&open), 50);
    assert_eq!(fill(&ready), 30);
    assert_eq!(fill(&accept), 20);
    assert!(intake.put(asked(accept()), 0).is_err());
    assert!(intake.put(asked(Ask::Tick), 0).is_ok());
    assert_eq!(intake.size().0, 101);
}

#[test]
fn bytes_bound_it_too_and_come_free_again() {
    let intake = Intake::new(Limits { commands_max: 1_000_000, bytes_max: COMMAND_BYTES * 10 });
    let fill = || (0..100).take_while(|_| intake.put(asked(accept()), 0).is_ok()).count();
    let most = fill();
    assert!((9..=10).contains(&most));
    intake.take(&mut VecDeque::new(), 1_000, 1_000);
    assert_eq!(intake.size(), (0, 0));
    assert_eq!(fill(), most);
}

#[test]
fn what_is_here_already_comes_before_what_is_new() {
    let intake = Intake::new(Limits { commands_max: 1_000, bytes_max: 1 << 20 });
    (0..5).for_each(|_| intake.put(asked(open()), 0).unwrap());
    (0..3).for_each(|_| intake.put(asked(accept()), 0).unwrap());
    let mut taken = VecDeque::new();
    intake.take(&mut taken, 10, 4);
    let names: Vec<&str> = taken.iter().map(|asked| asked.command.ask.name()).collect();
    assert_eq!(names, ["accept", "accept", "accept", "open"]);
    (0..20).for_each(|_| intake.put(asked(accept()), 0).unwrap());
    intake.take(&mut taken, 10, 4);
    assert_eq!((taken.len(), intake.size().0), (10, 18));
}

fn of_session(session: &Arc<Session>, ask: Ask) -> Asked<ReplyTo> {
    let reply_to = ReplyTo::Session { session: session.clone(), id: CommandId(0) };
    Asked::untraced(Command::of_server(ask), reply_to)
}

fn session(id: u128) -> Arc<Session> {
    Arc::new(Session::new(SessionId(id), 0, "ada".into(), crate::desk::settings::Role::Agent, 0, 1_000, 0))
}

fn taken(intake: &Intake) -> Vec<&'static str> {
    let mut taken = VecDeque::new();
    intake.take(&mut taken, usize::MAX, usize::MAX);
    taken.iter().map(|asked| asked.command.ask.name()).collect()
}

#[test]
fn accepts_and_sessions_that_come_overtake_what_others_wait_for() {
    let intake = Intake::new(Limits { commands_max: 1_000, bytes_max: 1 << 20 });
    let (ada, bob) = (session(1), session(2));
    intake.put(asked(open()), 0).unwrap();
    (0..3).for_each(|_| intake.put(of_session(&bob, ready()), 0).unwrap());
    intake.put(of_session(&ada, accept()), 0).unwrap();
    let came = Ask::SessionCame { agent: "eve".into(), session: SessionId(3), title: None };
    intake.put(asked(came), 0).unwrap();
    assert_eq!(taken(&intake), ["accept", "session_came", "ready", "ready", "ready", "open"]);
}

#[test]
fn an_accept_never_overtakes_what_its_own_session_said_before() {
    let intake = Intake::new(Limits { commands_max: 1_000, bytes_max: 1 << 20 });
    let (ada, bob) = (session(1), session(2));
    let went = |id| Ask::SessionWent { agent: AgentId(0), session: SessionId(id) };
    let came = || asked(Ask::SessionCame { agent: "ada".into(), session: SessionId(9), title: None });
    intake.put(of_session(&ada, ready()), 0).unwrap();
    intake.put(of_session(&ada, accept()), 0).unwrap();
    intake.put(asked(went(1)), 0).unwrap();
    intake.put(came(), 0).unwrap();
    intake.put(of_session(&bob, accept()), 0).unwrap();
    assert_eq!(taken(&intake), ["accept", "ready", "accept", "session_went", "session_came"]);
    // Nothing of it waits any more: it overtakes again.
    intake.put(of_session(&bob, ready()), 0).unwrap();
    intake.put(of_session(&ada, accept()), 0).unwrap();
    intake.put(came(), 0).unwrap();
    assert_eq!(taken(&intake), ["accept", "session_came", "ready"]);
}

#[test]
fn whatever_comes_each_session_keeps_its_order() {
    let sessions: Vec<_> = (0..4).map(session).collect();
    let mut dice = 0x2545_f491_4f6c_dd1d_u64;
    let mut roll = |sides: u64| {
        dice ^= dice << 13;
        dice ^= dice >> 7;
        dice ^= dice << 17;
        dice % sides
    };
    let intake = Intake::new(Limits { commands_max: 10_000, bytes_max: 1 << 20 });
    let (mut said, mut heard) = ([0; 4], [0; 4]);
    let mut overtook = 0;
    for _ in 0..20_000 {
        let who = roll(4) as usize;
        let ask = if roll(2) == 0 { accept() } else { ready() };
        let mut asked = of_session(&sessions[who], ask);
        said[who] += 1;
        asked.command.fingerprint = said[who];
        intake.put(asked, 0).unwrap();
        if roll(8) == 0 {
            let mut taken = VecDeque::new();
            intake.take(&mut taken, roll(24) as usize, 0);
            for asked in taken {
                let ReplyTo::Session { session, .. } = &asked.reply_to else { unreachable!() };
                let number = asked.command.fingerprint;
                let who = session.id.0 as usize;
                assert_eq!(number, heard[who] + 1, "session {who}");
                heard[who] = number;
            }
            overtook += usize::from(!intake.lock().urgent.is_empty());
        }
    }
    assert!(overtook > 10);
    intake.take(&mut VecDeque::new(), usize::MAX, 0);
    assert!(intake.size() == (0, 0) && intake.lock().behind.is_empty());
}

#[test]
fn a_start_is_refused_while_others_wait_too_long() {
    let intake = Intake::new(Limits { commands_max: 1_000, bytes_max: 1 << 20 });
    intake.put(asked(open()), 0).unwrap();
    assert!(intake.may_start(START_DELAY_MS_MAX).is_ok() && intake.may_start(START_DELAY_MS_MAX + 1).is_err());
    let refused = intake.put(asked(open()), START_DELAY_MS_MAX + 1).unwrap_err().0;
    assert!(matches!(refused, NotDone::Busy { retry_after_ms: 250.. }));
    assert!(intake.put(asked(ready()), START_DELAY_MS_MAX + 1).is_ok());
}

#[test]
fn a_flood_of_starts_is_refused_sooner_than_a_few_that_wait_for_a_slow_disk() {
    let intake = Intake::new(Limits { commands_max: 10_000, bytes_max: 1 << 24 });
    (1..FLOOD_STARTS).for_each(|_| intake.put(asked(open()), 0).unwrap());
    assert!(intake.may_start(FLOOD_DELAY_MS_MAX + 1).is_ok());
    intake.put(asked(open()), 0).unwrap();
    assert!(intake.may_start(FLOOD_DELAY_MS_MAX).is_ok() && intake.may_start(FLOOD_DELAY_MS_MAX + 1).is_err());
}

fn import() -> Ask {
    Ask::Import(Box::new(crate::desk::imported::ImportAsk {
        import: crate::desk::ids::ImportId(1),
        part: crate::desk::imported::Part::Next(2),
        entries: Vec::new(),
    }))
}

#[test]
fn an_import_stands_behind_everybody_and_one_goes_with_a_turn() {
    let intake = Intake::new(Limits { commands_max: 1_000, bytes_max: 1 << 20 });
    let put = (0..100).take_while(|_| intake.put(asked(import()), 0).is_ok()).count();
    assert_eq!(put, IMPORTS_MAX);
    // They make nobody late.
    intake.put(asked(open()), 10_000).unwrap();
    intake.put(asked(accept()), 10_000).unwrap();
    let mut taken = VecDeque::new();
    intake.take(&mut taken, 10, 10);
    let names: Vec<&str> = taken.iter().map(|asked| asked.command.ask.name()).collect();
    assert_eq!(names, ["accept", "open", "import"]);
    // Where a turn is full of others, none goes.
    intake.put(asked(accept()), 10_000).unwrap();
    taken.clear();
    intake.take(&mut taken, 10, 0);
    assert_eq!(taken.len(), 1);
    // While others wait, none comes.
    intake.put(asked(ready()), 10_000).unwrap();
    assert!(intake.put(asked(import()), 10_000 + FLOOD_DELAY_MS_MAX).is_ok());
    assert!(intake.put(asked(import()), 10_001 + FLOOD_DELAY_MS_MAX).is_err());
    // Who cannot be served at all is told so.
    taken.clear();
    intake.take(&mut taken, usize::MAX, usize::MAX);
    assert_eq!(intake.size(), (0, 0));
}
