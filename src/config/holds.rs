//! `holds`: how long agents are kept waiting.
//!
//! Most clients give up after 60 s, some much earlier, and none says so. Who is known to be less
//! patient is in a table, by the name and version that the client gives; an operator's lines come
//! before it. A client that lies about its name only spoils its own waiting.

use std::time::Duration;

use super::check::{HOUR, MILLI, MINUTE, SECOND};
use super::section::{Section, Text};

/// How holds behave towards agents.
#[derive(Debug, Clone)]
pub struct Holds {
    /// How long an agent's request stays open before it is told that the call is pending.
    pub wait: Duration,
    /// How long a round of a polling agent stays open.
    pub poll: Duration,
    /// How many rounds a polling agent is sent, before it is told that the call is pending.
    pub rounds: usize,
    /// How long an approval may wait to be spent.
    pub valid: Duration,
    /// Open holds of one principal.
    pub pending_per_principal: usize,
    /// Clients with a patience of their own; the first that fits counts.
    pub clients: Vec<Patience>,
}

/// How long one sort of client waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Patience {
    /// Its name as it gives it; a `*` at the end stands for anything.
    pub name: String,
    /// Its version likewise; `*` for every one.
    pub version: String,
    /// As [`Holds::wait`].
    pub wait: Option<Duration>,
    /// As [`Holds::poll`].
    pub poll: Option<Duration>,
    /// As [`Holds::rounds`].
    pub rounds: Option<usize>,
}

/// How long a client waits, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Waits {
    /// How long a request stays open.
    pub wait: Duration,
    /// How long a round stays open, if it polls.
    pub poll: Duration,
    /// How many rounds there are at most.
    pub rounds: usize,
}

/// Measured. What is built on the Python SDK's bare session calls itself so, and the impatient one
/// among them (OpenAI Agents SDK 0.24) gives up after 5 s. A bare session answers no round by itself:
/// its caller gets an exception instead of words that a model can read. The SDK's whole client, which
/// answers them, has the same name; one that declares that it answers questions is taken for that.
const KNOWN: [(&str, &str, Duration, usize); 1] = [("mcp", "0.1.0", Duration::from_secs(4), 0)];

/// The most rounds: clients give up after ten.
const ROUNDS: usize = 8;

impl Default for Holds {
    fn default() -> Self {
        Self {
            wait: Duration::from_secs(45),
            poll: Duration::from_secs(20),
            rounds: ROUNDS,
            valid: Duration::from_secs(60 * 60),
            pending_per_principal: 20,
            clients: Vec::new(),
        }
    }
}

impl Holds {
    /// How long a client waits, and how; `answers` is whether it declared that it answers questions.
    #[must_use]
    pub fn patience(&self, name: &str, version: &str, answers: bool) -> Waits {
        let Self { wait, poll, rounds, .. } = *self;
        let fits = |own: &&Patience| matches(&own.name, name) && matches(&own.version, version);
        if let Some(own) = self.clients.iter().find(fits) {
            return Waits {
                wait: own.wait.unwrap_or(wait),
                poll: own.poll.unwrap_or(poll),
                rounds: own.rounds.unwrap_or(rounds),
            };
        }
        match KNOWN.iter().find(|known| (known.0, known.1) == (name, version)) {
            Some((.., span, most)) => {
                let rounds = if answers { rounds } else { rounds.min(*most) };
                Waits { wait: wait.min(*span), poll: poll.min(*span), rounds }
            }
            None => Waits { wait, poll, rounds },
        }
    }
}

/// Whether a word fits a pattern.
fn matches(pattern: &str, word: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(start) => word.starts_with(start),
        None => word == pattern,
    }
}

pub(super) fn holds(root: &Section<'_>) -> Holds {
    let default = Holds::default();
    let section = root.section("holds");
    let clients = section.list("clients").into_iter().filter_map(|item| {
        let client = client(&item);
        item.finish();
        client
    });
    let holds = Holds {
        clients: clients.collect(),
        // Clients give up after 60 s; the answer must be out before.
        wait: section.span("wait", default.wait, &(MILLI * 100..=SECOND * 50)),
        poll: section.span("poll", default.poll, &(MILLI * 100..=MINUTE * 10)),
        rounds: section.count("rounds", default.rounds, &(0..=ROUNDS)),
        valid: section.span("valid", default.valid, &(SECOND..=HOUR * 24 * 7)),
        pending_per_principal: section.count(
            "pending_per_principal",
            default.pending_per_principal,
            &(1..=10_000),
        ),
    };
    section.finish();
    holds
}

fn client(item: &Section<'_>) -> Option<Patience> {
    if item.has("name").is_none() {
        item.missing("name", "name: my-agent");
    }
    // A client that was told to be patient may be kept longer than others.
    let longest = MINUTE * 10;
    let span = |key, default| {
        let span = item.span(key, default, &(MILLI * 100..=longest));
        item.has(key).map(|_| span)
    };
    let (wait, poll) = (span("wait", SECOND * 45), span("poll", SECOND * 20));
    let rounds = item.count("rounds", ROUNDS, &(0..=ROUNDS));
    let rounds = item.has("rounds").map(|_| rounds);
    if wait.is_none() && poll.is_none() && rounds.is_none() {
        item.missing("wait", "wait: 4s");
    }
    let Text { text: version, .. } = item.text_or("version", "*");
    Some(Patience { name: item.text("name")?.text, version, wait, poll, rounds })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_client_that_fits_counts_and_then_what_was_measured() {
        let own = |name: &str, version: &str, wait| Patience {
            name: name.to_owned(),
            version: version.to_owned(),
            wait: Some(Duration::from_secs(wait)),
            poll: None,
            rounds: None,
        };
        let own_rounds = Patience { rounds: Some(2), ..own("rounds", "*", 45) };
        let clients =
            vec![own("slow-*", "2*", 300), own("slow-*", "*", 10), own("mcp", "9", 7), own_rounds];
        let holds = Holds { clients, ..Holds::default() };
        let waits = |wait, poll, rounds| Waits {
            wait: Duration::from_secs(wait),
            poll: Duration::from_secs(poll),
            rounds,
        };
        for (name, version, expected) in [
            ("slow-agent", "2.1", waits(300, 20, 8)),
            ("slow-agent", "1.0", waits(10, 20, 8)),
            ("slow", "2.1", waits(45, 20, 8)),
            ("rounds", "2.1", waits(45, 20, 2)),
            ("mcp", "9", waits(7, 20, 8)),
            ("mcp", "0.1.0", waits(4, 4, 0)),
            ("mcp", "0.1.1", waits(45, 20, 8)),
            ("", "", waits(45, 20, 8)),
        ] {
            assert_eq!(holds.patience(name, version, false), expected, "{name} {version}");
        }
        let short = Holds { wait: SECOND, rounds: 3, ..Holds::default() };
        assert_eq!(short.patience("mcp", "0.1.0", false), waits(1, 4, 0));
        assert_eq!(short.patience("mcp", "0.1.0", true), waits(1, 4, 3));
        assert_eq!(short.patience("other", "1", false), waits(1, 20, 3));
    }
}
