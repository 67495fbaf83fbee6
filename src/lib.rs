//! Portcullis: a policy-enforcing MCP firewall in front of Intercom.
//!
//! Agents connect to it as if it were Intercom's MCP server. Every call passes one road; this page
//! is the map of it, and of what must never happen.
//!
//! # The road of a tool call
//!
//! 1. **Listen** ([`listen`], [`proxy`]): connection limits, Host and Origin, method, media types,
//!    body cap.
//! 2. **Who** ([`identity`]): a credential becomes a [`domain::Principal`], or 401.
//! 3. **Parse** ([`mcp`]): strict JSON, one reading; the era is decided per request; headers must
//!    equal the body. After this nobody looks at raw JSON again.
//! 4. **Resolve** ([`intercom`]): the tool from the pinned catalogue, its effect, ids brought to
//!    one form, arguments checked against the schemas.
//! 5. **Admit** ([`gate`]): one immutable [`policy::Ruleset`], told what the principal lately did and
//!    saw ([`trail`]); [`domain::decide`] joins what judges found.
//!    What rules demand of the arguments is done to them, and the edited call is judged once more.
//!    Rules judge it with pseudonyms in it; these are turned back last, where a rule demands it
//!    ([`vault`]), so that what is hashed, held and sent is one text.
//!    Where rules look at what a write would change, it is read from Intercom before.
//! 6. **Record** ([`audit`]): the decision is durable before anything acts on it. No record, no
//!    road.
//! 7. Deny is an answer that the agent can read. A hold is recorded, then shown to approvers
//!    ([`holds`], [`desk`], [`console`]) as what it would change ([`review`]). Allow is a
//!    [`gate::Permit`].
//! 8. **Send** ([`upstream`]): consumes the permit; the bytes are written from the call that was
//!    judged.
//! 9. **Disclose** ([`gate`] again): plugins look at the texts of an answer, a notification or a
//!    question of the server ([`redact`]); policy says whether it may reach the agent, what is done
//!    to what they saw, and which records ([`intercom::records`]) leave. All of it is carried out
//!    on the bytes before anybody else has the answer in hand.
//! 10. **Complete**: the outcome is recorded, the answer leaves.
//!
//! What policy is asked on this road is kept, if an operator wants it, on the [`tape`]; [`replay`] puts it
//! to another revision, off the road and without effect.
//!
//! Which revision of the policies decides is the business of [`rollout`]: it comes from a folder, a
//! bundle or a server, is signed if keys are configured, and is swapped in whole.
//!
//! People are told that a hold waits by [`notify`], which knows nothing of what a call contains.
//!
//! A released hold re-enters at 5 with the stored bytes: it is judged again, and an approval lifts
//! a hold, never a deny.
//!
//! # Rules
//!
//! 1. Nothing reaches Intercom except through [`upstream::Upstream`], which consumes a permit; the
//!    permit's constructor is private to [`gate`] and needs a decision and a log receipt.
//! 2. What is sent is what was judged and, for a hold, what the approver saw.
//! 3. Everything unclear denies; there is no switch that fails open.
//! 4. Nothing acts before its record is durable; a failed log refuses calls and ends the process.
//! 5. A write runs unheld only where a line of the operator's policy says so.
//! 6. An approval is bound to the upstream, the principal, the tool and its definition, the
//!    arguments, the version of what it would change, the policy revision and the set of plugins; it
//!    expires and is spent once. What was being sent when the process ended is `unknown`, shown, and
//!    never sent again.
//! 7. No secret and no raw personal value is in logs, errors or the audit log: arguments appear
//!    there as keyed digests, held calls and their answers sealed.
//! 8. [`domain`] is pure. [`mcp`], [`redact`] and [`review`] are pure functions of their input.
//! 9. Each engine is named in one module: regorus in [`policy`], wasmtime in [`plugin`], sled in
//!    [`store`], hyper in [`proxy`], [`upstream`] and [`listen`], axum in [`console`].
//! 10. A plugin sees texts and says what it sees; it changes nothing, keeps nothing between two looks,
//!     and its failure denies what it looked at and touches nobody else.
//!
//! A test (`tests/it/architecture.rs`) checks the ninth rule, the direction of imports, and the size
//! of files and functions.
//!
//! # Decisions of our own
//!
//! - **The log's lines are the truth** (JSONL, chained by hashes); sled is the index and the second
//!   witness, and both are synced before a receipt is given.
//! - **Holds are a fold** of their events; memory holds nothing that the log cannot rebuild. An
//!   outcome that was delivered answers an identical call for two minutes more, because its last
//!   step may have been lost, and a repeated answer is better than a repeated write.
//! - **What a call would change is read three times**: when it is held, when somebody decides, and before
//!   it is sent. Its version is part of the binding; another one sends the hold back with what changed, and
//!   what cannot be read is not sent. This narrows the race with the world outside, and cannot end it.
//! - **An edit is another call in the same hold**: judged like the first, approved by itself, the agent's own
//!   kept in the record; the agent is told which fields a person changed.
//! - **Grants are data for rules**, recorded when they are given, used and taken back, and folded from the
//!   log at start, so that they outlive the process. What is unclear about one ends it and asks a person.
//! - **What was before is asked of the log**: `holds::Archive` folds all holds from it when somebody looks
//!   back, and is no source of decisions.
//! - **An agent can be paused** by any approver: all it calls is denied until somebody lets it. Recorded,
//!   and kept in a file beside the log; what a hand changes in that file is recorded at the next start.
//! - **The log says who came in** and whose account changed, by comparing the file of accounts with what it
//!   said last, whoever changed it.
//! - **Trails are a fold** of the log as well, read back for the last day at start, and keep a time of
//!   their own: neither a restart nor a clock that is set gives a principal a new budget. What is
//!   being judged counts already, so that calls at once do not share the last place of a budget.
//! - **Legs**: a legacy client has its own session at Intercom; clients without sessions share one.
//!   What a client of one era misses in an upstream of the other is translated in the proxy.
//! - **Answers take the form that Intercom's answer had** (one JSON text, or an event stream), and
//!   streams pass event by event.
//! - **Bytecode decides only where it cannot fail unseen**: the policy engine's virtual machine
//!   swallows errors inside rules, so a bundle that could meet one is left to the interpreter (see
//!   [`policy`]).
//! - **Plugins run to their end on blocking threads**, interrupted by the engine's epoch, all that look
//!   at one document in one hand-over; nothing compiled is kept on disk (see [`plugin`]).
//! - **Heads are looked at before they are parsed** over HTTP/1: the HTTP library drops a
//!   `Content-Length` beside a `Transfer-Encoding` and takes a bare LF, so a smuggled request could not
//!   be told from an honest one ([`listen`]). Bodies in chunks are read, and end their connection.
//! - **Looks and answers of rules are kept**: a plugin and an evaluation are pure functions of what they
//!   are given, so the same question has the same answer, for a while and in a bounded room. Texts that
//!   an agent writes are kept for it alone.
//! - **What rules were asked is kept beside the log, not in it**: the log is evidence and stays whole, the
//!   tape is material, sealed, and bounded in bytes and time. It is off unless configuration wants it: it
//!   takes time of its own for each call, and holds what agents wrote.
//! - [`ops`] counts nothing: each look at health or metrics asks the rooms that know.
//! - [`yaml`], [`clock`], [`control`] and [`desk`] are rooms that the first plan did not have: positions
//!   of configuration faults, the one place that reads the clock, the operator's door, and what people
//!   do with holds, whatever door they come through.

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
pub mod plugin;
pub mod policy;
pub mod redact;
pub mod vault;

pub mod tape;
pub mod trail;

pub mod gate;

pub mod replay;

pub mod listen;
pub mod upstream;

pub mod review;

pub mod proxy;

pub mod rollout;

pub mod desk;

pub mod console;
pub mod control;
pub mod notify;

pub mod ops;

pub mod app;

pub mod cli;

#[path = "../examples/simulator/mod.rs"]
pub mod simulator;
