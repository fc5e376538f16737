//! `/images.json`: which images there are, a part at a time.

use super::answer::Answer;
use super::ask::Ask;
use super::failure::Failure;
use super::host::Host;
use super::request::Request;
use crate::api::{Format, Identifier, Object, Version};
use crate::error::{Error, Part};
use crate::settings::Settings;

/// What the key of a file ends in that holds the index of a JPEG file, and is no image. The same stands in `src/js/r2.ts`.
const INDEX_SUFFIX: &str = ".azulejo-index";

/// Whether a key is that of an index.
pub(super) fn is_index(key: &str) -> bool {
    key.ends_with(INDEX_SUFFIX)
}

/// Lists identifiers, in the storage's order.
pub(super) async fn list(request: &Request, settings: &Settings, host: &Host) -> Result<Answer, Failure> {
    let limit = request.parameter("limit").and_then(|limit| limit.parse().ok()).unwrap_or(100).clamp(1, 1000);
    let prefix = settings.object_key.prefix(&request.parameter("prefix").unwrap_or_default());
    let cursor = request.parameter("cursor").filter(|cursor| !cursor.is_empty());
    let listed = host.ask(Ask::List { prefix, limit, cursor: cursor.clone() }).await;
    let text = match (listed, cursor) {
        (Ok(reply), _) => reply.text.unwrap_or_default(),
        (Err(failure), Some(cursor)) if failure.code() == "syntax" => {
            return Err(Error::Syntax { part: Part::Path, value: cursor, expected: "a cursor of an earlier answer" }.into());
        }
        (Err(failure), _) => return Err(failure),
    };
    let mut fields = text.split('\0');
    let cursor = fields.next().filter(|cursor| !cursor.is_empty());
    let mut images = Vec::new();
    while let (Some(size), Some(uploaded), Some(key)) = (fields.next(), fields.next(), fields.next()) {
        images.extend(image(settings, key, size, uploaded));
    }
    let versions = settings.router.versions.iter().map(|version: &Version| version.as_str());
    let formats = settings.service.formats.iter().map(|format: &Format| format.extension());
    let service = Object::new().text("prefix", &settings.router.prefix).texts("versions", versions).texts("formats", formats);
    let listed = Object::new().raw("images", &format!("[{}]", images.join(",")));
    let listed = match cursor {
        Some(cursor) => listed.text("cursor", cursor),
        None => listed.raw("cursor", "null"),
    };
    Ok(Answer::json(&listed.raw("service", &service.end()).end()))
}

/// A file as JSON, if it is an image. What ends in a slash is a folder's marker.
fn image(settings: &Settings, key: &str, size: &str, uploaded: &str) -> Option<String> {
    let name = settings.object_key.identifier(key).filter(|name| !is_index(key) && !name.ends_with('/'))?;
    let identifier = Identifier::new(name).ok()?;
    let image = Object::new().text("id", &identifier.encoded()).text("name", name).number("bytes", size.parse::<u64>().ok()?);
    Some(image.text("uploaded", uploaded).end())
}
