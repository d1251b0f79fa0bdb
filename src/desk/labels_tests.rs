//! Labels by themselves: days, and what is sealed.

use super::*;

#[test]
fn a_day_is_one_of_the_calendar() {
    for day in ["2026-11-26", "2024-02-29", "2000-02-29", "0001-01-01", "9999-12-31"] {
        assert!(is_day(day), "{day}");
    }
    for day in [
        "2026-02-29",
        "1900-02-29",
        "2026-13-01",
        "2026-00-10",
        "2026-04-31",
        "2026-1-1",
        "26-01-01",
        "",
        "2026-11-26T00:00",
        "2026-11-26-",
        "0000-01-01",
        "+026-01-01",
    ] {
        assert!(!is_day(day), "{day}");
    }
}

#[test]
fn a_text_is_sealed_and_so_is_what_is_marked_personal() {
    let field = |name: &str, kind, personal| CustomField {
        name: name.into(),
        kind,
        choices: Vec::new(),
        required: false,
        personal,
    };
    let rules = LabelRules {
        fields: vec![
            field("story", FieldKind::Text, false),
            field("born", FieldKind::Date, true),
            field("count", FieldKind::Number, false),
        ],
        ..LabelRules::default()
    };
    let mut change = LabelChange::default();
    change.fields.insert("story".into(), Some(PlainValue::Text("she said \"no\"".into())));
    change.fields.insert("born".into(), Some(PlainValue::Text("1969-07-20".into())));
    change.fields.insert("count".into(), Some(PlainValue::Number("7.5".into())));
    let seal = |clear: &[u8]| Ok::<_, Refusal>(Arc::from(format!("<{}>", String::from_utf8_lossy(clear))));
    let sealed = rules.sealed(change.clone(), seal).expect("it holds");
    assert_eq!(sealed.fields["story"], Some(FieldValue::Sealed(r#"<"she said \"no\"">"#.into())));
    assert_eq!(sealed.fields["born"], Some(FieldValue::Sealed(r#"<"1969-07-20">"#.into())));
    assert_eq!(sealed.fields["count"], Some(FieldValue::Number("7.5".into())));
    change.fields.insert("born".into(), Some(PlainValue::Text("yesterday".into())));
    let refused = rules.sealed(change, seal).expect_err("that is no day");
    assert_eq!(refused.field(), Some("fields.born"));
}
