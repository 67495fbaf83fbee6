//! Portcullis: a policy-enforcing MCP firewall in front of Intercom.

pub mod domain;

pub mod intercom;
pub mod mcp;
pub mod yaml;

pub mod clock;
pub mod config;
pub mod store;

pub mod audit;
pub mod holds;
pub mod identity;
pub mod policy;

pub mod gate;

pub mod listen;
pub mod upstream;

pub mod proxy;

pub mod control;

pub mod app;

pub mod cli;

#[path = "../examples/simulator/mod.rs"]
pub mod simulator;
