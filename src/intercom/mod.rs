//! What Portcullis knows of Intercom's tools, and which of their definitions it trusts.
//!
//! Step 4 of the road. A call comes in as a name and a text; it leaves as a [`Resolved`] call: a
//! tool whose definition a person accepted, with the effect that *our* catalogue gives it, ids in
//! one form, arguments that fit. Everything else is a [`Refusal`] that tells the agent what to do.
//!
//! This room never decides whether a call may pass, never talks to the network, and never believes
//! the upstream about what a tool does. It keeps one file, the pins. JSON trees
//! (`serde_json::Value`) live here for schemas only and do not leave.

mod catalogue;
mod definition;
mod duties;
mod ids;
mod pins;
pub mod pseudonyms;
mod publicity;
pub mod records;
mod resolve;
mod schema;
mod search;
mod target;
mod text;

pub use catalogue::{Catalogue, Entry};
pub use definition::{
    DefinitionError, MAX_REASON, Mirrors, REASON, ToolDefinition, asking_why, present,
};
pub use duties::{Fulfilled, Unfit, fulfil};
pub use pins::{How, MAX_TOOLS, PinRow, PinStatus, PinnedTool, Pins, PinsError, ToolEvent};
pub use publicity::Publicity;
pub use resolve::{Refusal, Resolved};
pub use search::{Object, QueryFault, Search};
pub use target::{Lookup, Sight, lookup};
