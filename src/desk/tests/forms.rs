//! Events as records hold them: the forms of before moves are read as they were meant, and those of moves stay as they are.

use crate::desk::event::{Event, OfferEnd};

fn read(json: &str) -> Event {
    serde_json::from_str(json).unwrap_or_else(|why| panic!("{json}: {why}"))
}

#[test]
fn offers_and_reopenings_of_before_moves_are_read() {
    let made = read(r#"{"offer_made":{"offer":1,"conversation":1,"agent":0,"ends_at":30000,"deliver_by":5000}}"#);
    assert!(matches!(made, Event::OfferMade { transfer: None, .. }), "{made:?}");
    let ended = read(r#"{"offer_ended":{"offer":1,"conversation":1,"agent":0,"end":"accepted","public":2}}"#);
    assert!(matches!(ended, Event::OfferEnded { end: OfferEnd::Accepted, transfer: None, .. }), "{ended:?}");
    let reopened =
        read(r#"{"conversation_reopened":{"conversation":1,"queue":1,"owner":null,"waiting_since":7,"public":3}}"#);
    assert!(matches!(reopened, Event::ConversationReopened { wished: None, .. }), "{reopened:?}");
}

#[test]
fn pauses_and_reminders_are_written_as_they_were() {
    for json in [
        r#"{"conversation_paused":{"conversation":1,"weight_percent":50}}"#,
        r#"{"conversation_woken":{"conversation":1}}"#,
        r#"{"owner_reminded":{"conversation":1,"owner":0}}"#,
        r#"{"conversation_requeued":{"conversation":1,"from":0,"waiting_since":7,"public":3}}"#,
        r#"{"conversation_requeued":{"conversation":1,"from":0,"waiting_since":7,"public":3,"cause":"owner_silent","cool_down_until":9}}"#,
        r#"{"message_posted":{"conversation":1,"number":2,"author":{"system":"customer_silent"},"text":"Goodbye.","public":3}}"#,
    ] {
        assert_eq!(serde_json::to_string(&read(json)).expect("events are plain values"), json);
    }
}

#[test]
fn settings_and_conversations_of_before_labels_are_read() {
    let queue = read(r#"{"queue_put":{"queue":1,"settings":{"name":"support"}}}"#);
    assert!(matches!(queue, Event::QueuePut { settings, .. } if settings.labels == Default::default()));
    let settings = read(r#"{"settings_changed":{"settings":{}}}"#);
    assert!(matches!(settings, Event::SettingsChanged { settings } if settings.labels == Default::default()));
}

#[test]
fn clocks_are_written_as_they_were() {
    for json in [
        r#"{"clock_set":{"conversation":1,"clock":"accept","queue":1,"since":7,"due":30007}}"#,
        r#"{"clock_breached":{"conversation":1,"clock":"first_reply","queue":1}}"#,
        r#"{"clock_ended":{"conversation":1,"clock":"next_reply","queue":1,"end":"achieved","took_ms":9}}"#,
        r#"{"clock_ended":{"conversation":1,"clock":"resolution","queue":1,"end":"voided","late":true,"took_ms":9}}"#,
    ] {
        assert_eq!(serde_json::to_string(&read(json)).expect("events are plain values"), json);
    }
}

#[test]
fn deliveries_of_before_auto_accept_are_read_and_later_ones_stay_as_they_are() {
    let plain = r#"{"offer_delivered":{"offer":1}}"#;
    assert!(matches!(read(plain), Event::OfferDelivered { accepts_at: None, .. }));
    let of = r#"{"offer_delivered":{"offer":1,"of":{"conversation":2,"agent":0,"queue":1}}}"#;
    for json in [plain, r#"{"offer_delivered":{"offer":1,"accepts_at":9000}}"#, of] {
        assert_eq!(serde_json::to_string(&read(json)).expect("events are plain values"), json);
    }
}

#[test]
fn statuses_of_before_they_were_forced_are_read_and_later_ones_stay_as_they_are() {
    for json in [
        r#"{"status_changed":{"agent":0,"status":1,"channels":7,"cause":"chosen"}}"#,
        r#"{"status_changed":{"agent":0,"status":0,"channels":7,"cause":"forced","by":{"supervisor":1}}}"#,
        r#"{"status_changed":{"agent":0,"status":0,"channels":7,"cause":"next"}}"#,
        r#"{"status_changed":{"agent":0,"status":0,"channels":7,"cause":"idle"}}"#,
        r#"{"next_status_set":{"agent":0,"status":2}}"#,
        r#"{"next_status_set":{"agent":0,"status":null}}"#,
    ] {
        assert_eq!(serde_json::to_string(&read(json)).expect("events are plain values"), json);
    }
}

#[test]
fn moves_are_written_as_they_were() {
    for json in [
        r#"{"offer_made":{"offer":2,"conversation":1,"agent":1,"ends_at":30000,"deliver_by":5000,"transfer":{"from":0,"warm":true}}}"#,
        r#"{"conversation_transferred":{"conversation":1,"from":0,"queue":2,"skills":[],"waiting_since":7,"by":{"agent":0},"cool_down_until":9,"public":3}}"#,
        r#"{"conversation_taken":{"conversation":1,"from":0,"to":1,"how":"reassigned","by":"admin","forced":true,"public":3}}"#,
        r#"{"conversation_taken":{"conversation":1,"to":1,"how":"picked","by":{"agent":1},"public":3}}"#,
        r#"{"conversation_taken":{"conversation":1,"to":1,"how":"claimed","by":{"supervisor":1},"public":3}}"#,
        r#"{"conversation_handed_over":{"conversation":1,"from":0,"to":1,"public":4}}"#,
        r#"{"conversation_left":{"conversation":1,"agent":1,"public":4}}"#,
        r#"{"note_posted":{"conversation":1,"note":1,"author":0,"text":"sealed","after":2}}"#,
        r#"{"note_posted":{"conversation":1,"note":1,"text":"sealed","after":2}}"#,
        r#"{"conversation_moved":{"conversation":1,"queue":2,"skills":[],"moves":1}}"#,
        r#"{"conversation_moved":{"conversation":1,"queue":2,"skills":[],"moves":1,"public":4}}"#,
        r#"{"conversation_labelled":{"conversation":1,"by":{"agent":0},"labels":{"disposition":"solved","tags":["vip"],"fields":{"born":{"sealed":"x"},"count":{"number":"7.5"},"day":{"date":"2026-11-26"},"open":{"boolean":true},"plan":{"choice":"gold"}}}}}"#,
        r#"{"conversation_labelled":{"conversation":1,"by":"admin","labels":{}}}"#,
        r#"{"agent_draining":{"agent":0,"draining":true}}"#,
    ] {
        assert_eq!(serde_json::to_string(&read(json)).expect("events are plain values"), json);
    }
}

#[test]
fn decisions_are_written_as_they_were() {
    for json in [
        r#"{"decision_wanted":{"decision":1,"conversation":1,"agent":0,"until":2000}}"#,
        r#"{"decision_ended":{"decision":1,"conversation":1,"end":"decided","agent":1,"by":"router"}}"#,
        r#"{"decision_ended":{"decision":2,"conversation":1,"end":"silent"}}"#,
    ] {
        assert_eq!(serde_json::to_string(&read(json)).expect("events are plain values"), json);
    }
}

#[test]
fn hours_are_written_as_they_were() {
    for json in [
        r#"{"hours_turned":{"hours":"office","open":false,"until":118800000}}"#,
        r#"{"hours_turned":{"hours":"office","open":true,"until":118800000,"beyond":true}}"#,
        r#"{"stayed_at_closing":{"conversation":1}}"#,
        r#"{"conversation_opened":{"conversation":1,"customer":"00000000000000000000000000000001","key":1,"channel":0,"queue":1,"priority":0,"skills":[],"public":1,"left":true}}"#,
    ] {
        assert_eq!(serde_json::to_string(&read(json)).expect("events are plain values"), json);
    }
    let spell: crate::desk::conversation::Spell =
        serde_json::from_str(r#"{"from":5,"offers_before":1,"raised":0,"moves":0}"#).expect("of before hours");
    assert_eq!((spell.left, spell.stayed), (false, false));
}
