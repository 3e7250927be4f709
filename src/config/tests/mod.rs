//! Tests of the room as a whole: files in, configuration or error text out.

mod fixtures;
mod render;
mod sources;
