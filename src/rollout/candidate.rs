//! A candidate revision in shadow: read, verified and checked as one that is to decide, then put
//! beside the road instead of into it.

use super::{Candidate, Order, Rollout, RolloutError, load};
use crate::clock;
use crate::domain::{Digest, Event, RolloutAction};
use crate::gate::{ShadowHead, ShadowReport};
use crate::policy::{Bundle, Source};

/// The candidate that watches.
pub(super) struct Shadowing {
    bundle: Bundle,
    source: String,
}

impl Rollout {
    /// Puts a candidate beside the road, in place of the one that is there.
    ///
    /// # Errors
    /// If it is not in order, or the order cannot be recorded.
    pub async fn shadow_start(
        &self,
        source: Source,
        order: &Order,
    ) -> Result<Digest, RolloutError> {
        let _one_at_a_time = self.kept.lock().await;
        let shown = source.to_string();
        let read = tokio::task::spawn_blocking(move || Bundle::read(&source)).await;
        let bundle = read
            .map_err(|error| RolloutError::Lost(error.to_string()))?
            .map_err(|errors| RolloutError::Candidate(errors.to_string()))?;
        let (bundle, ruleset) = load(bundle, self.keys.clone(), self.announced()).await.map_err(
            |error| match error {
                RolloutError::Load(errors) => RolloutError::Candidate(errors.to_string()),
                other => other,
            },
        )?;
        let revision = bundle.revision();
        self.order(RolloutAction::ShadowStart, revision, order).await?;
        let name = bundle.manifest().revision().map(str::to_owned);
        let report = ShadowReport::empty(revision, name, shown.clone(), clock::now());
        self.watched.begin(bundle.clone(), report.clone()).await?;
        self.gate
            .watch_with(ruleset, report)
            .map_err(|error| RolloutError::Lost(error.to_string()))?;
        tracing::info!(source = %shown, "policy revision {} is in shadow", revision.short());
        self.state().shadow = Some(Shadowing { bundle, source: shown });
        Ok(revision)
    }

    /// Puts the candidate of the process before beside the road again; its counts go on. One that
    /// cannot be loaded any more is told of and left out: it decides nothing.
    #[must_use]
    pub async fn resumed(self) -> Self {
        match self.resume().await {
            Ok(None) => {}
            Ok(Some(revision)) => {
                tracing::warn!("policy revision {} is in shadow again", revision.short());
            }
            Err(error) => {
                tracing::error!(
                    "the candidate that was in shadow is not watched any more: {error}"
                );
            }
        }
        self
    }

    async fn resume(&self) -> Result<Option<Digest>, RolloutError> {
        let _one_at_a_time = self.kept.lock().await;
        let Some((bundle, mut report)) = self.watched.read().await? else { return Ok(None) };
        let (bundle, ruleset) = load(bundle, self.keys.clone(), self.announced()).await?;
        let (revision, source) = (bundle.revision(), report.head.source.clone());
        if revision != report.head.revision {
            // The library is part of a revision: under another version it is another candidate.
            let ShadowHead { name, source, .. } = report.head;
            report = ShadowReport::empty(revision, name, source, clock::now());
        }
        report.head.resumed = Some(clock::now());
        self.watched.resume(report.clone()).await?;
        self.gate
            .watch_with(ruleset, report)
            .map_err(|error| RolloutError::Lost(error.to_string()))?;
        self.state().shadow = Some(Shadowing { bundle, source });
        Ok(Some(revision))
    }

    /// Writes down what the candidate has seen, if that is more than before.
    pub async fn note_shadow(&self) {
        let Some(report) = self.gate.watch_report() else { return };
        if let Err(error) = self.watched.note(report).await {
            tracing::error!("what the candidate has seen is not kept: {error}");
        }
    }

    /// Takes the candidate away; what it has seen.
    ///
    /// # Errors
    /// If there is none, or the order cannot be recorded.
    pub async fn shadow_stop(&self, order: &Order) -> Result<ShadowReport, RolloutError> {
        let _one_at_a_time = self.kept.lock().await;
        let revision = self.shadow_report()?.head.revision;
        self.order(RolloutAction::ShadowStop, revision, order).await?;
        self.end_shadow().await.ok_or(RolloutError::NoShadow)
    }

    /// What the candidate has seen so far.
    ///
    /// # Errors
    /// If there is none.
    pub fn shadow_report(&self) -> Result<ShadowReport, RolloutError> {
        self.gate.watch_report().ok_or(RolloutError::NoShadow)
    }

    /// Lets the candidate decide, exactly as it was read, and pins it.
    ///
    /// # Errors
    /// If there is none; the old one stays.
    pub async fn promote_shadow(&self, order: &Order) -> Result<Digest, RolloutError> {
        let mut kept = self.kept.lock().await;
        let shadow = self.state().shadow.as_ref().map(|it| (it.bundle.clone(), it.source.clone()));
        let (bundle, source) = shadow.ok_or(RolloutError::NoShadow)?;
        let candidate = Candidate { bundle, source, pinned: true };
        let order = Some((RolloutAction::Promote, order));
        let revision = self.put(&mut kept, candidate, order).await?;
        self.end_shadow().await;
        Ok(revision)
    }

    async fn end_shadow(&self) -> Option<ShadowReport> {
        self.state().shadow = None;
        let seen = self.gate.end_watch();
        if let Err(error) = self.watched.end().await {
            tracing::error!("the candidate may be in shadow again after a restart: {error}");
        }
        seen
    }

    pub(super) async fn order(
        &self,
        action: RolloutAction,
        revision: Digest,
        order: &Order,
    ) -> Result<(), RolloutError> {
        let (by, reason) = (order.by.clone(), order.reason.clone());
        let event = Event::Rollout { action, revision, by, reason };
        let _recorded = self.gate.log().append(event).await?;
        Ok(())
    }
}
