//! What each file and request costs in rounds, ranges and bytes: performance as a text file that is reviewed like code. `BLESS=1` writes it anew.

use std::fmt::Write;

use super::support::{Traffic, drip, images, root};

const REQUESTS: &[&str] = &["full/^32,/0/default.jpg", "pct:40,40,20,20/max/0/default.jpg", "full/max/0/default.jpg"];

#[test]
fn rounds_ranges_and_bytes() {
    let mut found = String::from("file\tsize\trequest\topen: rounds\tranges\tbytes\trender: rounds\tranges\tbytes\n");
    for (name, bytes) in ["tests/fixtures", "www/samples"].iter().flat_map(|folder| images(folder)) {
        for request in REQUESTS {
            let (_, open, render) = drip(&bytes, request, u64::MAX).unwrap_or_else(|error| panic!("{name} {request}: {error}"));
            let cells = |traffic: Traffic| format!("{}\t{}\t{}", traffic.rounds, traffic.ranges, traffic.bytes);
            writeln!(found, "{name}\t{}\t{request}\t{}\t{}", bytes.len(), cells(open), cells(render)).unwrap();
        }
    }
    let path = root().join("tests/golden/rounds.tsv");
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&path, found).unwrap();
        return;
    }
    let expected = std::fs::read_to_string(&path).unwrap();
    let changed: Vec<_> =
        found.lines().zip(expected.lines()).filter(|(found, expected)| found != expected).map(|(found, expected)| format!("- {expected}\n+ {found}")).collect();
    assert!(changed.is_empty() && found.lines().count() == expected.lines().count(), "costs changed (BLESS=1 takes them):\n{}", changed.join("\n"));
}
