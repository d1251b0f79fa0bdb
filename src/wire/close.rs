//! Why the server closes an agent's socket: one code for each thing that the client is to do next.

use std::borrow::Cow;

macro_rules! close_codes {
    ($($(#[$doc:meta])* $variant:ident = $number:literal $name:literal,)*) => {
        /// 10xx by RFC 6455; 40xx do not come back, 41xx back off, 42xx come back at once.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        pub enum CloseCode { $($(#[$doc])* $variant,)* }

        impl CloseCode {
            pub const ALL: &[CloseCode] = &[$(CloseCode::$variant,)*];

            #[must_use]
            pub fn number(self) -> u16 {
                match self { $(CloseCode::$variant => $number,)* }
            }

            /// In metrics and, for the codes of our own, in the close reason.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(CloseCode::$variant => $name,)* }
            }
        }
    };
}

close_codes! {
    Normal = 1000 "normal",
    /// The protocol was broken.
    Protocol = 1002 "protocol",
    /// A binary frame.
    Binary = 1003 "binary",
    NotUtf8 = 1007 "not_utf8",
    TooLarge = 1009 "too_large",
    SignedOut = 4000 "signed_out",
    Unauthorized = 4001 "unauthorized",
    Forbidden = 4003 "forbidden",
    TooManyDevices = 4004 "too_many_devices",
    BadFrames = 4008 "bad_frames",
    Busy = 4100 "busy",
    Unavailable = 4101 "unavailable",
    RateLimited = 4102 "rate_limited",
    Quota = 4103 "quota",
    Restarting = 4200 "restarting",
    TooSlow = 4201 "too_slow",
    Resync = 4202 "resync",
}

impl CloseCode {
    /// The reason that travels with the code where nothing more is to be said.
    #[must_use]
    pub fn reason(self) -> Cow<'static, str> {
        Cow::Borrowed(self.name())
    }

    /// The reason of a 41xx code, and of 4200: how long to stay away.
    #[must_use]
    pub fn reason_with_retry(retry_after_ms: u64) -> Cow<'static, str> {
        Cow::Owned(format!("retry_after_ms={retry_after_ms}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows of the table under *Closing*: `| 4000 | `signed_out` | …`.
    fn documented() -> Vec<(u16, String)> {
        let text = include_str!("../../docs/wire.md");
        let table = text.split_once("\n### Closing\n").unwrap().1.split_once("\n### ").unwrap().0;
        let mut rows = Vec::new();
        for row in table.lines().filter(|line| line.starts_with("| ")) {
            let mut cells = row.split('|').map(str::trim).skip(1);
            let (codes, name) = (cells.next().unwrap(), cells.next().unwrap().trim_matches('`'));
            rows.extend(
                codes.split(',').filter_map(|code| code.trim().parse().ok()).map(|code| (code, name.to_owned())),
            );
        }
        rows
    }

    #[test]
    fn the_close_codes_are_those_of_the_document() {
        let documented = documented();
        for code in CloseCode::ALL {
            let name = if code.number() < 4000 { "" } else { code.name() };
            assert!(documented.contains(&(code.number(), name.to_owned())), "{code:?} is not documented");
        }
        assert_eq!(documented.len(), CloseCode::ALL.len(), "{documented:?}");
    }

    #[test]
    fn every_reason_fits_a_close_frame() {
        assert!(CloseCode::ALL.iter().all(|code| code.reason().len() <= 123));
        assert!(CloseCode::reason_with_retry(u64::MAX).len() <= 123);
    }
}
