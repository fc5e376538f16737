//! What the service asks of its host. The service does no input or output itself: it asks, the host does the work and replies.

use super::answer::{Answer, Body};
use crate::api::{Object, Page, Version};
use crate::bytes::ByteRange;
use crate::settings::Log;

/// What a host is asked for. The exchange goes on when there is a [`Reply`], unless it says "no reply".
#[derive(Debug)]
pub(super) enum Ask {
    /// The file that a key stands for. Reply: a name that no other file has, by which the service asks for it from now on; or none if there is no such file.
    Resolve { key: String },
    /// The version of a file that is there now. Reply: the text of a [`FileVersion`], or none if there is no such file.
    Look { key: String },
    /// The same with so many of its first bytes.
    Begin { key: String, length: u64 },
    /// Bytes of a version of a file. Reply: the bytes. Refused with `source-changed` if another version is there.
    Read { key: String, range: ByteRange, version: FileVersion },
    /// The bytes of an answer that are kept under a name; the host holds them. Reply: their length, or none.
    Find { name: String },
    /// Bytes that are kept under a name. Reply: the bytes, or none.
    Recall { name: String },
    /// To keep bytes under a name for good. No reply.
    Keep { name: String },
    /// Bytes that are kept beside a version of a file. Reply: the bytes, or none.
    Index { key: String, etag: String },
    /// To keep bytes beside a version of a file. No reply.
    KeepIndex { key: String, etag: String },
    /// To wait so many ms. Reply: anything.
    Pause { ms: u32 },
    /// Files whose keys begin with a prefix. Refused with `syntax` if the cursor is none of an earlier reply. Reply: the cursor of the
    /// next part or an empty text, then of each file its size, date and key, all separated by NUL.
    List { prefix: String, limit: u32, cursor: Option<String> },
    /// An image of the host's own: of the first of these documents and pages that there is. `stale` is the ask whose image was of a version that is gone. Reply: what it
    /// is (`super::served`), or none.
    Open { identifier: String, candidates: Vec<(String, Page)>, stale: Option<u32>, version: Version },
    /// The information document of an image that was opened. Reply: its profile, a line feed, and the document: JSON, or the lines of which XML is made.
    Describe { image: u32, id: String, version: Version, lines: bool },
    /// An image that was opened is to be rendered; the host holds the bytes. Reply: what was made (`super::served`).
    Render { image: u32, request: String, version: Version, canonical: String },
    /// To send an answer. No reply.
    Answer(Box<Told>),
    /// To send a piece of the body, which comes in pieces. Reply: anything, once there is room for more. Refused if nobody reads it.
    Piece,
    /// The body is complete, or breaks off for a reason: its code, and a sentence for the log. No reply.
    End { failure: Option<(String, String)> },
    /// The path is not the service's. No reply.
    Elsewhere,
    /// The exchange is over. No reply.
    Done,
}

/// An answer, and what the log is told of it.
#[derive(Debug)]
pub(super) struct Told {
    pub answer: Answer,
    /// Only the headers were asked for.
    pub silent: bool,
    /// The name under which the bytes are to be kept.
    pub keep: Option<String>,
    /// Of a damaged file: its key, how many rows are shown, and what is wrong.
    pub incomplete: Option<(String, u32, String)>,
    /// Descriptions of the file's colours that were not used.
    pub unused: Option<String>,
    /// Since the request came, ms.
    pub took: f64,
    /// Reads of the storage.
    pub reads: u32,
    /// Bytes of them.
    pub bytes: u64,
    /// What is logged.
    pub log: Log,
}

/// What a host replies.
#[derive(Debug, Clone, Default)]
pub struct Reply {
    /// A text.
    pub text: Option<String>,
    /// Bytes.
    pub bytes: Option<Vec<u8>>,
}

/// A version of a file.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct FileVersion {
    /// Without one, nothing is kept of the file.
    pub etag: Option<String>,
    /// Bytes.
    pub size: u64,
    /// When it was stored, ms since 1970.
    pub modified: Option<f64>,
}

impl FileVersion {
    /// Reads three lines: etag, size in bytes, ms since 1970; the first and the last may be empty.
    pub fn read(text: &str) -> Option<Self> {
        let mut lines = text.split('\n');
        let etag = lines.next().filter(|etag| !etag.is_empty()).map(str::to_owned);
        let size = lines.next()?.parse().ok()?;
        Some(Self { etag, size, modified: lines.next().and_then(|ms| ms.parse().ok()) })
    }

    /// The lines that [`Self::read`] reads.
    pub fn text(&self) -> String {
        let modified = self.modified.map(|ms| ms.to_string()).unwrap_or_default();
        format!("{}\n{}\n{modified}", self.etag.as_deref().unwrap_or_default(), self.size)
    }
}

impl Ask {
    /// As the host reads it: a JSON object with the `number` of the ask, its `kind`, and its parts.
    pub fn json(&self, number: u32) -> String {
        let of = |kind: &str| Object::new().number("number", number).text("kind", kind);
        let object = match self {
            Self::Resolve { key } => of("resolve").text("key", key),
            Self::Look { key } => of("look").text("key", key),
            Self::Begin { key, length } => of("begin").text("key", key).number("length", *length),
            Self::Read { key, range, version } => of("read")
                .text("key", key)
                .number("offset", range.start())
                .number("length", range.len())
                .number("size", version.size)
                .optional_text("etag", version.etag.as_deref()),
            Self::Find { name } => of("find").text("name", name),
            Self::Recall { name } => of("recall").text("name", name),
            Self::Keep { name } => of("keep").text("name", name),
            Self::Index { key, etag } => of("index").text("key", key).text("etag", etag),
            Self::KeepIndex { key, etag } => of("keep-index").text("key", key).text("etag", etag),
            Self::Pause { ms } => of("pause").number("ms", *ms),
            Self::List { prefix, limit, cursor } => of("list").text("prefix", prefix).number("limit", *limit).optional_text("cursor", cursor.as_deref()),
            Self::Open { identifier, candidates, stale, version } => {
                let pages: Vec<String> = candidates.iter().map(|(_, page)| page.to_string()).collect();
                of("open")
                    .text("identifier", identifier)
                    .texts("documents", candidates.iter().map(|(document, _)| document.as_str()))
                    .texts("pages", pages.iter().map(String::as_str))
                    .optional("stale", *stale)
                    .text("version", version.as_str())
            }
            Self::Describe { image, id, version, lines } => {
                of("describe").number("image", *image).text("id", id).text("version", version.as_str()).flag("lines", *lines)
            }
            Self::Render { image, request, version, canonical } => {
                of("render").number("image", *image).text("request", request).text("version", version.as_str()).text("canonical", canonical)
            }
            Self::Answer(told) => told.write(of("answer")),
            Self::Piece => of("piece"),
            Self::End { failure: None } => of("end"),
            Self::End { failure: Some((code, detail)) } => of("end").text("code", code).text("detail", detail),
            Self::Elsewhere => of("elsewhere"),
            Self::Done => of("done"),
        };
        object.end()
    }
}

impl Told {
    fn write(&self, object: Object) -> Object {
        let Answer { status, headers, body, code, detail } = &self.answer;
        let mut object = object.number("status", *status).texts("headers", headers.iter().flat_map(|(name, value)| [*name, value.as_str()]));
        object = match body {
            Body::Text(text) => object.text("text", text),
            Body::Held { number, .. } => object.number("held", *number),
            Body::Pieces => object.flag("pieces", true),
            Body::None | Body::Bytes(_) | Body::Untold => object,
        };
        object = object.optional_text("keep", self.keep.as_deref()).optional_text("code", code.as_deref()).optional_text("detail", detail.as_deref());
        object = object.optional_text("unused", self.unused.as_deref());
        if let Some((key, rows, damage)) = &self.incomplete {
            object = object.text("key", key).number("rows", *rows).text("damage", damage);
        }
        if self.silent {
            object = object.flag("silent", true);
        }
        let log = match self.log {
            Log::All => "all",
            Log::Errors => "errors",
            Log::None => "none",
        };
        object.text("log", log).number("ms", self.took as u64).number("reads", self.reads).number("bytes", self.bytes)
    }
}
