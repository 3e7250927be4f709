//! What the pure rooms cost: `cargo bench --bench rooms`, or `cargo bench --bench rooms -- catalog` for a part.

// Criterion's macros make items of their own.
#![allow(missing_docs, reason = "a program, and macros write a part of it")]

mod lists;
mod messages;

use criterion::{criterion_group, criterion_main};

criterion_group!(rooms, messages::all, lists::all);
criterion_main!(rooms);
