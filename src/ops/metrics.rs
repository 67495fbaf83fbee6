//! The metrics, each read from the room that knows it when somebody asks.
//!
//! | name | what |
//! |---|---|
//! | `portcullis_build_info` | the version, as a label |
//! | `portcullis_decisions_total` | decisions since start, by question and verdict |
//! | `portcullis_holds` | held calls in memory, by state |
//! | `portcullis_log_records` | durable records in the log |
//! | `portcullis_log_waiting` | events that wait to be written |
//! | `portcullis_log_writable` | 1 while records can be written |
//! | `portcullis_policy_info` | the revision that decides, as labels |
//! | `portcullis_policy_since_seconds` | since when, Unix time |
//! | `portcullis_policy_load_success` | 0 if the last revision that was offered was refused |
//! | `portcullis_policy_loads_total` | revisions offered since start, by result |
//! | `portcullis_shadow_questions_total` | questions that the candidate in shadow was asked |
//! | `portcullis_shadow_flips_total` | how often it differed |
//! | `portcullis_tape_dropped_total` | questions to policy that `replay.keep` wants and that were not kept |
//! | `portcullis_tape_writable` | 1 while they can be kept |

use std::collections::BTreeMap;
use std::fmt::Error;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric, text::encode};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;

use super::Ops;
use crate::audit;
use crate::domain::{Question, Verdict};
use crate::rollout::{Loads, PolicyStatus};
use crate::tape::TapeHealth;

/// Everything in the OpenMetrics text format.
pub(super) fn text(ops: &Ops) -> Result<String, Error> {
    let mut registry = Registry::default();
    registry.register_collector(Box::new(Seen::of(ops)));
    let mut text = String::new();
    encode(&mut text, &registry)?;
    Ok(text)
}

/// What was seen at one moment.
#[derive(Debug)]
struct Seen {
    decisions: Vec<(Question, Verdict, u64)>,
    holds: BTreeMap<&'static str, i64>,
    log: audit::Health,
    policy: PolicyStatus,
    loads: Loads,
    tape: Option<TapeHealth>,
}

impl Seen {
    fn of(ops: &Ops) -> Self {
        let mut holds = BTreeMap::new();
        ops.gate.holds().for_each(|hold| *holds.entry(hold.state.as_str()).or_default() += 1);
        Self {
            decisions: ops.gate.decided().collect(),
            holds,
            log: ops.gate.log().health(),
            policy: ops.rollout.status(),
            loads: ops.rollout.loads(),
            tape: ops.gate.tape(),
        }
    }

    fn log(&self, to: &mut Writer<'_>) -> Result<(), Error> {
        to.gauge("log_records", "Durable records in the log", count(self.log.records))?;
        let waiting = i64::try_from(self.log.queued).unwrap_or(i64::MAX);
        to.gauge("log_waiting", "Events that wait to be written", waiting)?;
        let writable = i64::from(self.log.poisoned.is_none());
        to.gauge("log_writable", "1 while records can be written", writable)
    }

    fn tape(&self, to: &mut Writer<'_>) -> Result<(), Error> {
        let Some(tape) = self.tape else { return Ok(()) };
        let help = "Questions to policy that were to be kept and were not";
        to.counters("tape_dropped", help, [(Vec::new(), tape.dropped)])?;
        let help = "1 while questions to policy can be kept";
        to.gauge("tape_writable", help, i64::from(tape.writable))
    }

    fn policy(&self, to: &mut Writer<'_>) -> Result<(), Error> {
        let (active, help) = (&self.policy.active, "The policy revision that decides");
        let mut labels = vec![
            ("revision", active.revision.short()),
            ("pinned", self.policy.pinned.to_string()),
            ("interpreted", active.interpreted_because.is_some().to_string()),
        ];
        labels.extend(active.name.clone().map(|name| ("name", name)));
        to.gauges("policy_info", help, [(labels, 1)])?;
        let since = active.since.millis() / 1000;
        to.gauge("policy_since_seconds", "Since when it decides, as Unix time", since)?;
        let attempt = self.policy.last_attempt.as_ref();
        let good = attempt.is_none_or(|attempt| attempt.error.is_none());
        let help = "0 if the last revision that was offered was refused";
        to.gauge("policy_load_success", help, i64::from(good))?;
        let loads = [("ok", self.loads.taken), ("refused", self.loads.refused)];
        let loads = loads.map(|(result, count)| (vec![("result", result.to_owned())], count));
        to.counters("policy_loads", "Revisions that were offered, by result", loads)?;
        let Some(shadow) = &self.policy.shadow else { return Ok(()) };
        let help = "Questions that the candidate in shadow was asked";
        to.counters("shadow_questions", help, [(Vec::new(), shadow.asked)])?;
        let help = "How often the candidate in shadow differed";
        to.counters("shadow_flips", help, [(Vec::new(), shadow.flips)])
    }
}

impl Collector for Seen {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> Result<(), Error> {
        let mut to = Writer(encoder);
        let version = vec![("version", env!("CARGO_PKG_VERSION").to_owned())];
        to.gauges("build_info", "The version of the program", [(version, 1)])?;
        let decisions = self.decisions.iter().map(|(question, verdict, count)| {
            let question = ("question", question.as_str().to_owned());
            (vec![question, ("verdict", verdict.as_str().to_owned())], *count)
        });
        to.counters("decisions", "Decisions by question and verdict", decisions)?;
        let states = self.holds.iter();
        let holds = states.map(|(state, count)| (vec![("state", (*state).to_owned())], *count));
        to.gauges("holds", "Held calls in memory, by state", holds)?;
        self.log(&mut to)?;
        self.tape(&mut to)?;
        self.policy(&mut to)
    }
}

type Labels = Vec<(&'static str, String)>;

/// Writes metrics under our prefix.
struct Writer<'a>(DescriptorEncoder<'a>);

impl Writer<'_> {
    fn gauge(&mut self, name: &str, help: &str, value: i64) -> Result<(), Error> {
        self.gauges(name, help, [(Vec::new(), value)])
    }

    fn gauges(
        &mut self,
        name: &str,
        help: &str,
        values: impl IntoIterator<Item = (Labels, i64)>,
    ) -> Result<(), Error> {
        let values = values.into_iter().map(|(labels, value)| (labels, ConstGauge::new(value)));
        self.family(name, help, MetricType::Gauge, values)
    }

    fn counters(
        &mut self,
        name: &str,
        help: &str,
        values: impl IntoIterator<Item = (Labels, u64)>,
    ) -> Result<(), Error> {
        let values = values.into_iter().map(|(labels, value)| (labels, ConstCounter::new(value)));
        self.family(name, help, MetricType::Counter, values)
    }

    fn family<M: EncodeMetric>(
        &mut self,
        name: &str,
        help: &str,
        kind: MetricType,
        values: impl Iterator<Item = (Labels, M)>,
    ) -> Result<(), Error> {
        let name = format!("portcullis_{name}");
        let mut family = self.0.encode_descriptor(&name, help, None, kind)?;
        for (labels, metric) in values {
            let labels: Vec<_> = labels.iter().map(|(key, value)| (*key, value.as_str())).collect();
            if labels.is_empty() {
                // Without labels there is one value.
                return metric.encode(family);
            }
            metric.encode(family.encode_family(&labels)?)?;
        }
        Ok(())
    }
}

fn count(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}
