//! The one place that knows all parts: builds the rooms, hands each what it needs, and ends them in
//! order.
//!
//! Everything that can fail at start fails here, before the address is printed.

mod doors;
mod ground;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::watch;

use doors::Doors;
use ground::Ground;

use crate::config::{Config, PolicyOrigin};
use crate::control::{self, Control};
use crate::desk::Desk;
use crate::domain::Event;
use crate::gate::PauseError;
use crate::holds::{Archive, HoldError};
use crate::identity::{Changes, ChangesError, KeysError, PausedError, PeopleError, own_principal};
use crate::intercom::PinsError;
use crate::listen::{self, Limits};
use crate::notify::NotifyError;
use crate::policy::Source;
use crate::proxy::{Proxy, Rooms};
use crate::rollout::{self, PluginRollout, PluginsError, Rollout, RolloutError};
use crate::store::{self, OpenError, Store};
use crate::tape::TapeError;
use crate::trail::TrailError;
use crate::upstream::Upstream;
use crate::vault::VaultError;

/// How often Intercom's tool list is read again.
const TOOLS_EVERY: Duration = Duration::from_secs(60);
/// How long finished holds stay in memory.
const HOLDS_KEPT: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// Why Portcullis could not start, or had to end.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// The data folder.
    #[error(transparent)]
    Data(#[from] crate::config::private::PrivateError),
    /// The store.
    #[error(transparent)]
    Store(#[from] OpenError),
    /// The policies.
    #[error("the policies cannot be used:\n{0}")]
    Policy(#[source] rollout::StartError),
    /// The plugins.
    #[error("the plugins cannot be used:\n{0}")]
    Plugins(#[from] PluginsError),
    /// Keys.
    #[error(transparent)]
    Keys(#[from] KeysError),
    /// People.
    #[error(transparent)]
    People(#[from] PeopleError),
    /// What changed in accounts and keys.
    #[error(transparent)]
    Changes(#[from] ChangesError),
    /// Who is paused.
    #[error(transparent)]
    Paused(#[from] PausedError),
    /// What changed in who is paused.
    #[error(transparent)]
    Pause(#[from] PauseError),
    /// Pins.
    #[error(transparent)]
    Pins(#[from] PinsError),
    /// What lies in the database beside the log.
    #[error(transparent)]
    Shelf(#[from] store::ShelfError),
    /// Whoever is told of held calls.
    #[error(transparent)]
    Notify(#[from] NotifyError),
    /// Holds.
    #[error(transparent)]
    Hold(#[from] HoldError),
    /// The trails of principals.
    #[error(transparent)]
    Trail(#[from] TrailError),
    /// The address.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// Which.
        address: SocketAddr,
        /// Why not.
        source: std::io::Error,
    },
    /// What stands behind pseudonyms.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// What is kept of questions to policy.
    #[error(transparent)]
    Tape(#[from] TapeError),
    /// Anything else of the system.
    #[error("{what}: {source}")]
    Io {
        /// What was tried.
        what: &'static str,
        /// Why it failed.
        source: std::io::Error,
    },
    /// The log failed while serving.
    #[error("the audit log failed, so Portcullis ended: {0}")]
    Log(Arc<str>),
}

impl AppError {
    /// The exit status: 75 (`EX_TEMPFAIL`) if another process uses the data folder.
    #[must_use]
    pub const fn exit_code(&self) -> u8 {
        match self {
            Self::Store(OpenError::Locked { .. }) => 75,
            _ => 1,
        }
    }
}

impl From<rollout::StartError> for AppError {
    fn from(error: rollout::StartError) -> Self {
        match error {
            // Nothing is wrong with the policies: it is the folder that they, too, are kept in.
            rollout::StartError::Kept(rollout::KeptError::Private(error)) => Self::Data(error),
            error => Self::Policy(error),
        }
    }
}

/// A Portcullis that is ready to serve.
pub struct App {
    listener: TcpListener,
    address: SocketAddr,
    doors: Doors,
    proxy: Arc<Proxy>,
    control: Arc<Control>,
    changes: Changes,
    door: control::Door,
    limits: Limits,
    store: Store,
    drain: watch::Sender<bool>,
}

/// Where a configuration's policies lie, for commands that read them; `None` if that is a server.
#[must_use]
pub fn policy_source(config: &Config) -> Option<Source> {
    match config.policies.origin.clone() {
        PolicyOrigin::Shipped => Some(Source::Shipped),
        PolicyOrigin::Folder(path) => Some(Source::Folder(path)),
        PolicyOrigin::Bundle(path) => Some(Source::Archive(path)),
        PolicyOrigin::Server(_) => None,
    }
}

impl App {
    /// Builds all parts.
    ///
    /// # Errors
    /// If any of them cannot work.
    pub async fn start(config: &Config) -> Result<Self, AppError> {
        let Ground { plugins, policies, identity, people, store, pins, gate } =
            Ground::open(config).await?;
        let plugins = Arc::new(PluginRollout::begin(plugins, gate.clone()).await?);
        gate.holds().close_unfinished().await?;
        gate.record_pauses().await?;
        let own =
            own_principal().map_err(|error| io("name itself", std::io::Error::other(error)))?;
        let upstream = Upstream::new(&config.upstream, gate.clone(), pins.clone(), own)
            .map_err(|error| io("prepare TLS towards Intercom", error))?;
        let upstream = Arc::new(upstream);
        let (listener, address) = bind(config.listen).await?;
        let (drain, draining) = watch::channel(false);
        let rooms = Rooms {
            gate: gate.clone(),
            upstream: upstream.clone(),
            pins: pins.clone(),
            identity: identity.clone(),
        };
        let proxy = Arc::new(Proxy::new(config, address, rooms, draining));
        let rollout = Arc::new(Rollout::new(policies, gate.clone()).resumed().await);
        tokio::spawn(rollout.clone().follow_on(config.policies.origin.clone(), drain.subscribe()));
        tokio::spawn(plugins.clone().follow_on(drain.subscribe()));
        let archive = Archive::new(&config.data);
        let (asked, aside) = ((gate.clone(), upstream.clone()), store.shelf("snoozes")?);
        let desk = Arc::new(Desk::new(asked.0, asked.1, identity.clone(), archive, aside));
        let control =
            Arc::new(Control { gate, desk, upstream, pins, identity, people, rollout, plugins });
        let doors = Doors::open(config, &store, &control, drain.subscribe()).await?;
        let limits = Limits {
            connections: config.limits.connections,
            streams: config.limits.streams,
            header_timeout: config.limits.header_timeout,
            idle_timeout: config.limits.idle_timeout,
            drain: config.drain,
        };
        // Last, and before the address is told: whoever knows it can also use the commands.
        let door = control::Door::open(&config.data)
            .map_err(|error| io("open the control socket", error))?;
        let changes = Changes::open(&store)?;
        changes.record(&control.people, &control.identity).await?;
        Ok(Self { listener, address, doors, proxy, control, changes, door, limits, store, drain })
    }

    /// The address of the agents' side.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// The address of health and metrics, if they are served.
    #[must_use]
    pub fn ops_address(&self) -> Option<SocketAddr> {
        self.doors.ops_address()
    }

    /// The address of the approvers' page, if it is served.
    #[must_use]
    pub fn console_address(&self) -> Option<SocketAddr> {
        self.doors.console_address()
    }

    /// Loads the policies and the plugins again whenever `signal` tells to; what is broken leaves the
    /// old in force and is shouted about.
    pub fn reload_on(&self, mut signal: tokio::sync::mpsc::Receiver<()>) {
        let control = self.control.clone();
        tokio::spawn(async move {
            while signal.recv().await.is_some() {
                // What goes wrong is told by whatever refuses it.
                if let Err(error @ RolloutError::Pinned(_)) = control.rollout.reload().await {
                    tracing::error!("{error}");
                }
                let _told = control.plugins.reload().await;
            }
        });
    }

    /// Serves until `stop` resolves, then drains. Ends early if the log fails: without records
    /// there is no road, and a supervisor should start over.
    ///
    /// # Errors
    /// If the log failed.
    pub async fn serve(self, stop: impl Future<Output = ()> + Send) -> Result<(), AppError> {
        let Self { listener, doors, proxy, control, changes, door, limits, store, drain, .. } =
            self;
        let conversations = control::serve(control.clone(), door, drain.subscribe());
        let keeping = (control.clone(), proxy.clone(), changes);
        let background = tokio::spawn(keep(keeping, drain.subscribe()));
        let drain_time = limits.drain;
        let pages = doors.serve(&limits);
        let agents = proxy.clone();
        let handler = move |request| agents.clone().serve(request);
        let serving = tokio::spawn(listen::serve(listener, handler, limits, drain.subscribe()));
        let failed = tokio::select! {
            () = stop => None,
            cause = wait_for_failure(&store) => Some(cause),
        };
        drain.send_replace(true);
        let deadline = tokio::time::Instant::now() + drain_time;
        if let Err(error) = serving.await {
            tracing::error!(%error, "the listener ended badly");
        }
        background.abort();
        // What is being sent gets the time to be answered, or it would have to be called unknown.
        let releases = control.upstream.releases_ended();
        let last = async { tokio::join!(releases, conversations, proxy.ended(), pages) };
        if tokio::time::timeout_at(deadline, last).await.is_err() {
            tracing::warn!("work under way was cut off when the drain time ended");
        }
        control.rollout.note_shadow().await;
        if let Some(cause) = failed {
            return Err(AppError::Log(cause));
        }
        if let Err(error) = store.log().append(Event::Stopped).await {
            tracing::error!(%error, "the end was not recorded");
        }
        Ok(())
    }
}

async fn bind(address: SocketAddr) -> Result<(TcpListener, SocketAddr), AppError> {
    let failed = |source| AppError::Listen { address, source };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    Ok((listener, address))
}

async fn wait_for_failure(store: &Store) -> Arc<str> {
    store.log().failed().await
}

/// What has to be done from time to time.
async fn keep(
    (control, proxy, changes): (Arc<Control>, Arc<Proxy>, Changes),
    mut drain: watch::Receiver<bool>,
) {
    let mut seconds = tokio::time::interval(Duration::from_secs(1));
    let mut count: u64 = 0;
    loop {
        tokio::select! {
            _ = seconds.tick() => {}
            _ = drain.wait_for(|stop| *stop) => return,
        }
        control.gate.holds().expire().await;
        control.gate.shed();
        if let Err(error) = control.identity.reload() {
            tracing::error!(%error, "keys of principals cannot be read");
        }
        if let Err(error) = control.people.reload() {
            tracing::error!(%error, "keys of approvers cannot be read");
        }
        if let Err(error) = changes.record(&control.people, &control.identity).await {
            tracing::error!(%error, "changes of accounts and keys are not recorded");
        }
        if count.is_multiple_of(5) {
            control.desk.take_up_releases();
            take_over_pins(&control).await;
        }
        if count.is_multiple_of(TOOLS_EVERY.as_secs()) {
            tokio::spawn(refresh_tools(control.clone()));
            control.gate.holds().forget(HOLDS_KEPT);
            if let Err(error) = control.desk.sweep_snoozes() {
                tracing::error!(%error, "what people put aside cannot be read");
            }
            proxy.sweep();
        }
        count += 1;
    }
}

/// What the command line pinned while the server runs.
async fn take_over_pins(control: &Control) {
    match control.pins.refresh() {
        Ok(events) => {
            for event in events {
                if let Err(error) = control.upstream.record_tool(event).await {
                    tracing::error!(%error, "pin not recorded");
                }
            }
        }
        Err(error) => tracing::error!(%error, "pins cannot be read"),
    }
}

async fn refresh_tools(control: Arc<Control>) {
    if !control.upstream.has_token() {
        // Pass-through mode: there is no credential but the agents' own.
        return;
    }
    let refreshed = match control.upstream.shared_leg(None, None).await {
        Ok(leg) => control.upstream.refresh_tools(&leg).await,
        Err(fault) => Err(fault),
    };
    if let Err(fault) = refreshed {
        tracing::warn!(code = fault.code(), %fault, "Intercom's tool list was not read");
    }
}

const fn io(what: &'static str, source: std::io::Error) -> AppError {
    AppError::Io { what, source }
}
