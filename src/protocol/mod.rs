//! The words of MCP as pure data: names, kinds, methods, revisions, outcomes and error objects.
//!
//! Everything that the rooms say to each other about a request is spelt here once, so that the upstream
//! side, the hub and the downstream side agree on it without knowing each other.
//!
//! Invariant: nothing here does I/O, waits, spawns, or knows the configuration.

mod client;
mod headers;
mod hints;
mod input;
mod kind;
mod level;
mod meta;
mod method;
mod model;
mod names;
mod outcome;
mod params;
mod rpc_error;
mod task;
mod version;

pub use client::{ClientProfile, InputKind, Structured};
pub use headers::{HeaderText, ParamHeader, ParamHeaders};
pub use hints::{CacheScope, Hints};
pub use input::{
    InputAnswer, InputRequest, elicitation_cancelled, input_required, read_answers,
    read_input_required, signed, signed_result, without_error,
};
pub use kind::Kind;
pub use level::{LogLevel, LogWish};
pub use meta::{Meta, keys};
pub use method::{Method, RoutedBy, TaskMethod, notification};
pub use model::{Identity, SKILLS, ServerFeatures};
pub use names::{OriginalName, PublicName, ServerName};
pub use outcome::{CallEvent, Outcome, Said};
pub use params::CallParams;
pub use rpc_error::{RpcError, code};
pub use task::{
    RELATED_TASK, TASKS, TaskState, TaskStatus, related_task, requires_task, without_related_task,
};
pub use version::{Era, ProtocolVersion};
