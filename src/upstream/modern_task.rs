//! A task of a modern server, followed to its end (2026-07-28, SEP-2663).

use std::collections::HashSet;

use crate::protocol::{
    Era, InputAnswer, InputRequest, Outcome, RpcError, Said, TASKS, TaskMethod, TaskStatus, code,
    read_input_required, without_error,
};
use crate::wire::Json;

use super::UpstreamError;
use super::exchange::{Exchange, Step};
use super::pending::Interest;
use super::task::Followed;

/// How many questions one task may ask.
const MAX_QUESTIONS: usize = 1_024;

/// A task that is asked after, and given the answers that it waits for.
pub(super) struct ModernTask {
    pub(super) task: Followed,
    /// Questions that the client was asked: they stay with the task until the server has heeded the answer.
    asked: HashSet<String>,
    /// Those among them that the client has not answered yet.
    open: Vec<InputRequest>,
    /// The answers that the server has not been given yet.
    given: Vec<(String, Json)>,
    update: Option<Box<Exchange>>,
    /// Why it goes no further.
    failed: Option<UpstreamError>,
}

/// Whether a server refused a request only because the client cannot have tasks.
pub(super) fn lacks_tasks(error: &Json) -> bool {
    let required = error
        .get("data")
        .and_then(|data| data.get("requiredCapabilities"));
    let extensions = required.and_then(|required| required.get("extensions"));
    RpcError::code_of(error) == Some(code::MISSING_CAPABILITY)
        && extensions.is_some_and(|extensions| extensions.get(TASKS).is_some())
}

impl ModernTask {
    pub(super) fn new(task: Followed) -> Self {
        Self {
            task,
            asked: HashSet::new(),
            open: Vec::new(),
            given: Vec::new(),
            update: None,
            failed: None,
        }
    }

    /// Waits for the next step. Cancel safe.
    pub(super) async fn step(&mut self) -> Result<Step, UpstreamError> {
        loop {
            if let Some(error) = self.failed.take() {
                return Err(error);
            }
            if let Some(update) = &mut self.update {
                update.result().await?;
                self.update = None;
                self.task.hurry();
            }
            let polled = self.task.polled().await?;
            match self.task.state.status {
                TaskStatus::Completed => return done(&polled.task),
                TaskStatus::Failed => return Err(failure(&polled.task)),
                TaskStatus::Cancelled => return Err(self.task.cancelled()),
                TaskStatus::Working => {}
                TaskStatus::InputRequired => {
                    if let Some(questions) = self.questions(&polled.task)? {
                        return Ok(questions);
                    }
                }
            }
            if let Some(report) = polled.report {
                return Ok(Step::Event(report));
            }
        }
    }

    /// What the client has not been asked yet.
    fn questions(&mut self, task: &Json) -> Result<Option<Step>, UpstreamError> {
        let (mut questions, _) = read_input_required(task);
        questions.retain(|question| self.asked.insert(question.key.clone()));
        if self.asked.len() > MAX_QUESTIONS {
            let why = "the server asks without end".to_owned();
            return Err(UpstreamError::Broken(why));
        }
        self.open.extend(questions.iter().cloned());
        Ok((!questions.is_empty()).then_some(Step::Asks(questions)))
    }

    /// Passes the answers on once all are there.
    pub(super) async fn answer(&mut self, answers: &[InputAnswer]) {
        for answer in answers {
            let is_it = |question: &InputRequest| question.key == answer.key;
            let Some(at) = self.open.iter().position(is_it) else {
                continue;
            };
            let method = self.open.remove(at).method;
            match without_error(&method, answer.body.clone()) {
                Ok(result) => self.given.push((answer.key.clone(), result)),
                Err(error) => self.failed = Some(UpstreamError::Refused { method, error }),
            }
        }
        if self.open.is_empty() && self.failed.is_none() {
            self.update().await;
        }
    }

    async fn update(&mut self) {
        let given = std::mem::take(&mut self.given);
        let answers = Json::object(given.iter().map(|(key, answer)| (key.as_str(), answer)));
        let more = Some(("inputResponses", &answers));
        let place = &self.task.place;
        match place
            .ask(TaskMethod::Update, more, Interest::default())
            .await
        {
            Ok(update) => self.update = Some(update),
            Err(error) => self.failed = Some(error),
        }
    }
}

fn done(task: &Json) -> Result<Step, UpstreamError> {
    let result = task.get("result").ok_or_else(|| {
        UpstreamError::Broken("the server completed a task without a result".to_owned())
    })?;
    Ok(Step::Done(Outcome::Complete(Said::by(Era::Modern, result))))
}

fn failure(task: &Json) -> UpstreamError {
    match task
        .get("error")
        .filter(|error| RpcError::code_of(error).is_some())
    {
        Some(error) => UpstreamError::Answered(Said::by(Era::Modern, error)),
        None => {
            UpstreamError::Broken("the task failed, and the server does not say why".to_owned())
        }
    }
}
