//! Keys for the tests of tokens; they guard nothing.

use super::keys::Algorithm;

pub const SECRET: &[u8] = b"0123456789abcdef0123456789abcdef";
pub const NOW_S: i64 = 1_700_000_000;

/// (algorithm, what signs, what verifies)
pub const PAIRS: [(Algorithm, &[u8], &[u8]); 4] = [
    (Algorithm::Hs256, SECRET, SECRET),
    (Algorithm::Rs256, include_bytes!("../../../tests/keys/rs.pem"), include_bytes!("../../../tests/keys/rs.pub")),
    (Algorithm::Es256, include_bytes!("../../../tests/keys/es.pem"), include_bytes!("../../../tests/keys/es.pub")),
    (Algorithm::EdDsa, include_bytes!("../../../tests/keys/ed.pem"), include_bytes!("../../../tests/keys/ed.pub")),
];

/// A key on a curve that ES256 does not use.
pub const P384_PUBLIC: &[u8] = include_bytes!("../../../tests/keys/es384.pub");
