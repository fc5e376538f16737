//! `/images.json`: what is in the bucket, a page at a time.

use azulejo::api::{Format, Identifier, Version};
use azulejo::service::{Failure, Request};
use azulejo::{Error, Part};
use serde_json::{Value, json};
use worker::Bucket;

use crate::config::Config;
use crate::drive::unreadable;
use crate::index::is_index;
use crate::respond::Answer;

/// Lists identifiers, in the bucket's order.
pub(crate) async fn list(request: &Request, bucket: &Bucket, config: &Config) -> Result<Answer, Failure> {
    let limit = request.parameter("limit").and_then(|limit| limit.parse().ok()).unwrap_or(100u32).clamp(1, 1000);
    let mut query = bucket.list().limit(limit).prefix(config.object_key.prefix(&request.parameter("prefix").unwrap_or_default()));
    let cursor = request.parameter("cursor").filter(|cursor| !cursor.is_empty());
    if let Some(cursor) = &cursor {
        query = query.cursor(cursor);
    }
    let page = query.execute().await.map_err(|error| match cursor {
        // Most likely not one of ours.
        Some(cursor) => Error::Syntax { part: Part::Path, value: cursor, expected: "a cursor of an earlier answer" },
        None => unreadable(&error),
    })?;
    let images: Vec<Value> = page
        .objects()
        .iter()
        .filter_map(|object| {
            let key = Some(object.key()).filter(|key| !is_index(key))?;
            // What ends in a slash is a folder's marker.
            let identifier = Identifier::new(config.object_key.identifier(&key)?).ok().filter(|identifier| !identifier.as_str().ends_with('/'))?;
            let uploaded = js_sys::Date::new(&(object.uploaded().as_millis() as f64).into()).to_iso_string();
            Some(json!({ "id": identifier.encoded(), "name": identifier.as_str(), "bytes": object.size(), "uploaded": String::from(uploaded) }))
        })
        .collect();
    Ok(Answer::json(
        &json!({
            "images": images,
            "cursor": page.truncated().then(|| page.cursor()).flatten(),
            "service": {
                "prefix": config.router.prefix,
                "versions": config.router.versions.iter().map(|version: &Version| version.as_str()).collect::<Vec<_>>(),
                "formats": config.service.formats.iter().map(|format: &Format| format.extension()).collect::<Vec<_>>(),
            },
        })
        .to_string(),
    ))
}
