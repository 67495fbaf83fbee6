//! Intercom's tool list, read whole and compared with the pins.
//!
//! Every list that an agent asks for is read from Intercom first, so that a definition that changed
//! is hidden and denied from the moment anybody could have seen it. Portcullis also reads the list
//! for itself, at start and from time to time, because agents call tools they remember.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::fault::Fault;
use super::leg::Leg;
use super::{FromServer, Upstream};
use crate::clock;
use crate::domain::{Digest, Event, JsonText, OutcomeKind};
use crate::gate::Permit;
use crate::intercom::{PinStatus, ToolDefinition, ToolEvent};
use crate::mcp::json::{self, Object};
use crate::mcp::message::ResponseBody;

/// The most pages of one listing.
const PAGES: usize = 32;
/// The method.
const TOOLS_LIST: &str = "tools/list";

/// What is known of a list that was read.
pub struct Listed {
    /// Whether Intercom answered by an event stream.
    pub stream: bool,
    /// The tools that the agent's own token may see; `None` if Portcullis' token decides for all.
    pub names: Option<BTreeSet<String>>,
}

fn name_of(tool: &JsonText) -> Option<String> {
    Object::parse(tool)?.str("name").map(std::borrow::Cow::into_owned)
}

impl Upstream {
    /// Reads the tool list for an agent: `first` is the permit of its own `tools/list` call.
    ///
    /// # Errors
    /// If Intercom's list cannot be read whole; the pins stay as they were.
    pub async fn list_tools(
        self: &Arc<Self>,
        leg: &Arc<Leg>,
        first: Permit,
    ) -> Result<Listed, Fault> {
        let mut tools = Vec::new();
        let (mut page, stream) = self.page(leg, first).await?;
        for _ in 0..PAGES {
            tools.extend(page.get("tools").and_then(json::elements).unwrap_or_default());
            let cursor = page.get("nextCursor").filter(|cursor| !json::is_null(cursor)).cloned();
            let Some(cursor) = cursor else {
                let names = (!self.has_token()).then(|| tools.iter().filter_map(name_of).collect());
                self.observe(tools).await?;
                return Ok(Listed { stream, names });
            };
            let mut params = Object::default();
            params.set("cursor", cursor);
            page = self.ask(leg, TOOLS_LIST, params.to_text()).await?;
        }
        Err(Fault::Malformed(format!("the tool list has more than {PAGES} pages")))
    }

    /// Reads the tool list for Portcullis itself.
    ///
    /// # Errors
    /// As [`Upstream::list_tools`].
    pub async fn refresh_tools(self: &Arc<Self>, leg: &Arc<Leg>) -> Result<(), Fault> {
        let permit = self
            .permit(
                &self.own,
                &super::leg::own_hint(),
                leg.revision(),
                TOOLS_LIST,
                JsonText::empty_object(),
            )
            .await?;
        self.list_tools(leg, permit).await?;
        Ok(())
    }

    /// Makes sure that a tool that nobody has ever seen is looked for before a call of it is
    /// refused: the first call may come before the first list.
    ///
    /// # Errors
    /// As [`Upstream::list_tools`].
    pub async fn look_for(self: &Arc<Self>, leg: &Arc<Leg>, tool: &str) -> Result<(), Fault> {
        if !self.pins.is_empty() || !matches!(self.pins.status(tool), PinStatus::Unseen) {
            return Ok(());
        }
        Box::pin(self.refresh_tools(leg)).await
    }

    /// Records what happened to a tool's definition, and tells those who listen.
    ///
    /// # Errors
    /// If the record cannot be written.
    pub async fn record_tool(&self, event: ToolEvent) -> Result<(), Fault> {
        let ToolEvent { name, change, definition, pinned } = event;
        tracing::info!(tool = %name, ?change, "tool definition");
        let event = Event::Tool { name, change, definition, pinned };
        let _recorded = self.gate.log().append(event).await?;
        self.changes.send_modify(|count| *count += 1);
        Ok(())
    }

    /// Whether Portcullis has a credential of its own.
    #[must_use]
    pub const fn has_token(&self) -> bool {
        self.token.is_some()
    }

    /// Tells when the tool list changed.
    #[must_use]
    pub fn tool_changes(&self) -> tokio::sync::watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// The names of the tools in Intercom's order, from the last list.
    #[must_use]
    pub fn tool_order(&self) -> Arc<Vec<String>> {
        self.order.load_full()
    }

    async fn page(
        self: &Arc<Self>,
        leg: &Arc<Leg>,
        permit: Permit,
    ) -> Result<(Object, bool), Fault> {
        let mut exchange = self.send(leg, permit).await?;
        let stream = exchange.is_stream();
        loop {
            let FromServer::Answer(answer) = exchange.next().await? else { continue };
            let spent = exchange.spent();
            return match answer.body {
                ResponseBody::Result(text) => {
                    spent.complete(OutcomeKind::Answered, answer.bytes, None);
                    Object::parse(&text)
                        .map(|page| (page, stream))
                        .ok_or_else(|| Fault::Malformed("the tool list is no object".to_owned()))
                }
                ResponseBody::Error(error) => {
                    spent.complete(OutcomeKind::Error, answer.bytes, None);
                    Err(Fault::Refused { code: error.code })
                }
            };
        }
    }

    /// In pass-through mode a list shows what one agent's token may see, so a tool that is missing
    /// in it has not gone: it is taken as it is pinned.
    fn with_unlisted(&self, mut listing: Vec<ToolDefinition>) -> Vec<ToolDefinition> {
        if !self.has_token() {
            let listed: BTreeSet<String> = listing.iter().map(|it| it.name.clone()).collect();
            let unlisted = self.pins.usable().into_iter();
            let unlisted = unlisted.filter(|tool| !listed.contains(&tool.definition.name));
            listing.extend(unlisted.map(|tool| tool.definition.clone()));
        }
        listing
    }

    /// Compares a whole list with the pins and records what is new. An unchanged list, which is
    /// nearly every one, costs one digest.
    async fn observe(&self, tools: Vec<JsonText>) -> Result<(), Fault> {
        let parts: Vec<&[u8]> = tools.iter().map(|tool| tool.bytes().as_ref()).collect();
        let digest = Digest::of("portcullis/listing/v1", &parts);
        let mut last = self.listed.lock().await;
        if *last == Some(digest) {
            return Ok(());
        }
        let definitions: Vec<ToolDefinition> = tools
            .iter()
            .filter_map(|tool| match ToolDefinition::read(tool) {
                Ok(definition) => Some(definition),
                Err(error) => {
                    tracing::warn!(%error, "tool left out of the list");
                    None
                }
            })
            .collect();
        let order = definitions.iter().map(|definition| definition.name.clone()).collect();
        let definitions = self.with_unlisted(definitions);
        let pins = self.pins.clone();
        let observed =
            tokio::task::spawn_blocking(move || pins.observe(definitions, clock::now())).await;
        let events = match observed {
            Ok(Ok(events)) => events,
            Ok(Err(error)) => return Err(Fault::Pins(error.to_string())),
            Err(error) => return Err(Fault::Pins(error.to_string())),
        };
        for event in events {
            self.record_tool(event).await?;
        }
        self.order.store(Arc::new(order));
        *last = Some(digest);
        Ok(())
    }
}
