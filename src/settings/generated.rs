//! What is made of the table of settings: the documentation, wrangler.toml, the TypeScript types and a JSON Schema; and the TypeScript type of source formats.
//! `BLESS=1 cargo test --lib settings` writes all of it.

use std::fmt::Write;
use std::path::Path;

use super::read::option_name;
use super::table::{ANSWER, IMAGE, Kind, SERVICE, Setting};
use super::{Given, Settings};
use crate::error::SourceFormat;

/// Begins and ends of what is generated within a file that is not as a whole.
fn between(text: &str, (begin, end): (&str, &str), generated: &str) -> String {
    let start = text.find(begin).unwrap_or_else(|| panic!("there is no {begin:?}")) + begin.len();
    let stop = start + text[start..].find(end).unwrap_or_else(|| panic!("there is no {end:?}"));
    [&text[..start], generated, &text[stop..]].concat()
}

/// Compares a file with what it should be, or writes it.
fn check(file: &str, make: impl Fn(&str) -> String) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    let present = std::fs::read_to_string(&path).unwrap_or_default().replace('\r', "");
    let wanted = make(&present);
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(path, wanted).unwrap();
    } else {
        assert!(present == wanted, "{file} is not what is generated: BLESS=1 cargo test --lib settings");
    }
}

/// The values that are possible, in Markdown.
fn values(setting: &Setting) -> String {
    match &setting.kind {
        Kind::Whole((least, most), _) => format!("{least} to {most}"),
        Kind::Number((least, most), (in_worker, most_in_worker), _) if (least, most) != (in_worker, most_in_worker) => {
            format!("{least} to {most}; in the Worker {in_worker} to {most_in_worker}")
        }
        Kind::Number((least, most), ..) => format!("{least} to {most}"),
        Kind::Limit(..) => "a whole number from 1, or `none`".to_owned(),
        Kind::Switch(_) => "`on`, `off`".to_owned(),
        Kind::Choice(words, _) => words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", "),
        Kind::List(expected, _) | Kind::Text(expected, _) => (*expected).to_owned(),
    }
}

fn table(rows: &[Setting]) -> String {
    let mut text = "\n| variable | option | default | values | meaning |\n|---|---|---|---|---|\n".to_owned();
    for row in rows {
        let d = &row.documented;
        let default = if d.default.is_empty() { "empty".to_owned() } else { format!("`{}`", d.default) };
        let unit = if d.unit.is_empty() || d.default == "none" { String::new() } else { format!(" {}", d.unit) };
        let option = if OF_THE_WORKER.contains(&row.name) { "– | ".to_owned() } else { format!("`{}` | ", option_name(row.name)) };
        let old = row.old.as_ref().map_or_else(String::new, |old| format!(" Was `{}` (`on`, `off`) before, which still works.", old.name));
        let of = if d.default == "none" { format!(", {}", d.unit) } else { String::new() };
        writeln!(text, "| `{}` | {option}{default}{unit} | {}{of} | {}{old} |", row.name, values(row), d.says).unwrap();
    }
    text
}

fn wrangler(row: &Setting) -> String {
    let d = &row.documented;
    let is_number = d.default.parse::<f64>().is_ok();
    let default = if is_number { d.default.to_owned() } else { format!("\"{}\"", d.default) };
    let values = match &row.kind {
        Kind::Number(_, (least, most), _) => format!("{least} to {most}"),
        _ => values(row),
    };
    let unit = if d.unit.is_empty() { String::new() } else { format!(" Unit: {}.", d.unit) };
    let mut text = String::new();
    let mut line = String::from("#");
    for word in format!("{} Values: {values}.{unit}", d.says).replace('`', "").split(' ') {
        if line.len() + word.len() > 110 {
            writeln!(text, "{line}").unwrap();
            line = String::from("#");
        }
        write!(line, " {word}").unwrap();
    }
    format!("{text}{line}\n# {} = {default}\n\n", row.name)
}

/// A sentence about a Worker's variables, as one about the options of the package.
fn of_options(says: &str) -> String {
    let is_variable = |word: &str| SERVICE.iter().chain(IMAGE).chain(ANSWER).any(|row| row.name == word);
    says.split('`').map(|part| if is_variable(part) { option_name(part) } else { part.to_owned() }).collect::<Vec<_>>().join("`")
}

/// The type of an option in TypeScript.
fn typescript(row: &Setting) -> String {
    let any = |words: &mut dyn Iterator<Item = &str>| words.map(|word| format!("\"{word}\"")).collect::<Vec<_>>().join(" | ");
    match &row.kind {
        Kind::Whole(..) | Kind::Number(..) => "number".to_owned(),
        Kind::Limit(..) => "number | \"none\"".to_owned(),
        Kind::Switch(_) => "boolean".to_owned(),
        Kind::Choice(words, _) => any(&mut words.iter().copied()),
        Kind::List(..) => format!("readonly ({})[]", any(&mut row.documented.default.split(','))),
        Kind::Text(..) if row.name == "ALLOWED_ORIGINS" => "\"*\" | readonly string[]".to_owned(),
        Kind::Text(..) => "string".to_owned(),
    }
}

/// What a check in TypeScript has to know of an option.
fn rule(row: &Setting) -> String {
    let all = |words: &mut dyn Iterator<Item = &str>| format!("[{}]", words.map(|word| format!("\"{word}\"")).collect::<Vec<_>>().join(", "));
    match &row.kind {
        Kind::Whole((least, most), _) => format!("{{ whole: true, least: {least}, most: {most} }}"),
        Kind::Number((least, most), ..) => format!("{{ whole: false, least: {least}, most: {most} }}"),
        Kind::Limit(most, _) => format!("{{ whole: true, least: 1, most: {most}, none: true }}"),
        Kind::Switch(_) => "\"boolean\"".to_owned(),
        Kind::Choice(words, _) => all(&mut words.iter().copied()),
        Kind::List(expected, _) => format!("{{ list: {}, expected: \"{expected}\" }}", all(&mut row.documented.default.split(','))),
        Kind::Text(expected, _) => format!("{{ text: \"{expected}\" }}"),
    }
}

/// Settings that only the Worker has: in the package, `resolve` says what an identifier stands for, and `r2Source` whether an index is written.
const OF_THE_WORKER: [&str; 2] = ["OBJECT_KEY", "WRITE_INDEX"];

fn typescript_file() -> String {
    let service: Vec<&Setting> = SERVICE.iter().filter(|row| !OF_THE_WORKER.contains(&row.name)).collect();
    let image: Vec<&Setting> = IMAGE.iter().chain(ANSWER).collect();
    let mut text = "// Generated from src/settings/table.rs: BLESS=1 cargo test --lib settings\n\n".to_owned();
    text.push_str("/** What a request may ask for and cost, and how answers are encoded. Every setting has a default. */\n");
    interface(&mut text, "Settings", &image);
    text.push_str("/** Which paths a service answers, and how. Every setting has a default. */\n");
    interface(&mut text, "ServiceSettings", &service);
    text.push_str("/** The values that a setting may have. @internal */\nexport type Rule =\n  | \"boolean\"\n  | readonly string[]\n  | { readonly list: readonly string[]; readonly expected: string }\n  | { readonly text: string }\n");
    text.push_str("  | { readonly whole: boolean; readonly least: number; readonly most: number; readonly none?: boolean };\n\n");
    rules(&mut text, "The settings of images and answers", "RULES", "Settings", &image);
    let narrower: Vec<&Setting> = image.iter().copied().filter(|row| matches!(&row.kind, Kind::Number(bounds, in_worker, _) if bounds != in_worker)).collect();
    writeln!(
        text,
        "/** Those that have other bounds in Workers. @internal */\nexport const WORKER_RULES: Readonly<Partial<Record<keyof Settings, Rule>>> = {{"
    )
    .unwrap();
    for row in narrower {
        let Kind::Number(_, (least, most), _) = &row.kind else { unreachable!() };
        writeln!(text, "  {}: {{ whole: false, least: {least}, most: {most} }},", option_name(row.name)).unwrap();
    }
    text.push_str("};\n\n");
    rules(&mut text, "Those of a service", "SERVICE_RULES", "ServiceSettings", &service);
    let memory = IMAGE.iter().find(|row| row.name == "MEMORY").unwrap();
    writeln!(text, "/** Default of `memory`, MiB. @internal */\nexport const MEMORY = {};", memory.documented.default).unwrap();
    text
}

fn interface(text: &mut String, name: &str, rows: &[&Setting]) {
    writeln!(text, "export interface {name} {{").unwrap();
    for row in rows {
        let d = &row.documented;
        let unit = if d.unit.is_empty() { String::new() } else { format!(" Unit: {}.", d.unit) };
        let default = match &row.kind {
            Kind::Switch(_) => if d.default == "on" { " Default true." } else { " Default false." }.to_owned(),
            Kind::List(..) => " Default: all.".to_owned(),
            _ if d.default.is_empty() => String::new(),
            _ if d.default.parse::<f64>().is_ok() => format!(" Default {}.", d.default),
            _ => format!(" Default {:?}.", d.default),
        };
        let bounds = match &row.kind {
            Kind::Whole((least, most), _) | Kind::Number((least, most), ..) => format!(" From {least} to {most}."),
            _ => String::new(),
        };
        writeln!(text, "  /** {}{bounds}{unit}{default} */\n  {}?: {};", of_options(d.says), option_name(row.name), typescript(row)).unwrap();
        if let Some(old) = &row.old {
            let (new, former) = (option_name(row.name), option_name(old.name));
            writeln!(text, "  /** The former name of `{new}`: `true` is {:?}, `false` is {:?}. */\n  {former}?: boolean;", old.on, old.off).unwrap();
        }
    }
    text.push_str("}\n\n");
}

fn rules(text: &mut String, says: &str, name: &str, of: &str, rows: &[&Setting]) {
    writeln!(text, "/** {says}, each with its values. @internal */\nexport const {name}: Readonly<Record<keyof {of}, Rule>> = {{").unwrap();
    for row in rows {
        writeln!(text, "  {}: {},", option_name(row.name), rule(row)).unwrap();
        if let Some(old) = &row.old {
            writeln!(text, "  {}: \"boolean\",", option_name(old.name)).unwrap();
        }
    }
    text.push_str("};\n\n");
}

fn source_formats() -> String {
    let keys = SourceFormat::FILES.map(|format| format!("{:?}", format.key()));
    let (all, either) = (keys.join(", "), keys.join(" | "));
    let begin = "// Generated from src/error.rs: BLESS=1 cargo test --lib settings\n\n/** The formats of files that can be opened; `level0` is a service of level 0. */\n";
    let service = SourceFormat::Level0.key();
    format!(
        "{begin}export type SourceFormat = {either} | {service:?};\n\n/** Those of files. @internal */\nexport const SOURCE_FORMATS: readonly SourceFormat[] = [{all}];\n"
    )
}

fn schema() -> String {
    let mut properties = Vec::new();
    for row in SERVICE.iter().chain(IMAGE).chain(ANSWER) {
        let d = &row.documented;
        let number = |(least, most): (u64, u64), kind: &str| format!("\"type\": [\"{kind}\", \"string\"], \"minimum\": {least}, \"maximum\": {most}");
        let shape = match &row.kind {
            Kind::Whole(bounds, _) => number(*bounds, "integer"),
            Kind::Number(_, bounds, _) => number(*bounds, "number"),
            Kind::Limit(most, _) => number((1, *most), "integer"),
            Kind::Switch(_) => "\"enum\": [\"on\", \"off\", true, false]".to_owned(),
            Kind::Choice(words, _) => format!("\"enum\": [{}]", words.iter().map(|word| format!("\"{word}\"")).collect::<Vec<_>>().join(", ")),
            Kind::List(..) => "\"type\": [\"string\", \"number\"]".to_owned(),
            Kind::Text(..) => "\"type\": \"string\"".to_owned(),
        };
        let default = match d.default {
            number if number.parse::<f64>().is_ok() => format!(", \"default\": {number}"),
            text => format!(", \"default\": \"{text}\""),
        };
        let unit = if d.unit.is_empty() { String::new() } else { format!(" Unit: {}.", d.unit) };
        let of = |says: &str| format!("\"description\": \"{}{unit}\"", says.replace('"', "\\\""));
        properties.push(format!("    \"{}\": {{ {shape}{default}, {} }}", row.name, of(d.says)));
        if let Some(old) = &row.old {
            let says = format!("Former name of {}.", row.name);
            properties.push(format!("    \"{}\": {{ \"enum\": [\"on\", \"off\", true, false], \"deprecated\": true, {} }}", old.name, of(&says)));
        }
    }
    format!(
        "{{\n  \"$schema\": \"https://json-schema.org/draft/2020-12/schema\",\n  \"title\": \"Variables of the azulejo Worker\",\n  \"type\": \"object\",\n  \"properties\": {{\n{}\n  }}\n}}\n",
        properties.join(",\n")
    )
}

#[test]
fn generated_files_are_current() {
    check("docs/settings.md", |text| {
        let text = between(text, ("<!-- settings: service -->\n", "<!-- end -->"), &format!("{}\n", table(SERVICE)));
        let text = between(&text, ("<!-- settings: image -->\n", "<!-- end -->"), &format!("{}\n", table(IMAGE)));
        between(&text, ("<!-- settings: answer -->\n", "<!-- end -->"), &format!("{}\n", table(ANSWER)))
    });
    let variables: String = [SERVICE, IMAGE, ANSWER].iter().flat_map(|rows| rows.iter()).map(wrangler).collect();
    check("wrangler.toml", |text| between(text, ("[vars]\n", "# End of the settings."), &format!("\n{variables}")));
    check("src/js/settings.ts", |_| typescript_file());
    check("docs/settings.schema.json", |_| schema());
    check("src/js/source-format.ts", |_| source_formats());
}

#[test]
fn documented_defaults_are_those_of_the_code() {
    for row in SERVICE.iter().chain(IMAGE).chain(ANSWER) {
        let given = [(row.name.to_owned(), row.documented.default.to_owned())];
        assert_eq!(Settings::from_variables(&given), Ok(Settings::default()), "{}", row.name);
    }
}

/// Each setting changes something, and not what another one changes.
#[test]
fn every_setting_is_kept_somewhere() {
    let mut seen: Vec<String> = vec![format!("{:?}", Settings::default())];
    for row in SERVICE.iter().chain(IMAGE).chain(ANSWER) {
        let text = match &row.kind {
            Kind::Whole((least, _), _) | Kind::Number(_, (least, _), _) => least.to_string(),
            Kind::Limit(..) => "7".to_owned(),
            Kind::Switch(_) => if row.documented.default == "on" { "off" } else { "on" }.to_owned(),
            Kind::Choice(words, _) => words.iter().find(|word| **word != row.documented.default).unwrap().to_string(),
            Kind::List(..) => row.documented.default.rsplit(',').next().unwrap().to_owned(),
            Kind::Text(..) => match row.name {
                "PREFIX" => "/{version}/",
                "OBJECT_KEY" => "maps/{identifier}",
                "PUBLIC_URL" | "ALLOWED_ORIGINS" => "https://images.example.org",
                "CACHE_CONTROL" => "no-store",
                "WINDOW" => "full",
                other => panic!("no value for {other}"),
            }
            .to_owned(),
        };
        let mut given = vec![(row.name.to_owned(), text)];
        if row.name == "MAX_HEIGHT" {
            given.push(("MAX_WIDTH".to_owned(), "8".to_owned()));
        }
        let settings = format!("{:?}", Settings::from_variables(&given).unwrap_or_else(|wrong| panic!("{wrong:?}")));
        assert!(!seen.contains(&settings), "{}", row.name);
        seen.push(settings);
    }
}

/// What the package hands over is read by the same table.
#[test]
fn options_are_the_variables_in_camel_case() {
    for row in SERVICE.iter().chain(IMAGE).chain(ANSWER) {
        let value = Given::Other("function".to_owned());
        let wrong = Settings::from_service_options(&[(option_name(row.name), value)]).unwrap_err();
        assert!(wrong.name == option_name(row.name) && wrong.problem.starts_with("is of type function, and should be "), "{wrong:?}");
    }
}
