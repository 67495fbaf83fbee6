//! The tasks extension of the modern era: calls that are answered later.
//!
//! A call takes effect when its task is made; the task says `working` for a number of polls and then gives the result. Enough
//! to see whether a firewall passes tasks on, and no more.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Value, json};

use crate::simulator::calls::Outcome;

const TIME: &str = "2026-11-22T00:00:00Z";

/// All tasks by id.
#[derive(Debug, Default)]
pub(super) struct Tasks(Mutex<HashMap<String, Task>>);

#[derive(Debug)]
struct Task {
    polls: u64,
    cancelled: bool,
    result: Arc<str>,
}

impl Tasks {
    /// Makes a task of a finished result.
    pub(super) fn create(&self, id: String, polls: u64, result: Arc<str>) -> Outcome {
        let answer = Outcome::result(&described(&id, "working", "task"));
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(id, Task { polls, cancelled: false, result });
        answer
    }

    /// Answers `tasks/get`, `tasks/update` and `tasks/cancel`.
    pub(super) fn answer(&self, method: &str, params: Option<&Value>, declared: bool) -> Outcome {
        if !declared {
            let required = json!({"requiredCapabilities": {"extensions": {"io.modelcontextprotocol/tasks": {}}}});
            return Outcome::Error {
                code: -32021,
                message: "Missing required client capability".to_owned(),
                data: Some(required),
            };
        }
        let id = params
            .and_then(|params| params.get("taskId"))
            .and_then(Value::as_str)
            .unwrap_or_default();
        let mut tasks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(task) = tasks.get_mut(id) else { return Outcome::error(-32602, "Unknown task") };
        match method {
            "tasks/get" => task.state(id),
            "tasks/cancel" => {
                task.cancelled |= task.polls > 0;
                acknowledged()
            }
            _ => acknowledged(),
        }
    }
}

impl Task {
    fn state(&mut self, id: &str) -> Outcome {
        if self.cancelled {
            return Outcome::result(&described(id, "cancelled", "complete"));
        }
        if self.polls > 0 {
            self.polls -= 1;
            return Outcome::result(&described(id, "working", "complete"));
        }
        Outcome::result(&described(id, "completed", "complete"))
            .with_members(&format!(r#""result":{}"#, self.result))
    }
}

fn acknowledged() -> Outcome {
    Outcome::Result(r#"{"resultType":"complete"}"#.into())
}

fn described(id: &str, status: &str, result_type: &str) -> Value {
    json!({"resultType": result_type, "taskId": id, "status": status, "createdAt": TIME, "lastUpdatedAt": TIME, "ttlMs": 3_600_000, "pollIntervalMs": 50})
}
