//! `Content-Disposition` for the parameter `response-content-disposition` (RFC 6266).

use crate::api::{Format, Identifier, content_disposition, decode_percent};

/// The header for what a client wishes: `attachment` or `inline`, and the name of the file, by `filename*` or `filename`. Without a name in it the last part of the
/// identifier is taken. The name is cleaned, and gets the extension of the format.
pub(super) fn disposition(wanted: &str, identifier: &Identifier, format: Format) -> String {
    let parameter = |name: &str| {
        let at = wanted.to_ascii_lowercase().find(name)?;
        let value = wanted.get(at.saturating_add(name.len())..)?.trim_start();
        match value.strip_prefix('"') {
            Some(quoted) => quoted.split('"').next(),
            None => value.split(';').next().map(str::trim),
        }
    };
    let extended = parameter("filename*=").and_then(|value| decode_percent(value.split_once("''")?.1));
    let name = extended.or_else(|| parameter("filename=").map(str::to_owned)).filter(|name| !name.is_empty());
    let own = identifier.as_str().rsplit('/').next().unwrap_or_default();
    let value = content_disposition(name.as_deref().unwrap_or(own), format);
    if wanted.trim_start().to_ascii_lowercase().starts_with("inline") { value.replacen("attachment", "inline", 1) } else { value }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_client_chooses_the_name_and_the_service_its_form() {
        let of = |wanted: &str| disposition(wanted, &Identifier::new("maps/lisbon.tif").unwrap(), Format::Jpg);
        assert_eq!(of("attachment"), "attachment; filename=\"lisbon.jpg\"");
        assert_eq!(of(" INLINE; filename=\"a/b.png\"; x=1"), "inline; filename=\"a_b.jpg\"");
        assert_eq!(of("attachment; filename=plain.jpg ; more"), "attachment; filename=\"plain.jpg\"");
        assert_eq!(of("attachment; filename*=UTF-8''caf%C3%A9; filename=no"), "attachment; filename=\"caf_.jpg\"; filename*=UTF-8''caf%C3%A9.jpg");
        // What cannot be decoded is not a name.
        assert_eq!(of("attachment; filename*=UTF-8''%FF; filename=yes"), "attachment; filename=\"yes.jpg\"");
    }
}
