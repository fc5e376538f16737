//! Images that the host has opened itself, with settings of its own: the `ServedImage`s of the package. The host describes and renders them.
//!
//! What an image is comes in lines: width, height, `maxWidth`, `maxHeight`, `maxArea`, whether it scales up (`true`), formats separated by spaces, the profile of the
//! version that was asked, etag, date (ms since 1970), page, whether there is a next page (`true`), and the document that it is a page of. A line is empty if there
//! is no such thing.
//!
//! What was made comes in lines too: length in bytes (empty if nobody knows), `Server-Timing`, and of a damaged file its rows and the damage.

use std::rc::Rc;

use super::answer::{Answer, Body};
use super::ask::Ask;
use super::exchange::{Asked, Made};
use super::failure::Failure;
use super::kept::hash;
use super::resource::ImageAnswer;
use crate::api::{Format, Identifier, ImageRequest, Info, InfoForm, Page, Service, What, info_xml_of_lines};
use crate::error::Error;
use crate::geometry::Dimensions;
use crate::limits::Limits;

/// An image of the host's.
struct Image {
    /// The ask that has opened it.
    number: u32,
    info: Info,
    profile: String,
    etag: Option<String>,
    modified: Option<f64>,
    page: Page,
    has_next: bool,
    document: Option<Identifier>,
}

/// Errors of opening that say what is wrong with the file, not whether there is one.
const ABOUT_THE_FILE: [&str; 3] = ["source-unsupported", "source-corrupt", "source-too-costly"];

/// Answers for an identifier. An image that was replaced meanwhile is asked for anew, once.
pub(super) async fn answer(asked: &Rc<Asked>, identifier: &Identifier) -> Result<(Answer, Made), Failure> {
    let mut opened = None;
    match attempt(asked, identifier, None, &mut opened).await {
        Err(failure) if failure.is_change() => attempt(asked, identifier, opened, &mut None).await,
        outcome => outcome,
    }
}

async fn attempt(asked: &Rc<Asked>, identifier: &Identifier, stale: Option<u32>, opened: &mut Option<u32>) -> Result<(Answer, Made), Failure> {
    let candidates = asked.candidates(identifier).into_iter().map(|(document, page)| (document.as_str().to_owned(), page)).collect();
    let version = asked.routed.version;
    let found = asked.host.numbered(Ask::Open { identifier: identifier.as_str().to_owned(), candidates, stale, version }, None).await;
    let (number, reply) = match found {
        // The base URI of a file that cannot be opened leads to what is wrong with it.
        Err(failure) if ABOUT_THE_FILE.contains(&failure.code()) && matches!(asked.routed.what, Ok(What::Base)) => {
            return Ok((asked.resource().redirect_to_information(), Made::default()));
        }
        found => found?,
    };
    let text = reply.text.ok_or_else(|| Error::NotFound { identifier: identifier.as_str().to_owned() })?;
    *opened = Some(number);
    // Only now: a mistake in the rest of the path is told of images that exist.
    match asked.routed.what.as_ref().map_err(Clone::clone)? {
        What::Base => Ok((asked.resource().redirect_to_information(), Made::default())),
        What::Info(form) => info(asked, &Image::read(number, &text)?, *form, identifier).await,
        What::Image(request) => pixels(asked, &Image::read(number, &text)?, request, identifier).await,
    }
}

impl Image {
    /// Reads the lines that a host describes an image in.
    fn read(number: u32, text: &str) -> Result<Self, Failure> {
        let wrong = || Error::Internal { what: "the image's own information document is not one".to_owned() };
        Ok(Self::of_lines(number, text).ok_or_else(wrong)?)
    }

    fn of_lines(number: u32, text: &str) -> Option<Self> {
        let mut lines = text.split('\n');
        let mut line = || lines.next().filter(|line| !line.is_empty());
        let (width, height) = (line()?.parse().ok()?, line()?.parse().ok()?);
        let mut limit = || line().and_then(|limit| limit.parse::<u64>().ok());
        let side = |limit: Option<u64>| limit.map(|limit| u32::try_from(limit).unwrap_or(u32::MAX));
        let (max_width, max_height, max_area) = (limit(), limit(), limit());
        let limits = Limits { max_width: side(max_width), max_height: side(max_height), max_area, ..Limits::default() };
        let upscaling = line() == Some("true");
        let formats: Vec<Format> = line()?.split(' ').filter_map(Format::from_extension).collect();
        let service = Service { formats, limits, upscaling, ..Service::default() };
        let profile = line()?.to_owned();
        let (etag, modified) = (line().map(str::to_owned), line().and_then(|ms| ms.parse().ok()));
        let page = line().and_then(Page::parse).unwrap_or(Page::FIRST);
        let has_next = line() == Some("true");
        let document = line().and_then(|document| Identifier::new(document).ok());
        Some(Self { number, info: Info::new(Dimensions::new(width, height)?, &service), profile, etag, modified, page, has_next, document })
    }

    /// The pages before and after this one.
    fn neighbours(&self) -> [Option<u32>; 2] {
        let number = self.page.number();
        [number.map(|number| number - 1).filter(|number| *number > 0), number.filter(|_| self.has_next).map(|number| number + 1)]
    }
}

async fn info(asked: &Asked, image: &Image, form: InfoForm, identifier: &Identifier) -> Result<(Answer, Made), Failure> {
    let (resource, version) = (asked.resource(), asked.routed.version);
    let describe = Ask::Describe { image: image.number, id: resource.document_id(form, identifier), version, lines: form == InfoForm::Xml };
    let text = asked.host.ask(describe).await?.text.unwrap_or_default();
    let (profile, document) = text.split_once('\n').unwrap_or_default();
    let document = if form == InfoForm::Xml { info_xml_of_lines(identifier.as_str(), document) } else { document.to_owned() };
    let tag = image.etag.as_ref().map(|etag| hash(&[etag, &document]));
    let neighbours = if image.document.is_some() { image.neighbours() } else { [None, None] };
    let answer = resource.described(form, document, profile, image.document.as_ref().unwrap_or(identifier), neighbours);
    let media_type = answer.header("content-type").unwrap_or_default();
    let tag = tag.map(|tag| hash(&[&tag, media_type]));
    Ok((asked.validated(answer, tag.as_deref(), image.modified), Made::default()))
}

async fn pixels(asked: &Asked, image: &Image, request: &ImageRequest, identifier: &Identifier) -> Result<(Answer, Made), Failure> {
    let (answer, resolved, request) = match asked.resource().image(&image.info, &image.profile, request, identifier)? {
        ImageAnswer::Redirect(answer) => return Ok((answer, Made::default())),
        ImageAnswer::Render { answer, resolved, text } => (answer, resolved, text),
    };
    let tag = image.etag.as_ref().map(|etag| hash(&[etag, identifier.as_str(), resolved.canonical()]));
    let answer = asked.validated(answer, tag.as_deref(), image.modified);
    if answer.status != 200 {
        return Ok((answer, Made::default()));
    }
    let render = Ask::Render { image: image.number, request, version: asked.routed.version, canonical: resolved.canonical().to_owned() };
    let (number, reply) = asked.host.numbered(render, None).await?;
    let text = reply.text.unwrap_or_default();
    let mut lines = text.split('\n');
    let mut line = || lines.next().filter(|line| !line.is_empty());
    let length = line().and_then(|length| length.parse().ok());
    let timing = line().map(str::to_owned);
    let rows = line().and_then(|rows| rows.parse().ok());
    let damage = line().unwrap_or_default().to_owned();
    let incomplete = rows.map(|rows| (identifier.as_str().to_owned(), rows, damage));
    Ok((answer, Made { body: Body::Held { number, length }, timing, incomplete, ..Made::default() }))
}
