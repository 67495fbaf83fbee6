//! Plugins look at a document: apart from the runtime's threads, a few documents at a time, under a
//! deadline.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout, timeout_at};

use super::call::{Bounds, Failure, Looked};
use super::component::Component;
use super::contract::exports::portcullis::plugin::inspector::Document;
use super::contract::portcullis::plugin::types;
use super::guest::Guest;
use super::host::Host;
use super::report::{self, Seen};
use super::{Inspection, Plugin, Plugins};
use crate::domain::{Dictionary, Fault, Finding, Form, JsonText, Judge, Known, Leaf, Party, Phase};

/// How long a document waits for a slot: the plugins are in order and the machine is busy.
const QUEUE: Duration = Duration::from_secs(1);

/// A document that plugins look at.
struct Job<L: ?Sized> {
    phase: Phase,
    tool: String,
    leaves: Arc<L>,
    dictionary: Dictionary,
    /// The number of the plugin that looks now.
    at: AtomicUsize,
}

impl Plugins {
    /// Asks everybody who wants to be asked. What fails denies, by its finding.
    pub async fn inspect<L: AsRef<[Leaf]> + Send + Sync + ?Sized + 'static>(
        &self,
        phase: Phase,
        tool: &str,
        leaves: &Arc<L>,
        dictionary: &Dictionary,
    ) -> Inspection {
        let asked = || self.0.plugins.iter().filter(|plugin| plugin.looks_at(phase, tool));
        let (Some(host), Some(first)) = (&self.0.host, asked().next()) else {
            return Inspection::default();
        };
        let looked = asked().map(|plugin| plugin.name.clone()).collect();
        // The caller does not wait for them any longer; what runs keeps its slot until it really ends.
        let patience =
            asked().map(|plugin| plugin.bounds.patience()).fold(Duration::ZERO, Duration::max);
        let failed = |plugin: &Plugin, failure: &Failure| {
            let findings = vec![plugin.failed(failure)];
            Inspection { findings, ..Inspection::default() }
        };
        let late = |text: &str| Failure::new(Fault::PluginTimeout, text);
        let Some(slot) = slot(&self.0.slots).await else {
            let inspection = failed(first, &late("every slot for plugins was taken"));
            return Inspection { looked, ..inspection };
        };
        let job = Arc::new(Job {
            phase,
            tool: tool.to_owned(),
            leaves: leaves.clone(),
            dictionary: dictionary.clone(),
            at: AtomicUsize::new(0),
        });
        let deadline = Instant::now() + patience;
        let (plugins, host, running) = (self.clone(), host.clone(), job.clone());
        let task = tokio::task::spawn_blocking(move || {
            let inspection = plugins.run(&host, &running);
            drop(slot);
            inspection
        });
        let inspection = match timeout_at(deadline, task).await {
            Ok(Ok(inspection)) => inspection,
            ended => {
                let at = self.0.plugins.get(job.at.load(Ordering::Relaxed)).unwrap_or(first);
                let failure = match ended {
                    Ok(_) => Failure::new(Fault::PluginTrap, "its thread was lost"),
                    Err(_) => late("it did not answer in time"),
                };
                failed(at, &failure)
            }
        };
        Inspection { looked, ..inspection }
    }

    /// One after the other; the first that fails ends it.
    fn run<L: AsRef<[Leaf]> + ?Sized>(&self, host: &Host, job: &Job<L>) -> Inspection {
        let texts = (*job.leaves).as_ref();
        let (leaves, entries) = (lent_leaves(texts), lent_entries(job.dictionary.entries()));
        let mut inspection = Inspection::default();
        for (number, plugin) in self.0.plugins.iter().enumerate() {
            if !plugin.looks_at(job.phase, &job.tool) {
                continue;
            }
            job.at.store(number, Ordering::Relaxed);
            let document = Document {
                phase: lent_phase(job.phase),
                tool: &job.tool,
                leaves: &leaves,
                dictionary: &entries,
            };
            match plugin.look(host, document, texts) {
                Ok(mut seen) => {
                    inspection.spans.append(&mut seen.spans);
                    inspection.labels.append(&mut seen.labels);
                    let opinion = seen
                        .opinion
                        .map(|(verdict, text)| report::finding(&plugin.name, verdict, &text));
                    inspection.findings.extend(opinion);
                }
                Err(failure) => {
                    inspection.findings.push(plugin.failed(&failure));
                    return inspection;
                }
            }
        }
        inspection
    }
}

/// What a component is tried out on.
#[derive(Debug, Clone, Copy)]
pub struct Trial<'a> {
    /// What it is.
    pub phase: Phase,
    /// The tool; empty if there is none.
    pub tool: &'a str,
    /// Its texts.
    pub leaves: &'a [Leaf],
    /// What is known from elsewhere.
    pub dictionary: &'a [Known],
    /// The plugin's configuration; it must fit its schema.
    pub config: Option<&'a JsonText>,
}

impl Component {
    /// Lets it look, where the caller runs and in an instance of its own: for whoever writes plugins
    /// or tries them. The words of a failure may be the plugin's own.
    ///
    /// # Errors
    /// Why it gave nothing, in words.
    pub fn attempt(&self, host: &Host, bounds: &Bounds, on: &Trial<'_>) -> Result<Seen, String> {
        let (lent, entries) = (lent_leaves(on.leaves), lent_entries(on.dictionary));
        let (phase, tool) = (lent_phase(on.phase), on.tool);
        let document = Document { phase, tool, leaves: &lent, dictionary: &entries };
        let name: Arc<str> = self.description().name.as_str().into();
        let guest = Guest::new(name.clone(), bounds.memory).keeping();
        let config = on.config.map_or("", JsonText::as_str);
        let Looked { report, guest } =
            super::call::inspect(host, &self.pre, guest, bounds, document, config);
        let report = report
            .map_err(|failure| format!("{} ({})", failure.text, failure.rule()))?
            .map_err(|said| format!("it says: {}", super::component::words(&said)))?;
        let seen = report::read(&name, self.description(), on.leaves, report);
        let seen = seen.map_err(|failure| format!("{} ({})", failure.text, failure.rule()))?;
        Ok(Seen { log: guest.into_lines(), ..seen })
    }
}

impl Plugin {
    /// Looks at leaves where the caller runs.
    pub(super) fn look_at(
        &self,
        host: &Host,
        phase: Phase,
        leaves: &[Leaf],
        dictionary: &[Known],
    ) -> Result<Seen, Failure> {
        let (lent, entries) = (lent_leaves(leaves), lent_entries(dictionary));
        let tool = self.tools.first().map_or("", String::as_str);
        let document =
            Document { phase: lent_phase(phase), tool, leaves: &lent, dictionary: &entries };
        self.look(host, document, leaves)
    }

    fn look(&self, host: &Host, document: Document<'_>, leaves: &[Leaf]) -> Result<Seen, Failure> {
        let bytes: usize = leaves.iter().map(|leaf| leaf.text.len() + leaf.path.len()).sum();
        if bytes > self.bounds.memory / 2 {
            let text = "the texts are larger than half of its memory";
            return Err(Failure::new(Fault::PluginInputTooLarge, text));
        }
        let Some(pass) = self.breaker.pass(self.patience) else {
            let text = "it failed too often and is not asked for a while";
            return Err(Failure::new(Fault::PluginSuspended, text));
        };
        let (pre, config) =
            (&self.component.pre, self.config.as_ref().map_or("", JsonText::as_str));
        let guest = Guest::new(self.name.clone(), self.bounds.memory);
        let Looked { report, guest } =
            super::call::inspect(host, pre, guest, &self.bounds, document, config);
        let lost = guest.lines_lost();
        if lost > 0 {
            tracing::debug!(target: "portcullis::plugin", plugin = &*self.name, lost, "lines cut");
        }
        // The plugin's words may hold words of customers.
        let no_words = |_| Failure::new(Fault::PluginError, "it says that it could not look");
        let report = report?.map_err(no_words)?;
        let seen = report::read(&self.name, self.component.description(), leaves, report)?;
        pass.good();
        Ok(seen)
    }

    /// The finding of a failure, which denies.
    fn failed(&self, failure: &Failure) -> Finding {
        let (name, digest) = (&self.name, self.component.digest().short());
        let text = format!("the plugin `{name}` ({digest}) failed: {}", failure.text);
        if failure.fault == Fault::PluginSuspended {
            tracing::debug!(plugin = &**name, "{text}");
        } else {
            tracing::warn!(plugin = &**name, fault = ?failure.fault, "{text}");
        }
        Finding::fault(Judge::Plugin(name.to_string()), failure.fault, failure.rule(), text)
    }
}

async fn slot(slots: &Arc<Semaphore>) -> Option<OwnedSemaphorePermit> {
    match slots.clone().try_acquire_owned() {
        Ok(slot) => Some(slot),
        Err(_) => timeout(QUEUE, slots.clone().acquire_owned()).await.ok()?.ok(),
    }
}

fn lent_leaves(leaves: &[Leaf]) -> Vec<types::Leaf<'_>> {
    let lent = leaves.iter().map(|leaf| types::Leaf {
        document: u32::try_from(leaf.document).unwrap_or(u32::MAX),
        path: &leaf.path,
        text: &leaf.text,
        form: match leaf.form {
            Form::Text => types::Form::Text,
            Form::Html => types::Form::Html,
            Form::Key => types::Form::Key,
            Form::Number => types::Form::Number,
        },
        owner: leaf.owner.as_deref(),
        party: match leaf.party {
            Party::Unknown => types::Party::Unknown,
            Party::Customer => types::Party::Customer,
            Party::Teammate => types::Party::Teammate,
            Party::Bot => types::Party::Bot,
        },
    });
    lent.collect()
}

fn lent_entries(dictionary: &[Known]) -> Vec<types::Entry<'_>> {
    let lent = dictionary.iter().map(|known| types::Entry {
        kind: &known.kind,
        value: &known.value,
        subject: known.subject.as_deref(),
    });
    lent.collect()
}

const fn lent_phase(phase: Phase) -> types::Phase {
    match phase {
        Phase::Call => types::Phase::Call,
        Phase::Answer => types::Phase::Answer,
        Phase::Definition => types::Phase::Definition,
    }
}
