//! A task of a legacy server, followed to its end (2025-11-25, "Tasks").

use crate::protocol::{InputAnswer, Outcome, TaskMethod, TaskStatus, without_related_task};

use super::UpstreamError;
use super::exchange::{Exchange, Step};
use super::task::Followed;

/// A task that is asked after, and for its result once that or a question is there.
pub(super) struct LegacyTask {
    pub(super) task: Followed,
    /// `tasks/result`, which is answered when the task has ended, and on which the server asks meanwhile.
    result: Option<Box<Exchange>>,
}

impl LegacyTask {
    pub(super) fn new(task: Followed) -> Self {
        Self { task, result: None }
    }

    /// Waits for the next step. Cancel safe.
    pub(super) async fn step(&mut self) -> Result<Step, UpstreamError> {
        loop {
            match self.task.state.status {
                TaskStatus::Cancelled => return Err(self.task.cancelled()),
                TaskStatus::Working => {}
                _ if self.result.is_some() => {}
                _ => {
                    let place = &self.task.place;
                    let asked = place.ask(TaskMethod::Result, None, place.asking());
                    self.result = Some(asked.await?);
                }
            }
            let is_over = self.task.is_over();
            tokio::select! {
                biased;
                step = next(&mut self.result) => return Ok(self.told(step?)),
                polled = self.task.polled(), if !is_over => {
                    if let Some(report) = polled?.report {
                        return Ok(Step::Event(report));
                    }
                }
            }
        }
    }

    /// What the client sees of a step of `tasks/result`: nothing of the task.
    fn told(&mut self, step: Step) -> Step {
        match step {
            Step::Asks(mut questions) => {
                for question in &mut questions {
                    question.params = question.params.take().map(without_related_task);
                }
                Step::Asks(questions)
            }
            Step::Done(Outcome::Complete(mut said)) => {
                self.task.state.status = TaskStatus::Completed;
                said.json = without_related_task(said.json);
                Step::Done(Outcome::Complete(said))
            }
            other => other,
        }
    }

    /// Answers the questions that wait.
    pub(super) async fn answer(&mut self, answers: &[InputAnswer]) {
        if let Some(result) = &mut self.result {
            result.answer(answers).await;
        }
    }
}

async fn next(exchange: &mut Option<Box<Exchange>>) -> Result<Step, UpstreamError> {
    match exchange {
        Some(exchange) => exchange.step().await,
        None => std::future::pending().await,
    }
}
