//! The resources, the template, and completion of arguments.

use rmcp::ErrorData;
use rmcp::model::{
    CompleteRequestParams, CompleteResult, CompletionInfo, ReadResourceResponse,
    ReadResourceResult, Reference, ResourceContents,
};
use serde_json::json;

use crate::content::PNG;
use crate::skills;

/// Reads a listed resource, a file of the skill, or what the template makes.
pub(crate) fn read(uri: &str) -> Result<ReadResourceResponse, ErrorData> {
    let contents = match uri {
        "test://static-text" => {
            ResourceContents::text("This is the content of the static text resource.", uri)
        }
        "test://static-binary" => ResourceContents::blob(PNG, uri).with_mime_type("image/png"),
        "test://watched-resource" => ResourceContents::text("Somebody watches this.", uri),
        "test://toggled" => ResourceContents::text("I am here today.", uri),
        _ => other(uri).ok_or_else(|| {
            ErrorData::resource_not_found("Resource not found", Some(json!({ "uri": uri })))
        })?,
    };
    Ok(ReadResourceResult::new(vec![contents]).into())
}

fn other(uri: &str) -> Option<ResourceContents> {
    let skill = skills::text(uri);
    let skill = skill.map(|text| ResourceContents::text(text, uri).with_mime_type("text/markdown"));
    skill.or_else(|| from_template(uri))
}

fn from_template(uri: &str) -> Option<ResourceContents> {
    let id = uri
        .strip_prefix("test://template/")?
        .strip_suffix("/data")?;
    let data = json!({ "id": id, "templateTest": true, "data": format!("Data for ID: {id}") });
    let contents = ResourceContents::text(data.to_string(), uri);
    Some(contents.with_mime_type("application/json"))
}

/// The known values that begin with what is typed.
pub(crate) fn complete(request: &CompleteRequestParams) -> Result<CompleteResult, ErrorData> {
    let known: &[&str] = match &request.r#ref {
        Reference::Prompt(prompt) if prompt.name == "test_prompt_with_arguments" => {
            &["paris", "park", "party", "test", "testing"]
        }
        Reference::Resource(template) if template.uri == "test://template/{id}/data" => {
            &["1", "12", "123"]
        }
        _ => return Err(ErrorData::invalid_params("unknown reference", None)),
    };
    let typed = &request.argument.value;
    let values = known.iter().filter(|value| value.starts_with(typed));
    let values = CompletionInfo::with_all_values(values.map(ToString::to_string).collect());
    let values = values.map_err(|error| ErrorData::internal_error(error, None))?;
    Ok(CompleteResult::new(values))
}
