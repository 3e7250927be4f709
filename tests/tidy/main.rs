//! The rules of the house. Each test names every offence at once, with file and line.

mod code;
mod documents;
mod project;
