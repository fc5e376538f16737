//! Writes the JavaScript and the module that go with a compiled module: `azulejo-bindgen INPUT.wasm NAME FOLDER`, as `wasm-bindgen --target web --omit-default-module-path` does.
//! To compile this takes a third of the time that the command line of wasm-bindgen takes, and its version is always that of Cargo.lock.

use std::env::args;

use anyhow::{Context, Result};
use wasm_bindgen_cli_support::Bindgen;

fn main() -> Result<()> {
    let mut given = args().skip(1);
    let mut next = |what| given.next().with_context(|| format!("{what} is missing: azulejo-bindgen INPUT.wasm NAME FOLDER"));
    let (input, name, folder) = (next("the input")?, next("the name")?, next("the folder")?);
    Bindgen::new().input_path(input).out_name(&name).web(true)?.omit_default_module_path(true).typescript(true).generate(folder)
}
