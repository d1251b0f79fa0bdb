//! What kind of file it is, by what is in it and never by its name: a signature in its first bytes, or text from end to end.

use std::mem::take;

pub const TEXT: &str = "text/plain";
/// Kinds that a browser shows in place: pictures without a program in them.
pub const PICTURES: [&str; 4] = ["image/png", "image/jpeg", "image/gif", "image/webp"];
/// A picture's side, and its whole: what is larger takes gigabytes to show, however few bytes it has here.
pub const SIDE_MAX: usize = 32_768;
pub const PIXELS_MAX: usize = 120_000_000;

/// The kind whose signature these first bytes have; `None`: none that is known, so at best text.
#[must_use]
pub fn signed(head: &[u8]) -> Option<&'static str> {
    infer::get(head).map(|found| found.mime_type())
}

/// Width and height, where the first bytes of a picture tell.
///
/// # Errors
/// It is larger than a picture may be.
pub fn size(kind: &str, head: &[u8]) -> Result<Option<(u32, u32)>, TooManyPixels> {
    if !PICTURES.contains(&kind) {
        return Ok(None);
    }
    let Ok(found) = imagesize::blob_size(head) else { return Ok(None) };
    let most = found.width.max(found.height);
    if most > SIDE_MAX || found.width.saturating_mul(found.height) > PIXELS_MAX {
        return Err(TooManyPixels);
    }
    Ok(Some((found.width as u32, found.height as u32)).filter(|(width, height)| *width > 0 && *height > 0))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooManyPixels;

/// Text is UTF-8 without control characters, from the first byte to the last: looked at as it comes.
#[derive(Debug, Default)]
pub struct TextCheck {
    /// The beginning of a character whose end has not come; at most three bytes.
    left: Vec<u8>,
}

impl TextCheck {
    /// Whether it is text so far, and where this is the last of it, to the end.
    pub fn goes_on(&mut self, chunk: &[u8], last: bool) -> bool {
        let mut joined = take(&mut self.left);
        joined.extend_from_slice(chunk);
        let (text, left) = match std::str::from_utf8(&joined) {
            Ok(text) => (text, 0),
            Err(error) if error.error_len().is_none() && !last => {
                let text = std::str::from_utf8(&joined[..error.valid_up_to()]).unwrap_or_default();
                (text, joined.len() - error.valid_up_to())
            }
            Err(_) => return false,
        };
        let good = text.chars().all(|c| matches!(c, '\t' | '\n' | '\r' | '\u{c}') || !c.is_control());
        self.left = joined.split_off(joined.len() - left);
        good
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    pub const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\x02\x80\0\0\x01\xe0\x08\x06\0\0\0";

    #[test]
    fn a_kind_is_told_by_its_first_bytes() {
        let cases: [(&[u8], Option<&str>); 8] = [
            (PNG, Some("image/png")),
            (b"\xff\xd8\xff\xe0\0\x10JFIF", Some("image/jpeg")),
            (b"GIF89a\x01\0\x01\0", Some("image/gif")),
            (b"RIFF\x24\0\0\0WEBPVP8 ", Some("image/webp")),
            (b"%PDF-1.7\n", Some("application/pdf")),
            (b"<html><script>alert(1)</script>", Some("text/html")),
            (b"<?xml version=\"1.0\"?><svg onload=\"alert(1)\"/>", Some("text/xml")),
            (b"hello", None),
        ];
        for (head, kind) in cases {
            assert_eq!(signed(head), kind, "{}", head.escape_ascii());
        }
        assert!(!PICTURES.contains(&"image/svg+xml"));
    }

    #[test]
    fn a_picture_has_a_size_and_what_cannot_be_shown_is_refused() {
        assert_eq!(size("image/png", PNG), Ok(Some((640, 480))));
        assert_eq!(size("image/gif", b"GIF89a\x01\0\x02\0\0\0\0\0\0\0"), Ok(Some((1, 2))));
        assert_eq!(size("image/png", &PNG[..12]), Ok(None));
        assert_eq!(size("application/pdf", PNG), Ok(None));
        let mut bomb = PNG.to_vec();
        bomb[16..24].copy_from_slice(&[0, 0, 0x7f, 0xff, 0, 0, 0x7f, 0xff]);
        assert_eq!(size("image/png", &bomb), Err(TooManyPixels));
    }

    #[test]
    fn text_is_text_to_its_end_however_it_is_cut() {
        let text = "a\tж\r\n€ 😀".as_bytes();
        for at in 0..text.len() {
            let mut check = TextCheck::default();
            assert!(check.goes_on(&text[..at], false) && check.goes_on(&text[at..], true), "cut at {at}");
        }
        for bad in [&b"a\0b"[..], b"\x1b[2J", b"\xff", "\u{9b}".as_bytes(), &"ж".as_bytes()[..1]] {
            assert!(!TextCheck::default().goes_on(bad, true), "{}", bad.escape_ascii());
        }
    }
}
