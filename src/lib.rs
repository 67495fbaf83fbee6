//! Portcullis: a policy-enforcing MCP firewall in front of Intercom.

pub mod config;
pub mod domain;
pub mod identity;
pub mod yaml;
