//! The vector tables: what becomes of a request, as plain text that the other suites read as well.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use azulejo::api::{ConfinedUpscale, ImageRequest, Info, InfoForm, Router, Service, Version, What};
use azulejo::{Dimensions, Error};

/// A row, by column name.
struct Row {
    line: usize,
    cells: HashMap<String, String>,
}

impl Row {
    fn text(&self, column: &str) -> &str {
        self.cells.get(column).unwrap_or_else(|| panic!("line {}: no column {column}", self.line))
    }

    fn number<T: std::str::FromStr>(&self, column: &str) -> Option<T> {
        match self.text(column) {
            "-" => None,
            text => Some(text.parse().unwrap_or_else(|_| panic!("line {}: {column} is no number: {text}", self.line))),
        }
    }

    fn dimensions(&self, width: &str, height: &str) -> Option<Dimensions> {
        Dimensions::new(self.number(width)?, self.number(height)?)
    }
}

fn table(name: &str, at_least: usize) -> Vec<Row> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors").join(name);
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut lines = text.lines().enumerate().filter(|(_, line)| !line.starts_with('#') && !line.is_empty());
    let columns: Vec<&str> = lines.next().expect("a header").1.split('\t').collect();
    let rows: Vec<Row> = lines
        .map(|(index, line)| {
            let cells: Vec<&str> = line.split('\t').collect();
            assert_eq!(cells.len(), columns.len(), "{name}:{}: as many cells as columns", index + 1);
            Row { line: index + 1, cells: columns.iter().zip(cells).map(|(column, cell)| (column.to_string(), cell.to_owned())).collect() }
        })
        .collect();
    assert!(rows.len() >= at_least, "{name} has {} rows, it should have {at_least}", rows.len());
    rows
}

/// `status canonical width height` as the row has it, and as it comes out.
fn check(row: &Row, version: Version, service: &Service, failures: &mut Vec<String>) {
    let info = Info::new(row.dimensions("width", "height").expect("an image"), service);
    let request = row.text("request");
    let answer = match ImageRequest::parse(version, request).and_then(|request| request.resolve(&info)) {
        Ok(resolved) => format!("200 {} {} {}", resolved.canonical(), resolved.size().width(), resolved.size().height()),
        Err(error) => {
            assert!(!error.to_string().is_empty());
            format!("{} - - -", error.status())
        }
    };
    let expected = ["status", "canonical", "out_width", "out_height"].map(|column| row.text(column)).join(" ");
    if answer != expected {
        failures.push(format!("{version} line {}: {request}: {answer}, expected {expected}", row.line));
    }
}

fn report(failures: &[String]) {
    assert!(failures.is_empty(), "{} rows differ:\n{}", failures.len(), failures.join("\n"));
}

#[test]
fn requests_of_every_version() {
    let mut failures = Vec::new();
    for (version, at_least) in Version::ALL.into_iter().zip([150, 150, 200, 200]) {
        for row in table(&format!("{version}.tsv"), at_least) {
            check(&row, version, &Service::default(), &mut failures);
        }
    }
    report(&failures);
}

#[test]
fn limits() {
    let mut failures = Vec::new();
    for row in table("limits.tsv", 100) {
        let version = Version::parse(row.text("version")).expect("a version");
        let mut service = Service::default();
        service.limits.max_width = row.number("max_width");
        service.limits.max_height = row.number("max_height");
        service.limits.max_area = row.number("max_area");
        service.upscaling = row.text("upscaling") == "on";
        service.confined_upscale = match row.text("confined") {
            "clamp" => ConfinedUpscale::Clamp,
            "reject" => ConfinedUpscale::Reject,
            other => panic!("line {}: {other}", row.line),
        };
        check(&row, version, &service, &mut failures);
    }
    report(&failures);
}

#[test]
fn routes() {
    let mut failures = Vec::new();
    for row in table("routes.tsv", 80) {
        let router = Router { prefix: "/iiif/{version}/".to_owned(), versions: Version::ALL.to_vec(), allow_slashes: row.text("slashes") == "on" };
        let answer = match router.route(row.text("path")) {
            None => ["-", "-", "none", "404"].map(str::to_owned),
            Some(routed) => {
                let error = |error: &Error| ("error", error.status());
                let (kind, status) = match (&routed.identifier, &routed.what) {
                    (Err(e), _) | (_, Err(e)) => error(e),
                    (_, Ok(What::Base)) => ("base", 303),
                    (_, Ok(What::Info(InfoForm::Json))) => ("info.json", 200),
                    (_, Ok(What::Info(InfoForm::Xml))) => ("info.xml", 200),
                    (_, Ok(What::Image(_))) => ("image", 200),
                };
                let identifier = routed.identifier.as_ref().map_or("-", |identifier| identifier.as_str());
                let base = router.base(routed.version, &routed.raw_identifier);
                assert!(row.text("path").starts_with(&base), "line {}: the base URI {base}", row.line);
                [routed.version.as_str().to_owned(), identifier.to_owned(), kind.to_owned(), status.to_string()]
            }
        };
        let expected = ["version", "identifier", "kind", "status"].map(|column| row.text(column).to_owned());
        if answer != expected {
            failures.push(format!("line {}: {}: {answer:?}, expected {expected:?}", row.line, row.text("path")));
        }
    }
    report(&failures);
}
