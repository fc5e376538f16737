//! `#[test]` as wasm-bindgen has it. `src/lib.rs` imports it by `macro_use` where tests are built for WebAssembly, so that each unit test runs there too.

pub use wasm_bindgen_test::wasm_bindgen_test as test;
