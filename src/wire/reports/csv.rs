//! CSV as RFC 4180 has it. Names that people gave are no formulas, whatever program opens the file.

use csv::{Terminator, Writer, WriterBuilder};

/// Rows, in memory.
pub struct Rows(Writer<Vec<u8>>);

impl Default for Rows {
    fn default() -> Self {
        Self(WriterBuilder::new().terminator(Terminator::CRLF).from_writer(Vec::new()))
    }
}

impl Rows {
    /// Each as long as the first.
    pub fn add(&mut self, fields: &[String]) {
        self.0.write_record(fields).expect("memory takes rows of one length");
    }

    #[must_use]
    pub fn text(self) -> String {
        let bytes = self.0.into_inner().expect("memory takes rows");
        String::from_utf8(bytes).expect("rows of text are text")
    }
}

/// A name that somebody gave: what a spreadsheet would take for a formula gets an apostrophe before it.
#[must_use]
pub fn name(text: &str) -> String {
    match text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}']) {
        true => format!("'{text}"),
        false => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_end_a_field_is_quoted() {
        let mut rows = Rows::default();
        rows.add(&["plain", "a,b", "say \"hi\"", "two\nlines", ""].map(str::to_owned));
        assert_eq!(rows.text(), "plain,\"a,b\",\"say \"\"hi\"\"\",\"two\nlines\",\r\n");
    }

    #[test]
    fn a_name_is_never_a_formula() {
        for formula in ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"] {
            assert_eq!(name(formula), format!("'{formula}"));
        }
        assert_eq!(name("support = good"), "support = good");
    }
}
