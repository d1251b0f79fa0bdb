//! Conversations of Chatwoot.

use crate::support::Options;
use crate::{customer, get, must, server, texts};
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn chatwoots_resolved_conversations_are_taken_with_their_messages() {
    let server = server(Options::default()).await;
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let conversations = r#"{"data": {"meta": {"all_count": 2}, "payload": [
        {"id": 12, "inbox_id": 7, "status": "resolved", "created_at": 1600000000, "last_activity_at": 1600000900, "labels": ["vip"],
         "meta": {"sender": {"id": 88, "name": "Zoë", "email": "zoe@example.org", "phone_number": "+491", "identifier": "c-17"},
                  "assignee": {"id": 5, "name": "Ada", "email": "ada@example.com"}, "channel": "Channel::WebWidget"},
         "additional_attributes": {}},
        {"id": 13, "inbox_id": 7, "status": "open", "created_at": 1600000000, "last_activity_at": 1600000900, "labels": [], "meta": {}}
    ]}}"#;
    let messages = r#"{"meta": {}, "payload": [
        {"id": 1, "conversation_id": 12, "message_type": 0, "content": "Is anybody there?", "created_at": 1600000000, "private": false,
         "sender": {"id": 88, "name": "Zoë", "type": "contact"}},
        {"id": 2, "conversation_id": 12, "message_type": 2, "content": "Conversation was assigned", "created_at": 1600000100, "private": false},
        {"id": 3, "conversation_id": 12, "message_type": 1, "content": "ask for the number", "created_at": 1600000200, "private": true,
         "sender": {"id": 5, "name": "Ada", "type": "user"}},
        {"id": 4, "conversation_id": 12, "message_type": 1, "content": "I am.", "created_at": 1600000300, "private": false,
         "sender": {"id": 5, "name": "Ada", "type": "user"}},
        {"id": 5, "conversation_id": 12, "message_type": 3, "content": "Please rate us", "created_at": 1600000800, "private": false,
         "content_type": "input_csat",
         "content_attributes": {"submitted_values": {"csat_survey_response": {"rating": 4, "feedback_message": "fine"}}}},
        {"id": 6, "conversation_id": 13, "message_type": 0, "content": "later", "created_at": 1600000000, "private": false}
    ]}"#;
    std::fs::write(dir.join("conversations.json"), conversations).unwrap();
    std::fs::write(dir.join("messages_12.json"), messages).unwrap();
    let inboxes = r#"{"payload": [{"id": 7, "name": "Tier 2 / Billing", "channel_type": "Channel::WebWidget"}]}"#;
    std::fs::write(dir.join("inboxes.json"), inboxes).unwrap();
    let words = "chatwoot messages_12.json conversations.json inboxes.json";
    let (printed, said) = must(&server, dir, words).await;
    assert!(printed.contains(": 1 conversations imported, 0 were here already"), "{printed}");
    for left in ["1 conversations that are open", "1 lines of activity", "1 messages of conversations that are open"] {
        assert!(said.contains(&format!("left: {left}")), "{left}: {said}");
    }
    let zoe = customer(&server, "c-17").await;
    let facts = get(&server, &format!("/conversations?customer={zoe}")).await["conversations"][0].take();
    assert_eq!((&facts["imported"]["id"], &facts["queue"]), (&json!("12"), &json!("tier-2-billing")), "{facts}");
    assert_eq!((&facts["labels"]["tags"], &facts["rating"]["score"]), (&json!(["vip"]), &json!(4)), "{facts}");
    assert_eq!(
        (&facts["opened_at"], &facts["ended_at"]),
        (&json!(1_600_000_000_000_u64), &json!(1_600_000_900_000_u64))
    );
    let id = facts["conversation"].as_str().unwrap();
    let messages = get(&server, &format!("/conversations/{id}/messages")).await;
    assert_eq!(texts(&messages, "messages"), ["Is anybody there?", "I am."]);
    assert_eq!(messages["messages"][1]["author"], json!({"agent": "ada@example.com"}));
    assert_eq!(texts(&get(&server, &format!("/conversations/{id}/notes")).await, "notes"), ["ask for the number"]);
    let (printed, _) = must(&server, dir, words).await;
    assert!(printed.contains(": 0 conversations imported, 1 were here already"), "{printed}");
}
