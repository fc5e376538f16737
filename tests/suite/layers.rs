//! The direction of the house: `error, limits, geometry ← api, options ← bytes ← jpeg ← pyramid ← plan ← render, codec ← job, ingest ← native, web`. Left never imports right.

use std::fs;
use std::path::Path;

use super::support::root;

/// Rooms that share a number are neighbours and may know each other.
const LAYERS: &[(&str, u32)] = &[
    ("error", 0),
    ("limits", 0),
    ("options", 1),
    ("geometry", 0),
    ("api", 1),
    ("bytes", 2),
    ("jpeg", 3),
    ("pyramid", 4),
    ("plan", 5),
    ("render", 6),
    ("codec", 6),
    ("job", 7),
    ("ingest", 7),
    ("native", 8),
    ("web", 8),
];

/// Values that an error carries: no layer of their own, only names and numbers.
const CARRIED: &[(&str, &str)] = &[("error", "api"), ("error", "bytes")];

fn layer(room: &str) -> Option<u32> {
    LAYERS.iter().find(|(name, _)| *name == room).map(|(_, layer)| *layer)
}

#[test]
fn no_room_imports_one_to_its_right() {
    let mut files = Vec::new();
    collect(&root().join("src"), &mut files);
    assert!(files.len() > 40, "only {} files were found", files.len());
    let mut seen = 0;
    for path in files {
        let relative = path.strip_prefix(root().join("src")).unwrap().to_owned();
        let room = relative.components().next().unwrap().as_os_str().to_string_lossy().replace(".rs", "");
        let Some(own) = layer(&room) else { continue };
        let text = fs::read_to_string(&path).unwrap();
        for (index, _) in text.match_indices("crate::") {
            let rest = &text[index + "crate::".len()..];
            let target: String = rest.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
            let Some(other) = layer(&target) else { continue };
            seen += 1;
            let carried = CARRIED.contains(&(room.as_str(), target.as_str()));
            assert!(other <= own || carried, "{} imports {target}, which lies to its right", relative.display());
        }
    }
    assert!(seen > 50, "only {seen} imports were looked at");
}

fn collect(folder: &Path, files: &mut Vec<std::path::PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}
