//! The prompts.

use rmcp::ErrorData;
use rmcp::model::{
    ContentBlock, GetPromptResponse, GetPromptResult, JsonObject, PromptMessage, ResourceContents,
    Role,
};
use serde_json::Value;

use crate::content::PNG;
use crate::questions::Answers;

/// The messages of a prompt that asks nothing.
pub(crate) fn get(name: &str, arguments: &JsonObject) -> Result<GetPromptResponse, ErrorData> {
    let argument = |name: &str| {
        arguments
            .get(name)
            .and_then(Value::as_str)
            .unwrap_or_default()
    };
    let blocks = match name {
        "test_simple_prompt" => vec![ContentBlock::text("This is a simple prompt for testing.")],
        "test_prompt_with_arguments" => {
            let (first, second) = (argument("arg1"), argument("arg2"));
            let text = format!("Prompt with arguments: arg1='{first}', arg2='{second}'");
            vec![ContentBlock::text(text)]
        }
        "test_prompt_with_embedded_resource" => {
            let text = "Embedded resource content for testing.";
            vec![
                ContentBlock::resource(ResourceContents::text(text, argument("resourceUri"))),
                ContentBlock::text("Please process the embedded resource above."),
            ]
        }
        "test_prompt_with_image" => vec![
            ContentBlock::image(PNG, "image/png"),
            ContentBlock::text("Please analyze the image above."),
        ],
        "test_toggled_prompt" => vec![ContentBlock::text("I am here today.")],
        _ => {
            return Err(ErrorData::invalid_params(
                format!("unknown prompt `{name}`"),
                None,
            ));
        }
    };
    Ok(messages(blocks))
}

/// The messages of a prompt that asked something.
pub(crate) fn answered(answers: &Answers) -> GetPromptResponse {
    let answers = serde_json::to_string(answers).unwrap_or_default();
    messages(vec![ContentBlock::text(format!(
        "Use this context: {answers}"
    ))])
}

fn messages(blocks: Vec<ContentBlock>) -> GetPromptResponse {
    let said = |block| PromptMessage::new(Role::User, block);
    GetPromptResult::new(blocks.into_iter().map(said).collect()).into()
}
