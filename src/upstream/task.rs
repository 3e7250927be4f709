//! A task that the mux follows to its end on behalf of a client that knows nothing of tasks.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep_until, timeout};
use tracing::debug;

use crate::protocol::{CallEvent, Method, TaskMethod, TaskState, TaskStatus};
use crate::wire::Json;

use super::connection::Connection;
use super::exchange::Exchange;
use super::pending::Interest;
use super::{Outgoing, UpstreamError};

/// How often a task is asked after when its server does not say, and the bounds of what it may say.
const USUAL_INTERVAL: Duration = Duration::from_secs(1);
const SHORTEST_INTERVAL: Duration = Duration::from_millis(50);
const LONGEST_INTERVAL: Duration = Duration::from_secs(10);
/// How long a server may take to confirm that it gave a task up.
const CANCEL_TIME: Duration = Duration::from_secs(5);

/// Where a task is, and on whose behalf it is followed.
#[derive(Clone)]
pub(super) struct Place {
    connection: Arc<Connection>,
    /// The request that became the task.
    outgoing: Outgoing,
    id: Json,
}

impl Place {
    /// Asks about the task, with these params besides its id.
    pub(super) async fn ask(
        &self,
        method: TaskMethod,
        more: Option<(&'static str, &Json)>,
        interest: Interest,
    ) -> Result<Box<Exchange>, UpstreamError> {
        let connection = &self.connection;
        let Some(dialect) = connection.dialect() else {
            return Err(UpstreamError::Lost);
        };
        let params = Json::object([("taskId", &self.id)].into_iter().chain(more));
        let client = self.outgoing.client.clone();
        let mut outgoing = Outgoing::own(Method::Task(method), Some(params), client);
        outgoing.name = self.id.text().map(Arc::from);
        let draft = |id| dialect.draft(&outgoing, id, &connection.carrier);
        let mut exchange = connection.start(interest, draft).await?;
        // What it says of the task goes to the call that became it, and must not come after what ends that.
        exchange.heard_always();
        Ok(exchange)
    }

    /// Who can be asked on behalf of the task.
    pub(super) fn asking(&self) -> Interest {
        Interest {
            asked: Some(self.outgoing.client.clone()),
            task: Some(self.id.clone()),
            ..Interest::default()
        }
    }

    /// Tells the server that nobody waits for the task any more.
    async fn give_up(self) {
        let cancelling = async {
            let mut exchange = self
                .ask(TaskMethod::Cancel, None, Interest::default())
                .await?;
            exchange.let_go();
            exchange.result().await
        };
        tokio::select! {
            told = timeout(CANCEL_TIME, cancelling) => if !matches!(told, Ok(Ok(_))) {
                debug!(upstream = %self.connection.server, "a task was not cancelled");
            },
            () = self.connection.closed() => {}
        }
    }
}

/// A task, and when to ask after it next. Dropping it before its end cancels it.
pub(super) struct Followed {
    pub(super) place: Place,
    pub(super) state: TaskState,
    next_poll: Instant,
    poll: Option<Box<Exchange>>,
    /// How many changes the client has been told of.
    reports: u32,
    /// Who tells the client how far the task is.
    reporter: Reporter,
}

/// Who tells a client how far a task is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reporter {
    /// The mux, by what it hears of the task.
    Mux,
    /// The server itself.
    Server,
}

/// How a task is.
pub(super) struct Polled {
    /// What the client is to be told of it.
    pub(super) report: Option<CallEvent>,
    /// The server's answer.
    pub(super) task: Json,
}

impl Followed {
    /// Follows the task that this request became.
    pub(super) fn new(connection: Arc<Connection>, outgoing: &Outgoing, state: TaskState) -> Self {
        let place = Place {
            connection,
            outgoing: outgoing.clone(),
            id: state.id.clone(),
        };
        let mut followed = Self {
            place,
            state,
            next_poll: Instant::now(),
            poll: None,
            reports: 0,
            reporter: Reporter::Mux,
        };
        if followed.state.status == TaskStatus::Working {
            followed.wait();
        }
        followed
    }

    /// From now on, progress is reported with this token, or not at all.
    pub(super) fn report_with(&mut self, progress_token: Option<Json>) {
        self.place.outgoing.progress_token = progress_token;
    }

    /// Asks how the task is when it is time, and notes the answer. Cancel safe.
    pub(super) async fn polled(&mut self) -> Result<Polled, UpstreamError> {
        let poll = match &mut self.poll {
            Some(poll) => poll,
            none => {
                sleep_until(self.next_poll).await;
                let asked = self
                    .place
                    .ask(TaskMethod::Get, None, Interest::default())
                    .await?;
                none.insert(asked)
            }
        };
        let answer = poll.result().await;
        self.poll = None;
        let task = answer?;
        let new = TaskState::read(&task).ok_or_else(|| {
            UpstreamError::Broken("the server does not say how its task is".to_owned())
        })?;
        let old = std::mem::replace(&mut self.state, new);
        let is_news = (old.status, &old.message) != (self.state.status, &self.state.message);
        self.wait();
        Ok(Polled {
            report: if is_news { self.report() } else { None },
            task,
        })
    }

    /// The next poll is due after the interval that the server wishes, within bounds.
    fn wait(&mut self) {
        self.next_poll = Instant::now() + within_bounds(self.state.interval);
    }

    /// The next poll is due at once.
    pub(super) fn hurry(&mut self) {
        self.next_poll = Instant::now();
    }

    /// Whether a report of the server's own goes to the client: progress must not go back behind what the mux has said.
    pub(super) fn is_reported(&mut self, report: &Json) -> bool {
        self.reporter = Reporter::Server;
        let progress = report
            .get("progress")
            .and_then(|json| json.decode::<f64>().ok());
        self.reports == 0 || progress.is_some_and(|progress| progress > f64::from(self.reports))
    }

    /// A report of progress for the client, if it wants any and the server makes none.
    fn report(&mut self) -> Option<CallEvent> {
        if self.reporter == Reporter::Server {
            return None;
        }
        let token = self.place.outgoing.progress_token.as_ref()?;
        self.reports += 1;
        let progress = Json::encode(&self.reports);
        let message = self.state.message.as_ref();
        let members = [("progressToken", token), ("progress", &progress)]
            .into_iter()
            .chain(message.map(|message| ("message", message)));
        Some(CallEvent::Progress(Json::object(members)))
    }

    /// Whether nothing more will come of the task.
    pub(super) fn is_over(&self) -> bool {
        !matches!(
            self.state.status,
            TaskStatus::Working | TaskStatus::InputRequired
        )
    }

    /// Why there is no outcome: the task ended without one.
    pub(super) fn cancelled(&self) -> UpstreamError {
        let message = self.state.message.as_ref().and_then(Json::text);
        let message = message.map_or_else(String::new, |text| format!(": {}", text.escape_debug()));
        UpstreamError::Broken(format!("the server cancelled the task{message}"))
    }
}

impl Drop for Followed {
    fn drop(&mut self) {
        if !self.is_over() {
            let tracker = self.place.connection.tracker.clone();
            tracker.spawn(self.place.clone().give_up());
        }
    }
}

fn within_bounds(wish: Option<Duration>) -> Duration {
    let interval = wish.unwrap_or(USUAL_INTERVAL);
    interval.clamp(SHORTEST_INTERVAL, LONGEST_INTERVAL)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_sets_the_pace_within_bounds() {
        for (wish, pace) in [
            (None, 1_000),
            (Some(0), 50),
            (Some(700), 700),
            (Some(86_400_000), 10_000),
        ] {
            let wish = wish.map(Duration::from_millis);
            assert_eq!(within_bounds(wish), Duration::from_millis(pace));
        }
    }
}
