//! Fields of JSON that the server wrote, found without reading the whole: the load's client is not what is measured.

/// The text of the first member of this name; it holds no escapes.
pub fn text_of<'a>(json: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = json.split_once(&format!("\"{name}\":\""))?;
    rest.split_once('"').map(|(text, _)| text)
}

/// What kind of frame this is: `type` is its first member.
pub fn kind_of(frame: &str) -> &str {
    frame.strip_prefix("{\"type\":\"").and_then(|rest| rest.split_once('"')).map_or("", |(kind, _)| kind)
}

/// A command id that says what it was for: a number of 16 bits of the kind, and one of 32 bits.
pub fn tagged_id(kind: u16, number: u32) -> String {
    let mut bytes = [0; 10];
    getrandom::fill(&mut bytes).expect("the system gives randomness");
    let random = bytes.iter().fold(0_u128, |random, byte| random << 8 | u128::from(*byte));
    format!("{:032x}", random << 48 | u128::from(kind) << 32 | u128::from(number))
}

/// The kind and the number of a reply's `id`.
pub fn tag_of(reply: &str) -> Option<(u16, u32)> {
    let id = u128::from_str_radix(text_of(reply, "id")?, 16).ok()?;
    Some(((id >> 32) as u16, id as u32))
}
