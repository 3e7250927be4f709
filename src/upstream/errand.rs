//! What it takes to get the outcome of one call: an exchange, or, where the server makes a task of a call of a client
//! that knows nothing of tasks, the exchanges that follow it to its end as well.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::task::task_tracker::TaskTrackerToken;

use crate::protocol::{CallEvent, InputAnswer, Outcome, TASKS, TaskState};
use crate::wire::Json;

use super::exchange::{Exchange, Step};
use super::extras::Home;
use super::lease::begin;
use super::legacy_task::LegacyTask;
use super::modern_task::{ModernTask, lacks_tasks};
use super::pending::After;
use super::task::Followed;
use super::{Outgoing, UpstreamError};

/// One call under way at a server. Dropping it cancels it there.
pub struct Errand {
    // In places of their own, so that an errand is small while it is handed from one to the next.
    exchange: Box<Exchange>,
    plan: Plan,
    task: Option<Box<Task>>,
    hold: Hold,
}

/// What an errand keeps while it lasts.
struct Hold {
    /// Counts the call against the server's limit, except while it waits for its client.
    permit: Option<OwnedSemaphorePermit>,
    slots: Arc<Semaphore>,
    home: Home,
    _stay: Option<TaskTrackerToken>,
}

type Held = (OwnedSemaphorePermit, Home, Option<TaskTrackerToken>);

impl Hold {
    fn new((permit, home, stay): Held) -> Self {
        Self {
            slots: permit.semaphore().clone(),
            permit: Some(permit),
            home,
            _stay: stay,
        }
    }

    /// Takes note of what happened.
    fn note(&mut self, step: &Result<Step, UpstreamError>) {
        match step {
            Ok(Step::Asks(_)) => self.permit = None,
            Ok(Step::Done(_)) | Err(UpstreamError::Answered(_) | UpstreamError::Unasked { .. }) => {
                self.home.is_clean();
            }
            _ => {}
        }
    }

    /// The client has answered. The server is at it already: without a free place it goes on all the same.
    fn go_on(&mut self) {
        if self.permit.is_none() {
            self.permit = self.slots.clone().try_acquire_owned().ok();
        }
    }
}

/// What the answer to the request may be, besides the outcome.
pub(super) enum Plan {
    /// Nothing else.
    Outcome,
    /// A task, for the request asked for one (2025-11-25, "Tasks").
    Task(Arc<Outgoing>),
    /// A refusal, since the client cannot have tasks: then this is sent on the mux's own account (SEP-2663).
    Refusal(Arc<Outgoing>),
    /// Nothing: the request was refused and is to be sent again.
    Again(Arc<Outgoing>),
    /// A task, for the request said that the mux can have one.
    Declared(Arc<Outgoing>),
}

enum Task {
    Legacy(LegacyTask),
    Modern(ModernTask),
}

impl Task {
    fn followed(&mut self) -> &mut Followed {
        match self {
            Self::Legacy(task) => &mut task.task,
            Self::Modern(task) => &mut task.task,
        }
    }

    async fn step(&mut self) -> Result<Step, UpstreamError> {
        match self {
            Self::Legacy(task) => task.step().await,
            Self::Modern(task) => task.step().await,
        }
    }
}

impl Errand {
    pub(super) fn new(exchange: Box<Exchange>, plan: Plan, held: Held) -> Self {
        Self {
            exchange,
            plan,
            task: None,
            hold: Hold::new(held),
        }
    }

    /// From now on, progress is reported with this token, or not at all.
    pub fn report_with(&mut self, progress_token: Option<Json>) {
        if let Some(task) = &mut self.task {
            task.followed().report_with(progress_token.clone());
        }
        self.exchange.report_with(progress_token);
    }

    /// Waits for the next step. Cancel safe.
    pub async fn step(&mut self) -> Result<Step, UpstreamError> {
        let step = self.advance().await;
        self.hold.note(&step);
        step
    }

    /// What only tasks need waits in places of its own: the future of a call is made for each step.
    async fn advance(&mut self) -> Result<Step, UpstreamError> {
        loop {
            if let Some(task) = &mut self.task {
                tokio::select! {
                    biased;
                    report = reported(&mut self.exchange) => {
                        if task.followed().is_reported(&report) {
                            return Ok(Step::Event(CallEvent::Progress(report)));
                        }
                        continue;
                    }
                    step = Box::pin(task.step()) => return step.map_err(begun),
                }
            }
            if let Plan::Again(outgoing) = &mut self.plan {
                let connection = self.exchange.connection();
                self.exchange = Box::pin(begin(connection, outgoing, After::Progress)).await?;
                self.plan = Plan::Declared(outgoing.clone());
            }
            let step = self.exchange.step().await;
            if !self.goes_on(&step) {
                return step;
            }
        }
    }

    /// Answers those of the open questions whose keys these are.
    pub async fn answer(&mut self, answers: &[InputAnswer]) {
        match self.task.as_deref_mut() {
            None => self.exchange.answer(answers).await,
            Some(Task::Legacy(task)) => task.answer(answers).await,
            Some(Task::Modern(task)) => task.answer(answers).await,
        }
        self.hold.go_on();
    }

    /// Whether the errand goes on after this step in a way that the client does not see.
    fn goes_on(&mut self, step: &Result<Step, UpstreamError>) -> bool {
        let connection = || self.exchange.connection().clone();
        match (&mut self.plan, step) {
            (Plan::Task(outgoing), Ok(Step::Done(Outcome::Complete(said)))) => {
                let state = said
                    .json
                    .get("task")
                    .and_then(|task| TaskState::read(&task));
                let task = state.map(|state| Followed::new(connection(), outgoing, state));
                self.task = task.map(|task| Box::new(Task::Legacy(LegacyTask::new(task))));
                self.task.is_some()
            }
            (Plan::Declared(outgoing), Ok(Step::Done(Outcome::Complete(said)))) => {
                let kind = said.json.get("resultType");
                let is_task = kind.as_ref().and_then(Json::text).as_deref() == Some("task");
                let state = TaskState::read(&said.json).filter(|_| is_task);
                let task = state.map(|state| Followed::new(connection(), outgoing, state));
                self.task = task.map(|task| Box::new(Task::Modern(ModernTask::new(task))));
                self.task.is_some()
            }
            (Plan::Refusal(outgoing), Err(UpstreamError::Answered(error)))
                if lacks_tasks(&error.json) =>
            {
                let mut again = Outgoing::clone(outgoing);
                again.client = outgoing.client.declaring(TASKS).into();
                self.plan = Plan::Again(Arc::new(again));
                true
            }
            _ => false,
        }
    }
}

/// The next report of progress that the server makes of a request which it has answered with a task. Cancel safe.
async fn reported(exchange: &mut Exchange) -> Json {
    loop {
        match exchange.step().await {
            Ok(Step::Event(CallEvent::Progress(report))) => return report,
            Ok(_) => {}
            // Nothing more comes; how the task is, it is asked itself.
            Err(_) => std::future::pending().await,
        }
    }
}

/// A task has been started: whatever is lost from then on, the call may have happened.
fn begun(error: UpstreamError) -> UpstreamError {
    match error {
        UpstreamError::SessionLost | UpstreamError::Unavailable { .. } => UpstreamError::Lost,
        other => other,
    }
}
