//! People are told that a call waits for them.
//!
//! One notice per hold and channel when it is opened, a reminder at half time, another when policy's
//! patience ends, and one how it ended for those who want that. What is due follows from the holds
//! as they are (see `plan`); a notice is durable before it is sent, sent again with growing pauses
//! until it arrives, and given up loudly (see `outbox`). After a crash one may arrive twice, and
//! none is lost; its id is the same, so receivers can drop the second.
//!
//! Messages say who wants to use which tool and why it is held, and lead to the approvers' page.
//! Nothing of what a call contains is in them, and no link in them decides anything.

mod email;
mod outbox;
mod plan;
mod press;
mod slack;
mod webhook;
mod words;

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::clock;
use crate::config::{self, Occasion};
use crate::desk::Desk;
use crate::gate::Gate;
use crate::identity::People;
use crate::store::{self, ShelfError, Store};

use email::Email;
use outbox::{Key, Notice, Outbox, State};
use plan::{Facts, wanted};
use press::Presses;
use slack::Slack;
use webhook::Webhook;

/// How often holds are looked at.
const LOOK: Duration = Duration::from_secs(1);
/// Notices on their way at once.
const AT_ONCE: usize = 8;

/// Why nobody can be told.
#[derive(Debug, thiserror::Error)]
pub enum NotifyError {
    /// The outbox.
    #[error("the outbox of notices cannot be used: {0}")]
    Outbox(#[from] ShelfError),
    /// TLS, or an address.
    #[error("`notify` cannot be prepared: {0}")]
    Prepare(#[from] std::io::Error),
}

/// What became of one attempt to tell somebody.
#[derive(Debug)]
enum Told {
    /// It arrived; where it lies there, if it can be changed.
    Arrived(Option<String>),
    /// Not this time.
    Failed(String),
    /// Nor ever.
    Refused(String),
}

/// Whoever is told by one means.
enum Channel {
    Webhook(Box<Webhook>),
    Slack(Box<Slack>),
    Email(Box<Email>),
}

impl Channel {
    fn name(&self) -> &str {
        match self {
            Self::Webhook(hook) => hook.name(),
            // No names of webhooks: those have small letters only.
            Self::Slack(_) => "Slack",
            Self::Email(_) => "Email",
        }
    }

    fn hears(&self) -> &config::Hears {
        match self {
            Self::Webhook(hook) => hook.hears(),
            Self::Slack(slack) => slack.hears(),
            Self::Email(mail) => mail.hears(),
        }
    }

    async fn tell(
        &self,
        key: &Key,
        notice: &Notice,
        first: Option<&str>,
        facts: &Facts,
        house: &House,
    ) -> Told {
        let (id, occasion) = (key.id(), key.occasion);
        match self {
            Self::Webhook(hook) => hook.tell(&id, occasion, notice, facts, house).await,
            Self::Slack(slack) => slack.tell(occasion, first, facts, house).await,
            Self::Email(mail) => mail.tell(&id, occasion, facts, house).await,
        }
    }
}

/// What messages say about this installation.
struct House {
    environment: String,
    /// Where the approvers' page is, if there is one.
    page: Option<String>,
}

/// The rooms that messages are about.
#[derive(Clone, Copy)]
pub struct Asked<'a> {
    /// Where holds are.
    pub gate: &'a Arc<Gate>,
    /// Where presses of buttons go.
    pub desk: &'a Arc<Desk>,
    /// Who presses them.
    pub people: &'a Arc<People>,
}

/// Tells people.
pub struct Notifier {
    gate: Arc<Gate>,
    outbox: Outbox,
    channels: Vec<Channel>,
    escalate_after: Option<Duration>,
    presses: Option<Presses>,
    house: House,
}

impl Notifier {
    /// Takes up what was on its way; `None` if nobody wants to be told. `page` is where the
    /// approvers' page is.
    ///
    /// # Errors
    /// If the outbox cannot be read, or TLS cannot be prepared.
    pub fn open(
        config: &config::Config,
        store: &Store,
        rooms: Asked<'_>,
        page: Option<String>,
    ) -> Result<Option<Arc<Self>>, NotifyError> {
        let mut channels = Vec::new();
        for hook in &config.notify.webhooks {
            channels.push(Channel::Webhook(Box::new(Webhook::new(hook)?)));
        }
        let mut presses = None;
        if let Some(slack) = &config.notify.slack {
            channels.push(Channel::Slack(Box::new(Slack::new(slack)?)));
            presses = Presses::new(slack, rooms.people, rooms.desk);
        }
        if let Some(email) = &config.notify.email {
            channels.push(Channel::Email(Box::new(Email::new(email)?)));
        }
        if channels.is_empty() {
            return Ok(None);
        }
        let outbox = Outbox::open(store.shelf("notices")?)?;
        let escalate_after = config.notify.escalate_after;
        let house = House { environment: config.environment.clone(), page };
        let gate = rooms.gate.clone();
        Ok(Some(Arc::new(Self { gate, outbox, channels, escalate_after, presses, house })))
    }

    /// Tells people until the process is to end.
    pub async fn run(self: Arc<Self>, mut draining: watch::Receiver<bool>) {
        let mut looks = tokio::time::interval(LOOK);
        looks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let (mut under_way, mut busy) = (JoinSet::new(), HashSet::new());
        loop {
            tokio::select! {
                _ = looks.tick() => {}
                Some(ended) = under_way.join_next() => {
                    if let Ok(key) = ended {
                        busy.remove(&key);
                    }
                    continue;
                }
                _ = draining.wait_for(|stop| *stop) => return,
            }
            let holds = self.holds();
            if let Err(error) = self.plan(&holds).await {
                tracing::error!(%error, "notices of held calls cannot be written");
                continue;
            }
            for (key, notice) in self.outbox.due(clock::now()) {
                if busy.len() >= AT_ONCE || busy.contains(&key) {
                    continue;
                }
                let Some(facts) = holds.iter().find(|facts| facts.view.id == key.hold) else {
                    continue;
                };
                busy.insert(key.clone());
                let (this, facts) = (self.clone(), facts.clone());
                under_way.spawn(async move {
                    this.tell(&key, &notice, &facts).await;
                    key
                });
            }
        }
    }

    /// The holds that somebody is or was told of.
    fn holds(&self) -> Vec<Facts> {
        let holds = self.gate.holds();
        let open =
            |hold: &crate::domain::Hold| !hold.state.is_final() || self.outbox.knows(hold.id);
        holds.snapshot(open).iter().map(Facts::of).collect()
    }

    /// Writes down what is due and drops what nobody needs any more.
    async fn plan(self: &Arc<Self>, holds: &[Facts]) -> Result<(), ShelfError> {
        let now = clock::now();
        let mut is_changed = false;
        for facts in holds {
            for channel in &self.channels {
                let sent = |occasion| {
                    let key = Key::new(facts.view.id, occasion, channel.name());
                    self.outbox.state(&key)
                };
                for occasion in wanted(facts, channel.hears(), self.escalate_after, now, &sent) {
                    let key = Key::new(facts.view.id, occasion, channel.name());
                    self.outbox.add(&key, Notice::new(now))?;
                    is_changed = true;
                }
            }
        }
        let stays = |key: &Key, notice: &Notice| {
            let hold = holds.iter().find(|facts| facts.view.id == key.hold);
            let channel = self.channels.iter().any(|channel| channel.name() == key.channel);
            // What is forgotten with its hold, or was taken out of the configuration.
            channel && hold.is_some_and(|facts| !facts.is_moot(key.occasion, notice))
        };
        is_changed |= self.outbox.keep(stays)?;
        if is_changed {
            let this = self.clone();
            let synced = tokio::task::spawn_blocking(move || this.outbox.sync()).await;
            synced.unwrap_or(Ok(()))?;
        }
        Ok(())
    }

    async fn tell(&self, key: &Key, notice: &Notice, facts: &Facts) {
        let channel = self.channels.iter().find(|channel| channel.name() == key.channel);
        let Some(channel) = channel else { return };
        let place = |on| self.outbox.place(&Key::new(key.hold, on, channel.name()));
        let first = place(Occasion::Opened).or_else(|| place(Occasion::Escalated));
        let told = channel.tell(key, notice, first.as_deref(), facts, &self.house).await;
        let hold = key.hold;
        let after = match told {
            Told::Arrived(place) => notice.arrived(place),
            Told::Failed(why) => {
                let next = notice.failed(&why, clock::now(), chance());
                if next.state == State::GivenUp {
                    let attempts = next.attempts;
                    tracing::error!(%hold, channel = channel.name(), attempts, %why, "a notice was given up");
                } else {
                    tracing::warn!(%hold, channel = channel.name(), %why, "a notice did not arrive; it is sent again");
                }
                next
            }
            Told::Refused(why) => {
                tracing::error!(%hold, channel = channel.name(), %why, "a notice was refused");
                notice.refused(&why)
            }
        };
        if let Err(error) = self.outbox.put(key, after) {
            tracing::error!(%error, "notices of held calls cannot be written");
        }
    }
}

/// A number from 0 to 1.
fn chance() -> f64 {
    let bits = store::random::<4>().unwrap_or_default();
    f64::from(u32::from_be_bytes(bits)) / f64::from(u32::MAX)
}
