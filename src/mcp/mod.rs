//! The Model Context Protocol as bytes and typed messages, and nothing else.
//!
//! Step 3 of the road: what an agent or Intercom sends is read here once, strictly, and nobody looks
//! at raw JSON again. What leaves is written here too, so that the same room knows both directions.
//!
//! Pure: no I/O, no clock, no engine, no HTTP library. Headers come in as names and values, bodies as
//! bytes. It never decides whether a call may pass; it only refuses what cannot be understood in
//! exactly one way. Payloads stay text ([`JsonText`](crate::domain::JsonText) slices of the one
//! buffer): no tree is built, so numbers, escapes and key order survive to the other side.

pub mod era;
pub mod headers;
pub mod json;
pub mod message;
pub mod methods;
pub mod reply;
pub mod sse;
