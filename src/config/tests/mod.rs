//! Tests of the room as a whole: files in, configuration or error text out.

mod examples;
mod expansion;
mod fixtures;
mod formats;
mod plan;
#[cfg(unix)]
mod policy;
mod programs;
mod render;
mod round_trip;
mod several;
mod sources;
mod tables;
mod tls;
mod validate;
mod values;
