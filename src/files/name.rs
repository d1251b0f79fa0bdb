//! A file's name as somebody gave it: shown to people and never used as a path. Pure.

/// Of a name that is kept, in characters.
pub const NAME_CHARS_MAX: usize = 200;
/// Of what is sent.
pub const NAME_BYTES_MAX: usize = 4_096;
/// A longer one keeps its end, which says what people take the file for.
const END_CHARS: usize = 20;

/// The name as it is shown: what would make it look like another's, or like a path, is left out or replaced. `None`: nothing is left.
#[must_use]
pub fn shown(given: &str) -> Option<String> {
    let clean: Vec<char> = given.chars().filter_map(clean).collect();
    let text: String = if clean.len() > NAME_CHARS_MAX {
        let (begin, end) = (&clean[..NAME_CHARS_MAX - END_CHARS - 1], &clean[clean.len() - END_CHARS..]);
        begin.iter().chain(&['…']).chain(end).collect()
    } else {
        clean.iter().collect()
    };
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

fn clean(c: char) -> Option<char> {
    match c {
        // What turns the text behind it around, so that "gpj.exe" is read as "exe.jpg"; and what nobody sees.
        '\u{200e}' | '\u{200f}' | '\u{61c}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => None,
        '\u{200b}' | '\u{2028}' | '\u{2029}' | '\u{feff}' => None,
        '/' | '\\' => Some('_'),
        c if c.is_control() => Some('_'),
        c => Some(c),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_text_and_no_path() {
        for (given, kept) in [
            ("bill.pdf", "bill.pdf"),
            ("../../etc/passwd", ".._.._etc_passwd"),
            ("C:\\a\\b.txt", "C:_a_b.txt"),
            ("photo\u{202e}gpj.exe", "photogpj.exe"),
            ("a\nb\0c", "a_b_c"),
            (" ü 😀.png ", "ü 😀.png"),
        ] {
            assert_eq!(shown(given).as_deref(), Some(kept));
        }
        assert_eq!(shown(" \u{202e} "), None);
        assert_eq!(shown(""), None);
    }

    #[test]
    fn a_long_name_keeps_its_end() {
        let long = shown(&format!("{}.pdf", "x".repeat(300))).unwrap();
        assert_eq!(long.chars().count(), NAME_CHARS_MAX);
        assert!(long.ends_with("xxx.pdf") && long.contains('…'));
    }
}
