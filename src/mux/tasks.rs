//! Tasks that servers started: whose they are, and the ids under which clients know them.
//!
//! An id stays what its server made it, unless a task of another server has it already: then the later one gets
//! another, by which it is looked up. A task belongs to the caller whose call it was.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, LazyLock};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures_util::future::join_all;
use indexmap::IndexMap;
use memchr::memmem::Finder;
use parking_lot::Mutex;

use crate::catalog::Route;
use crate::protocol::{
    Method, OriginalName, RELATED_TASK, Said, ServerName, TaskMethod, related_task,
};
use crate::wire::{Json, Splice};

use super::call::{Call, Caller};
use super::error::CallError;
use super::forward::{Repeatable, plain, send, text};
use super::gather::{elements, on_one_page};
use super::hub::{Begun, Mux};

/// How many tasks are remembered, in all and of one caller; the oldest give way.
const MAX_TASKS: usize = 65_536;
const MAX_TASKS_PER_CALLER: usize = 4_096;
/// Tasks with a longer id, in bytes, are not remembered.
const MAX_ID: usize = 1_024;
/// What the beginning of a task has in it: its id, as it is or with its letters escaped.
static TASK_ID: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("taskId"));
static ESCAPE: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("\\u"));
/// How long a result may be to be taken for the beginning of a task.
const MAX_BEGINNING: usize = 64 * 1024;

/// A task, wherever it runs.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Known {
    /// Its server, and the id that it has there.
    pub(super) route: Route,
    /// Whose call it was.
    pub(super) caller: Caller,
}

/// All tasks that are remembered.
#[derive(Default)]
pub(super) struct Tasks(Mutex<Table>);

#[derive(Default)]
struct Table {
    /// By the id that clients know.
    known: IndexMap<String, Known>,
    public: HashMap<Route, String>,
    per_caller: HashMap<Caller, usize>,
}

impl Table {
    /// Forgets the oldest tasks, half of those that may be remembered at once: shifting an ordered map is not free.
    fn make_room(&mut self, caller: &Caller) {
        if self.known.len() >= MAX_TASKS {
            self.forget(MAX_TASKS / 2, |_| true);
        }
        let of_caller = self.per_caller.get(caller).copied().unwrap_or_default();
        // Who cannot be told from others has no share of its own.
        if caller.party().is_some() && of_caller >= MAX_TASKS_PER_CALLER {
            self.forget(MAX_TASKS_PER_CALLER / 2, |known| known.caller == *caller);
        }
    }

    fn forget(&mut self, mut count: usize, is_it: impl Fn(&Known) -> bool) {
        let Self {
            known,
            public,
            per_caller,
        } = self;
        known.retain(|_, task| {
            let goes = count > 0 && is_it(task);
            if goes {
                count -= 1;
                public.remove(&task.route);
                less(per_caller, &task.caller);
            }
            !goes
        });
    }
}

fn less(per_caller: &mut HashMap<Caller, usize>, caller: &Caller) {
    if let Some(count) = per_caller.get_mut(caller) {
        *count -= 1;
        if *count == 0 {
            per_caller.remove(caller);
        }
    }
}

impl Tasks {
    /// Remembers a task: the id that clients are to know it by.
    pub(super) fn learn(&self, route: Route, caller: &Caller) -> String {
        let mut table = self.0.lock();
        if route.original.as_str().len() > MAX_ID {
            return route.original.as_str().to_owned();
        }
        table.make_room(caller);
        let public = match table.public.get(&route) {
            Some(public) => public.clone(),
            None if table.known.contains_key(route.original.as_str()) => {
                URL_SAFE_NO_PAD.encode(rand::random::<[u8; 24]>())
            }
            None => route.original.as_str().to_owned(),
        };
        table.public.insert(route.clone(), public.clone());
        *table.per_caller.entry(caller.clone()).or_default() += 1;
        let caller = caller.clone();
        let before = table.known.insert(public.clone(), Known { route, caller });
        if let Some(before) = before {
            less(&mut table.per_caller, &before.caller);
        }
        public
    }

    /// The task that this caller knows by this id.
    pub(super) fn find(&self, public: &str, caller: &Caller) -> Option<Known> {
        let table = self.0.lock();
        let known = table.known.get(public)?;
        (known.caller == *caller).then(|| known.clone())
    }

    /// The id that clients know a task by, and whose it is.
    pub(super) fn public(&self, route: &Route) -> Option<(String, Caller)> {
        let table = self.0.lock();
        let public = table.public.get(route)?;
        let known = table.known.get(public)?;
        Some((public.clone(), known.caller.clone()))
    }

    /// The servers at which this caller has tasks.
    fn servers(&self, caller: &Caller) -> BTreeSet<ServerName> {
        let table = self.0.lock();
        let of_caller = table.known.values().filter(|known| known.caller == *caller);
        of_caller.map(|known| known.route.server.clone()).collect()
    }
}

/// Requests about a task, which go to the server that started it.
pub(super) async fn by_task(hub: &Mux, call: &Arc<Call>) -> Result<Begun, CallError> {
    let id = text(call.read.task_id.as_ref(), "taskId")?;
    let Some(Known { route, .. }) = hub.tasks.find(&id, &call.caller) else {
        let why = format!("unknown task `{}`", id.escape_debug());
        return Err(CallError::BadParams(why));
    };
    let mut outgoing = plain(call);
    if route.original.as_str() != id {
        let original = Json::string(route.original.as_str());
        outgoing.replace.push(("taskId", original));
    }
    outgoing.name = Some(route.original.to_shared());
    let outgoing = Arc::new(outgoing);
    send(hub, call, &route.server, outgoing, Repeatable::No).await
}

/// The caller's tasks at all servers, on one page.
pub(super) async fn list(hub: &Mux, call: &Arc<Call>) -> Result<Said, CallError> {
    on_one_page(call)?;
    let servers = hub.tasks.servers(&call.caller);
    let lists = servers.iter().filter(|server| {
        let features = hub.features(server);
        features.is_some_and(|features| features.lists_tasks())
    });
    let lists = join_all(lists.map(|server| of_server(hub, call, server))).await;
    let tasks: Vec<Json> = lists.into_iter().flatten().collect();
    let body = Json::object([("tasks", &Json::array(&tasks))]);
    Ok(Said::by_mux(body))
}

/// The caller's tasks at one server, as far as it tells them.
async fn of_server(hub: &Mux, call: &Arc<Call>, server: &ServerName) -> Vec<Json> {
    let listed = elements(hub, call, server, "tasks").await.into_iter();
    let mine = listed.filter_map(|task| {
        let (public, caller) = hub.tasks.public(&route(server, &task)?)?;
        (caller == call.caller).then(|| renamed(task, &public))
    });
    mine.collect()
}

/// The task that an object names by `taskId`.
fn route(server: &ServerName, task: &Json) -> Option<Route> {
    Some(Route {
        server: server.clone(),
        original: OriginalName::new(task.get("taskId")?.text()?.into_owned()),
    })
}

/// Whether a result can be the beginning of a task at all: most are not, and need not be scanned.
fn may_begin(result: &Json) -> bool {
    let has = |part: &Finder<'_>| part.find(result.as_bytes()).is_some();
    result.len() <= MAX_BEGINNING && (has(&TASK_ID) || has(&ESCAPE))
}

/// The object with this `taskId`.
fn renamed(task: Json, public: &str) -> Json {
    let same = |id: Json| id.text().as_deref() == Some(public);
    if task.get("taskId").is_some_and(same) {
        return task;
    }
    match Splice::new(&task) {
        Some(mut splice) => splice.set("taskId", Json::string(public)).finish(),
        None => task,
    }
}

impl Mux {
    /// A result with its task under the id that clients know; a new task is remembered.
    pub(super) fn with_public_task(&self, server: &ServerName, call: &Call, result: Json) -> Json {
        match call.method {
            Method::ToolsCall if may_begin(&result) => self.begun(server, call, result),
            Method::Task(TaskMethod::Result) => self.with_public_relation(server, result),
            Method::Task(_) => match route(server, &result).and_then(|r| self.tasks.public(&r)) {
                Some((public, _)) => renamed(result, &public),
                None => result,
            },
            _ => result,
        }
    }

    fn begun(&self, server: &ServerName, call: &Call, result: Json) -> Json {
        let kind = result.get("resultType");
        if kind.as_ref().and_then(Json::text).as_deref() == Some("task") {
            return match route(server, &result) {
                Some(route) => renamed(result, &self.tasks.learn(route, &call.caller)),
                None => result,
            };
        }
        let params = call.params.as_ref();
        let asked = params.is_some_and(|params| params.get("task").is_some());
        let Some(task) = result.get("task").filter(|_| asked) else {
            return result;
        };
        let (Some(route), Some(mut splice)) = (route(server, &task), Splice::new(&result)) else {
            return result;
        };
        let new = renamed(task.clone(), &self.tasks.learn(route, &call.caller));
        if new == task {
            return result;
        }
        splice.set("task", new).finish()
    }

    /// What a server says of a task, with the id that clients know, and whose task it is. `None`: nobody's.
    pub(super) fn public_state(
        &self,
        server: &ServerName,
        task: Json,
    ) -> Option<(Json, String, Caller)> {
        let (public, caller) = self.tasks.public(&route(server, &task)?)?;
        Some((renamed(task, &public), public, caller))
    }

    /// A message whose `_meta` names the task that it belongs to, by the id that clients know.
    pub(super) fn with_public_relation(&self, server: &ServerName, message: Json) -> Json {
        let Some(original) = related_task(&message) else {
            return message;
        };
        let route = Route {
            server: server.clone(),
            original: OriginalName::new(original.as_str()),
        };
        let public = self.tasks.public(&route).map(|(public, _)| public);
        let Some(public) = public.filter(|public| *public != original) else {
            return message;
        };
        let meta = message.get("_meta").unwrap_or_else(Json::null);
        let related = meta.get(RELATED_TASK).unwrap_or_else(Json::null);
        let (Some(mut outer), Some(mut inner)) = (Splice::new(&message), Splice::new(&meta)) else {
            return message;
        };
        inner.set(RELATED_TASK, renamed(related, &public));
        outer.set("_meta", inner.finish()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route(server: &str, id: &str) -> Route {
        Route {
            server: ServerName::new(server),
            original: OriginalName::new(id),
        }
    }

    #[test]
    fn an_id_that_two_servers_use_leads_to_both() {
        let (tasks, ada) = (Tasks::default(), Caller::new("ada"));
        assert_eq!(tasks.learn(route("a", "1"), &ada), "1");
        let second = tasks.learn(route("b", "1"), &ada);
        assert_ne!(second, "1");
        assert_eq!(tasks.learn(route("b", "1"), &ada), second);
        let leads = |id| tasks.find(id, &ada).map(|known| known.route);
        assert_eq!(leads("1"), Some(route("a", "1")));
        assert_eq!(leads(&second), Some(route("b", "1")));
        assert_eq!(tasks.find("1", &Caller::new("bob")), None);
    }

    #[test]
    fn the_oldest_tasks_of_who_has_too_many_give_way() {
        let (tasks, ada, bob) = (Tasks::default(), Caller::new("ada"), Caller::new("bob"));
        tasks.learn(route("b", "bob's"), &bob);
        for number in 0..=MAX_TASKS_PER_CALLER {
            tasks.learn(route("a", &number.to_string()), &ada);
        }
        assert_eq!(tasks.find("0", &ada), None);
        assert_eq!(tasks.public(&route("a", "0")), None);
        assert!(
            tasks
                .find(&MAX_TASKS_PER_CALLER.to_string(), &ada)
                .is_some()
        );
        assert!(tasks.find("bob's", &bob).is_some());
        let callers = MAX_TASKS / MAX_TASKS_PER_CALLER * 2;
        for number in 0..MAX_TASKS {
            let caller = Caller::new(format!("{}", number % callers));
            tasks.learn(route("c", &number.to_string()), &caller);
        }
        assert_eq!(tasks.find("bob's", &bob), None);
        let table = tasks.0.lock();
        assert!(table.known.len() <= MAX_TASKS);
        assert_eq!(table.known.len(), table.public.len());
        assert_eq!(table.known.len(), table.per_caller.values().sum::<usize>());
    }

    #[test]
    fn what_is_learnt_twice_counts_once() {
        let (tasks, ada, bob) = (Tasks::default(), Caller::new("ada"), Caller::new("bob"));
        tasks.learn(route("a", "1"), &ada);
        tasks.learn(route("a", "1"), &bob);
        assert_eq!(tasks.find("1", &ada), None);
        let counts = tasks.0.lock().per_caller.clone();
        assert_eq!(counts, HashMap::from([(bob, 1)]));
    }
}
