//! JSON-RPC without HTTP: what each method answers, and how a tool's result is wrapped.
//!
//! Answers of reading tools are kept as finished text until somebody writes or turns a switch, so a benchmark measures the
//! firewall and not this.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use super::data::World;
use super::options::{ArgumentFault, CacheScope, Options, PermissionFault, Wrapping};
use super::tools::{self, Fault, definitions};

/// Answers kept at most; an attacker of the simulator is nobody's concern, a long benchmark is.
const MAX_KEPT: usize = 2_000;

/// The outcome of one request.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Outcome {
    /// A result as JSON text, an object.
    Result(Arc<str>),
    /// A JSON-RPC error.
    Error { code: i64, message: String, data: Option<Value> },
    /// The credential is not good enough: HTTP 401.
    Unauthorized,
}

impl Outcome {
    pub(super) fn error(code: i64, message: impl Into<String>) -> Outcome {
        Outcome::Error { code, message: message.into(), data: None }
    }

    pub(super) fn result(value: &Value) -> Outcome {
        Outcome::Result(value.to_string().into())
    }

    /// The response to the request of this id.
    pub(super) fn response(&self, id: &Value) -> String {
        match self {
            Outcome::Result(result) => {
                format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{result}}}"#)
            }
            Outcome::Error { code, message, data } => {
                let mut error = json!({"code": code, "message": message});
                if let Some(data) = data {
                    super::data::put(&mut error, "data", data.clone());
                }
                json!({"jsonrpc": "2.0", "id": id, "error": error}).to_string()
            }
            Outcome::Unauthorized => Outcome::error(-32001, "Unauthorized").response(id),
        }
    }

    /// The same result with members put in front.
    pub(super) fn with_members(self, members: &str) -> Outcome {
        match self {
            Outcome::Result(result) => {
                let rest = result.strip_prefix('{').unwrap_or_default();
                let comma = if rest.trim_start().starts_with('}') { "" } else { "," };
                Outcome::Result(format!("{{{members}{comma}{rest}").into())
            }
            other => other,
        }
    }

    /// The same tool result with one more text.
    pub(super) fn with_text(self, text: &str) -> Outcome {
        let Outcome::Result(result) = &self else { return self };
        let mut result: Value = serde_json::from_str(result).unwrap_or_default();
        if let Some(content) = result.get_mut("content").and_then(Value::as_array_mut) {
            content.push(json!({"type": "text", "text": text}));
        }
        Outcome::result(&result)
    }
}

/// The workspace, with the answers made from it.
#[derive(Debug)]
pub(super) struct Workplace {
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    world: World,
    kept: HashMap<String, Arc<str>>,
    /// The switches under which `kept` was made.
    under: Arc<Options>,
}

impl Workplace {
    pub(super) fn new(options: Arc<Options>) -> Workplace {
        Workplace {
            inner: Mutex::new(Inner {
                world: World::new(options.seed),
                kept: HashMap::new(),
                under: options,
            }),
        }
    }

    /// `tools/call`.
    pub(super) fn call(&self, options: &Arc<Options>, params: Option<&Value>) -> Outcome {
        let Some(name) = params.and_then(|params| params.get("name")).and_then(Value::as_str)
        else {
            return Outcome::error(-32602, "Invalid params: name is required");
        };
        let arguments = match params.and_then(|params| params.get("arguments")) {
            None | Some(Value::Null) => Map::new(),
            Some(Value::Object(arguments)) => arguments.clone(),
            Some(_) => {
                return Outcome::error(-32602, "Invalid params: arguments must be an object");
            }
        };
        if let Some(result) = options.results.get(name) {
            return put_in_place(result, options.escaped);
        }
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        if !Arc::ptr_eq(&inner.under, options) {
            inner.under = Arc::clone(options);
            inner.kept.clear();
        }
        let key =
            tools::reads(name).then(|| format!("{name} {}", Value::Object(arguments.clone())));
        if let Some(kept) = key.as_ref().and_then(|key| inner.kept.get(key)) {
            return Outcome::Result(Arc::clone(kept));
        }
        let outcome = wrap(tools::call(&mut inner.world, options, name, &arguments), options);
        match (&outcome, key) {
            (Outcome::Result(result), Some(key)) if inner.kept.len() < MAX_KEPT => {
                inner.kept.insert(key, Arc::clone(result));
            }
            (_, None) => inner.kept.clear(),
            _ => {}
        }
        outcome
    }
}

/// A result of the options' own.
fn put_in_place(result: &Value, escaped: bool) -> Outcome {
    if let Some(error) = result.get("error").filter(|_| result.get("content").is_none()) {
        let code = error.get("code").and_then(Value::as_i64).unwrap_or(-32603);
        let message = error.get("message").and_then(Value::as_str).unwrap_or_default().to_owned();
        return Outcome::Error { code, message, data: error.get("data").cloned() };
    }
    if escaped {
        return Outcome::Result(escape(&result.to_string()).into());
    }
    Outcome::result(result)
}

/// JSON whose letters in strings are all written by their numbers.
fn escape(json: &str) -> String {
    let mut text = String::with_capacity(6 * json.len());
    let (mut inside, mut kept) = (false, 0_usize);
    for letter in json.chars() {
        let is_kept = kept > 0;
        kept = kept.saturating_sub(1);
        match letter {
            'u' if is_kept => kept = 4,
            '\\' if !is_kept => kept = 1,
            '"' if !is_kept => inside = !inside,
            _ if inside && !is_kept && letter.is_ascii_alphabetic() => {
                text.push_str(&format!("\\u{:04x}", u32::from(letter)));
                continue;
            }
            _ => {}
        }
        text.push(letter);
    }
    text
}

fn wrap(answer: Result<Value, Fault>, options: &Options) -> Outcome {
    match answer {
        Ok(mut value) => {
            if let Some(size) = options.pad {
                let missing = size.saturating_sub(value.to_string().len());
                super::data::put(&mut value, "_padding", "Lorem ipsum ".repeat(missing / 12 + 1));
            }
            let mut result = json!({"content": [{"type": "text", "text": value.to_string()}]});
            if options.wrapping == Wrapping::Structured {
                super::data::put(&mut result, "structuredContent", value);
            }
            Outcome::result(&result)
        }
        Err(Fault::Arguments(message)) if options.argument_fault == ArgumentFault::Rpc => {
            Outcome::error(-32602, message)
        }
        Err(Fault::Permission(_)) if options.permission_fault == PermissionFault::Http => {
            Outcome::Unauthorized
        }
        Err(fault) => tool_error(&fault.text()),
    }
}

/// A result that says the tool failed.
pub(super) fn tool_error(text: &str) -> Outcome {
    Outcome::result(&json!({"content": [{"type": "text", "text": text}], "isError": true}))
}

/// `tools/list`.
pub(super) fn list(options: &Options, params: Option<&Value>) -> Outcome {
    let all = definitions::offered(options);
    let size = options.tools_per_page.unwrap_or(usize::MAX).max(1);
    let start = match params.and_then(|params| params.get("cursor")) {
        None | Some(Value::Null) => 0,
        Some(cursor) => match cursor.as_str().and_then(read_cursor) {
            Some(start) if start < all.len() => start,
            _ => return Outcome::error(-32602, "Invalid cursor"),
        },
    };
    let tools: Vec<&Value> = all.iter().skip(start).take(size).collect();
    let end = start + tools.len();
    let mut result = json!({"tools": tools});
    if end < all.len() {
        super::data::put(&mut result, "nextCursor", STANDARD.encode(end.to_string()));
    }
    Outcome::result(&result)
}

fn read_cursor(cursor: &str) -> Option<usize> {
    String::from_utf8(STANDARD.decode(cursor).ok()?).ok()?.parse().ok()
}

/// `initialize`: the asked revision if it is served, else the preferred one. The second value is the revision agreed on.
pub(super) fn initialize(options: &Options, params: Option<&Value>) -> (Outcome, String) {
    let asked = params
        .and_then(|params| params.get("protocolVersion"))
        .and_then(Value::as_str)
        .unwrap_or_default();
    let agreed = options
        .revisions
        .iter()
        .find(|served| *served == asked)
        .or(options.revisions.first())
        .cloned()
        .unwrap_or_default();
    let result = json!({
        "protocolVersion": agreed, "capabilities": capabilities(options), "serverInfo": server_info(),
        "instructions": "Search and read conversations, contacts, companies and articles of an Intercom workspace.",
    });
    (Outcome::result(&result), agreed)
}

/// What the server can do.
pub(super) fn capabilities(options: &Options) -> Value {
    let mut all = json!({"tools": {"listChanged": true}});
    if options.logs > 0 {
        super::data::put(&mut all, "logging", json!({}));
    }
    all
}

/// Who the server says it is.
pub(super) fn server_info() -> Value {
    json!({"name": "intercom", "title": "Intercom (simulated)", "version": "1.0.0"})
}

/// The members that the modern era adds to lists.
pub(super) fn cache_members(options: &Options) -> String {
    let scope = match options.cache_scope {
        CacheScope::Private => "private",
        CacheScope::Public => "public",
    };
    format!(r#""resultType":"complete","ttlMs":{},"cacheScope":"{scope}""#, options.ttl)
}
