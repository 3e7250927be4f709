//! `mcpmux call`, `mcpmux read`, `mcpmux prompt`: one request through the mux.

use super::args::{CallArgs, Common, Form, PromptArgs, ReadArgs};
use super::error::CliError;
use super::exit::Exit;
use super::key_values::Typed;
use super::report::{self, Finding, Severity};
use super::running::{ONE_SHOT_LOG, Purpose, load, log, settle_for, warn, with_app};
use super::{output, render};
use crate::app::App;
use crate::catalog::Catalog;
use crate::config::Config;
use crate::mux::{Call, CallError};
use crate::protocol::{Kind, Method};
use crate::wire::Json;

/// Calls a tool.
pub(super) fn call(args: &CallArgs, common: &Common) -> Result<Exit, CliError> {
    let typed = Typed::parse(&args.arguments)?;
    let config = start(common)?;
    let result = with_app(&config, Purpose::Errand, async |app| {
        let mux = app.hub();
        settle_for(mux, &config, |catalog| {
            catalog.route(Kind::Tool, &args.name).cloned()
        })
        .await;
        let schema = mux
            .tool(&args.name)
            .and_then(|tool| tool.get("inputSchema"));
        let schema = schema.and_then(|schema| schema.decode().ok());
        let arguments = typed.for_tool(schema.as_ref())?;
        let params = named(&args.name, &arguments);
        send(app, Method::ToolsCall, params).await
    })?;
    print(&result, args.output.form(), render::tool_result)?;
    if !render::is_error(&result) {
        return Ok(Exit::Ok);
    }
    let failed = Finding::new(format!("tool `{}` answered with an error", args.name));
    report::print(&[failed], Severity::Error);
    Ok(Exit::ToolError)
}

/// Reads a resource.
pub(super) fn read(args: &ReadArgs, common: &Common) -> Result<Exit, CliError> {
    let config = start(common)?;
    let result = with_app(&config, Purpose::Errand, async |app| {
        // A URI that is not listed may be anybody's, until all have been heard.
        let listed = |catalog: &Catalog| catalog.route(Kind::Resource, &args.uri).cloned();
        settle_for(app.hub(), &config, listed).await;
        let params = Json::object([("uri", &Json::string(&args.uri))]);
        send(app, Method::ResourcesRead, params).await
    })?;
    print(&result, args.output.form(), render::contents)?;
    Ok(Exit::Ok)
}

/// Gets a prompt.
pub(super) fn prompt(args: &PromptArgs, common: &Common) -> Result<Exit, CliError> {
    let arguments = Typed::parse(&args.arguments)?.for_prompt()?;
    let config = start(common)?;
    let result = with_app(&config, Purpose::Errand, async |app| {
        let found = |catalog: &Catalog| catalog.route(Kind::Prompt, &args.name).cloned();
        settle_for(app.hub(), &config, found).await;
        send(app, Method::PromptsGet, named(&args.name, &arguments)).await
    })?;
    print(&result, args.output.form(), render::messages)?;
    Ok(Exit::Ok)
}

fn start(common: &Common) -> Result<Config, CliError> {
    let config = load(common, None)?;
    log(common, &config, ONE_SHOT_LOG)?;
    warn(&config);
    Ok(config)
}

async fn send(app: &App, method: Method, params: Json) -> Result<Json, CliError> {
    let said = app.hub().call(Call::plain(method, params)).outcome().await;
    match said {
        Ok(said) => Ok(said.json),
        Err(CallError::Asked) => Err(CliError::Asked),
        Err(error) => Err(error.into()),
    }
}

fn print(result: &Json, form: Form, text: impl Fn(&Json) -> String) -> Result<(), CliError> {
    let text = match form {
        Form::Json => format!("{result}\n"),
        Form::Text => text(result),
    };
    Ok(output::print(&text)?)
}

fn named(name: &str, arguments: &Json) -> Json {
    Json::object([("name", &Json::string(name)), ("arguments", arguments)])
}
