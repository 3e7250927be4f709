//! The handler: one for each session, one for each request of the era without sessions.

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::Arc;

use clap::ValueEnum;
use parking_lot::Mutex;
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CancelTaskParams, CompleteRequestParams,
    CompleteResult, GetPromptRequestParams, GetPromptResponse, GetSkillRequestParams,
    GetSkillResult, GetTaskParams, GetTaskResult, Implementation, ListPromptsResult,
    ListResourceTemplatesResult, ListResourcesResult, ListSkillsResult, ListToolsResult,
    LoggingLevel, PaginatedRequestParams, ProtocolVersion, ReadResourceDirectoryRequestParams,
    ReadResourceDirectoryResult, ReadResourceRequestParams, ReadResourceResponse,
    RequestStateCodec, RequestStateError, ServerCapabilities, ServerConfig, SetLevelRequestParams,
    SubscribeRequestParams, SubscriptionFilter, Tool, UnsubscribeRequestParams, UpdateTaskParams,
};
use rmcp::service::{NotificationContext, RequestContext, SubscriptionContext};
use rmcp::task_manager::TaskManager;
use rmcp::{ErrorData, RoleServer, ServerHandler};

use crate::changes::{Ear, Listeners, Toggle};
use crate::definitions::{DEFINITIONS, QUESTIONS};
use crate::questions::{Asked, Call, ask};
use crate::{prompts, resources, skills, tools};

type Context = RequestContext<RoleServer>;

/// Which revisions the server speaks.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Era {
    /// Up to 2025-11-25: the handshake
    Legacy,
    /// From 2026-07-28: every request stands alone
    Modern,
    /// All of them
    Both,
}

/// What all sessions and requests have in common.
pub(crate) struct Shared {
    pub(crate) tasks: TaskManager,
    pub(crate) codec: RequestStateCodec,
    pub(crate) listeners: Listeners,
    pub(crate) tools: Toggle,
    pub(crate) prompts: Toggle,
    pub(crate) resources: Toggle,
}

impl Shared {
    pub(crate) fn new() -> Result<Self, RequestStateError> {
        Ok(Self {
            tasks: TaskManager::new(),
            codec: RequestStateCodec::try_new(rand::random::<[u8; 32]>())?,
            listeners: Listeners::default(),
            tools: Toggle::default(),
            prompts: Toggle::default(),
            resources: Toggle::default(),
        })
    }
}

/// Whether the request belongs to the era without sessions.
pub(crate) fn is_modern(context: &Context) -> bool {
    context
        .protocol_version()
        .is_some_and(|version| !version.has_initialize())
}

pub(crate) struct Fixture {
    era: Era,
    pub(crate) shared: Arc<Shared>,
    /// Names this session among the listeners.
    ticket: u64,
    /// The least severe log line that this session wants to see.
    level: Mutex<LoggingLevel>,
}

impl Fixture {
    pub(crate) fn new(era: Era, shared: Arc<Shared>) -> Self {
        let ticket = shared.listeners.ticket();
        Self {
            era,
            shared,
            ticket,
            level: Mutex::new(LoggingLevel::Info),
        }
    }

    pub(crate) fn level(&self) -> LoggingLevel {
        *self.level.lock()
    }
}

impl ServerHandler for Fixture {
    fn supported_protocol_versions(&self) -> Cow<'static, [ProtocolVersion]> {
        match self.era {
            Era::Legacy => {
                Cow::Borrowed(ProtocolVersion::known_up_to(&ProtocolVersion::V_2025_11_25))
            }
            Era::Modern => Cow::Borrowed(&[ProtocolVersion::V_2026_07_28]),
            Era::Both => Cow::Borrowed(ProtocolVersion::KNOWN_VERSIONS),
        }
    }

    fn get_info(&self) -> ServerConfig {
        let mut capabilities = ServerCapabilities::builder()
            .enable_tools()
            .enable_tool_list_changed()
            .enable_prompts()
            .enable_prompts_list_changed()
            .enable_resources()
            .enable_resources_list_changed()
            .enable_resources_subscribe()
            .enable_completions()
            .enable_logging()
            .build();
        let skills = ServerCapabilities::builder().enable_skills_with_directory_read();
        capabilities.extensions = if self.era == Era::Legacy {
            skills.build().extensions
        } else {
            skills.enable_tasks().build().extensions
        };
        let version = match self.era {
            Era::Modern => ProtocolVersion::V_2026_07_28,
            Era::Legacy | Era::Both => ProtocolVersion::V_2025_11_25,
        };
        ServerConfig::new(capabilities)
            .with_protocol_version(version)
            .with_server_info(Implementation::new(
                "fixture-server",
                env!("CARGO_PKG_VERSION"),
            ))
            .with_instructions("Everything the conformance suite asks for.")
    }

    async fn on_initialized(&self, context: NotificationContext<RoleServer>) {
        let ear = Ear::Session {
            peer: context.peer,
            uris: HashSet::new(),
        };
        self.shared.listeners.join(self.ticket, ear);
    }

    async fn list_tools(
        &self,
        _: Option<PaginatedRequestParams>,
        _: Context,
    ) -> Result<ListToolsResult, ErrorData> {
        let mut tools = DEFINITIONS.tools.clone();
        tools.retain(|tool| self.shared.tools.shows(&tool.name, "test_toggled_tool"));
        Ok(ListToolsResult::with_all_items(tools))
    }

    fn get_tool(&self, name: &str) -> Option<Tool> {
        DEFINITIONS
            .tools
            .iter()
            .find(|tool| tool.name == name)
            .cloned()
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: Context,
    ) -> Result<CallToolResponse, ErrorData> {
        tools::call(self, request, context).await
    }

    async fn list_prompts(
        &self,
        _: Option<PaginatedRequestParams>,
        _: Context,
    ) -> Result<ListPromptsResult, ErrorData> {
        let mut prompts = DEFINITIONS.prompts.clone();
        prompts.retain(|prompt| {
            self.shared
                .prompts
                .shows(&prompt.name, "test_toggled_prompt")
        });
        Ok(ListPromptsResult::with_all_items(prompts))
    }

    async fn get_prompt(
        &self,
        request: GetPromptRequestParams,
        context: Context,
    ) -> Result<GetPromptResponse, ErrorData> {
        let arguments = request.arguments.unwrap_or_default();
        let Some(question) = QUESTIONS.get(&request.name) else {
            return prompts::get(&request.name, &arguments);
        };
        let call = Call {
            name: &request.name,
            arguments,
            responses: request.input_responses.unwrap_or_default(),
            state: request.request_state,
        };
        match ask(question, call, &self.shared.codec, &context).await? {
            Asked::Open(open) => Ok(open.into()),
            Asked::Answered(answers) => Ok(prompts::answered(&answers)),
        }
    }

    async fn list_resources(
        &self,
        _: Option<PaginatedRequestParams>,
        _: Context,
    ) -> Result<ListResourcesResult, ErrorData> {
        let mut resources = DEFINITIONS.resources.clone();
        resources.retain(|resource| self.shared.resources.shows(&resource.uri, "test://toggled"));
        Ok(ListResourcesResult::with_all_items(resources))
    }

    async fn list_resource_templates(
        &self,
        _: Option<PaginatedRequestParams>,
        _: Context,
    ) -> Result<ListResourceTemplatesResult, ErrorData> {
        let templates = DEFINITIONS.resource_templates.clone();
        Ok(ListResourceTemplatesResult::with_all_items(templates))
    }

    async fn read_resource(
        &self,
        request: ReadResourceRequestParams,
        _: Context,
    ) -> Result<ReadResourceResponse, ErrorData> {
        resources::read(&request.uri)
    }

    async fn list_skills(
        &self,
        _: Option<PaginatedRequestParams>,
        _: Context,
    ) -> Result<ListSkillsResult, ErrorData> {
        Ok(ListSkillsResult::with_all_items(vec![skills::skill()]))
    }

    async fn get_skill(
        &self,
        request: GetSkillRequestParams,
        _: Context,
    ) -> Result<GetSkillResult, ErrorData> {
        skills::get(&request.uri).map(GetSkillResult::new)
    }

    async fn read_resource_directory(
        &self,
        request: ReadResourceDirectoryRequestParams,
        _: Context,
    ) -> Result<ReadResourceDirectoryResult, ErrorData> {
        skills::folder(&request.uri)
    }

    async fn complete(
        &self,
        request: CompleteRequestParams,
        _: Context,
    ) -> Result<CompleteResult, ErrorData> {
        resources::complete(&request)
    }

    async fn set_level(&self, request: SetLevelRequestParams, _: Context) -> Result<(), ErrorData> {
        *self.level.lock() = request.level;
        Ok(())
    }

    async fn subscribe(
        &self,
        request: SubscribeRequestParams,
        _: Context,
    ) -> Result<(), ErrorData> {
        self.shared.listeners.subscribe(self.ticket, request.uri);
        Ok(())
    }

    async fn unsubscribe(
        &self,
        request: UnsubscribeRequestParams,
        _: Context,
    ) -> Result<(), ErrorData> {
        self.shared.listeners.unsubscribe(self.ticket, &request.uri);
        Ok(())
    }

    fn accepted_subscription_filter(
        &self,
        wanted: &SubscriptionFilter,
    ) -> Option<SubscriptionFilter> {
        Some(wanted.clone())
    }

    async fn listen(&self, context: SubscriptionContext) -> Result<(), ErrorData> {
        let ticket = self.shared.listeners.ticket();
        self.shared
            .listeners
            .join(ticket, Ear::Stream(context.sink().clone()));
        context.cancelled().await;
        self.shared.listeners.leave(ticket);
        Ok(())
    }

    async fn get_task(
        &self,
        request: GetTaskParams,
        _: Context,
    ) -> Result<GetTaskResult, ErrorData> {
        self.shared
            .tasks
            .get_task(&request.task_id)
            .map(GetTaskResult::new)
    }

    async fn update_task(&self, request: UpdateTaskParams, _: Context) -> Result<(), ErrorData> {
        self.shared
            .tasks
            .update_task(&request.task_id, request.input_responses)
    }

    async fn cancel_task(&self, request: CancelTaskParams, _: Context) -> Result<(), ErrorData> {
        self.shared.tasks.cancel_task(&request.task_id)
    }
}
