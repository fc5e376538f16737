//! Percent-encoding (RFC 3986 §2.1; Image API 3.0 §9).

use std::fmt::Write as _;

/// Decodes once. `None` for a broken escape or what is not UTF-8.
pub(crate) fn decode(text: &str) -> Option<String> {
    if !text.contains('%') {
        return Some(text.to_owned());
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(if byte == b'%' { hex(rest.next()?)?.checked_mul(16)?.checked_add(hex(rest.next()?)?)? } else { byte });
    }
    String::from_utf8(bytes).ok()
}

/// Encodes every byte that `keep` does not keep. What is not ASCII is always encoded.
pub(super) fn encode(text: &str, keep: impl Fn(u8) -> bool) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii() && keep(byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

fn hex(digit: u8) -> Option<u8> {
    u8::try_from(char::from(digit).to_digit(16)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decodes_once() {
        assert_eq!(decode("a%252Fb%2f%C3%A9+").as_deref(), Some("a%2Fb/é+"));
        for bad in ["%", "%4", "%zz", "%+1", "%C0%AE", "%E0%A4%A", "%FF"] {
            assert_eq!(decode(bad), None, "{bad}");
        }
    }
}
