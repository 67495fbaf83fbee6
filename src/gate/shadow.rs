//! Shadow: a candidate ruleset that looks at live traffic and decides nothing.
//!
//! The road hands a copy of what it asked and what it was told to a bounded queue and goes on; it
//! waits for nothing and reads nothing back. A thread of its own asks the candidate the same, with
//! the same facts, and counts where it says otherwise. It works a quarter of the time at most, and
//! what does not fit the queue is dropped and counted. There is no way from here into a decision: all
//! that the road learns of a candidate is what it looks at, so that this is there to be looked at.

mod change;
mod report;
mod tally;

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use arc_swap::ArcSwapOption;
use tokio::sync::mpsc;

use crate::audit::Log;
use crate::domain::{
    Action, Approver, Call, ClientHint, Digest, Event, Finding, Principal, Question, Said, Verdict,
};
use crate::policy::{AnswerFacts, ApproveFacts, Facts, HoldFacts, Ruleset, ToolFacts, Visible};

pub use change::{Change, Contrast, Difference, differences};
pub use report::{Flip, ShadowHead, ShadowReport, ShadowState};
use tally::{Compared, Tally};

/// Questions that may wait for the candidate, and bytes of their calls and answers.
const MOST_WAITING: usize = 1024;
const MOST_WAITING_BYTES: usize = 32 * 1024 * 1024;
/// For each moment of work so many moments of rest.
const REST: u32 = 3;
/// Rest is taken in pieces of this length, because shorter ones cost more than they give.
const REST_AT: Duration = Duration::from_millis(4);
/// Records of one second. The log's queue is the road's; what goes beyond is in the report alone.
const RECORDS_A_SECOND: u32 = 100;

/// The place beside the road; mostly empty.
#[derive(Default)]
pub(super) struct Shadow(ArcSwapOption<Watch>);

/// A candidate that watches.
struct Watch {
    /// The questions for which it wants to know what a principal lately did.
    trail: Vec<Question>,
    /// Whether it looks at what a call would change, and at what was counted in answers.
    targets: bool,
    counts: bool,
    queue: mpsc::Sender<Asked>,
    shared: Arc<Shared>,
}

/// What both sides of the queue know.
struct Shared {
    waiting_bytes: AtomicUsize,
    dropped: AtomicU64,
    tally: Mutex<Tally>,
}

/// One question that was put to the active ruleset, and what it said.
struct Asked {
    active: Digest,
    facts: Facts,
    bytes: usize,
    what: What,
}

/// The parts of a question. `own` is the strictest verdict of the other judges.
enum What {
    Call { call: Call, own: Verdict, said: Finding },
    Answer { call: Call, answer: AnswerFacts, own: Verdict, said: Finding },
    Tools { principal: Principal, client: ClientHint, tools: Vec<ToolFacts>, said: Visible },
    Release { approver: Approver, action: Action, hold: HoldFacts, call: Call, said: Finding },
}

impl Shadow {
    /// Puts a candidate beside the road, in place of the one that is there.
    pub(super) fn start(
        &self,
        candidate: Ruleset,
        report: ShadowReport,
        log: Log,
    ) -> std::io::Result<()> {
        let (queue, asked) = mpsc::channel(MOST_WAITING);
        let shared = Arc::new(Shared {
            waiting_bytes: AtomicUsize::new(0),
            dropped: AtomicU64::new(0),
            tally: Mutex::new(Tally::new(report)),
        });
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
        let trail = Question::ALL.into_iter().filter(|it| candidate.looks_at_trail(*it)).collect();
        let (targets, counts) = (candidate.looks_at_targets(), candidate.counts_answers());
        let worker =
            Worker { candidate, log, shared: shared.clone(), second: Instant::now(), recorded: 0 };
        // Ends when the queue's other end is gone.
        std::thread::Builder::new()
            .name("portcullis-shadow".to_owned())
            .spawn(move || runtime.block_on(worker.work(asked)))?;
        self.0.store(Some(Arc::new(Watch { trail, targets, counts, queue, shared })));
        Ok(())
    }

    /// Takes the candidate away; what it has seen so far.
    pub(super) fn stop(&self) -> Option<ShadowReport> {
        self.0.swap(None).map(|watch| watch.report())
    }

    /// What the candidate has seen so far.
    pub(super) fn report(&self) -> Option<ShadowReport> {
        self.0.load().as_ref().map(|watch| watch.report())
    }

    /// Whether there is a candidate that looks at what calls would change.
    pub(super) fn looks_at_targets(&self) -> bool {
        self.0.load().as_ref().is_some_and(|watch| watch.targets)
    }

    /// Whether there is a candidate that looks at what was counted in answers. What came before it has
    /// been counted only if the active ruleset wanted that.
    pub(super) fn counts_answers(&self) -> bool {
        self.0.load().as_ref().is_some_and(|watch| watch.counts)
    }

    /// Whether there is a candidate that looks at the trail for this question.
    pub(super) fn looks_at_trail(&self, question: Question) -> bool {
        self.0.load().as_ref().is_some_and(|watch| watch.trail.contains(&question))
    }

    /// A call was judged; `others` are the findings beside policy's. A call that was edited by its
    /// duties was seen before it was.
    pub(super) fn call(
        &self,
        ruleset: &Ruleset,
        call: &Call,
        facts: &Facts,
        others: &[Finding],
        said: &Finding,
    ) {
        if !call.meta.notes.is_empty() {
            return;
        }
        self.offer(ruleset, facts, call.payload.bytes().len(), || What::Call {
            call: call.clone(),
            own: strictest(others),
            said: said.clone(),
        });
    }

    /// An answer was judged.
    pub(super) fn answer(
        &self,
        ruleset: &Ruleset,
        (call, answer): (&Call, &AnswerFacts),
        facts: &Facts,
        others: &[Finding],
        said: &Finding,
    ) {
        let bytes = usize::try_from(answer.bytes).unwrap_or(usize::MAX);
        let bytes = bytes.saturating_add(call.payload.bytes().len());
        self.offer(ruleset, facts, bytes, || What::Answer {
            call: call.clone(),
            answer: answer.clone(),
            own: strictest(others),
            said: said.clone(),
        });
    }

    /// A list of tools was judged.
    pub(super) fn tools(
        &self,
        ruleset: &Ruleset,
        (principal, client): (&Principal, &ClientHint),
        tools: &[ToolFacts],
        facts: &Facts,
        said: &Visible,
    ) {
        self.offer(ruleset, facts, 0, || What::Tools {
            principal: principal.clone(),
            client: client.clone(),
            tools: tools.to_vec(),
            said: said.clone(),
        });
    }

    /// A person's right to decide on a hold was judged.
    pub(super) fn release(
        &self,
        ruleset: &Ruleset,
        ask: &ApproveFacts<'_>,
        facts: &Facts,
        said: &Finding,
    ) {
        self.offer(ruleset, facts, ask.call.payload.bytes().len(), || What::Release {
            approver: ask.approver.clone(),
            action: ask.action,
            hold: ask.hold.clone(),
            call: ask.call.clone(),
            said: said.clone(),
        });
    }

    /// Puts a question into the queue if there is a candidate and room; copies nothing otherwise.
    fn offer(&self, ruleset: &Ruleset, facts: &Facts, bytes: usize, what: impl FnOnce() -> What) {
        let watch = self.0.load();
        let Some(watch) = watch.as_ref() else { return };
        let shared = &watch.shared;
        let Ok(place) = watch.queue.try_reserve() else {
            shared.dropped.fetch_add(1, Ordering::Relaxed);
            return;
        };
        let waiting = shared.waiting_bytes.fetch_add(bytes, Ordering::Relaxed);
        if waiting.saturating_add(bytes) > MOST_WAITING_BYTES {
            shared.waiting_bytes.fetch_sub(bytes, Ordering::Relaxed);
            shared.dropped.fetch_add(1, Ordering::Relaxed);
            return;
        }
        let active = ruleset.revision();
        place.send(Asked { active, facts: facts.clone(), bytes, what: what() });
    }
}

impl Watch {
    fn report(&self) -> ShadowReport {
        let dropped = self.shared.dropped.load(Ordering::Relaxed);
        self.shared.tally.lock().unwrap_or_else(PoisonError::into_inner).report(dropped)
    }
}

pub(super) fn strictest(findings: &[Finding]) -> Verdict {
    findings.iter().map(effective).fold(Verdict::Allow, Verdict::join)
}

/// What a finding comes to: a judge that failed denies.
fn effective(finding: &Finding) -> Verdict {
    if finding.fault.is_some() { Verdict::Deny } else { finding.verdict }
}

/// The other end of the queue.
struct Worker {
    candidate: Ruleset,
    log: Log,
    shared: Arc<Shared>,
    /// When the present second of records began, and how many it has.
    second: Instant,
    recorded: u32,
}

impl Worker {
    async fn work(mut self, mut queue: mpsc::Receiver<Asked>) {
        let mut owed = Duration::ZERO;
        while let Some(asked) = queue.recv().await {
            let began = Instant::now();
            let bytes = asked.bytes;
            let compared = self.compare(asked).await;
            self.shared.waiting_bytes.fetch_sub(bytes, Ordering::Relaxed);
            self.note(compared);
            owed += began.elapsed() * REST;
            if owed >= REST_AT {
                tokio::time::sleep(std::mem::take(&mut owed)).await;
            }
        }
    }

    /// Asks the candidate what the active ruleset was asked.
    async fn compare(&self, asked: Asked) -> Compared {
        let Asked { active, facts, what, .. } = asked;
        let compared = |question, call: &Call, tool: Option<&str>| Compared {
            question,
            active,
            call: Some(call.id),
            principal: call.principal.id.clone(),
            tool: tool.map(str::to_owned),
            by: None,
            late: false,
            flips: Vec::new(),
        };
        match what {
            What::Call { call, own, said } => {
                let says = self.candidate.admit(&call, &facts).await;
                let all = compared(Question::Admit, &call, call.subject.tool());
                all.findings(own, &said, &says)
            }
            What::Answer { call, answer, own, said } => {
                let says = self.candidate.disclose(&call, &answer, &facts).await;
                let all = compared(Question::Disclose, &call, call.subject.tool());
                all.findings(own, &said, &says)
            }
            What::Release { approver, action, hold, call, said } => {
                let ask = ApproveFacts { approver: &approver, action, hold: &hold, call: &call };
                let says = self.candidate.approve(&ask, &facts).await;
                let all = compared(Question::Approve, &call, call.subject.tool());
                Compared { by: Some(approver.id), ..all }.findings(Verdict::Allow, &said, &says)
            }
            What::Tools { principal, client, tools, said } => {
                let says = self.candidate.visible(&principal, &client, &tools, &facts).await;
                let all = Compared {
                    question: Question::Visible,
                    active,
                    call: None,
                    principal: principal.id,
                    tool: None,
                    by: None,
                    late: false,
                    flips: Vec::new(),
                };
                all.said(Verdict::Allow, Said::from(&said), Said::from(&says))
            }
        }
    }

    /// Counts, and records what would have been decided otherwise.
    fn note(&mut self, compared: Compared) {
        if self.second.elapsed() >= Duration::from_secs(1) {
            (self.second, self.recorded) = (Instant::now(), 0);
        }
        let revision = self.candidate.revision();
        let mut unrecorded = 0;
        for facts in compared.records(revision) {
            let room = self.recorded < RECORDS_A_SECOND;
            if room && self.log.append_later(Event::Shadow(facts)).is_ok() {
                self.recorded += 1;
            } else {
                unrecorded += 1;
            }
        }
        let mut tally = self.shared.tally.lock().unwrap_or_else(PoisonError::into_inner);
        tally.add(compared, unrecorded);
    }
}
