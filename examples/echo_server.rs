//! A small MCP server to try mcpmux with, on rmcp over stdio: three tools, a resource and a prompt.
//!
//! Build it with `cargo build --example echo_server`, then put it behind the mux:
//!
//! ```jsonc
//! { "mcpServers": { "echo": { "command": "target/debug/examples/echo_server" } } }
//! ```
//!
//! It speaks every revision of the protocol, with or without the handshake.

use std::error::Error;
use std::time::{SystemTime, UNIX_EPOCH};

use rmcp::handler::server::wrapper::{Json, Parameters};
use rmcp::model::{
    Implementation, ListResourcesResult, PaginatedRequestParams, PromptMessage,
    ReadResourceRequestParams, ReadResourceResponse, ReadResourceResult, Resource,
    ResourceContents, Role, ServerCapabilities, ServerConfig,
};
use rmcp::service::RequestContext;
use rmcp::{
    ErrorData, RoleServer, ServerHandler, ServiceExt as _, prompt, prompt_handler, prompt_router,
    tool, tool_handler, tool_router,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

const GREETING: &str = "echo://greeting";

/// The server: it has no state.
struct EchoServer;

#[derive(Deserialize, JsonSchema)]
struct Message {
    /// What to say
    message: String,
}

#[derive(Deserialize, JsonSchema)]
struct Summands {
    /// The first number
    a: f64,
    /// The second number
    b: f64,
}

#[derive(Serialize, JsonSchema)]
struct Sum {
    /// The two numbers added up
    sum: f64,
}

#[tool_router]
impl EchoServer {
    #[tool(description = "Say the message again")]
    fn echo(Parameters(Message { message }): Parameters<Message>) -> String {
        message
    }

    #[tool(description = "Add two numbers")]
    fn add(Parameters(Summands { a, b }): Parameters<Summands>) -> Json<Sum> {
        Json(Sum { sum: a + b })
    }

    #[tool(description = "Tell the time, in seconds since 1970")]
    fn now() -> String {
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        since.as_secs().to_string()
    }
}

#[prompt_router]
impl EchoServer {
    #[prompt(description = "Ask for a message to be said louder")]
    async fn shout(
        &self,
        Parameters(Message { message }): Parameters<Message>,
    ) -> Vec<PromptMessage> {
        vec![PromptMessage::new_text(
            Role::User,
            format!("Please shout: {message}"),
        )]
    }
}

#[tool_handler]
#[prompt_handler(router = Self::prompt_router())]
impl ServerHandler for EchoServer {
    fn get_info(&self) -> ServerConfig {
        let capabilities = ServerCapabilities::builder()
            .enable_tools()
            .enable_prompts()
            .enable_resources()
            .build();
        ServerConfig::new(capabilities)
            .with_server_info(Implementation::new(
                "echo-server",
                env!("CARGO_PKG_VERSION"),
            ))
            .with_instructions("Says everything again.")
    }

    async fn list_resources(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListResourcesResult, ErrorData> {
        let greeting = Resource::new(GREETING, "greeting").with_mime_type("text/plain");
        Ok(ListResourcesResult::with_all_items(vec![greeting]))
    }

    async fn read_resource(
        &self,
        request: ReadResourceRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<ReadResourceResponse, ErrorData> {
        if request.uri != GREETING {
            let message = format!("unknown resource `{}`", request.uri);
            return Err(ErrorData::resource_not_found(message, None));
        }
        let greeting = ResourceContents::text("Hello from the echo server.", GREETING);
        Ok(ReadResourceResult::new(vec![greeting]).into())
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let service = EchoServer.serve(rmcp::transport::stdio()).await?;
    service.waiting().await?;
    Ok(())
}
