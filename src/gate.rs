//! The one road: admit, disclose, decide, release.
//!
//! Every `if` about policy is here or in [`crate::domain`]. The order of each function is the order
//! of the architecture: judge under one ruleset snapshot, join, record, and only then act. A
//! [`Permit`] can be made in this module alone, from a decision and the log's receipt for it, and
//! it owns the call that was judged, so that what is sent is what was judged.

mod barred;
mod binding;
mod confirm;
mod counted;
mod definitions;
mod denial;
mod disclosure;
mod drafts;
mod duties;
mod edit;
mod granting;
mod inspection;
mod kept;
mod looked;
mod looks;
mod opening;
mod own_call;
mod pausing;
mod people;
mod permit;
mod pseudonyms;
mod recorded;
mod redaction;
mod release;
mod settings;
mod shadow;
mod standing;
mod stored;
mod taped;
mod weigh;

use std::collections::BTreeSet;
use std::sync::Arc;

use arc_swap::ArcSwap;

use crate::audit::{Log, LogError};
use crate::domain::{
    Call, ClientHint, Decision, Digest, Effect, Event, Finding, Hold, HoldState, Principal,
    Question, Tally, Verdict, decide,
};
use crate::holds::{Grants, HoldError, Holds};
use crate::intercom::records::Gone;
use crate::intercom::{PinnedTool, Pins};
use crate::plugin::Plugins;
use crate::policy::{AnswerFacts, Facts, Ruleset};
use crate::store::{SealError, Sealer};
use crate::tape::{Rounds, Tape, TapeHealth};
use crate::trail::Weighed;
use crate::vault::Vault;

use counted::Counted;
use definitions::Definitions;
use drafts::Draft;
use kept::Kept;
use looks::Look;
use shadow::Shadow;
use taped::round;

pub use confirm::{Askable, Confirming, Posed};
pub use denial::{Denial, refusal};
pub use disclosure::Disclosure;
pub use duties::{OBLIGATION, TARGET_UNKNOWN, UNSAID, unsaid};
pub use granting::{Granting, Term};
pub use looked::{Looked, Target, has_target};
pub use pausing::PauseError;
pub use people::{DecideError, Deciding};
pub use permit::{Permit, Spent};
pub use recorded::recorded_digest;
pub use release::{ReleaseError, Released, Settled};
pub use settings::{CANNOT_WAIT, Folds, Holding, Secrets, Settings};
pub use shadow::{
    Change, Contrast, Difference, Flip, ShadowHead, ShadowReport, ShadowState, differences,
};
pub use stored::Contents;
use weigh::Books;

/// What `admit` says of a call, recorded.
#[must_use]
pub enum Admission {
    /// It may go.
    Go(Box<Permit>),
    /// It ends here; the agent is told why.
    Denied(Box<Denial>),
    /// It waits for a person.
    Held(Box<Hold>),
}

/// Why a call could not be judged and recorded. Nothing was sent.
#[derive(Debug, thiserror::Error)]
pub enum GateError {
    /// The log refused: no record, no road.
    #[error(transparent)]
    Log(#[from] LogError),
    /// A hold could not be opened.
    #[error(transparent)]
    Hold(#[from] HoldError),
    /// The call could not be sealed for its hold.
    #[error(transparent)]
    Seal(#[from] SealError),
}

/// The one road.
pub struct Gate {
    ruleset: ArcSwap<Ruleset>,
    plugins: ArcSwap<Plugins>,
    books: Books,
    holds: Holds,
    grants: Grants,
    sealer: Arc<Sealer>,
    pins: Arc<Pins>,
    settings: Settings,
    vault: Vault,
    tape: Tape,
    shadow: Shadow,
    counted: Counted,
    definitions: Definitions,
    looks: Kept<Look>,
    drafts: Kept<Draft>,
}

impl Gate {
    /// Builds the gate from its judges and its record keepers.
    #[must_use]
    pub fn new(
        ruleset: Ruleset,
        log: Log,
        folds: Folds,
        secrets: Secrets,
        pins: Arc<Pins>,
        settings: Settings,
    ) -> Self {
        let (Secrets { sealer, vault, tape }, Folds { trail, holds, grants }) = (secrets, folds);
        let (ruleset, shadow) = (ArcSwap::from_pointee(ruleset), Shadow::default());
        let plugins = ArcSwap::from_pointee(Plugins::none());
        let books = Books { log, trail: Arc::new(trail) };
        let (counted, definitions) = (Counted::default(), Definitions::default());
        let (looks, drafts) = (Kept::default(), Kept::default());
        Self {
            ruleset,
            plugins,
            books,
            holds,
            grants,
            sealer,
            pins,
            settings,
            vault,
            tape,
            shadow,
            counted,
            definitions,
            looks,
            drafts,
        }
    }

    /// The held calls.
    #[must_use]
    pub const fn holds(&self) -> &Holds {
        &self.holds
    }

    /// The grants in force.
    #[must_use]
    pub const fn grants(&self) -> &Grants {
        &self.grants
    }

    /// The log.
    #[must_use]
    pub const fn log(&self) -> &Log {
        &self.books.log
    }

    /// How often each question was decided which way, since start.
    pub fn decided(&self) -> impl Iterator<Item = (Question, Verdict, u64)> + use<'_> {
        self.counted.all()
    }

    /// How it is with what is kept of the questions to policy; `None` if nothing is to be.
    #[must_use]
    pub fn tape(&self) -> Option<TapeHealth> {
        self.tape.health()
    }

    /// The sealer of this installation.
    #[must_use]
    pub fn sealer(&self) -> &Sealer {
        &self.sealer
    }

    /// The pseudonyms of this installation.
    #[must_use]
    pub const fn vault(&self) -> &Vault {
        &self.vault
    }

    /// The ruleset in force.
    #[must_use]
    pub fn ruleset(&self) -> Arc<Ruleset> {
        self.ruleset.load_full()
    }

    /// Puts another ruleset in force: calls under way end on the one they started with.
    ///
    /// # Errors
    /// If the change cannot be recorded; the old one stays.
    pub async fn replace_ruleset(&self, ruleset: Ruleset) -> Result<(), LogError> {
        let revision = ruleset.revision();
        let event = Event::Ruleset { revision, refused: None };
        let _recorded = self.books.log.append(event).await?;
        self.ruleset.store(Arc::new(ruleset));
        Ok(())
    }

    /// Notes that a ruleset was offered and refused; the one in force stays.
    ///
    /// # Errors
    /// If it cannot be recorded.
    pub async fn refuse_ruleset(&self, revision: Digest, why: String) -> Result<(), LogError> {
        let event = Event::Ruleset { revision, refused: Some(why) };
        let _recorded = self.books.log.append(event).await?;
        Ok(())
    }

    /// Puts a candidate beside the road, which watches and decides nothing.
    ///
    /// # Errors
    /// If the system gives no thread for it.
    pub fn watch_with(&self, candidate: Ruleset, report: ShadowReport) -> std::io::Result<()> {
        self.shadow.start(candidate, report, self.books.log.clone())
    }

    /// Takes the candidate away; what it has seen.
    pub fn end_watch(&self) -> Option<ShadowReport> {
        self.shadow.stop()
    }

    /// Whether rules look at what calls would change, those of a candidate among them.
    #[must_use]
    pub fn looks_at_targets(&self) -> bool {
        self.ruleset().looks_at_targets() || self.shadow.looks_at_targets()
    }

    /// What the candidate has seen so far, if there is one.
    #[must_use]
    pub fn watch_report(&self) -> Option<ShadowReport> {
        self.shadow.report()
    }

    /// Judges a call and records the decision. `own` are findings of Portcullis' own checks
    /// (unknown tool, wrong arguments); they can only make the verdict stricter. A call that is to
    /// be held attaches to the hold of an identical earlier call, or opens one. What is recorded,
    /// held or sent is the call as its obligations want it.
    ///
    /// # Errors
    /// If the decision or the hold cannot be recorded; nothing may be sent then.
    pub async fn admit(
        &self,
        mut call: Call,
        mut own: Vec<Finding>,
        holding: Holding,
    ) -> Result<Admission, GateError> {
        own.extend(self.pausing(&call));
        let place = self.grant_place(&call);
        call.meta.grant = place.as_ref().map(|place| Box::new(place.grant().clone()));
        let weighed = self.books.trail.weigh(&call.principal, weigh::call(&call));
        let plugins = self.plugins().revision();
        let mut rounds = self.tape.rounds();
        let (call, decision) = self.judge_and_fulfil(call, own, &weighed, &mut rounds).await;
        // Before a place of a grant is spent, and after, for that is recorded.
        let decision = self.unless_paused(&call, decision);
        let decision = holding.decided(self.under_grant(place, &call, decision).await?);
        let decision = self.unless_paused(&call, decision);
        self.counted.add(Question::Admit, decision.verdict);
        let facts = self.facts_of(&call);
        let step = weigh::keep_call(weighed, &call, &decision);
        let (recorded, trail) = (decision.clone(), step.clone().map(Box::new));
        let event = Event::Decision { call: facts.clone(), decision: recorded, trail };
        let receipt = match self.books.log.append(event).await {
            Ok(receipt) => receipt,
            Err(error) => {
                self.books.take_back(&call, step.as_ref());
                return Err(error.into());
            }
        };
        self.tape.call(rounds);
        if decision.verdict == Verdict::Deny {
            return Ok(Admission::Denied(Box::new(Denial::new(&call, decision))));
        }
        // A round whose outcome was lost on its way gets it again; to hold the call anew would make
        // a second one of it.
        let binding = self.binding(&facts, &decision, plugins);
        if let (Some(named), Some(binding)) = (holding.named, &binding)
            && let Ok(hold) = self.holds.hold(named)
            && hold.state.is_final()
            && hold.is_of(binding)
        {
            return Ok(Admission::Held(Box::new(hold)));
        }
        // A write whose identical twin still waits for a person waits with it, even if policy has
        // changed to allow it: otherwise the release of the hold would send it a second time.
        if call.subject.effect() == Effect::Write
            && let Some(binding) = &binding
            && let Some(hold) = self.holds.attached(binding)
            && !matches!(hold.state, HoldState::Rejected | HoldState::ChangesRequested)
        {
            return Ok(Admission::Held(Box::new(hold)));
        }
        if decision.verdict == Verdict::Allow {
            let books = self.books.clone();
            return Ok(Admission::Go(Box::new(Permit::new(call, decision, receipt, step, books))));
        }
        let hold = match binding {
            Some(binding) => self.hold(&call, facts, binding, &decision, holding).await?,
            None => None,
        };
        // Only a call of a pinned tool can wait for a person; whatever else is to be held ends.
        Ok(hold.map_or_else(
            || Admission::Denied(Box::new(Denial::new(&call, decision))),
            |hold| Admission::Held(Box::new(hold)),
        ))
    }

    /// Judges what came back from Intercom: an answer, a notification, or a question to the client.
    /// What is shown is the content as it comes out of here.
    pub async fn disclose(&self, call: &Call, answer: &AnswerFacts) -> Disclosure {
        let ruleset = self.ruleset.load_full();
        let counted = |answer: &AnswerFacts, gone: &Gone| {
            if ruleset.counts_answers() || self.shadow.counts_answers() {
                weigh::answer(&self.sealer, call, answer, gone)
            } else {
                Tally::default()
            }
        };
        let all = counted(answer, &Gone::default());
        let weighed = self.books.trail.weigh(&call.principal, all.clone());
        let looked = self.look_at_answer(call, answer).await;
        let facts = Facts {
            seen: looked.seen().clone(),
            ..self.facts(&ruleset, Question::Disclose, || weighed.view())
        };
        let mut findings = self.absent_plugins();
        findings.extend(looked.findings());
        let finding = ruleset.disclose(call, answer, &facts).await;
        self.shadow.answer(&ruleset, (call, answer), &facts, &findings, &finding);
        self.tape.answer(answer, || round(&ruleset, call, &facts, &findings, &finding));
        findings.push(finding);
        let decision = decide(Question::Disclose, ruleset.revision(), findings);
        let disclosed = self.carried_out(&ruleset, (call, answer), &looked, decision);
        self.counted.add(Question::Disclose, disclosed.decision.verdict);
        if !disclosed.is_allowed() {
            return disclosed;
        }
        // It was judged with all that came; what is kept is what leaves.
        let Disclosure { decision, edited, gone, redacted } = disclosed;
        let content = redacted.clone().unwrap_or_else(|| answer.content.clone());
        let left = if gone.is_empty() {
            all
        } else {
            counted(&AnswerFacts { content, ..answer.clone() }, &gone)
        };
        let decision = self.keep_answer(weighed, call, left, decision).await;
        Disclosure { decision, edited, gone, redacted }
    }

    /// The tools, of those offered, that a principal may see.
    pub async fn visible(
        &self,
        principal: &Principal,
        client: &ClientHint,
        tools: &[Arc<PinnedTool>],
    ) -> BTreeSet<String> {
        if !self.absent_plugins().is_empty() {
            return BTreeSet::new();
        }
        let tools = &self.offered(tools).await;
        let ruleset = self.ruleset.load_full();
        let view = || self.books.trail.view(&principal.id);
        let facts = self.facts(&ruleset, Question::Visible, view);
        let visible = ruleset.visible(principal, client, tools, &facts).await;
        let asking = (principal, client);
        self.shadow.tools(&ruleset, asking, tools, &facts, &visible);
        self.tape.list(|| taped::list(&ruleset, asking, tools, &facts, &visible));
        self.counted.add(Question::Visible, visible.finding.verdict);
        match visible.finding.verdict {
            Verdict::Allow => visible.tools,
            Verdict::Hold | Verdict::Deny => BTreeSet::new(),
        }
    }

    /// Notes a request of a known principal that was refused before it could be judged.
    pub fn refused(&self, principal: &Principal, code: &str, text: &str) {
        let principal = principal.id.clone();
        let event = Event::Refused { principal, code: code.to_owned(), text: text.to_owned() };
        if let Err(error) = self.books.log.append_later(event) {
            tracing::error!(%error, code, "refusal not recorded");
        }
    }

    /// The judges' joined decision on a call, not recorded.
    async fn judge(
        &self,
        ruleset: &Ruleset,
        call: &Call,
        own: Vec<Finding>,
        weighed: &Weighed<'_>,
        rounds: &mut Rounds,
    ) -> Decision {
        let looked = self.look_at_call(call).await;
        weighed.probing(redaction::guesses(call, looked.seen()));
        let facts = Facts {
            seen: looked.seen().clone(),
            ..self.facts(ruleset, Question::Admit, || weighed.view())
        };
        let mut findings = own;
        findings.extend(duties::unread_target(ruleset, call, &findings));
        findings.extend(looked.findings());
        findings.extend(self.absent_plugins());
        findings.extend(self.hidden(ruleset, call).await);
        let finding = ruleset.admit(call, &facts).await;
        self.shadow.call(ruleset, call, &facts, &findings, &finding);
        rounds.add(|| round(ruleset, call, &facts, &findings, &finding));
        findings.push(finding);
        decide(Question::Admit, ruleset.revision(), findings)
    }
}
