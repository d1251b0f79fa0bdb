//! Every kind of answer comes back unchanged.

use super::super::shapes::{BYTES_MAX, BatchAnswer, Passed, Told};
use super::each_is_sampled;
use crate::desk::Desk;
use crate::desk::answer::Answer;
use crate::desk::command::{AgentAsk, Ask, Command, OpenAsk};
use crate::desk::decision::{DecisionEnd, Decisions, Ended, Fitting, Wanted};
use crate::desk::event::{OfferEnd, RequiredSkill};
use crate::desk::files::FileId;
use crate::desk::fits::WhyNot;
use crate::desk::ids::{AgentId, ConversationId, CustomerId, DecisionId, KeyNumber, OfferId, QueueId};
use crate::desk::needs::Loaded;
use crate::desk::own::OwnCursor;
use crate::desk::refusal::Refusal;
use crate::desk::settings::QueueSettings;
use crate::desk::time::{Now, WallTime};
use crate::desk::waiting_page::{WaitingPage, WaitingRow};
use crate::desk::why::Candidate;
use crate::engine::published::NotDone;
use crate::engine::quota::{OverQuota, What};
use crate::journal::Position;
use std::sync::Arc;

const CONVERSATION: ConversationId = ConversationId(17);
const AT: WallTime = WallTime(1_700_000_000_000);

/// What a desk with an agent and a conversation says of them.
fn whys() -> [Answer; 2] {
    let mut desk = Desk::default();
    let mut ask = |ask: Ask| {
        let command = Command::of_server(ask);
        desk.handle(Now::default(), &command, &Loaded::default(), &mut Vec::new()).expect("it is done")
    };
    ask(Ask::PutQueue(Box::new(QueueSettings::named("support"))));
    let queues = Some(vec!["support".into()]);
    ask(Ask::PutAgent(Box::new(AgentAsk { name: "ada".into(), queues, ..AgentAsk::default() })));
    let open = OpenAsk { channel: "chat".into(), queue: "support".into(), ..OpenAsk::default() };
    let Answer::Opened { conversation, .. } = ask(Ask::Open(Box::new(open))) else { panic!("it is opened") };
    [ask(Ask::WhyConversation { conversation }), ask(Ask::WhyAgent { agent: "ada".into() })]
}

fn decisions() -> Decisions {
    let standing = Candidate {
        agent: "ada".into(),
        queue: 1,
        tier: 2,
        program: true,
        required_levels: 3,
        preferred_levels: 4,
        rank: 5,
        then: u64::MAX,
    };
    let wanted = Wanted {
        decision: DecisionId(1),
        conversation: CONVERSATION,
        ends_in_ms: 2_000,
        queue: "support".into(),
        channel: "chat".into(),
        customer: CustomerId(3),
        priority: -4,
        skills: vec![RequiredSkill { name: "french".into(), level: 5 }],
        preferred_skills: vec!["wine".into()],
        ring: 1,
        waiting_since: AT,
        offers_made: 2,
        waiting: 3,
        expected_owner: None,
        candidates: vec![Fitting { standing, room: 1, holds: 2 }],
        more_candidates: true,
    };
    let ended = vec![
        Ended { decision: DecisionId(2), end: Some(DecisionEnd::Silent) },
        Ended { decision: DecisionId(3), end: None },
    ];
    Decisions { wanted: vec![wanted], ended, more: true }
}

fn answers() -> Vec<Answer> {
    let conversation = CONVERSATION;
    let (key, rule) = ("-1.2.3.4".parse().expect("a cursor"), Some(WhyNot::ChannelFull));
    let page = WaitingPage { rows: vec![WaitingRow { key, rule }, WaitingRow { key, rule: None }], more: true };
    let mut answers = vec![
        Answer::Done,
        Answer::Welcome { agent: AgentId(7) },
        Answer::Opened { conversation, customer: CustomerId(u128::MAX), at: AT },
        Answer::Posted { conversation, number: 3, at: AT },
        Answer::Received { conversation, number: 3, at: AT, started: true },
        Answer::Accepted { conversation },
        Answer::TransferOffered { offer: OfferId(u64::MAX) },
        Answer::Taken { conversation },
        Answer::Imported { conversation, parts: 2, was_here: true },
        Answer::Noted { conversation, note: 1, at: AT },
        Answer::Decided { conversation, offer: OfferId(1) },
        Answer::QueuePut { queue: QueueId(1) },
        Answer::AgentPut { agent: AgentId(1) },
        Answer::Merged { conversations: 4 },
        Answer::Own { agent: AgentId(1), after: OwnCursor { offer: OfferId(2), conversation } },
        Answer::Decisions(Box::new(decisions())),
        Answer::Waiting(Box::new(page)),
        Answer::Typing { conversation, to: vec![AgentId(1)], by: Some(AgentId(2)), draft: Some("sealed".into()) },
    ];
    answers.extend(whys());
    each_is_sampled!(answers, Answer: Done Welcome Opened Posted Received Accepted TransferOffered Taken Imported Noted
        Decided QueuePut AgentPut Merged WhyConversation WhyAgent Own Decisions Waiting Typing);
    answers
}

fn refusals() -> Vec<Refusal> {
    let (conversation, name) = (CONVERSATION, || Arc::from("zoë \"x\""));
    let mut refusals = vec![
        Refusal::NoSuchOffer(OfferId(1)),
        Refusal::DecisionGone { decision: DecisionId(1), end: None },
        Refusal::DecisionGone { decision: DecisionId(1), end: Some(DecisionEnd::Left) },
        Refusal::NoSuchDecision(DecisionId(1)),
        Refusal::NoSuchConversation(conversation),
        Refusal::NoSuchQueue(name()),
        Refusal::NoSuchAgent(name()),
        Refusal::NoSuchChannel(name()),
        Refusal::NoSuchStatus(name()),
        Refusal::NoSuchApiKey(name()),
        Refusal::NotYours(conversation),
        Refusal::NotYourOffer(OfferId(1)),
        Refusal::AgentDeactivated(name()),
        Refusal::TooManyDevices { devices_max: 5 },
        Refusal::WrongState { conversation, state: "closed".into() },
        Refusal::NoSuchReason(name()),
        Refusal::QueueFull { queue: name(), waiting_max: 1 },
        Refusal::NobodyThere(name()),
        Refusal::QueueClosed { queue: name(), opens_at: Some(AT) },
        Refusal::QueueDraining(name()),
        Refusal::PickNotAllowed(name()),
        Refusal::AlreadyThere { conversation, agent: name() },
        Refusal::OwnerChanged { conversation, owner: None },
        Refusal::NobodyJoined(conversation),
        Refusal::NoSuchMessage { number: 2, last: 1 },
        Refusal::QueueInUse { queue: name(), conversations: 1 },
        Refusal::IdReused,
        Refusal::ChangedMeanwhile,
        Refusal::BadSetting { field: "channels[0]".into(), what: "none".into() },
        Refusal::TooMany { what: "API keys".into(), most: usize::MAX },
        Refusal::Quota { what: "agents".into(), most: u64::MAX },
        Refusal::BadLabel { field: "tags".into(), what: "at most 20".into() },
        Refusal::LabelMissing { conversation, field: "disposition".into() },
        Refusal::NoMoreTime(conversation),
        Refusal::RatingOver(conversation),
        Refusal::FileTaken { conversation, file: FileId(u128::MAX) },
        Refusal::DeliveryOver { conversation, number: 1 },
        Refusal::AnotherKey(KeyNumber(1)),
        Refusal::PartMissing { next: 2 },
        Refusal::NoSuchSession,
    ];
    refusals.extend(OfferEnd::ALL.map(|end| Refusal::OfferGone { offer: OfferId(1), end }));
    refusals.extend(WhyNot::ALL.map(|rule| Refusal::AgentUnable { agent: name(), rule }));
    each_is_sampled!(refusals, Refusal: OfferGone NoSuchOffer DecisionGone NoSuchDecision NoSuchConversation NoSuchQueue
        NoSuchAgent NoSuchChannel NoSuchStatus NoSuchApiKey NotYours NotYourOffer AgentDeactivated TooManyDevices
        WrongState NoSuchReason QueueFull NobodyThere QueueClosed QueueDraining PickNotAllowed AgentUnable AlreadyThere
        OwnerChanged NobodyJoined NoSuchMessage QueueInUse IdReused ChangedMeanwhile BadSetting TooMany Quota BadLabel
        LabelMissing NoMoreTime RatingOver FileTaken DeliveryOver AnotherKey PartMissing NoSuchSession);
    refusals
}

fn not_done() -> Vec<NotDone> {
    let mut not_done = vec![
        NotDone::Busy { retry_after_ms: 250 },
        NotDone::Unavailable { retry_after_ms: 1_000, why: "the disk is full".into() },
    ];
    let over = |what| OverQuota { what, most: u64::MAX, retry_after_ms: (what == What::StartsPerS).then_some(40) };
    not_done.extend(What::ALL.map(|what| NotDone::Quota(over(what))));
    each_is_sampled!(not_done, NotDone: Busy Unavailable Quota);
    not_done
}

/// One of each kind of answer at least.
pub(super) fn samples() -> Vec<Passed> {
    let told = answers().into_iter().map(Told::Done);
    let told = told.chain(refusals().into_iter().map(Told::Refused)).chain(not_done().into_iter().map(Told::NotDone));
    told.zip(1..).map(|(result, position)| Passed { position: Position(position), result }).collect()
}

fn there(answer: &BatchAnswer) -> BatchAnswer {
    BatchAnswer::decode(&answer.encode().expect("it has room")).expect("it can be read")
}

#[test]
fn every_answer_comes_back_as_it_was_given() {
    for passed in samples() {
        let answer = BatchAnswer::Led { answers: vec![passed] };
        assert_eq!(there(&answer), answer);
    }
    let whole = BatchAnswer::Led { answers: samples() };
    assert_eq!(there(&whole), whole);
    for answer in [
        BatchAnswer::Led { answers: Vec::new() },
        BatchAnswer::NotLed { term: Some(u64::MAX) },
        BatchAnswer::NotLed { term: None },
        BatchAnswer::Unreadable { command: Some(3), why: "it is of the next release".into() },
    ] {
        assert_eq!(there(&answer), answer);
    }
}

/// A refusal that only the next release has: that it was decided is known all the same, and so are the others.
#[test]
fn an_answer_in_unknown_words_is_told_from_the_others() {
    let text = r#"{"led":{"answers":[
        {"position":3,"result":{"done":"done"}},
        {"position":4,"result":{"refused":{"of_the_next_release":{"a":1}}},"more":true},
        {"position":5,"result":{"refused":"id_reused"}}
    ]}}"#;
    let BatchAnswer::Led { answers } = BatchAnswer::decode(&[&[1], text.as_bytes()].concat()).expect("it can be read")
    else {
        panic!("it led")
    };
    let positions: Vec<u64> = answers.iter().map(|passed| passed.position.0).collect();
    assert_eq!(positions, [3, 4, 5]);
    assert_eq!(answers[0].result, Told::Done(Answer::Done));
    let Told::Unknown { why } = &answers[1].result else { panic!("nobody knows it: {:?}", answers[1]) };
    assert!(why.contains("unknown variant `of_the_next_release`"), "{why}");
    assert_eq!(answers[2].result, Told::Refused(Refusal::IdReused));
}

#[test]
fn questions_give_way_where_answers_have_no_room() {
    let mut long = decisions();
    long.wanted = vec![long.wanted[0].clone(); 400];
    let long = Answer::Decisions(Box::new(long));
    let passed = |result| Passed { position: Position(9), result };
    let results = [Told::Done(long.clone()), Told::Done(Answer::Done)].into_iter().cycle().take(16);
    let answer = BatchAnswer::Led { answers: results.map(passed).collect() };
    let bytes = answer.encode().expect("it has room without them");
    assert!((BYTES_MAX / 2..=BYTES_MAX).contains(&bytes.len()), "{} bytes", bytes.len());
    let BatchAnswer::Led { answers } = BatchAnswer::decode(&bytes).expect("it can be read") else { panic!("it led") };
    let (questions, others): (Vec<_>, Vec<_>) = answers.into_iter().enumerate().partition(|(place, _)| place % 2 == 0);
    assert!(others.iter().all(|(_, other)| other.result == Told::Done(Answer::Done)));
    let answered = questions.iter().take_while(|(_, question)| question.result == Told::Done(long.clone())).count();
    assert!((1..8).contains(&answered));
    for (_, question) in &questions[answered..] {
        assert!(matches!(question.result, Told::NotDone(NotDone::Busy { .. })), "{question:?}");
    }
}
