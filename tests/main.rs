//! One binary for all integration tests; each module of `suite` is a suite.

mod suite;
