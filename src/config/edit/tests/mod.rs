//! Whole texts before and after, and properties over any text.

mod documents;
mod draft;
mod examples;
mod properties;
mod toml_examples;
