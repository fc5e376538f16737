//! The three resources of the Image API: base URI, information, image. What is answered of each, as far as it follows from the request, the settings and the
//! headers of the file.

use super::answer::{Answer, Body};
use super::disposition::disposition;
use super::request::Request;
use crate::api::{
    Format, INFO_XML_MEDIA_TYPE, Identifier, ImageRequest, Info, InfoForm, Region, ResolvedRequest, Routed, SizeForm, Version, canonical_link, info_media_type,
    negotiate_format, page_link, profile_link,
};
use crate::error::Result;
use crate::pyramid::Pages;
use crate::settings::Settings;

/// What 2.x recommends where JSON-LD is sent as plain JSON (2.0 §5).
const CONTEXT_LINK: &str = "<http://iiif.io/api/image/2/context.json>;rel=\"http://www.w3.org/ns/json-ld#context\";type=\"application/ld+json\"";

/// A request for something under the prefix.
#[derive(Debug, Clone, Copy)]
pub struct Resource<'a> {
    /// The request.
    pub request: &'a Request,
    /// What its path asks for.
    pub routed: &'a Routed,
    /// The settings of the service.
    pub settings: &'a Settings,
}

/// The answer to a request for an image, before its pixels are made.
#[derive(Debug)]
pub enum ImageAnswer {
    /// To the canonical form.
    Redirect(Answer),
    /// What is to be rendered.
    Render {
        /// The headers of the answer.
        answer: Answer,
        /// The request, as it is for this image.
        resolved: ResolvedRequest,
        /// The request as it was asked, with its format.
        text: String,
    },
}

impl Resource<'_> {
    fn version(&self) -> Version {
        self.routed.version
    }

    /// The base URI of the image at the address of this service, as the client spelt it.
    pub fn id(&self) -> String {
        self.base(&self.routed.raw_identifier)
    }

    /// The same for another identifier, as it stands in a URL.
    fn base(&self, raw_identifier: &str) -> String {
        let place = self.settings.public_url.as_deref().unwrap_or(&self.request.host);
        format!("{place}{}", self.settings.router.base(self.version(), raw_identifier))
    }

    /// Whether caches may serve the answer: `?cache=false` asks for a new one.
    pub fn caches(&self) -> bool {
        self.request.parameter("cache").as_deref() != Some("false")
    }

    /// `Cache-Control` of the answer.
    pub fn cache_control(&self) -> &str {
        if self.caches() { &self.settings.cache_control } else { "no-store" }
    }

    /// The base URI redirects to the information.
    pub fn redirect_to_information(&self) -> Answer {
        Answer::redirect(format!("{}/info.json", self.id()), self.cache_control())
    }

    /// The `id` of an information document.
    pub fn document_id(&self, form: InfoForm, identifier: &Identifier) -> String {
        // In 1.0 the identifier is a property by itself, and must be one segment of a path.
        if form == InfoForm::Json && self.version() == Version::V1_0 { self.base(&identifier.encoded()) } else { self.id() }
    }

    /// The information document of an image that this service has opened. `document` is the identifier of the document that the image is a page of, as `pages` say;
    /// `identifier` that of the page.
    pub fn information(&self, info: &Info, pages: Pages, form: InfoForm, document: &Identifier, identifier: &Identifier) -> Answer {
        let text = match form {
            InfoForm::Json => info.json(self.version(), &self.document_id(form, identifier)),
            InfoForm::Xml => info.xml(identifier.as_str()),
        };
        self.described(form, text, &self.settings.service.profile(self.version()), document, [pages.previous(), pages.next()])
    }

    /// The answer with this information document. `profile` names the compliance level. The pages before and after this one are those of `document`.
    pub fn described(&self, form: InfoForm, text: String, profile: &str, document: &Identifier, [previous, next]: [Option<u32>; 2]) -> Answer {
        let version = self.version();
        let media_type = match form {
            InfoForm::Json => info_media_type(version, self.request.accept.as_deref()),
            InfoForm::Xml => INFO_XML_MEDIA_TYPE,
        };
        let mut answer = Answer::text(200, media_type, text).with("x-content-type-options", "nosniff");
        if !version.is_1() {
            answer = answer.with("vary", "Accept");
        }
        if version == Version::V2 && media_type == "application/json" {
            answer = answer.with("link", CONTEXT_LINK);
        }
        answer = answer.with("link", profile_link(profile));
        if self.settings.pages {
            for (page, relation) in [(previous, "prev"), (next, "next")] {
                let link = page.and_then(|page| document.of_page(page)).map(|page| page_link(&self.base(&page.encoded()), relation));
                answer = link.into_iter().fold(answer, |answer, link| answer.with("link", link));
            }
        }
        answer
    }

    /// The answer to a request for an image with this information, without its pixels. `profile` names the compliance level. The error of a request that the image
    /// cannot serve.
    pub fn image(&self, info: &Info, profile: &str, request: &ImageRequest, identifier: &Identifier) -> Result<ImageAnswer> {
        let service = info.service();
        let negotiated = request.format.is_none();
        let format = request.format.unwrap_or_else(|| negotiate_format(self.request.accept.as_deref(), &service.formats));
        let request = ImageRequest { format: Some(format), ..request.clone() };
        let resolved = request.resolve(info)?;
        let base = self.base(&identifier.encoded());
        let text = text_of(&request, format);
        if self.settings.redirect && resolved.canonical() != text && !is_tile(&request) && !self.version().is_1() {
            let uri = format!("{base}/{}{}", resolved.canonical(), self.request.query);
            return Ok(ImageAnswer::Redirect(Answer::redirect(uri.replace('^', "%5E"), self.cache_control())));
        }
        let mut answer = Answer::new(200, Body::None)
            .with("content-type", format.media_type())
            .with("link", profile_link(profile))
            .with("link", canonical_link(&format!("{base}/{}", resolved.canonical())))
            .untrusted();
        if negotiated {
            answer = answer.with("vary", "Accept");
        }
        if let Some(wanted) = self.request.parameter("response-content-disposition") {
            answer = answer.with("content-disposition", disposition(&wanted, identifier, format));
        }
        Ok(ImageAnswer::Render { answer, resolved, text })
    }
}

/// `region/size/rotation/quality.format`, as it was asked.
fn text_of(request: &ImageRequest, format: Format) -> String {
    let ImageRequest { version, region, size, rotation, quality, .. } = request;
    format!("{region}/{size}/{rotation}/{}.{}", quality.name(*version), format.extension())
}

/// Whether this is what viewers ask for by the hundred: to redirect it would double every request.
fn is_tile(request: &ImageRequest) -> bool {
    matches!(request.region, Region::Full | Region::Pixels { .. }) && matches!(request.size.form, SizeForm::Width(_) | SizeForm::Exact(_))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::{AssociatedSet, Page, What};
    use crate::geometry::Dimensions;

    fn settings(variables: &[(&str, &str)]) -> Settings {
        let given: Vec<(String, String)> = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Settings::from_variables(&given).unwrap()
    }

    /// The answer to a GET of this path, of an image of 400 × 300 px that is the second page of three.
    fn answer(settings: &Settings, path: &str, accept: &str) -> Answer {
        let request = Request::read(&format!("GET\nhttps://host{path}\n{accept}"));
        let routed = settings.router.route(&request.path).unwrap();
        let resource = Resource { request: &request, routed: &routed, settings };
        let info = Info::new(Dimensions::new(400, 300).unwrap(), &settings.service);
        let identifier = routed.identifier.clone().unwrap();
        let document = identifier.page().map_or(identifier.clone(), |(document, _)| document);
        let pages = Pages { page: Page::parse("2").unwrap(), known: 3, all: true, associated: AssociatedSet::default() };
        match routed.what.as_ref().unwrap() {
            What::Base => resource.redirect_to_information(),
            What::Info(form) => resource.information(&info, pages, *form, &document, &identifier),
            What::Image(image) => match resource.image(&info, &settings.service.profile(routed.version), image, &identifier).unwrap() {
                ImageAnswer::Redirect(answer) | ImageAnswer::Render { answer, .. } => answer,
            },
        }
    }

    fn all(answer: &Answer, name: &str) -> Vec<String> {
        answer.headers.iter().filter(|(known, _)| *known == name).map(|(_, value)| value.clone()).collect()
    }

    #[test]
    fn the_base_uri_redirects_to_the_information() {
        let found = answer(&settings(&[]), "/iiif/3/maps%2Fa", "");
        assert_eq!((found.status, found.header("location")), (303, Some("https://host/iiif/3/maps%2Fa/info.json")));
        let found = answer(&settings(&[("PUBLIC_URL", "https://images.example.org/x/")]), "/iiif/2/a", "");
        assert_eq!(found.header("location"), Some("https://images.example.org/x/iiif/2/a/info.json"));
    }

    #[test]
    fn information_has_the_links_of_its_version_and_pages() {
        let found = answer(&settings(&[]), "/iiif/2/doc;2/info.json", "");
        assert_eq!((found.header("content-type"), found.header("vary")), (Some("application/json"), Some("Accept")));
        let links = all(&found, "link");
        assert!(links[0].contains("json-ld#context") && links[1].contains("level2"), "{links:?}");
        assert_eq!(links[2..], ["<https://host/iiif/2/doc/info.json>;rel=\"prev\"", "<https://host/iiif/2/doc%3B3/info.json>;rel=\"next\""]);
        assert_eq!(all(&answer(&settings(&[("PAGES", "off")]), "/iiif/3/doc;2/info.json", ""), "link").len(), 1);
        let found = answer(&settings(&[]), "/iiif/1.0/a/info.xml", "");
        assert_eq!((found.header("content-type"), found.header("vary")), (Some("application/xml"), None));
    }

    #[test]
    fn images_name_their_canonical_form_or_redirect_to_it() {
        let path = "/iiif/3/a/pct:0,0,50,50/max/0/default.jpg";
        let found = answer(&settings(&[]), path, "");
        assert_eq!((found.status, found.header("content-type"), found.header("vary")), (200, Some("image/jpeg"), None));
        assert!(all(&found, "link").contains(&"<https://host/iiif/3/a/0,0,200,150/max/0/default.jpg>;rel=\"canonical\"".to_owned()), "{found:?}");
        let redirect = settings(&[("CANONICAL", "redirect")]);
        let found = answer(&redirect, &format!("{path}?cache=false"), "");
        assert_eq!((found.status, found.header("location")), (303, Some("https://host/iiif/3/a/0,0,200,150/max/0/default.jpg?cache=false")));
        // What viewers ask for is not redirected.
        assert_eq!(answer(&redirect, "/iiif/3/a/0,0,256,256/128,/0/default.jpg", "").status, 200);
        let found = answer(&settings(&[]), "/iiif/1.1/a/full/full/0/native", "image/png");
        assert_eq!((found.header("content-type"), found.header("vary")), (Some("image/png"), Some("Accept")));
        let found = answer(&settings(&[]), &format!("{path}?response-content-disposition=attachment"), "");
        assert_eq!(found.header("content-disposition"), Some("attachment; filename=\"a.jpg\""));
    }
}
