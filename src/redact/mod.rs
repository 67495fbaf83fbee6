//! Redaction: what judges saw in a message, and what policy wants done to it, carried out on its bytes.
//!
//! A message is taken apart into its texts once ([`Payload`]); judges get these and answer with spans.
//! An edit is a splice: exactly the spans change, and every other byte stays as it came. Pure: a
//! function of the message, the spans and the demands.

mod edit;
mod fit;
mod html;
mod names;
mod operator;
mod payload;
mod plan;
mod walk;

#[cfg(test)]
mod tests;

pub use edit::{Edit, Misplaced, New, edit};
pub use fit::{Unfit, edit_fitting};
pub use names::is_known_name;
pub use payload::{Payload, Unreadable};
pub use plan::{Mint, Plan, plan};
