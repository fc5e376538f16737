//! Reads settings: variables of a Worker, options of the package.

use std::borrow::Cow;
use std::fmt;

use super::Settings;
use super::table::{ANSWER, IMAGE, Kind, Old, SERVICE, Setting};
use crate::window::number;

/// A value that was given.
#[derive(Debug, Clone, PartialEq)]
pub enum Given {
    /// A text.
    Text(String),
    /// A number, and how JavaScript writes it.
    Number(f64, String),
    /// `true` or `false`.
    Switch(bool),
    /// Anything else, by the name of its type.
    Other(String),
}

/// A setting that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misconfigured {
    /// Its name.
    pub name: String,
    /// What is wrong, as the rest of a sentence that begins with the name.
    pub problem: String,
}

impl Misconfigured {
    /// A setting and what is wrong with it.
    pub fn new(name: &str, problem: impl Into<String>) -> Self {
        Self { name: name.to_owned(), problem: problem.into() }
    }
}

impl fmt::Display for Given {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => write!(f, "{text:?}"),
            Self::Number(_, text) => f.write_str(text),
            Self::Switch(true) => f.write_str("true"),
            Self::Switch(false) => f.write_str("false"),
            Self::Other(kind) => write!(f, "of type {kind}"),
        }
    }
}

/// How settings are named and written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Style {
    /// `JPEG_QUALITY`, whose values may all be texts.
    Variables,
    /// `jpegQuality`, whose values have types.
    Options,
    /// The same within the bounds of a Worker.
    OptionsOfWorker,
}

/// Names that the platform may add to a Worker's variables.
const FOREIGN: [&str; 3] = ["CF_", "CLOUDFLARE_", "WRANGLER_"];

impl Settings {
    /// Reads the variables of a Worker: names and values.
    pub fn from_variables(given: &[(String, String)]) -> Result<Self, Misconfigured> {
        let given: Vec<(String, Given)> = given
            .iter()
            .filter(|(name, _)| !FOREIGN.iter().any(|prefix| name.starts_with(prefix)))
            .map(|(name, text)| (name.clone(), Given::Text(text.trim().to_owned())))
            .collect();
        read(&given, &[SERVICE, IMAGE, ANSWER], Style::Variables)
    }

    /// Reads all settings as the package has them: names and values. Lists are texts separated by spaces.
    pub fn from_service_options(given: &[(String, Given)]) -> Result<Self, Misconfigured> {
        read(given, &[SERVICE, IMAGE, ANSWER], Style::OptionsOfWorker)
    }

    /// Reads the settings of images and answers as the package has them: names and values.
    pub fn from_options(given: &[(String, Given)]) -> Result<Self, Misconfigured> {
        read(given, &[IMAGE, ANSWER], Style::Options)
    }
}

fn read(given: &[(String, Given)], tables: &[&'static [Setting]], style: Style) -> Result<Settings, Misconfigured> {
    let rows = || tables.iter().flat_map(|rows| rows.iter());
    let value = |name: &str| given.iter().find(|(other, _)| style.named(name) == *other);
    let mut settings = Settings::default();
    for row in rows() {
        if let Some((name, value)) = value(row.name) {
            style.set(&mut settings, row, value).map_err(|expected| wrong(name, value, expected))?;
        } else if let Some(old) = &row.old
            && let Some((name, value)) = value(old.name)
        {
            let text = style.renamed(old, value).ok_or_else(|| wrong(name, value, style.switch()))?;
            style.set(&mut settings, row, &Given::Text(text.to_owned())).map_err(|expected| wrong(name, value, expected))?;
        }
    }
    let known = |name: &str| rows().any(|row| style.named(row.name) == name || row.old.as_ref().is_some_and(|old| style.named(old.name) == name));
    if let Some((name, _)) = given.iter().find(|(name, _)| !known(name)) {
        let names: Vec<Cow<'_, str>> = rows().map(|row| style.named(row.name)).collect();
        return Err(Misconfigured::new(name, format!("is not known; there are {}", names.join(", "))));
    }
    if settings.router.versions.len() > 1 && !settings.router.prefix.contains("{version}") {
        let versions = style.named("VERSIONS");
        return Err(Misconfigured::new(&style.named("PREFIX"), format!("has no {{version}}, so {versions} must name exactly one")));
    }
    let limits = &settings.service.limits;
    if limits.max_height.is_some() && limits.max_width.is_none() {
        return Err(Misconfigured::new(&style.named("MAX_HEIGHT"), format!("needs {} beside it", style.named("MAX_WIDTH"))));
    }
    Ok(settings)
}

fn wrong(name: &str, value: &Given, expected: impl fmt::Display) -> Misconfigured {
    Misconfigured::new(name, format!("is {value}, and should be {expected}"))
}

/// The option of the package for a variable: `jpegQuality` for `JPEG_QUALITY`.
pub(super) fn option_name(variable: &str) -> String {
    let mut parts = variable.split('_').map(str::to_ascii_lowercase);
    let mut named = parts.next().unwrap_or_default();
    for part in parts {
        let (first, rest) = part.split_at(1);
        named.extend([&first.to_ascii_uppercase(), rest]);
    }
    named
}

impl Style {
    /// A setting's name in this style.
    fn named(self, name: &str) -> Cow<'_, str> {
        if self == Self::Variables { name.into() } else { option_name(name).into() }
    }

    fn switch(self) -> &'static str {
        if self == Self::Variables { "on or off" } else { "true or false" }
    }

    fn on(self, value: &Given) -> Option<bool> {
        match (self, value) {
            (Self::Options | Self::OptionsOfWorker, Given::Switch(on)) => Some(*on),
            (Self::Variables, Given::Text(text)) => match text.as_str() {
                "on" | "true" => Some(true),
                "off" | "false" => Some(false),
                _ => None,
            },
            _ => None,
        }
    }

    /// The value of a setting that was a switch under its old name.
    fn renamed(self, old: &Old, value: &Given) -> Option<&'static str> {
        self.on(value).map(|on| if on { old.on } else { old.off })
    }

    fn number(self, value: &Given) -> Option<f64> {
        match (self, value) {
            (Self::Options | Self::OptionsOfWorker, Given::Number(number, _)) => Some(*number),
            (Self::Variables, Given::Text(text)) => number(text),
            _ => None,
        }
    }

    fn whole(self, value: &Given, (least, most): (u64, u64)) -> Option<u64> {
        self.number(value).filter(|number| number.trunc() == *number && (least as f64..=most as f64).contains(number)).map(|number| number as u64)
    }

    /// Puts a value into the settings; what is expected if it is something else.
    fn set(self, settings: &mut Settings, row: &Setting, value: &Given) -> Result<(), String> {
        let text = match value {
            Given::Text(text) => Some(text.as_str()),
            _ => None,
        };
        match &row.kind {
            Kind::Whole(bounds @ (least, most), set) => {
                let expected = || format!("a whole number from {least} to {most}");
                set(settings, self.whole(value, *bounds).ok_or_else(expected)?);
            }
            Kind::Number(bounds, in_worker, set) => {
                let (least, most) = if self == Self::Options { bounds } else { in_worker };
                let fits = |number: &f64| (*least as f64..=*most as f64).contains(number);
                set(settings, self.number(value).filter(fits).ok_or_else(|| format!("a number from {least} to {most}"))?);
            }
            Kind::Limit(most, set) => {
                let limit = if text == Some("none") {
                    None
                } else {
                    Some(self.whole(value, (1, *most)).ok_or_else(|| format!("a whole number from 1 to {most}, or none"))?)
                };
                set(settings, limit);
            }
            Kind::Switch(set) => set(settings, self.on(value).ok_or_else(|| self.switch().to_owned())?),
            Kind::Choice(words, set) => {
                let index = words.iter().position(|word| Some(*word) == text);
                set(settings, index.ok_or_else(|| format!("one of {}", words.join(", ")))?);
            }
            Kind::List(expected, set) => {
                let names: Vec<&str> = text.unwrap_or_default().split([',', ' ']).filter(|name| !name.is_empty()).collect();
                set(settings, &names).then_some(()).ok_or_else(|| (*expected).to_owned())?;
            }
            Kind::Text(expected, set) => {
                text.is_some_and(|text| set(settings, text)).then_some(()).ok_or_else(|| (*expected).to_owned())?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::window::Window;

    fn variables(given: &[(&str, &str)]) -> Result<Settings, Misconfigured> {
        Settings::from_variables(&given.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect::<Vec<_>>())
    }

    fn options(given: &[(&str, Given)]) -> Result<Settings, Misconfigured> {
        Settings::from_options(&given.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect::<Vec<_>>())
    }

    fn number(value: f64) -> Given {
        Given::Number(value, value.to_string())
    }

    #[test]
    fn variables_and_options_set_the_same() {
        let text = |text: &str| Given::Text(text.to_owned());
        let one = variables(&[
            ("MAX_WIDTH", "300"),
            ("MAX_AREA", "none"),
            ("MEMORY", "8.5"),
            ("WORK", "2"),
            ("INCOMPLETE", "refuse"),
            ("WINDOW", "-1,1"),
            ("JPEG_SMALL", "on"),
            ("PNG_COMPRESSION", " high "),
        ]);
        let other = options(&[
            ("maxWidth", number(300.0)),
            ("maxArea", text("none")),
            ("memory", number(8.5)),
            ("work", number(2.0)),
            ("incomplete", text("refuse")),
            ("window", text("-1,1")),
            ("jpegSmall", Given::Switch(true)),
            ("pngCompression", text("high")),
        ]);
        let settings = one.unwrap();
        assert_eq!(settings, other.unwrap());
        let limits = &settings.service.limits;
        assert_eq!((limits.max_width, limits.max_area, limits.memory, limits.work), (Some(300), None, 17 << 19, 2_000_000_000));
        assert_eq!((limits.show_incomplete, limits.window), (false, Window::Between { black: -1.0, white: 1.0 }));
    }

    #[test]
    fn a_service_has_the_bounds_of_a_worker_and_all_settings() {
        let service = |name: &str, value: Given| Settings::from_service_options(&[(name.to_owned(), value)]);
        assert_eq!(service("memory", number(100.0)).unwrap_err().problem, "is 100, and should be a number from 4 to 58");
        assert_eq!(service("versions", Given::Text("3 2".to_owned())).unwrap().router.versions, [crate::api::Version::V3, crate::api::Version::V2]);
        assert!(!service("upscaling", Given::Switch(false)).unwrap().service.upscaling);
        assert_eq!(service("prefix", Given::Text("/i/".to_owned())).unwrap_err().problem, "has no {version}, so versions must name exactly one");
    }

    #[test]
    fn the_old_name_is_a_switch() {
        assert!(!variables(&[("SHOW_INCOMPLETE", "off")]).unwrap().service.limits.show_incomplete);
        assert!(!options(&[("showIncomplete", Given::Switch(false))]).unwrap().service.limits.show_incomplete);
        assert!(variables(&[("SHOW_INCOMPLETE", "off"), ("INCOMPLETE", "show")]).unwrap().service.limits.show_incomplete, "the new name decides");
        assert_eq!(variables(&[("SHOW_INCOMPLETE", "show")]).unwrap_err().problem, "is \"show\", and should be on or off");
    }

    #[test]
    fn wrong_values_are_told() {
        let problem = |name: &str, text: &str| {
            let Misconfigured { name: named, problem } = variables(&[(name, text)]).unwrap_err();
            assert_eq!(named, name);
            problem
        };
        assert_eq!(problem("JPEG_QUALITY", "101"), "is \"101\", and should be a whole number from 1 to 100");
        assert_eq!(problem("JPEG_QUALITY", "80.5"), "is \"80.5\", and should be a whole number from 1 to 100");
        assert_eq!(problem("MEMORY", "1000"), "is \"1000\", and should be a number from 4 to 58");
        assert_eq!(problem("MEMORY", "nan"), "is \"nan\", and should be a number from 4 to 58");
        assert_eq!(problem("VERSIONS", "4"), "is \"4\", and should be a list of 1.0, 1.1, 2 and 3");
        assert_eq!(problem("FORMATS", " , "), "is \",\", and should be a list of jpg, png, webp, gif and tif");
        assert_eq!(problem("LOG", "loud"), "is \"loud\", and should be one of all, errors, none");
        assert_eq!(problem("MAX_HEIGHT", "5"), "needs MAX_WIDTH beside it");
        assert_eq!(problem("PREFIX", "/i/"), "has no {version}, so VERSIONS must name exactly one");
        assert!(problem("COLOUR", "1").starts_with("is not known; there are PREFIX, VERSIONS, "));
        assert_eq!(variables(&[("CF_VERSION", "1"), ("WRANGLER_THING", "")]), Ok(Settings::default()));
        assert_eq!(["MAX_AREA", "WORK", "SHOW_INCOMPLETE"].map(option_name), ["maxArea", "work", "showIncomplete"]);
        let wrong = |name: &str, value: Given| options(&[(name, value)]).unwrap_err();
        assert_eq!(wrong("maxWidth", Given::Text("1000".to_owned())).problem, "is \"1000\", and should be a whole number from 1 to 4294967295, or none");
        assert_eq!(wrong("webpLossless", number(1.0)).problem, "is 1, and should be true or false");
        assert_eq!(wrong("memory", Given::Other("object".to_owned())).problem, "is of type object, and should be a number from 1 to 112");
        assert_eq!(wrong("memory", number(f64::NAN)).problem, "is NaN, and should be a number from 1 to 112");
        assert!(wrong("prefix", Given::Text("/".to_owned())).problem.starts_with("is not known; there are maxWidth, maxHeight, "));
    }
}
