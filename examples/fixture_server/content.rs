//! The blocks that answers are made of.

use rmcp::model::{CallToolResult, ContentBlock, ResourceContents};

/// A PNG of one red pixel.
pub(crate) const PNG: &str =
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC";
/// A WAV without a single sample.
const WAV: &str = "UklGRiQAAABXQVZFZm10IBAAAAABAAEAQB8AAIA+AAACABAAZGF0YQAAAAA=";

pub(crate) fn text(text: impl Into<String>) -> CallToolResult {
    CallToolResult::success(vec![ContentBlock::text(text)])
}

pub(crate) fn error(text: impl Into<String>) -> CallToolResult {
    CallToolResult::error(vec![ContentBlock::text(text)])
}

pub(crate) fn image() -> CallToolResult {
    CallToolResult::success(vec![ContentBlock::image(PNG, "image/png")])
}

pub(crate) fn audio() -> CallToolResult {
    CallToolResult::success(vec![ContentBlock::audio(WAV, "audio/wav")])
}

pub(crate) fn embedded() -> CallToolResult {
    let text = "This is an embedded resource content.";
    let resource = ResourceContents::text(text, "test://embedded-resource");
    CallToolResult::success(vec![ContentBlock::resource(resource)])
}

pub(crate) fn mixed() -> CallToolResult {
    let json = r#"{"test":"data","value":123}"#;
    let resource = ResourceContents::text(json, "test://mixed-content-resource");
    CallToolResult::success(vec![
        ContentBlock::text("Multiple content types test:"),
        ContentBlock::image(PNG, "image/png"),
        ContentBlock::resource(resource.with_mime_type("application/json")),
    ])
}
