//! The settings: Wrangler's `[vars]`, each optional. A name that is not known or a value that is not understood fails every request, and says which.

use azulejo::api::{ConfinedUpscale, Format, Router, Service, Version};
use azulejo::{EncodeOptions, Limits, PngCompression, Window};
use wasm_bindgen::{JsCast, JsValue};
use worker::Env;

use crate::cache::hash;
use crate::cors::Origins;
use crate::log::Level;

/// What `INCOMPLETE` was called before: on is show, off is refuse.
const OLD: &str = "SHOW_INCOMPLETE";

/// The binding of the bucket.
pub(crate) const BUCKET: &str = "BUCKET";
/// Names that the platform may add by itself.
const FOREIGN: [&str; 3] = ["CF_", "CLOUDFLARE_", "WRANGLER_"];
const MIB: u64 = 1 << 20;

/// Everything that can be set, with its defaults.
#[derive(Debug, Clone)]
pub(crate) struct Config {
    pub router: Router,
    pub object_key: ObjectKey,
    /// Scheme, host and perhaps a path, without a slash at the end; otherwise each request's own.
    pub public_url: Option<String>,
    pub service: Service,
    pub encode: EncodeOptions,
    pub origins: Origins,
    pub cache_control: String,
    /// Whether requests in another than the canonical form are redirected (tiles never are).
    pub redirect: bool,
    pub log: Level,
    /// Whether `identifier;2` is the second page of `identifier`, and `identifier;label` the label of a slide.
    pub pages: bool,
    /// Whether the index of a JPEG file may be put beside it.
    pub write_index: bool,
    /// A text that differs wherever answers may differ.
    pub fingerprint: String,
}

/// From identifiers to keys in the bucket and back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ObjectKey {
    before: String,
    after: String,
}

/// A setting that cannot be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Misconfigured {
    pub variable: String,
    pub problem: String,
}

impl Misconfigured {
    fn new(variable: &str, problem: impl Into<String>) -> Self {
        Self { variable: variable.to_owned(), problem: problem.into() }
    }
}

impl ObjectKey {
    /// The key of an identifier.
    pub fn key(&self, identifier: &str) -> String {
        format!("{}{identifier}{}", self.before, self.after)
    }

    /// The identifier of a key, if one leads to it.
    pub fn identifier<'a>(&self, key: &'a str) -> Option<&'a str> {
        key.strip_prefix(self.before.as_str())?.strip_suffix(self.after.as_str()).filter(|identifier| !identifier.is_empty())
    }

    /// What the keys of all identifiers that begin so begin with.
    pub fn prefix(&self, identifiers: &str) -> String {
        format!("{}{identifiers}", self.before)
    }
}

impl Config {
    /// Reads what the environment holds besides its bindings.
    pub fn from_env(env: &Env) -> Result<Self, Misconfigured> {
        let mut vars = Vec::new();
        for name in js_sys::Object::keys(env.unchecked_ref::<js_sys::Object>()) {
            let value = js_sys::Reflect::get(env, &name).unwrap_or(JsValue::UNDEFINED);
            let text = value.as_string().or_else(|| value.as_f64().map(|n| n.to_string())).or_else(|| value.as_bool().map(|b| b.to_string()));
            // Everything else is a binding, of which the bucket is the only one that is used.
            if let (Some(name), Some(text)) = (name.as_string(), text) {
                vars.push((name, text));
            }
        }
        env.bucket(BUCKET).map_err(|_| Misconfigured::new(BUCKET, "is missing: an R2 bucket must be bound to it"))?;
        Self::new(&vars)
    }

    /// Reads names and values.
    pub fn new(vars: &[(String, String)]) -> Result<Self, Misconfigured> {
        let mut seen = Vars { vars, known: Vec::new() };
        let config = Self::read(&mut seen)?;
        let stranger =
            vars.iter().find(|(name, _)| name != OLD && !seen.known.contains(&name.as_str()) && !FOREIGN.iter().any(|prefix| name.starts_with(prefix)));
        match stranger {
            Some((name, _)) => Err(Misconfigured::new(name, format!("is not known; there are {}", seen.known.join(", ")))),
            None => Ok(config),
        }
    }

    fn read(vars: &mut Vars) -> Result<Self, Misconfigured> {
        let versions = vars.list("VERSIONS", &Version::ALL, "of 1.0, 1.1, 2 and 3", Version::parse)?;
        let formats = vars.list("FORMATS", &Format::ALL, "of jpg, png, webp, gif and tif", Format::from_extension)?;
        let prefix = vars.get("PREFIX").unwrap_or("/iiif/{version}/").to_owned();
        check_prefix(&prefix, &versions)?;
        let router = Router { prefix, versions, allow_slashes: vars.switch("ALLOW_SLASHES", false)? };
        let mut limits = Limits::default();
        limits.max_width = vars.limit("MAX_WIDTH", limits.max_width.map(u64::from), u32::MAX.into())?.and_then(|limit| u32::try_from(limit).ok());
        limits.max_height = vars.limit("MAX_HEIGHT", limits.max_height.map(u64::from), u32::MAX.into())?.and_then(|limit| u32::try_from(limit).ok());
        limits.max_area = vars.limit("MAX_AREA", limits.max_area, 1 << 53)?;
        if limits.max_height.is_some() && limits.max_width.is_none() {
            return Err(Misconfigured::new("MAX_HEIGHT", "needs MAX_WIDTH beside it"));
        }
        limits.memory = vars.number("MEMORY", limits.memory / MIB, 4, 58)? * MIB;
        limits.work = vars.number("WORK", limits.work / Limits::WORK_PER_SECOND, 1, 300)? * Limits::WORK_PER_SECOND;
        limits.show_incomplete = vars.incomplete(limits.show_incomplete)?;
        limits.window = vars.window(limits.window)?;
        let encode = vars.encode()?;
        let service = Service {
            formats,
            limits,
            confined_upscale: vars.choice("CONFINED_UPSCALE", &[("clamp", ConfinedUpscale::Clamp), ("reject", ConfinedUpscale::Reject)])?,
            upscaling: vars.switch("UPSCALING", true)?,
            tile_width: u32::try_from(vars.number("TILE_WIDTH", 512, 64, 4096)?).unwrap_or(512),
        };
        let fingerprint = hash(&[&format!("{service:?}{encode:?}")]);
        Ok(Self {
            router,
            object_key: vars.object_key()?,
            public_url: vars.public_url()?,
            service,
            encode,
            origins: vars.origins()?,
            cache_control: vars.cache_control()?,
            redirect: vars.choice("CANONICAL", &[("link", false), ("redirect", true)])?,
            log: vars.choice("LOG", &[("all", Level::All), ("errors", Level::Errors), ("none", Level::None)])?,
            pages: vars.switch("PAGES", true)?,
            write_index: vars.switch("WRITE_INDEX", false)?,
            fingerprint,
        })
    }
}

/// The variables, and the names that were asked for.
struct Vars<'a> {
    vars: &'a [(String, String)],
    known: Vec<&'static str>,
}

impl<'a> Vars<'a> {
    fn get(&mut self, name: &'static str) -> Option<&'a str> {
        self.known.push(name);
        self.value(name)
    }

    fn value(&self, name: &str) -> Option<&'a str> {
        self.vars.iter().find(|(key, _)| key == name).map(|(_, value)| value.trim())
    }

    fn choice<T: Copy>(&mut self, name: &'static str, choices: &[(&str, T)]) -> Result<T, Misconfigured> {
        let text = self.get(name).unwrap_or(choices[0].0);
        let names: Vec<&str> = choices.iter().map(|(choice, _)| *choice).collect();
        let found = choices.iter().find(|(choice, _)| *choice == text).map(|(_, value)| *value);
        found.ok_or_else(|| wrong(name, text, &format!("one of {}", names.join(", "))))
    }

    fn switch(&mut self, name: &'static str, default: bool) -> Result<bool, Misconfigured> {
        match self.get(name) {
            None => Ok(default),
            Some(text) => on_or_off(name, text),
        }
    }

    fn number(&mut self, name: &'static str, default: u64, least: u64, most: u64) -> Result<u64, Misconfigured> {
        let Some(text) = self.get(name) else { return Ok(default) };
        let number = text.parse().ok().filter(|number| (least..=most).contains(number));
        number.ok_or_else(|| wrong(name, text, &format!("a whole number from {least} to {most}")))
    }

    fn limit(&mut self, name: &'static str, default: Option<u64>, most: u64) -> Result<Option<u64>, Misconfigured> {
        match self.vars.iter().find(|(key, _)| key == name) {
            Some((_, text)) if text.trim() == "none" => {
                self.known.push(name);
                Ok(None)
            }
            None => {
                self.known.push(name);
                Ok(default)
            }
            Some(_) => self.number(name, 0, 1, most).map(Some),
        }
    }

    /// Whether damaged files are shown.
    fn incomplete(&mut self, default: bool) -> Result<bool, Misconfigured> {
        match self.get("INCOMPLETE") {
            None => match self.value(OLD) {
                None => Ok(default),
                Some(text) => on_or_off(OLD, text),
            },
            Some("show") => Ok(true),
            Some("refuse") => Ok(false),
            Some(text) => Err(wrong("INCOMPLETE", text, "one of show, refuse")),
        }
    }

    fn window(&mut self, default: Window) -> Result<Window, Misconfigured> {
        let Some(text) = self.get("WINDOW") else { return Ok(default) };
        Window::parse(text).ok_or_else(|| wrong("WINDOW", text, Window::EXPECTED))
    }

    fn list<T: Copy + PartialEq>(&mut self, name: &'static str, default: &[T], what: &str, parse: impl Fn(&str) -> Option<T>) -> Result<Vec<T>, Misconfigured> {
        let Some(text) = self.get(name) else { return Ok(default.to_vec()) };
        let mut list = Vec::new();
        for part in text.split([',', ' ']).filter(|part| !part.is_empty()) {
            let value = parse(part).ok_or_else(|| wrong(name, text, &format!("a list {what}")))?;
            if !list.contains(&value) {
                list.push(value);
            }
        }
        if list.is_empty() { Err(wrong(name, text, &format!("a list {what}"))) } else { Ok(list) }
    }

    fn encode(&mut self) -> Result<EncodeOptions, Misconfigured> {
        let mut encode = EncodeOptions::default();
        encode.jpeg_quality = u8::try_from(self.number("JPEG_QUALITY", encode.jpeg_quality.into(), 1, 100)?).unwrap_or(encode.jpeg_quality);
        encode.jpeg_small = self.switch("JPEG_SMALL", encode.jpeg_small)?;
        encode.webp_quality = u8::try_from(self.number("WEBP_QUALITY", encode.webp_quality.into(), 0, 100)?).unwrap_or(encode.webp_quality);
        encode.webp_lossless = self.switch("WEBP_LOSSLESS", encode.webp_lossless)?;
        encode.png_compression = self.choice(
            "PNG_COMPRESSION",
            &[("fast", PngCompression::Fast), ("fastest", PngCompression::Fastest), ("balanced", PngCompression::Balanced), ("high", PngCompression::High)],
        )?;
        Ok(encode)
    }

    fn object_key(&mut self) -> Result<ObjectKey, Misconfigured> {
        const HOLE: &str = "{identifier}";
        let text = self.get("OBJECT_KEY").unwrap_or(HOLE);
        match text.split_once(HOLE) {
            Some((before, after)) if !after.contains(HOLE) => Ok(ObjectKey { before: before.to_owned(), after: after.to_owned() }),
            _ => Err(wrong("OBJECT_KEY", text, "a key with {identifier} once in it")),
        }
    }

    fn public_url(&mut self) -> Result<Option<String>, Misconfigured> {
        let Some(text) = self.get("PUBLIC_URL") else { return Ok(None) };
        let url = worker::Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.query().is_none() && url.fragment().is_none());
        match url {
            Some(_) if !text.contains(char::is_whitespace) => Ok(Some(text.trim_end_matches('/').to_owned())),
            _ => Err(wrong("PUBLIC_URL", text, "a URL such as https://images.example.org, without a query")),
        }
    }

    fn origins(&mut self) -> Result<Origins, Misconfigured> {
        let text = self.get("ALLOWED_ORIGINS").unwrap_or("*");
        Origins::parse(text).ok_or_else(|| wrong("ALLOWED_ORIGINS", text, "* or a list of origins such as https://example.org"))
    }

    fn cache_control(&mut self) -> Result<String, Misconfigured> {
        let text = self.get("CACHE_CONTROL").unwrap_or("public, max-age=3600, stale-while-revalidate=604800");
        let plain = !text.is_empty() && text.bytes().all(|b| b == b' ' || b.is_ascii_graphic());
        if plain { Ok(text.to_owned()) } else { Err(wrong("CACHE_CONTROL", text, "the value of a Cache-Control header")) }
    }
}

fn check_prefix(prefix: &str, versions: &[Version]) -> Result<(), Misconfigured> {
    let holes = prefix.matches("{version}").count();
    let plain = prefix.bytes().all(|b| b.is_ascii_graphic() && !b"?#%\\\"<>^`|".contains(&b));
    if !prefix.starts_with('/') || !prefix.ends_with('/') || prefix.contains("//") || holes > 1 || !plain {
        return Err(wrong("PREFIX", prefix, "a path such as /iiif/{version}/"));
    }
    if holes == 0 && versions.len() > 1 {
        return Err(Misconfigured::new("PREFIX", "has no {version}, so VERSIONS must name exactly one"));
    }
    Ok(())
}

fn on_or_off(name: &str, text: &str) -> Result<bool, Misconfigured> {
    match text {
        "on" | "true" => Ok(true),
        "off" | "false" => Ok(false),
        _ => Err(wrong(name, text, "on or off")),
    }
}

fn wrong(name: &str, text: &str, expected: &str) -> Misconfigured {
    Misconfigured::new(name, format!("is {text:?}, and should be {expected}"))
}
