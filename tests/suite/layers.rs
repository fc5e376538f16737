//! Which module may import which. A module may import those of its own layer and of lower ones; ARCHITECTURE.md says what each is for.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::support::root;

/// The modules of the core. Modules of one layer may know each other, except that `render` and `codec` have layers of their own: a cycle between them is forbidden.
const CORE: &[(&str, u32)] = &[
    ("error", 0),
    ("geometry", 0),
    ("incomplete", 0),
    ("installed", 0),
    ("limits", 0),
    ("window", 0),
    ("api", 1),
    ("options", 1),
    ("settings", 2),
    ("bytes", 2),
    ("jpeg", 3),
    ("profile", 3),
    ("pyramid", 4),
    ("plan", 5),
    ("render", 6),
    ("codec", 7),
    ("ingest", 8),
    ("job", 8),
    ("service", 9),
    ("native", 10),
    ("web", 10),
];

/// Values that an error carries: only names and numbers of a higher layer.
const CARRIED: &[(&str, &str)] = &[("error", "api"), ("error", "bytes")];

/// The modules of the package: files and folders of `src/js`. Types may be imported from anywhere, as they are gone at run time.
const PACKAGE: &[(&str, u32)] = &[
    ("codecs", 0),
    ("error", 0),
    ("settings", 0),
    ("source-format", 0),
    ("url", 0),
    ("read", 0),
    ("check", 1),
    ("page", 1),
    ("request", 1),
    ("admission", 1),
    ("drive", 1),
    ("r2", 1),
    ("sources", 1),
    ("support", 1),
    ("wasm", 1),
    ("core", 2),
    ("rpc", 2),
    ("pool", 3),
    // How a kind of host finds the modules, and starts workers.
    ("load", 4),
    ("engine", 5),
    ("thread", 6),
    ("image", 6),
    ("probe", 6),
    // The host of the HTTP service.
    ("host", 6),
    ("ingest", 7),
    ("level0", 7),
    ("openseadragon", 7),
    ("service", 7),
    ("server", 7),
    ("worker", 8),
    ("index", 8),
    ("pool-worker", 8),
    ("service-worker", 8),
];

/// Parts of the package that must stay loadable by themselves: what else they may import.
const APART: &[(&str, &[&str])] = &[("request", &["error"]), ("support", &[]), ("settings", &[])];

fn layer(layers: &[(&str, u32)], module: &str) -> u32 {
    layers.iter().find(|(name, _)| *name == module).map(|(_, layer)| *layer).unwrap_or_else(|| panic!("{module} has no layer: add it to tests/suite/layers.rs"))
}

/// The files of a folder and those in it, with their paths below `from`.
fn files(from: &str, extension: &str) -> Vec<(PathBuf, String)> {
    let from = root().join(from);
    let mut found = Vec::new();
    collect(&from, extension, &mut found);
    let text = |path: &PathBuf| fs::read_to_string(path).unwrap();
    found.iter().map(|path| (path.strip_prefix(&from).unwrap().to_owned(), text(path))).collect()
}

fn collect(folder: &Path, extension: &str, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, extension, files);
        } else if path.extension().is_some_and(|found| found == extension) {
            files.push(path);
        }
    }
}

/// The module that a file belongs to: the first part of its path, up to a dot.
fn module(path: &Path) -> String {
    let first = path.components().next().unwrap().as_os_str().to_string_lossy().into_owned();
    first.split('.').next().unwrap().to_owned()
}

#[test]
fn no_module_of_the_core_imports_a_higher_layer() {
    let files = files("src", "rs");
    assert!(files.len() > 40, "only {} files were found", files.len());
    let mut seen = 0;
    for (path, text) in files.iter().filter(|(path, _)| path != Path::new("lib.rs")) {
        let own = module(path);
        for (index, _) in text.match_indices("crate::") {
            let target: String = text[index + "crate::".len()..].chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
            // Modules begin with a small letter. `crate::{` and the names of items, which examples use, are left out.
            if target.is_empty() || !target.starts_with(|c: char| c.is_ascii_lowercase()) {
                continue;
            }
            seen += 1;
            let allowed = layer(CORE, &target) <= layer(CORE, &own) || CARRIED.contains(&(own.as_str(), target.as_str()));
            assert!(allowed, "{} imports {target}, which is in a higher layer", path.display());
        }
    }
    assert!(seen > 50, "only {seen} imports were looked at");
}

/// What plans, jobs and renders know of files: levels and their chunks, rows, scans. Which container they are in, only readers know.
#[test]
fn no_plan_job_or_render_knows_a_container() {
    let readers: BTreeSet<String> = files("src/pyramid", "rs").iter().map(|(path, _)| module(path)).collect();
    let neutral = ["mod", "kept", "level", "orientation", "scan"];
    assert!(readers.contains("tiff") && neutral.iter().all(|name| readers.contains(*name)), "{readers:?}");
    let mut seen = 0;
    for (path, text) in files("src", "rs").iter().filter(|(path, _)| ["plan", "job", "render"].contains(&module(path).as_str())) {
        for (index, _) in text.match_indices("pyramid::") {
            let name: String = text[index + "pyramid::".len()..].chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
            assert!(!readers.contains(&name) || neutral.contains(&name.as_str()), "{} imports the reader of {name}", path.display());
            seen += 1;
        }
        // Errors may name a format; what is done must not depend on it.
        let asked = text.contains(".format == SourceFormat::") || text.contains(".format != SourceFormat::") || text.contains(".format() == SourceFormat::");
        assert!(!asked, "{} asks which format a file has", path.display());
    }
    assert!(seen > 20, "only {seen} imports were looked at");
    // Nor do levels know the readers that fill them.
    for (path, text) in files("src/pyramid/level", "rs") {
        let known = readers
            .iter()
            .filter(|name| !neutral.contains(&name.as_str()))
            .find(|name| text.contains(&format!("pyramid::{name}")) || text.contains(&format!("super::super::{name}")));
        assert_eq!(known, None, "{}", path.display());
    }
}

#[test]
fn no_module_of_the_package_imports_a_higher_layer() {
    let files = files("src/js", "ts");
    assert!(files.len() > 40, "only {} files were found", files.len());
    let mut seen = BTreeSet::new();
    for (path, text) in files.iter().filter(|(path, _)| !path.to_string_lossy().ends_with(".d.ts")) {
        let own = module(path);
        for import in imports(text) {
            let target = match import.strip_prefix("./").or_else(|| import.strip_prefix("../")) {
                Some(target) if import.starts_with("./") && path.components().count() > 1 => module(path.parent().unwrap().join(target).as_path()),
                Some(target) => module(Path::new(target)),
                // How a host finds the engine; the engine itself and modules of the host have no layer.
                None if import == "#load" => "load".to_owned(),
                None => continue,
            };
            if import.ends_with(".wasm") {
                continue;
            }
            assert!(layer(PACKAGE, &target) <= layer(PACKAGE, &own), "src/js/{} imports {import}, which is in a higher layer", path.display());
            let apart = APART.iter().find(|(name, _)| *name == own);
            assert!(target == own || apart.is_none_or(|(_, allowed)| allowed.contains(&target.as_str())), "src/js/{} imports {import}", path.display());
            seen.insert((path.clone(), target));
        }
    }
    assert!(seen.len() > 50, "only {} imports were looked at", seen.len());
}

/// What a TypeScript file imports that is there at run time.
fn imports(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for statement in text.split(';') {
        let statement = statement.trim_start();
        let Some(line) = statement.lines().find(|line| line.starts_with("import ") || line.starts_with("export {") || line.starts_with("export *")) else {
            continue;
        };
        let statement = &statement[statement.find(line).unwrap()..];
        let Some((names, from)) = statement.split_once(" from \"") else { continue };
        let is_type = names.starts_with("import type ") || names.starts_with("export type ");
        let listed = names.split_once('{').and_then(|(_, rest)| rest.split_once('}')).map(|(list, _)| list);
        let only_types = listed.is_some_and(|list| list.split(',').map(str::trim).filter(|name| !name.is_empty()).all(|name| name.starts_with("type ")));
        if !is_type && !only_types {
            found.push(from.split('"').next().unwrap().to_owned());
        }
    }
    found
}

#[test]
fn imports_of_typescript_are_read() {
    let text = "// A file.\n\nimport type { A } from \"./a.js\";\nimport { type B } from \"./b.js\";\nimport { type C, d } from \"./c.js\";\n\nexport { e } from \"../e.js\";\nexport type { F } from \"./f.js\";\nimport g from \"#load\";\n";
    assert_eq!(imports(text), ["./c.js", "../e.js", "#load"]);
}

/// The modules of codecs by the table of the codecs, the features of their crate, the package, and its build.
#[test]
fn modules_of_codecs_have_the_same_names_everywhere() {
    let modules: BTreeSet<&str> = azulejo_codecs::Codec::ALL.iter().map(|codec| codec.module()).collect();
    let read = |path: &str| fs::read_to_string(root().join(path)).unwrap();
    let list = |path: &str, before: &str| {
        let text = read(path);
        let (_, after) = text.split_once(before).unwrap_or_else(|| panic!("{path} has no {before}"));
        let names = after.split(']').next().unwrap().split(',').map(|name| name.trim().trim_matches('"').to_owned());
        names.collect::<BTreeSet<String>>()
    };
    let expected: BTreeSet<String> = modules.iter().map(|name| (*name).to_owned()).collect();
    assert_eq!(list("src/js/codecs.ts", "CODEC_MODULES = ["), expected);
    assert_eq!(list("pkg/modules.mjs", "CODECS = ["), expected);
    let (manifest, core) = (read("codecs/Cargo.toml"), read("Cargo.toml"));
    for name in modules {
        assert!(manifest.contains(&format!("\n{name} = [")), "codecs/Cargo.toml has no feature {name}");
        assert!(core.contains(&format!("\"azulejo-codecs/{name}\"")), "the feature codecs of Cargo.toml lacks {name}");
    }
}
