//! The socket's words against the document, and texts of many kinds byte for byte.

use super::*;
use crate::desk::estimates::{Estimate, PastError};
use crate::desk::estimating::EstimateRow;
use crate::desk::event::RequiredSkill;
use crate::desk::ids::{CommandId, ConversationId, CustomerId, OfferId, SessionId};
use crate::desk::labels::{LabelChange, PlainValue, ThenEnd};
use crate::desk::own::OwnCursor;
use crate::desk::settings::Role;
use crate::wire::error::{Code, WireError};
use std::collections::BTreeMap;

const ID: &str = "0123456789abcdef0123456789abcdef";

/// Scripts, directions, emoji with joiners, combining marks, controls, and what JSON or HTML would trip over.
pub(in crate::wire) const TEXTS: &[&str] = &[
    "plain",
    "Zoë, naïve, Straße, ﬁ",
    "Привет, як справи?",
    "你好，世界 — 𠜎𠜱𠝹",
    "こんにちは ｶﾀｶﾅ",
    "안녕하세요 각",
    "สวัสดีครับ",
    "नमस्ते क्षत्रिय",
    "مرحبا \u{202e}العربية\u{202c} 123",
    "שָׁלוֹם \u{200f}עולם\u{200e}",
    "👩‍👩‍👧‍👦 🏳️‍🌈 👍🏽 🇩🇪",
    "e\u{301} is not é",
    "Z̸͉̅a̷͖͘l̵̰̈g̶̞̽o̸̠͐",
    "\u{0}\u{1}\u{7}\u{8}\t\n\u{b}\u{c}\r\u{1b}\u{1f}\u{7f}\u{80}\u{9f}",
    "\u{2028}\u{2029}\u{feff}\u{fffd}\u{ffff}\u{10ffff}",
    "\"quoted\" \\back\\slash\\ /slash/ </script> <!-- & ' `",
    " leading and trailing ",
];

fn parsed(text: &str) -> Result<AgentFrame, BadFrame> {
    parse(text, &Limits::default()).map(|(id, frame)| {
        assert_eq!(id, ID.parse().unwrap());
        frame
    })
}

fn frame(members: &str) -> String {
    format!(r#"{{"id":"{ID}",{members}}}"#)
}

fn labelled(change: &str, then: ThenEnd) -> AgentFrame {
    let LabelChange { disposition, tags, .. } = serde_json::from_str::<LabelChange>(change).unwrap();
    let change = LabelChange { disposition, tags, ..LabelChange::default() };
    AgentFrame::Label(Box::new(LabelFrame { conversation: ConversationId(17), change, then }))
}

#[test]
fn values_of_fields_are_read_as_they_are_said() {
    let text =
        r#""type":"label","conversation":"c17","fields":{"count":7.50,"open":true,"born":"1969-07-20","plan":null}"#;
    let Ok(AgentFrame::Label(label)) = parsed(&frame(text)) else { panic!("a label") };
    let values: Vec<_> =
        label.change.fields.iter().map(|(name, value)| (&**name, value.as_ref().map(PlainValue::json))).collect();
    let said = |json: &str| Some(json.to_owned());
    let expected = [("born", said("\"1969-07-20\"")), ("count", said("7.5")), ("open", said("true")), ("plan", None)];
    assert_eq!(values, expected);
    let other = AgentFrame::Label(Box::new(LabelFrame { then: ThenEnd::Talk, ..(*label).clone() }));
    assert_ne!(other.body(), AgentFrame::Label(label).body());
}

#[test]
fn every_frame_of_the_document_is_understood() {
    let (c, o) = (ConversationId(17), OfferId(23));
    let cases = [
        (
            r#""type":"set_status","status":"away","channels":["chat"]"#,
            AgentFrame::SetStatus { status: "away".into(), channels: Some(vec!["chat".into()]) },
        ),
        (r#""type":"set_status","status":"away""#, AgentFrame::SetStatus { status: "away".into(), channels: None }),
        (r#""type":"ready""#, AgentFrame::Ready),
        (r#""type":"input""#, AgentFrame::Input),
        (r#""type":"next_status","status":"away""#, AgentFrame::NextStatus { status: Some("away".into()) }),
        (r#""type":"next_status""#, AgentFrame::NextStatus { status: None }),
        (
            r#""type":"force_status","agent":"bob","status":"away""#,
            AgentFrame::ForceStatus { agent: "bob".into(), status: "away".into() },
        ),
        (r#""type":"delivered","offer":"o23""#, AgentFrame::Delivered { offer: o }),
        (r#""offer":"o23","type":"accept""#, AgentFrame::Accept { offer: o }),
        (r#""type":"reject","offer":"o23","reason":"busy""#, AgentFrame::Reject { offer: o, reason: "busy".into() }),
        (
            r#""type":"send","conversation":"c17","text":"h\u00e9""#,
            AgentFrame::Send { conversation: c, text: "hé".into(), files: vec![] },
        ),
        (r#""type":"read","conversation":"c17","number":4"#, AgentFrame::Read { conversation: c, number: 4 }),
        (r#""type":"typing","conversation":"c17""#, AgentFrame::Typing { conversation: c, draft: None }),
        (
            r#""type":"typing","conversation":"c17","text":"so f""#,
            AgentFrame::Typing { conversation: c, draft: Some("so f".into()) },
        ),
        (r#""type":"close","conversation":"c17""#, AgentFrame::Close { conversation: c }),
        (r#""type":"wrap_up_done","conversation":"c17""#, AgentFrame::WrapUpDone { conversation: c }),
        (
            r#""type":"close","conversation":"c17","disposition":"solved","fields":null"#,
            labelled(r#"{"disposition":"solved"}"#, ThenEnd::Talk),
        ),
        (
            r#""type":"wrap_up_done","conversation":"c17","tags":["vip"]"#,
            labelled(r#"{"tags":["vip"]}"#, ThenEnd::WrapUp),
        ),
        (
            r#""type":"label","conversation":"c17","disposition":"""#,
            labelled(r#"{"disposition":""}"#, ThenEnd::Nothing),
        ),
        (r#""type":"label_rules","queue":"sales""#, AgentFrame::LabelRules { queue: "sales".into() }),
        (r#""type":"extend_wrap_up","conversation":"c17""#, AgentFrame::ExtendWrapUp { conversation: c }),
        (
            r#""type":"history","conversation":"c17""#,
            AgentFrame::History { conversation: c, from: HistoryFrom::End, limit: 50 },
        ),
        (
            r#""type":"history","conversation":"c17","before":9,"after":null,"limit":200"#,
            AgentFrame::History { conversation: c, from: HistoryFrom::Before(9), limit: 200 },
        ),
        (
            r#""type":"watch","what":"agents","cursor":"ada""#,
            AgentFrame::Watch {
                what: Watched::Agents,
                page: WatchedPage::Names { after: Some("ada".into()) },
                limit: 100,
            },
        ),
        (
            r#""type":"watch","what":"agents","order":"load","connection":"here","status":"away","queue":"sales","find":"ZoË","skip":50,"limit":25"#,
            AgentFrame::Watch {
                what: Watched::Agents,
                page: WatchedPage::Sheet(Box::new(Sheet {
                    order: SheetOrder::Load,
                    connection: Some(SeenAs::Here),
                    status: Some("away".into()),
                    queue: Some("sales".into()),
                    find: Some("zoë".into()),
                    skip: 50,
                })),
                limit: 25,
            },
        ),
        (r#""type":"why","conversation":"c17""#, AgentFrame::Why(WhyOf::Conversation(c))),
        (r#""type":"health""#, AgentFrame::Health),
        (r#""type":"why","agent":"ada""#, AgentFrame::Why(WhyOf::Agent("ada".into()))),
        (r#""type":"held","agent":"ada""#, AgentFrame::Held { agent: "ada".into(), after: OwnCursor::default() }),
        (
            r#""type":"directory","what":"queues","limit":7"#,
            AgentFrame::Directory { what: Watched::Queues, cursor: None, limit: 7 },
        ),
        (r#""type":"unwatch","what":"queues""#, AgentFrame::Unwatch { what: Watched::Queues }),
        (r#""type":"refresh","token":"a.b.c""#, AgentFrame::Refresh { token: "a.b.c".into() }),
        (r#""type":"sign_out""#, AgentFrame::SignOut),
        (
            r#""type":"own","cursor":"o23.c17""#,
            AgentFrame::Own { after: OwnCursor { offer: OfferId(23), conversation: ConversationId(17) } },
        ),
    ];
    for (members, expected) in cases {
        assert_eq!(parsed(&frame(members)), Ok(expected), "{members}");
    }
}

#[test]
fn what_is_wrong_with_a_frame_is_named() {
    let long = format!(r#""type":"send","conversation":"c1","text":"{}""#, "x".repeat(16 * 1024 + 1));
    let longer = format!(r#""type":"send","conversation":"c1","text":"{}""#, "x".repeat(200 * 1024));
    let cases = [
        (r#""type":"accept","offer":"o1","colour":"red""#, Code::BadRequest, "colour"),
        (r#""type":"accept","offer":"o1","text":"red""#, Code::BadRequest, "text"),
        (r#""type":"accept""#, Code::BadRequest, "offer"),
        (r#""type":"accept","offer":23"#, Code::BadRequest, "offer"),
        (r#""type":"accept","offer":"23""#, Code::BadField, "offer"),
        (r#""type":"accept","offer":"o023""#, Code::BadField, "offer"),
        (
            r#""type":"accept","offer":"oooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooo""#,
            Code::BadField,
            "offer",
        ),
        (r#""type":"dance""#, Code::UnknownType, "type"),
        (r#""type":7"#, Code::BadRequest, "type"),
        (r#""status":"away""#, Code::BadRequest, "type"),
        (r#""type":"send","conversation":"c1","text":"""#, Code::BadField, "text"),
        (r#""type":"send","conversation":"c1","text":["x"]"#, Code::BadRequest, "text"),
        (r#""type":"send","conversation":"c1","text":"\ud800""#, Code::BadRequest, "text"),
        (&long, Code::TooLarge, "text"),
        (&longer, Code::TooLarge, "text"),
        (r#""type":"read","conversation":"c1","number":-1"#, Code::BadRequest, "number"),
        (r#""type":"read","conversation":"c1","number":1.5"#, Code::BadRequest, "number"),
        (r#""type":"read","conversation":"c1","number":4294967296"#, Code::BadRequest, "number"),
        (r#""type":"history","conversation":"c1","limit":0"#, Code::BadField, "limit"),
        (r#""type":"history","conversation":"c1","limit":201"#, Code::BadField, "limit"),
        (r#""type":"history","conversation":"c1","after":1,"before":2"#, Code::BadCursor, "before"),
        (r#""type":"watch","what":"cats""#, Code::BadField, "what"),
        (r#""type":"watch","what":"agents","order":"mood""#, Code::BadField, "order"),
        (r#""type":"watch","what":"agents","order":"name","connection":"lost""#, Code::BadField, "connection"),
        (r#""type":"watch","what":"agents","order":"name","skip":100001"#, Code::BadField, "skip"),
        (r#""type":"watch","what":"agents","order":"name","cursor":"ada""#, Code::BadRequest, "cursor"),
        (r#""type":"watch","what":"agents","find":"ada""#, Code::BadRequest, "find"),
        (r#""type":"watch","what":"queues","order":"name""#, Code::BadField, "what"),
        (r#""type":"why""#, Code::BadRequest, "conversation"),
        (r#""type":"why","agent":"ada","conversation":"c1""#, Code::BadRequest, "conversation"),
        (r#""type":"held","agent":"ada","cursor":"here""#, Code::BadCursor, "cursor"),
        (r#""type":"label","conversation":"c1","tags":"vip""#, Code::BadRequest, "tags"),
        (r#""type":"label","conversation":"c1","fields":["vip"]"#, Code::BadRequest, "fields"),
        (r#""type":"label","conversation":"c1","fields":{"a":[1]}"#, Code::BadField, "fields.a"),
        (r#""type":"send","conversation":"c1","text":"x","tags":["vip"]"#, Code::BadRequest, "tags"),
        (r#""type":"set_status","status":"a","channels":"chat""#, Code::BadRequest, "channels"),
        (r#""type":"set_status","status":"a","channels":[1]"#, Code::BadRequest, "channels"),
        (r#""type":"set_status","status":"a","channels":[""]"#, Code::BadField, "channels"),
    ];
    for (members, code, field) in cases {
        let bad = parsed(&frame(members)).unwrap_err();
        let said: String = members.chars().take(80).collect();
        assert_eq!((bad.error.code, bad.error.field.as_deref()), (code, Some(field)), "{said}");
        assert_eq!(bad.id, Some(ID.parse().unwrap()), "{said}");
    }
}

#[test]
fn a_frame_without_a_readable_id_is_answered_without_one() {
    let cases = [
        (r#"{"type":"ready"}"#, Code::MissingId, Some("id")),
        (r#"{"type":"ready","id":null}"#, Code::MissingId, Some("id")),
        (r#"{"type":"ready","id":"0123"}"#, Code::BadField, Some("id")),
        (r#"{"type":"ready","id":17}"#, Code::BadRequest, Some("id")),
        ("", Code::BadRequest, None),
        ("[]", Code::BadRequest, None),
        ("\"ready\"", Code::BadRequest, None),
        ("{\"type\":\"ready\"", Code::BadRequest, None),
        ("{} {}", Code::BadRequest, None),
        (r#"{"type":"ready","type":"ready"}"#, Code::BadRequest, None),
        (r#"{"type":"ready",}"#, Code::BadRequest, None),
        ("{\"type\":\"re\nady\"}", Code::BadRequest, None),
    ];
    for (text, code, field) in cases {
        let bad = parse(text, &Limits::default()).unwrap_err();
        assert_eq!((bad.id, bad.error.code, bad.error.field.as_deref()), (None, code, field), "{text}");
    }
}

#[test]
fn deep_and_wide_frames_are_refused_cheaply() {
    // Skipped without a stack, and refused for its name.
    let deep = frame(&format!(r#""type":"ready","x":{}1{}"#, "[".repeat(30_000), "]".repeat(30_000)));
    assert_eq!(parse(&deep, &Limits::default()).unwrap_err().error.field.as_deref(), Some("x"));
    let torn = format!(r#"{{"x":{}"#, "[".repeat(60_000));
    assert_eq!(parse(&torn, &Limits::default()).unwrap_err().error.code, Code::BadRequest);
    let channels =
        frame(&format!(r#""type":"set_status","status":"a","channels":{}{}"#, "[".repeat(9_000), "]".repeat(9_000)));
    assert_eq!(parse(&channels, &Limits::default()).unwrap_err().error.field.as_deref(), Some("channels"));
    let wide = frame(&(0..5_000).map(|i| format!(r#""f{i}":{i}"#)).collect::<Vec<_>>().join(","));
    assert_eq!(parse(&wide, &Limits::default()).unwrap_err().error.field.as_deref(), Some("type"));
    let named = frame(&format!(r#""type":"ready","{}":1"#, "ü".repeat(5_000)));
    let error = parse(&named, &Limits::default()).unwrap_err().error;
    assert!(error.message.len() < 200, "{}", error.message);
}

#[test]
fn a_text_comes_in_and_goes_out_byte_for_byte() {
    for text in TEXTS {
        let sent =
            frame(&format!(r#""type":"send","conversation":"c1","text":{}"#, serde_json::to_string(text).unwrap()));
        let conversation = ConversationId(1);
        assert_eq!(parsed(&sent), Ok(AgentFrame::Send { conversation, text: (*text).into(), files: vec![] }));
        let bytes = render(&ServerFrame::Message {
            position: 1,
            conversation: ConversationId(1),
            number: 1,
            author: AuthorShape::Agent(text),
            text,
            at: 5,
            files: &[],
            delivery: None,
        });
        let back: serde_json::Value = serde_json::from_str(&bytes).unwrap();
        assert_eq!(back["text"].as_str().unwrap().as_bytes(), text.as_bytes());
        assert_eq!(back["author"]["agent"], *text);
    }
}

#[test]
fn the_same_command_in_another_spelling_has_the_same_body() {
    let one = parsed(&frame(r#""type":"send","conversation":"c17","text":"hé""#)).unwrap();
    let other = parsed(&frame(r#" "text" : "h\u00e9", "conversation":"c17", "type":"send""#)).unwrap();
    let third = parsed(&frame(r#""type":"send","conversation":"c17","text":"he""#)).unwrap();
    assert_eq!(one.body(), other.body());
    assert_ne!(one.body(), third.body());
    let none = AgentFrame::SetStatus { status: "a".into(), channels: None };
    let empty = AgentFrame::SetStatus { status: "a".into(), channels: Some(Vec::new()) };
    assert_ne!(none.body(), empty.body());
}

#[test]
fn frames_to_the_client_are_spelled_as_documented() {
    let metadata = BTreeMap::from([("page".to_owned(), "/pricing".to_owned())]);
    let skills = [RequiredSkill { name: "french".into(), level: 3 }];
    let conversation = ConversationShape {
        conversation: ConversationId(17),
        state: "offered",
        channel: "chat",
        queue: "support",
        priority: 0,
        skills: &skills,
        customer: CustomerId(7),
        known: false,
        name: Some("Zoë"),
        metadata: &metadata,
        opened_at: 1_700_000_000_000,
        waiting_since: 1_700_000_000_000,
        last_number: 4,
        read_by_agent: 2,
        read_by_customer: 4,
        owner: None,
        wrap_up_left_ms: 0,
        wrap_up: None,
        joined: None,
        transfer_to: None,
        message: false,
        paused_weight_percent: None,
        clocks: Vec::new(),
        labels: None,
    };
    let offer = OfferShape {
        offer: OfferId(23),
        conversation,
        left_ms: 27_310,
        delivered: false,
        deliver_left_ms: 4_200,
        auto_accept_left_ms: None,
        transfer: None,
    };
    assert_eq!(
        render(&ServerFrame::Offer { position: 9, offer: offer.clone() }).as_str(),
        concat!(
            r#"{"type":"offer","position":9,"offer":{"offer":"o23","conversation":{"conversation":"c17","state":"offered","#,
            r#""channel":"chat","queue":"support","priority":0,"skills":[{"name":"french","level":3}],"#,
            r#""customer":"00000000000000000000000000000007","known":false,"name":"Zoë","metadata":{"page":"/pricing"},"#,
            r#""opened_at":1700000000000,"waiting_since":1700000000000,"last_number":4,"read_by_agent":2,"#,
            r#""read_by_customer":4,"owner":null,"wrap_up_left_ms":0},"left_ms":27310,"delivered":false,"#,
            r#""deliver_left_ms":4200}}"#
        )
    );
    let welcome = render(&ServerFrame::Welcome {
        session: SessionId(1),
        position: 812,
        ticket: "ohr1.x",
        agent: AgentShape { name: "ada", title: "Ada", role: Role::Supervisor },
        workspace: "demo",
        settings: SettingsShape {
            statuses: &[StatusShape { name: "available", available: true }],
            channels: &["chat"],
            reject_reasons: &["busy".into()],
            text_bytes_max: 16_384,
            frame_bytes_max: 65_536,
            files: None,
        },
        snapshot: SnapshotShape {
            status: "available",
            available: true,
            channels: &["chat"],
            connection: "online",
            offers: &[offer],
            conversations: &[],
            next_status: None,
            draining: false,
            cursor: None,
        },
    });
    let welcome: serde_json::Value = serde_json::from_str(&welcome).unwrap();
    assert_eq!(welcome["type"], "welcome");
    assert_eq!(welcome["agent"]["role"], "supervisor");
    assert_eq!(welcome["settings"]["reject_reasons"][0], "busy");
    assert_eq!(welcome["snapshot"]["offers"][0]["offer"], "o23");
}

#[test]
fn replies_are_spelled_as_documented() {
    let id: CommandId = ID.parse().unwrap();
    let reply = |reply| render(&ServerFrame::Reply(reply)).as_str().to_owned();
    let head = format!(r#"{{"type":"reply","id":"{ID}","position":7,"ok":true"#);
    assert_eq!(reply(Reply::done(id, Some(7), Done::Plain {})), format!("{head}}}"));
    assert_eq!(
        reply(Reply::done(id, Some(7), Done::Accepted { conversation: ConversationId(17) })),
        format!(r#"{head},"conversation":"c17"}}"#)
    );
    assert_eq!(
        reply(Reply::done(id, Some(7), Done::Posted { number: 3, at: 9 })),
        format!(r#"{head},"number":3,"at":9}}"#)
    );
    let messages = [MessageShape {
        number: 1,
        author: AuthorShape::Customer(CustomerId(1)),
        text: "x",
        at: 2,
        files: &[],
        delivery: Some(DeliveryShape { state: "failed", reason: Some("no such number") }),
    }];
    assert_eq!(
        reply(Reply::done(id, Some(7), Done::History { messages: &messages, more: true })),
        format!(
            r#"{head},"messages":[{{"number":1,"author":{{"customer":"{:032x}"}},"text":"x","at":2,"delivery":{{"state":"failed","reason":"no such number"}}}}],"more":true}}"#,
            1
        )
    );
    let delivery = DeliveryShape { state: "read", reason: None };
    let delivered = ServerFrame::Delivery { position: 7, conversation: ConversationId(17), number: 3, delivery };
    assert_eq!(
        render(&delivered).as_str(),
        r#"{"type":"delivery","position":7,"conversation":"c17","number":3,"state":"read"}"#
    );
    let rows = [QueueRowShape {
        queue: "support",
        title: "Support",
        waiting: 3,
        offered: 1,
        active: 12,
        paused: 0,
        longest_wait_ms: 41_200,
        agents_available: 4,
        agents_there: 5,
        open: true,
        opens_at: None,
        closes_at: Some(1_700_000_000_000),
        estimates: &[EstimateRow {
            channel: "chat".into(),
            priority: 0,
            place: 4,
            estimate: Estimate { p50_ms: 40_000, p90_ms: 95_000 },
            past_error: Some(PastError {
                of: 100,
                under_p50_percent: 51,
                under_p90_percent: 89,
                median_error_ms: Some(11_000),
            }),
        }],
        draining: false,
        service: None,
    }];
    assert_eq!(
        reply(Reply::done(id, Some(7), Done::Page { rows: Rows::Queues(&rows), cursor: None })),
        format!(
            r#"{head},"rows":[{{"queue":"support","title":"Support","waiting":3,"offered":1,"active":12,"longest_wait_ms":41200,"agents_available":4,"agents_there":5,"open":true,"closes_at":1700000000000,"estimates":[{{"channel":"chat","priority":0,"place":4,"p50_ms":40000,"p90_ms":95000,"past_error":{{"of":100,"under_p50_percent":51,"under_p90_percent":89,"median_error_ms":11000}}}}]}}]}}"#
        )
    );
    let error = WireError::new(Code::BadRequest, "no JSON");
    assert_eq!(
        reply(Reply::error(None, None, &error)),
        r#"{"type":"reply","id":null,"error":{"code":"bad_request","message":"no JSON"}}"#
    );
}

#[test]
fn the_documents_frames_are_exactly_ours() {
    let text = include_str!("../../../docs/wire.md");
    let table = text.split_once("\n### From the client\n").unwrap().1.split_once("\n### ").unwrap().0;
    let mut names: Vec<_> =
        table.lines().filter_map(|line| line.strip_prefix("| `")?.split_once('`')).map(|(name, _)| name).collect();
    names.sort_unstable();
    // `watch` stands there twice.
    names.dedup();
    let unknown = |name: &str| {
        let parsed = parse(&frame(&format!(r#""type":"{name}""#)), &Limits::default());
        matches!(parsed, Err(bad) if bad.error.code == Code::UnknownType)
    };
    assert_eq!(names.len(), 38, "{names:?}");
    assert!(names.iter().all(|name| !unknown(name)), "{names:?}");
}

#[test]
fn a_frame_damaged_anywhere_is_read_or_refused() {
    let good = frame(r#""type":"send","conversation":"c17","text":"h\u00e9 \ud83d\ude00 é""#);
    let whole: Vec<char> = good.chars().collect();
    for place in 0..whole.len() {
        for other in ['"', '\\', '{', '}', '[', ',', ':', '0', 'é', '\u{0}', '\u{10ffff}', ' '] {
            let mut damaged = whole.clone();
            damaged[place] = other;
            let damaged: String = damaged.into_iter().collect();
            if let Err(bad) = parse(&damaged, &Limits::default()) {
                assert!(bad.error.message.len() < 300, "{damaged}");
            }
            assert!(parse(&good[..good.floor_char_boundary(place)], &Limits::default()).is_err());
        }
    }
}
