//! A press of a button in Slack becomes a wish at the desk.
//!
//! Slack wants its answer within three seconds, so a press that is believed is answered at once and
//! done afterwards; how it went is whispered to whoever pressed. The desk checks every right, as for
//! any other door; whoever Slack names and we do not know is led to the page.

use std::sync::Arc;

use super::slack::{APPROVE, REJECT, Slack};
use super::{Channel, Notifier};
use crate::clock;
use crate::config;
use crate::desk::{Desk, Shown};
use crate::domain::{Digest, HoldId};
use crate::identity::{People, Press, SlackError, SlackSigned};

/// What an agent is told, for nobody asks for a reason in Slack.
const REASON: &str = "a person refused this in Slack, without saying why";

/// What presses stand on.
pub(super) struct Presses {
    signed: SlackSigned,
    people: Arc<People>,
    desk: Arc<Desk>,
    approve: bool,
}

impl Presses {
    /// Nobody's presses count where Slack's signature cannot be checked.
    pub(super) fn new(
        settings: &config::Slack,
        people: &Arc<People>,
        desk: &Arc<Desk>,
    ) -> Option<Self> {
        let signed = SlackSigned::new(settings.signing_secret.as_ref()?, settings.users.clone());
        let (people, desk, approve) = (people.clone(), desk.clone(), settings.approve);
        Some(Self { signed, people, desk, approve })
    }
}

impl Notifier {
    /// Takes what Slack sends when a button was pressed: two headers, and the bytes as they came.
    ///
    /// # Errors
    /// If it is not to be believed; nothing is done then.
    pub fn press(
        self: &Arc<Self>,
        timestamp: &str,
        signature: &str,
        body: &[u8],
    ) -> Result<(), SlackError> {
        let presses = self.presses.as_ref().ok_or(SlackError::NotSigned)?;
        let (people, now) = (&presses.people, clock::now());
        let press = presses.signed.press(people, timestamp, signature, body, now)?;
        // The one that opens the page is told of as well.
        if [APPROVE, REJECT].contains(&press.action.as_str()) {
            let this = self.clone();
            tokio::spawn(async move { this.pressed(press).await });
        }
        Ok(())
    }

    async fn pressed(&self, press: Press) {
        let words = self.decided(&press).await;
        if let Some(slack) = self.slack() {
            slack.whisper(&press.channel, &press.user, &words).await;
        }
    }

    async fn decided(&self, press: &Press) -> String {
        let Some(presses) = &self.presses else { return String::new() };
        let elsewhere = match &self.house.page {
            Some(page) => format!("Decide on the page: {page}"),
            None => "Decide by the command line: `portcullis holds list`".to_owned(),
        };
        let Some(person) = &press.person else {
            return format!("Portcullis does not know you by your Slack account. {elsewhere}");
        };
        let read = || {
            let (id, binding) = press.value.split_once(' ')?;
            Some((id.parse::<HoldId>().ok()?, binding.parse::<Digest>().ok()?))
        };
        let Some((id, binding)) = read() else {
            return format!("This button is not of this Portcullis. {elsewhere}");
        };
        let shown = Shown { binding: Some(binding), ..Shown::now(id) };
        let decided = match press.action.as_str() {
            APPROVE if presses.approve => presses.desk.approve(person, &shown).await,
            REJECT => presses.desk.reject(person, &shown, REASON).await,
            _ => return format!("Nobody releases calls in Slack. {elsewhere}"),
        };
        match decided {
            Ok(decided) => format!("{id}: {}", decided.words),
            Err(error) => format!("Not done: {error}. {elsewhere}"),
        }
    }

    fn slack(&self) -> Option<&Slack> {
        self.channels.iter().find_map(|channel| match channel {
            Channel::Slack(slack) => Some(slack.as_ref()),
            _ => None,
        })
    }
}
