//! Portcullis: a policy-enforcing MCP firewall in front of Intercom.

pub mod domain;
#[path = "../examples/simulator/mod.rs"]
pub mod simulator;
