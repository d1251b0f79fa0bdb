//! The one shape of every error, on the socket and over HTTP, and the one place where a refusal becomes it.

use crate::desk::refusal::Refusal;
use serde::{Serialize, Serializer};
use std::borrow::Cow;

macro_rules! codes {
    ($($variant:ident $name:literal $status:literal $title:literal,)*) => {
        /// The stable codes of docs/wire.md.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub enum Code { $($variant,)* }

        impl Code {
            pub const ALL: &[Code] = &[$(Code::$variant,)*];

            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Code::$variant => $name,)* }
            }

            /// The HTTP status that goes with it.
            #[must_use]
            pub fn status(self) -> u16 {
                match self { $(Code::$variant => $status,)* }
            }

            /// RFC 9457's `title`: the same for each occurrence.
            #[must_use]
            pub fn title(self) -> &'static str {
                match self { $(Code::$variant => $title,)* }
            }
        }
    };
}

codes! {
    BadRequest "bad_request" 400 "The request has not the right shape",
    BadField "bad_field" 422 "A field has a wrong value",
    BadCursor "bad_cursor" 422 "The cursor is not one of ours",
    CursorGone "cursor_gone" 410 "What comes after the cursor is not kept any more",
    TooManyRows "too_many_rows" 422 "The answer would be too long",
    UnknownType "unknown_type" 400 "There is no frame of this type",
    MissingId "missing_id" 400 "The command has no id",
    IdReused "id_reused" 409 "The command id was used with another body",
    TooLarge "too_large" 413 "Something is over its limit",
    Unauthorized "unauthorized" 401 "There is no valid token",
    Forbidden "forbidden" 403 "The token does not allow this",
    NotFound "not_found" 404 "There is no such thing here",
    MethodNotAllowed "method_not_allowed" 405 "This cannot be done to it",
    NoSuchOffer "no_such_offer" 404 "There is no such offer",
    NoSuchConversation "no_such_conversation" 404 "There is no such conversation",
    NoSuchQueue "no_such_queue" 404 "There is no such queue",
    NoSuchAgent "no_such_agent" 404 "There is no such agent",
    NoSuchChannel "no_such_channel" 404 "There is no such channel",
    NoSuchStatus "no_such_status" 404 "There is no such status",
    NoSuchApiKey "no_such_api_key" 404 "There is no such API key",
    NoSuchReason "no_such_reason" 422 "There is no such reason code",
    NoSuchMessage "no_such_message" 422 "There is no such message yet",
    BadSetting "bad_setting" 422 "A setting has a wrong value",
    NoSuchDecision "no_such_decision" 404 "There is no such decision",
    DecisionGone "decision_gone" 409 "The decision has ended",
    BadLabel "bad_label" 422 "A label has a wrong value",
    LabelMissing "label_missing" 409 "It cannot be finished without a label",
    OfferGone "offer_gone" 409 "The offer has ended",
    NotYourOffer "not_your_offer" 403 "The offer was made to another agent",
    NotYours "not_yours" 403 "It is another's",
    WrongState "wrong_state" 409 "The conversation is in another state",
    NoMoreTime "no_more_time" 409 "Wrap-up cannot be extended any more",
    RatingOver "rating_over" 409 "It cannot be rated now",
    CustomerErased "customer_erased" 409 "The customer was erased",
    TooOld "too_old" 422 "It would be forgotten at once",
    PartMissing "part_missing" 409 "What comes before it is not here",
    DeliveryOver "delivery_over" 409 "No state of the message is kept",
    LengthRequired "length_required" 411 "The request does not say how long it is",
    NoSuchFile "no_such_file" 422 "There is no such file here",
    FileTaken "file_taken" 409 "A message has the file already",
    FileRefused "file_refused" 422 "The file was looked at and refused",
    QueueFull "queue_full" 409 "The queue is full",
    NobodyThere "nobody_there" 409 "Nobody of the queue is there",
    QueueClosed "queue_closed" 409 "The queue is closed at this hour",
    QueueDraining "queue_draining" 409 "The queue takes nothing new in",
    PickNotAllowed "pick_not_allowed" 403 "The queue does not let agents pick",
    AgentUnable "agent_unable" 409 "The agent cannot take it",
    AlreadyThere "already_there" 409 "The agent has it already",
    OwnerChanged "owner_changed" 409 "Another owns it now",
    NobodyJoined "nobody_joined" 409 "Nobody has joined",
    NoSuchCustomer "no_such_customer" 404 "There is no such customer",
    ChangedMeanwhile "changed_meanwhile" 412 "It is no longer as it was known",
    QueueInUse "queue_in_use" 409 "The queue still holds conversations",
    TooMany "too_many" 409 "The workspace holds its most",
    Quota "quota" 409 "The workspace's quota is used up",
    AgentDeactivated "agent_deactivated" 403 "The agent is deactivated",
    TooManyDevices "too_many_devices" 409 "All devices of the agent are connected",
    SigninRefused "signin_refused" 403 "Nobody was signed in",
    ProviderFailed "provider_failed" 502 "The OpenID provider is of no use now",
    RateLimited "rate_limited" 429 "Too many from this sender",
    Busy "busy" 503 "The intake is full",
    Unavailable "unavailable" 503 "Nothing can be committed now",
    Behind "behind" 503 "The view is behind",
    Internal "internal" 500 "Our fault",
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// An error as a client sees it. `message` is for people and may change; the rest is for programs.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, thiserror::Error)]
#[error("{}: {message}", .code.name())]
pub struct WireError {
    pub code: Code,
    pub message: Cow<'static, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<Cow<'static, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u64>,
    #[serde(flatten)]
    pub more: Option<More>,
}

/// The one further member that some errors have.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum More {
    /// How the offer ended.
    End(&'static str),
    /// Which state the conversation is in.
    State(Cow<'static, str>),
    /// Why a token is not good.
    Reason(&'static str),
    /// Of which thing there are too many, or which quota is used up.
    What(Cow<'static, str>),
    /// By which rule an agent cannot take a conversation.
    Rule(&'static str),
    /// Who owns the conversation now; null: nobody.
    Owner(Option<std::sync::Arc<str>>),
    /// When the queue opens, in Unix milliseconds; null: nobody knows.
    OpensAt(Option<u64>),
    /// How large it may be.
    MaxBytes(u64),
    /// Which kinds may be.
    Allowed(Vec<std::sync::Arc<str>>),
    /// The first cursor that is still there.
    First(String),
}

impl WireError {
    #[must_use]
    pub fn new(code: Code, message: impl Into<Cow<'static, str>>) -> Self {
        Self { code, message: message.into(), field: None, retry_after_ms: None, more: None }
    }

    #[must_use]
    pub fn at(mut self, field: impl Into<Cow<'static, str>>) -> Self {
        self.field = Some(field.into());
        self
    }

    #[must_use]
    pub fn after_ms(mut self, retry_after_ms: u64) -> Self {
        self.retry_after_ms = Some(retry_after_ms);
        self
    }

    /// `reason`: `token_missing`, `token_malformed`, `token_expired` and the like.
    #[must_use]
    pub fn unauthorized(reason: &'static str) -> Self {
        Self { more: Some(More::Reason(reason)), ..Self::new(Code::Unauthorized, format!("no valid token: {reason}")) }
    }

    #[must_use]
    pub fn busy(retry_after_ms: u64) -> Self {
        Self::new(Code::Busy, "the intake is full; nothing happened").after_ms(retry_after_ms)
    }

    #[must_use]
    pub fn unavailable(retry_after_ms: u64, why: impl std::fmt::Display) -> Self {
        Self::new(Code::Unavailable, format!("nothing can be committed now: {why}; nothing happened"))
            .after_ms(retry_after_ms)
    }

    #[must_use]
    pub fn rate_limited(retry_after_ms: u64) -> Self {
        Self::new(Code::RateLimited, "too many from this sender").after_ms(retry_after_ms)
    }

    /// With a time to try again it is one of a rate.
    #[must_use]
    pub fn quota(what: &'static str, most: u64, retry_after_ms: Option<u64>) -> Self {
        Self { retry_after_ms, ..Refusal::Quota { what: what.into(), most }.into() }
    }

    /// The HTTP status: its code's, but for a quota of a rate, which is 429 as every rate is.
    #[must_use]
    pub fn status(&self) -> u16 {
        match self.code {
            Code::Quota if self.retry_after_ms.is_some() => Code::RateLimited.status(),
            code => code.status(),
        }
    }

    #[must_use]
    pub fn behind(retry_after_ms: u64) -> Self {
        Self::new(Code::Behind, "the view has not reached what you have seen").after_ms(retry_after_ms)
    }

    #[must_use]
    pub fn internal() -> Self {
        Self::new(Code::Internal, "our fault")
    }

    /// `Retry-After`, in whole seconds, rounded up.
    #[must_use]
    pub fn retry_after_s(&self) -> Option<u64> {
        self.retry_after_ms.map(|ms| ms.div_ceil(1_000))
    }

    /// The body of `application/problem+json` (RFC 9457).
    #[must_use]
    pub fn problem(&self) -> Vec<u8> {
        #[derive(Serialize)]
        struct Problem<'a> {
            r#type: String,
            title: &'static str,
            status: u16,
            detail: &'a str,
            #[serde(flatten)]
            error: &'a WireError,
        }
        let problem = Problem {
            r#type: format!("urn:offhook:problem:{}", self.code.name()),
            title: self.code.title(),
            status: self.status(),
            detail: &self.message,
            error: self,
        };
        serde_json::to_vec(&problem).expect("strings and numbers always serialize")
    }
}

impl From<Refusal> for WireError {
    fn from(refusal: Refusal) -> Self {
        Self::from(&refusal)
    }
}

impl From<&Refusal> for WireError {
    fn from(refusal: &Refusal) -> Self {
        let code = match refusal {
            Refusal::OfferGone { .. } => Code::OfferGone,
            Refusal::NoSuchOffer(_) => Code::NoSuchOffer,
            Refusal::DecisionGone { .. } => Code::DecisionGone,
            Refusal::NoSuchDecision(_) => Code::NoSuchDecision,
            Refusal::NoSuchConversation(_) => Code::NoSuchConversation,
            Refusal::NoSuchQueue(_) => Code::NoSuchQueue,
            Refusal::NoSuchAgent(_) => Code::NoSuchAgent,
            Refusal::NoSuchChannel(_) => Code::NoSuchChannel,
            Refusal::NoSuchStatus(_) => Code::NoSuchStatus,
            Refusal::NoSuchApiKey(_) => Code::NoSuchApiKey,
            Refusal::NotYours(_) => Code::NotYours,
            Refusal::NotYourOffer(_) => Code::NotYourOffer,
            Refusal::AgentDeactivated(_) => Code::AgentDeactivated,
            Refusal::TooManyDevices { .. } => Code::TooManyDevices,
            Refusal::WrongState { .. } => Code::WrongState,
            Refusal::NoSuchReason(_) => Code::NoSuchReason,
            Refusal::QueueFull { .. } => Code::QueueFull,
            Refusal::NobodyThere(_) => Code::NobodyThere,
            Refusal::QueueClosed { .. } => Code::QueueClosed,
            Refusal::QueueDraining(_) => Code::QueueDraining,
            Refusal::PickNotAllowed(_) => Code::PickNotAllowed,
            Refusal::AgentUnable { .. } => Code::AgentUnable,
            Refusal::AlreadyThere { .. } => Code::AlreadyThere,
            Refusal::OwnerChanged { .. } => Code::OwnerChanged,
            Refusal::NobodyJoined(_) => Code::NobodyJoined,
            Refusal::NoSuchMessage { .. } => Code::NoSuchMessage,
            Refusal::QueueInUse { .. } => Code::QueueInUse,
            Refusal::IdReused => Code::IdReused,
            Refusal::ChangedMeanwhile => Code::ChangedMeanwhile,
            Refusal::BadSetting { .. } => Code::BadSetting,
            Refusal::TooMany { .. } => Code::TooMany,
            Refusal::Quota { .. } => Code::Quota,
            Refusal::BadLabel { .. } => Code::BadLabel,
            Refusal::LabelMissing { .. } => Code::LabelMissing,
            // Only the server's own commands name sessions; a client that hears this met a fault of ours.
            Refusal::NoMoreTime(_) => Code::NoMoreTime,
            Refusal::RatingOver(_) => Code::RatingOver,
            Refusal::FileTaken { .. } => Code::FileTaken,
            Refusal::DeliveryOver { .. } => Code::DeliveryOver,
            Refusal::PartMissing { .. } => Code::PartMissing,
            // The gateway seals anew, with that key, and asks again.
            Refusal::AnotherKey(_) => Code::Internal,
            Refusal::NoSuchSession => Code::Internal,
        };
        let mut error = Self::new(code, refusal.to_string());
        error.field = refusal.field().map(|field| Cow::Owned(field.to_owned()));
        match refusal {
            Refusal::OfferGone { end, .. } => error.more = Some(More::End(end.name())),
            Refusal::DecisionGone { end, .. } => error.more = end.map(|end| More::End(end.name())),
            Refusal::WrongState { state, .. } => error.more = Some(More::State(state.clone())),
            Refusal::TooMany { what, .. } | Refusal::Quota { what, .. } => error.more = Some(More::What(what.clone())),
            Refusal::AgentUnable { rule, .. } => error.more = Some(More::Rule(rule.name())),
            Refusal::QueueClosed { opens_at, .. } => error.more = Some(More::OpensAt(opens_at.map(|at| at.0))),
            Refusal::OwnerChanged { owner, .. } => error.more = Some(More::Owner(owner.clone())),
            _ => {}
        }
        error
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::desk::decision::DecisionEnd;
    use crate::desk::event::OfferEnd;
    use crate::desk::files::FileId;
    use crate::desk::fits::WhyNot;
    use crate::desk::ids::{ConversationId, DecisionId, OfferId};
    use crate::desk::time::WallTime;
    use std::collections::BTreeMap;

    /// Code -> status, from the table under *Errors*.
    fn documented() -> BTreeMap<String, u16> {
        let text = include_str!("../../docs/wire.md");
        let table = text.split_once("\n## Errors\n").unwrap().1.split_once("\n## ").unwrap().0;
        let mut codes = BTreeMap::new();
        for row in table.lines().filter(|line| line.starts_with("| `")) {
            let mut cells = row.split('|').map(str::trim).skip(1);
            let names = cells.next().unwrap();
            let status = cells.next().unwrap().parse().unwrap();
            codes.extend(names.split(',').map(|name| (name.trim().trim_matches('`').to_owned(), status)));
        }
        codes
    }

    #[test]
    fn the_codes_are_those_of_the_document() {
        let ours: BTreeMap<_, _> = Code::ALL.iter().map(|code| (code.name().to_owned(), code.status())).collect();
        assert_eq!(ours.len(), Code::ALL.len());
        assert_eq!(ours, documented());
    }

    #[test]
    fn a_refusal_keeps_its_code_its_field_and_what_it_knows() {
        let refusals = [
            Refusal::OfferGone { offer: OfferId(23), end: OfferEnd::Expired },
            Refusal::NoSuchOffer(OfferId(1)),
            Refusal::NoSuchConversation(ConversationId(1)),
            Refusal::NoSuchQueue("q".into()),
            Refusal::NoSuchAgent("a".into()),
            Refusal::NoSuchChannel("c".into()),
            Refusal::NoSuchStatus("s".into()),
            Refusal::NoSuchApiKey("k".into()),
            Refusal::NotYours(ConversationId(1)),
            Refusal::NotYourOffer(OfferId(1)),
            Refusal::AgentDeactivated("a".into()),
            Refusal::TooManyDevices { devices_max: 5 },
            Refusal::WrongState { conversation: ConversationId(1), state: "closed".into() },
            Refusal::NoSuchReason("r".into()),
            Refusal::QueueFull { queue: "q".into(), waiting_max: 1 },
            Refusal::NoSuchMessage { number: 2, last: 1 },
            Refusal::QueueInUse { queue: "q".into(), conversations: 1 },
            Refusal::IdReused,
            Refusal::BadSetting { field: "channels".into(), what: "none".into() },
            Refusal::TooMany { what: "queues".into(), most: 1 },
            Refusal::QueueDraining("q".into()),
            Refusal::PickNotAllowed("q".into()),
            Refusal::AgentUnable { agent: "a".into(), rule: WhyNot::ChannelFull },
            Refusal::AlreadyThere { conversation: ConversationId(1), agent: "a".into() },
            Refusal::OwnerChanged { conversation: ConversationId(1), owner: Some("b".into()) },
            Refusal::NobodyJoined(ConversationId(1)),
            Refusal::NobodyThere("q".into()),
            Refusal::QueueClosed { queue: "q".into(), opens_at: Some(WallTime(1_700_000_000_000)) },
            Refusal::BadLabel { field: "tags".into(), what: "at most 20".into() },
            Refusal::LabelMissing { conversation: ConversationId(1), field: "disposition".into() },
            Refusal::DecisionGone { decision: DecisionId(1), end: Some(DecisionEnd::Silent) },
            Refusal::NoSuchDecision(DecisionId(1)),
            Refusal::FileTaken { conversation: ConversationId(1), file: FileId(1) },
            Refusal::ChangedMeanwhile,
            Refusal::Quota { what: "agents".into(), most: 1 },
        ];
        for refusal in &refusals {
            let error = WireError::from(refusal);
            assert_eq!(error.code.name(), refusal.code());
            assert_eq!(error.field.as_deref(), refusal.field());
        }
        assert_eq!(
            serde_json::to_string(&WireError::from(&refusals[0])).unwrap(),
            r#"{"code":"offer_gone","message":"the offer o23 has ended: expired","field":"offer","end":"expired"}"#
        );
        assert_eq!(WireError::from(&refusals[12]).more, Some(More::State("closed".into())));
        assert_eq!(WireError::from(&refusals[19]).more, Some(More::What("queues".into())));
        assert_eq!(WireError::from(&refusals[22]).more, Some(More::Rule("channel_full")));
        assert_eq!(WireError::from(&refusals[27]).more, Some(More::OpensAt(Some(1_700_000_000_000))));
        assert_eq!(
            serde_json::to_string(&WireError::from(&refusals[24])).unwrap(),
            concat!(
                r#"{"code":"owner_changed","message":"c1 is now owned by b","field":"expected_owner","#,
                r#""owner":"b"}"#
            )
        );
    }

    #[test]
    fn over_http_an_error_is_a_problem_with_the_same_members() {
        let body: serde_json::Value = serde_json::from_slice(&WireError::busy(1_001).problem()).unwrap();
        assert_eq!(body["type"], "urn:offhook:problem:busy");
        assert_eq!(body["status"], 503);
        assert_eq!(body["title"], "The intake is full");
        assert_eq!(body["detail"], body["message"]);
        assert_eq!(body["code"], "busy");
        assert_eq!(body["retry_after_ms"], 1_001);
        assert_eq!(WireError::busy(1_001).retry_after_s(), Some(2));
    }

    #[test]
    fn a_quota_of_an_amount_is_a_conflict_and_one_of_a_rate_passes() {
        let told = |retry_after_ms| -> serde_json::Value {
            serde_json::from_slice(&WireError::quota("starts_per_s", 5, retry_after_ms).problem()).unwrap()
        };
        let (amount, rate) = (told(None), told(Some(200)));
        assert_eq!((&amount["status"], &amount["retry_after_ms"]), (&409.into(), &serde_json::Value::Null));
        assert_eq!(
            (&rate["status"], &rate["retry_after_ms"], &rate["what"]),
            (&429.into(), &200.into(), &"starts_per_s".into())
        );
        assert_eq!(rate["message"], "the workspace's quota of starts_per_s is used up: 5");
    }
}
