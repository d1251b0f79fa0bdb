//! Whatever nodes say to each other is read as it was meant, and whatever else comes is an error that says what it is.

mod bytes;
mod commands;
mod told;

/// Asks that each kind of an enum is among the samples, by a `match` that does not compile without a new one.
macro_rules! each_is_sampled {
    ($samples:expr, $name:ident: $($kind:ident)+) => {{
        let kind = |value: &$name| match value {
            $($name::$kind { .. } => stringify!($kind),)+
        };
        let found: std::collections::BTreeSet<&str> = $samples.iter().map(kind).collect();
        assert_eq!(found, std::collections::BTreeSet::from([$(stringify!($kind)),+]));
    }};
}
use each_is_sampled;
