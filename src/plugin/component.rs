//! A component before it is one of a set: its bytes, what it wants and offers, and its own word on
//! what it is.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use sha2::{Digest as _, Sha256};
use wasmtime::component::types::ComponentItem;
use wasmtime::component::{Component as Compiled, InstancePre};

use super::call::{Bounds, Failure};
use super::contract::PluginPre;
use super::description::{Description, Misdescribed};
use super::guest::Guest;
use super::host::Host;
use crate::domain::Digest;

/// The package of the contract, and the version of it that this host speaks.
const PACKAGE: &str = "portcullis:plugin";
const MAJOR: u64 = 1;
/// The minors that it speaks: its own and every earlier one.
const MINORS: std::ops::RangeInclusive<u64> = 0..=0;
/// What a plugin exports.
const INSPECTOR: &str = "inspector";
/// What it may import beside interfaces that hold nothing but types.
const LOG: &str = "log";
/// Bytes of the largest component.
pub const MAX_BYTES: usize = 64 << 20;
/// For `describe`, which is asked once: a machine under load may take its time.
const DESCRIBE: Duration = Duration::from_secs(2);

/// Why a component is no plugin.
#[derive(Debug, thiserror::Error)]
pub enum Unfit {
    /// Something else.
    #[error("it is not a WebAssembly component: {0}")]
    Format(&'static str),
    /// The compiler.
    #[error("it cannot be compiled: {0}")]
    Compile(String),
    /// It wants something that no plugin gets.
    #[error(
        "it imports `{0}`, which no plugin gets: a plugin has no files, network, clock or \
         randomness, and may import nothing but `{PACKAGE}/{LOG}@1.x`"
    )]
    Import(String),
    /// It was made for another contract.
    #[error(
        "it is made for `{PACKAGE}@{}`, and this Portcullis has {MAJOR}.{}; build it for that \
         version of the contract", .0, MINORS.end()
    )]
    Version(String),
    /// It offers no inspector.
    #[error("it does not export `{PACKAGE}/{INSPECTOR}@1.x` with `describe` and `inspect`: {0}")]
    Export(String),
    /// It failed when it was asked what it is.
    #[error("it failed when it was asked what it is: {}", .0.text)]
    Describe(Failure),
    /// What it says of itself is not in order.
    #[error("what it says of itself is not in order: {0}")]
    Misdescribed(#[from] Misdescribed),
}

/// A compiled component that said what it is.
#[derive(Clone)]
pub struct Component {
    digest: Digest,
    bytes: usize,
    imports: Vec<String>,
    exports: Vec<String>,
    description: Arc<Description>,
    pub(super) pre: PluginPre<Guest>,
}

impl Component {
    /// The digest of a component's bytes, as `sha256sum` has it.
    #[must_use]
    pub fn digest_of(bytes: &[u8]) -> Digest {
        Digest::from_bytes(Sha256::digest(bytes).into())
    }

    /// Compiles bytes, checks what they import and export, and asks what they are.
    ///
    /// # Errors
    /// If they are no plugin.
    pub fn compile(host: &Host, bytes: &[u8]) -> Result<Self, Unfit> {
        check_format(bytes)?;
        let compiled = Compiled::from_binary(&host.engine, bytes)
            .map_err(|error| Unfit::Compile(words(&format!("{error:#}"))))?;
        let kind = compiled.component_type();
        let imports: Vec<String> =
            kind.imports(&host.engine).map(|(name, _)| name.to_owned()).collect();
        for (name, import) in kind.imports(&host.engine) {
            check_import(host, name, &import.ty)?;
        }
        let exports: Vec<String> =
            kind.exports(&host.engine).map(|(name, _)| name.to_owned()).collect();
        check_exports(&exports)?;
        let pre = host.linker.instantiate_pre(&compiled);
        let pre: InstancePre<Guest> =
            pre.map_err(|error| Unfit::Export(words(&format!("{error:#}"))))?;
        let pre =
            PluginPre::new(pre).map_err(|error| Unfit::Export(words(&format!("{error:#}"))))?;
        let bounds = Bounds { deadline: DESCRIBE, ..Bounds::default() };
        let said = super::call::describe(host, &pre, &bounds).map_err(Unfit::Describe)?;
        let description = Arc::new(Description::read(said)?);
        let digest = Self::digest_of(bytes);
        Ok(Self { digest, bytes: bytes.len(), imports, exports, description, pre })
    }

    /// The digest of its bytes.
    #[must_use]
    pub const fn digest(&self) -> Digest {
        self.digest
    }

    /// How many bytes it has.
    #[must_use]
    pub const fn bytes(&self) -> usize {
        self.bytes
    }

    /// The names of what it imports.
    #[must_use]
    pub fn imports(&self) -> &[String] {
        &self.imports
    }

    /// The names of what it exports.
    #[must_use]
    pub fn exports(&self) -> &[String] {
        &self.exports
    }

    /// What it says of itself.
    #[must_use]
    pub fn description(&self) -> &Arc<Description> {
        &self.description
    }
}

impl std::fmt::Debug for Component {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Component({})", self.digest)
    }
}

fn check_format(bytes: &[u8]) -> Result<(), Unfit> {
    match bytes.first_chunk::<8>() {
        _ if bytes.len() > MAX_BYTES => Err(Unfit::Format("it is larger than 64 MiB")),
        Some([b'\0', b'a', b's', b'm', 1, 0, 0, 0]) => Err(Unfit::Format(
            "it is a core module; make a component of it, such as by `wasm-tools component new`",
        )),
        Some([b'\0', b'a', b's', b'm', ..]) => Ok(()),
        _ => Err(Unfit::Format("it does not begin as WebAssembly does")),
    }
}

/// The interface and the version of a name of our package.
fn ours(name: &str) -> Option<(&str, &str)> {
    let rest = name.strip_prefix(PACKAGE)?.strip_prefix('/')?;
    Some(rest.split_once('@').unwrap_or((rest, "0")))
}

/// A version that this host speaks: every minor up to its own.
fn check_version(version: &str) -> Result<(), Unfit> {
    let mut numbers = version.split('.').map(str::parse::<u64>);
    match (numbers.next(), numbers.next()) {
        (Some(Ok(MAJOR)), Some(Ok(minor))) if MINORS.contains(&minor) => Ok(()),
        _ => Err(Unfit::Version(words(version))),
    }
}

fn check_import(host: &Host, name: &str, item: &ComponentItem) -> Result<(), Unfit> {
    if let Some((_, version)) = ours(name) {
        check_version(version)?;
    }
    let is_log = ours(name).is_some_and(|(interface, _)| interface == LOG);
    // An interface that holds nothing but types gives nothing away.
    let only_types = match item {
        ComponentItem::ComponentInstance(instance) => instance
            .exports(&host.engine)
            .all(|(_, item)| matches!(item.ty, ComponentItem::Type(_))),
        ComponentItem::Type(_) => true,
        _ => false,
    };
    if is_log || only_types { Ok(()) } else { Err(Unfit::Import(words(name))) }
}

/// Other exports are no harm: nobody calls them.
fn check_exports(exports: &[String]) -> Result<(), Unfit> {
    let versions: BTreeSet<&str> = exports
        .iter()
        .filter_map(|name| ours(name))
        .filter(|(interface, _)| *interface == INSPECTOR)
        .map(|(_, version)| version)
        .collect();
    match versions.first() {
        None => Err(Unfit::Export("there is no such export".to_owned())),
        Some(version) => versions.iter().try_for_each(|it| check_version(it)).map_err(|error| {
            if versions.len() == 1 { error } else { Unfit::Version(words(version)) }
        }),
    }
}

/// Words of a component, or of the engine about one: short and plain.
pub(super) fn words(text: &str) -> String {
    text.chars().filter(|it| !crate::domain::is_hidden(*it)).take(300).collect()
}
