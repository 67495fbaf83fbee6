//! Portcullis: a policy-enforcing MCP firewall in front of Intercom.

pub mod audit;
pub mod domain;
pub mod mcp;
pub mod policy;
pub mod store;
pub mod config;
pub mod domain;
pub mod identity;
pub mod yaml;
