//! Portcullis: a policy-enforcing MCP firewall in front of Intercom.

pub mod domain;
pub mod intercom;
pub mod mcp;
