//! Policy: the only place that knows Rego.
//!
//! A [`Ruleset`] is a bundle that was read, checked, compiled and tried as a whole; it never
//! changes, and a decision is bound to its revision. It answers the four questions. Authors write
//! partial rules in `portcullis.rules.<question>`; the built-in library in `policies/lib` joins
//! them, deny over hold over allow, and denies where nothing spoke.
//!
//! On the road: `gate` asks `visible` for a list, `admit` before a call is sent, `disclose` before
//! anything goes back, `approve` when a person decides. This module must never let an unclear
//! answer pass: undefined, error, panic, time-out, a shape other than the contract's, too large an
//! input, each becomes a finding that denies, with the fault's name.
//!
//! The choice that keeps the rest simple: a bundle must compile to the engine's bytecode, all of
//! it, or it is not loaded. So every rule and every builtin that can run is known beforehand.
//! Whether bytecode also decides, on the caller's own worker and four times faster, or the
//! interpreter on a thread apart, is settled at load by what the bundle uses (`sound`).

mod advice;
mod answer;
mod apart;
pub mod asked;
mod assigned;
mod builtins;
mod bundle;
mod calls;
mod capabilities;
mod confirming;
mod coverage;
mod engine;
mod eval;
mod explain;
mod facts;
mod helpers;
mod input;
mod json;
mod kind;
mod lint;
mod load;
mod looks;
mod matrix;
mod memo;
mod metadata;
mod obligations;
mod own;
mod paths;
mod presence;
mod problem;
mod redacting;
mod replay;
mod schema;
mod sound;
mod sprintf;
mod syntax;
mod testing;
#[cfg(test)]
mod tests;
mod timing;
mod trial;
mod wants;

use std::collections::BTreeSet;
use std::sync::Arc;

use tokio::time::Instant;

pub use asked::{Asked, Caller, Misasked, Ruled, Written};
pub use bundle::{
    Algorithm, Bundle, Fingerprint, KeyError, Keys, MAX_ARCHIVE_BYTES, Manifest, SigningKey, Source,
};
pub use capabilities::capabilities;
pub use coverage::FileCoverage;
pub use eval::{Answer, Both, EvalError, Results, question_of};
pub use explain::{Case, Explanation, Helper, Read, Stop, Story, StoryOutcome, WithRole};
pub use facts::{AnswerFacts, AnswerKind, ApproveFacts, Facts, Found, HoldFacts, Seen, ToolFacts};
pub use input::MAX_CALL_BYTES;
pub use kind::{Kind, Severity};
pub use load::Lookers;
pub use matrix::{Cell, Matrix, MatrixRow, MatrixTool};
pub use problem::{LoadErrors, Problem};
pub use replay::Replay;
pub use schema::{data_schema, input_schema};
pub use testing::{TestOutcome, TestResult, TestRun, WrittenCase, cases, test};
pub use timing::Timing;

use crate::domain::{
    Announced, Call, ClientHint, Digest, Fault, Finding, Judge, Principal, Question, Reason, Said,
    Verdict,
};
use answer::{Ruling, Sites};
use apart::Apart;
use bundle::File;
use engine::{Budget, Failure, Prepared};
use input::Document;
use load::Loaded;
use memo::{Kept, Memo};
use wants::Want;

/// Makes every check of a bundle; gives all that was found, warnings too.
#[must_use]
pub fn check(source: &Source, lookers: Lookers<'_>) -> Vec<Problem> {
    match bundle::files(source) {
        Ok(files) => load::findings(&files, lookers),
        Err(errors) => errors.into_problems(),
    }
}

/// Whether somebody looks for every kind that a bundle's rules are seen to redact, without the other
/// checks.
///
/// # Errors
/// Every rule that would find nothing, or why the bundle cannot be read.
pub fn seen_by(source: &Source, announced: &Announced) -> Result<(), LoadErrors> {
    load::unseen(&bundle::files(source)?, announced)
}

/// The names of the roles that the data of a bundle has, as the shipped rules read them
/// (`data.roles`); none if it keeps roles in some other way.
///
/// # Errors
/// If the bundle cannot be read.
pub fn roles(source: &Source) -> Result<Option<BTreeSet<String>>, LoadErrors> {
    load::roles(&bundle::files(source)?)
}

/// A checked and prepared bundle. Immutable: a reload makes a new one.
pub struct Ruleset {
    revision: Digest,
    prepared: Prepared,
    sites: Sites,
    apart: Arc<Apart>,
    memo: Memo,
    counts_answers: bool,
    /// Whether past questions are put to it: there is time then, and nobody waits.
    replays: bool,
}

/// The longest call that is evaluated where the caller runs. Every allowed builtin is then done in
/// microseconds, and the instruction budget bounds how many there can be.
const QUICK_CALL_BYTES: usize = 32 * 1024;

/// The tools that a principal may see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Visible {
    /// Names out of those offered; empty if policy did not answer properly.
    pub tools: BTreeSet<String>,
    /// How policy came to it: `allow`, or a fault.
    pub finding: Finding,
}

impl From<&Visible> for Said {
    fn from(visible: &Visible) -> Self {
        let said = Self::from(&visible.finding);
        let is_shown = |_: &&String| said.verdict == Verdict::Allow;
        let tools = Some(visible.tools.iter().filter(is_shown).cloned().collect());
        Self { tools, ..said }
    }
}

impl Ruleset {
    /// Reads, checks, compiles and tries a bundle.
    ///
    /// # Errors
    /// Every problem that was found, with file, line and column.
    pub fn load(source: &Source) -> Result<Self, LoadErrors> {
        Self::of(&Bundle::read(source)?)
    }

    /// Checks, compiles and tries a bundle that was read.
    ///
    /// # Errors
    /// Every problem that was found, with file, line and column.
    pub fn of(bundle: &Bundle) -> Result<Self, LoadErrors> {
        let files = bundle.files()?;
        Ok(Self::new(&files, load::load(&files)?))
    }

    fn new(files: &[File], loaded: Loaded) -> Self {
        let Loaded { prepared, sites } = loaded;
        Self {
            revision: bundle::revision(files),
            memo: Memo::new(&prepared.wants),
            counts_answers: prepared.wants.of_answers_counted(),
            prepared,
            sites,
            apart: Apart::new(apart::DEADLINE),
            replays: false,
        }
    }

    /// The digest over all files of the bundle and the library.
    #[must_use]
    pub const fn revision(&self) -> Digest {
        self.revision
    }

    /// Whether somebody looks for every kind that its rules are seen to redact.
    ///
    /// # Errors
    /// Every rule that would find nothing, with what to do.
    pub fn seen_by(&self, announced: &Announced) -> Result<(), LoadErrors> {
        redacting::check(&self.prepared.redacting, announced)
    }

    /// Why the slower interpreter decides instead of bytecode; `None` if bytecode does. For the
    /// log at start.
    #[must_use]
    pub fn interpreted_because(&self) -> Option<&str> {
        self.prepared.obstacle.as_deref()
    }

    /// Whether a rule may demand that the agent says why it calls.
    #[must_use]
    pub const fn asks_why(&self) -> bool {
        self.prepared.asks_why
    }

    /// Whether a rule may look at what a write would change.
    #[must_use]
    pub fn looks_at_targets(&self) -> bool {
        [Question::Admit, Question::Disclose, Question::Approve]
            .into_iter()
            .any(|question| self.want(question).of("target").is_some())
    }

    /// Whether the rules of a question refer to the principal's trail.
    #[must_use]
    pub fn looks_at_trail(&self, question: Question) -> bool {
        self.want(question).of("trail").is_some()
    }

    /// Whether the rules of a question refer to what plugins saw.
    #[must_use]
    pub fn looks_at_findings(&self, question: Question) -> bool {
        let want = self.want(question);
        want.of("findings").is_some() || want.of("labels").is_some()
    }

    /// Whether a rule refers to what is counted of answers: then every answer must be counted.
    #[must_use]
    pub fn counts_answers(&self) -> bool {
        self.counts_answers
    }

    /// Which of the offered tools may this principal see?
    pub async fn visible(
        &self,
        principal: &Principal,
        client: &ClientHint,
        tools: &[ToolFacts],
        facts: &Facts,
    ) -> Visible {
        let document =
            input::visible(principal, client, tools, facts, self.want(Question::Visible));
        shown(self.offered(principal.id.as_str(), document).await, tools, &self.sites)
    }

    /// May this call go to Intercom? `allow`, `hold` or `deny`.
    pub async fn admit(&self, call: &Call, facts: &Facts) -> Finding {
        let document = input::admit(call, facts, self.want(Question::Admit));
        self.rule(call.principal.id.as_str(), Question::Admit, document).await
    }

    /// May this answer to the call go to the principal? `allow` or `deny`.
    pub async fn disclose(&self, call: &Call, answer: &AnswerFacts, facts: &Facts) -> Finding {
        let document = input::disclose(call, answer, facts, self.want(Question::Disclose));
        let caller = call.principal.id.as_str();
        let finding = self.rule(caller, Question::Disclose, document).await;
        self.prepared.looks.over(finding, answer)
    }

    /// May this person release this hold now? `allow` or `deny`.
    pub async fn approve(&self, ask: &ApproveFacts<'_>, facts: &Facts) -> Finding {
        let document = input::approve(ask, facts, self.want(Question::Approve));
        self.rule(ask.approver.id.as_str(), Question::Approve, document).await
    }

    async fn rule(
        &self,
        caller: &str,
        question: Question,
        document: Result<Document, Failure>,
    ) -> Finding {
        let Document { value, bytes } = match document {
            Ok(document) => document,
            Err(failure) => return fault(failure),
        };
        if let Some(Kept::Finding(finding)) = self.memo.get(question, &value) {
            return Finding::clone(&finding);
        }
        let input = self.memo.keeps(question).then(|| value.clone());
        let answer = self.evaluate(caller, question, value, bytes).await;
        let finding = settled(question, answer, &self.sites);
        if let (Some(input), None) = (input, finding.fault) {
            self.memo.put(question, input, Kept::Finding(Arc::new(finding.clone())));
        }
        finding
    }

    /// The answer to `visible`, as the engine gives it: what is shown of it depends on the tools on offer.
    async fn offered(&self, caller: &str, document: Document) -> Result<regorus::Value, Failure> {
        let question = Question::Visible;
        let Document { value, bytes } = document;
        if let Some(Kept::Answer(answer)) = self.memo.get(question, &value) {
            return Ok(answer);
        }
        let input = self.memo.keeps(question).then(|| value.clone());
        let answer = self.evaluate(caller, question, value, bytes).await?;
        if let Some(input) = input {
            self.memo.put(question, input, Kept::Answer(answer.clone()));
        }
        Ok(answer)
    }

    async fn evaluate(
        &self,
        caller: &str,
        question: Question,
        input: regorus::Value,
        bytes: usize,
    ) -> Result<regorus::Value, Failure> {
        if self.replays {
            self.prepared.ask(question, input, Budget::TRIAL)
        } else if self.prepared.obstacle.is_none()
            && bytes <= QUICK_CALL_BYTES
            && !self.apart.overran_lately(caller, Instant::now())
        {
            self.apart.ask_here(&self.prepared, caller, question, input, Budget::DEFAULT)
        } else {
            self.apart.ask(&self.prepared, caller, question, input, Budget::DEFAULT).await
        }
    }

    fn want(&self, question: Question) -> &Want {
        self.prepared.wants.of_question(question)
    }
}

impl std::fmt::Debug for Ruleset {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Ruleset({})", self.revision)
    }
}

/// What an answer of the engine means.
fn settled(question: Question, answer: Result<regorus::Value, Failure>, sites: &Sites) -> Finding {
    match answer.and_then(|value| answer::ruling(question, &value, sites)) {
        Ok(ruling) => finding(ruling),
        Err(failure) => fault(failure),
    }
}

/// What an answer of the engine shows of the tools on offer.
fn shown(answer: Result<regorus::Value, Failure>, tools: &[ToolFacts], sites: &Sites) -> Visible {
    let offered = tools.iter().map(|tool| tool.name.clone()).collect();
    match answer.and_then(|value| answer::shown(&value, &offered, sites)) {
        Ok((tools, reasons)) => {
            let ruling =
                Ruling { verdict: Verdict::Allow, reasons, obligations: Vec::new(), release: None };
            Visible { tools, finding: finding(ruling) }
        }
        Err(failure) => Visible { tools: BTreeSet::new(), finding: fault(failure) },
    }
}

fn finding(ruling: Ruling) -> Finding {
    let Ruling { verdict, reasons, obligations, release } = ruling;
    Finding { judge: Judge::Policy, verdict, reasons, obligations, release, fault: None }
}

fn fault(failure: Failure) -> Finding {
    let rule = match failure.fault {
        Fault::PolicyPanic => "portcullis.policy_panic",
        Fault::PolicyTimeout => "portcullis.policy_timeout",
        Fault::PolicyInvalidResult => "portcullis.policy_invalid_result",
        Fault::PolicyInputTooLarge => "portcullis.policy_input_too_large",
        _ => "portcullis.policy_error",
    };
    // Only the bound on a call's size is something that an agent can keep.
    let internal = failure.fault != Fault::PolicyInputTooLarge;
    let reason = Reason { at: failure.at, internal, ..Reason::new(rule, failure.text) };
    Finding {
        judge: Judge::Policy,
        verdict: Verdict::Deny,
        reasons: vec![reason],
        obligations: Vec::new(),
        release: None,
        fault: Some(failure.fault),
    }
}
