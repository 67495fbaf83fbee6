//! The doors beside the agents' one: health and metrics, the approvers' page, messages to people.
//! Each is there only if the configuration wants it.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::sync::watch;

use super::{AppError, bind, io};
use crate::config::{self, Config};
use crate::console::{self, Console};
use crate::control::Control;
use crate::domain::Role;
use crate::identity::{Guests, People, SessionLimits, SignIn};
use crate::listen::Limits;
use crate::notify::{Asked, Notifier};
use crate::ops::Ops;
use crate::store::Store;

/// A service and the listener that it is served on.
type Served<T> = Option<(TcpListener, SocketAddr, Arc<T>)>;

pub(super) struct Doors {
    ops: Served<Ops>,
    console: Served<Console>,
    notifier: Option<Arc<Notifier>>,
    drain: watch::Receiver<bool>,
}

impl Doors {
    /// Opens what the configuration wants, on the rooms of `control`.
    pub(super) async fn open(
        config: &Config,
        store: &Store,
        control: &Control,
        drain: watch::Receiver<bool>,
    ) -> Result<Self, AppError> {
        let ops = match config.ops {
            Some(address) => {
                let (listener, address) = bind(address).await?;
                let ops = Ops::new(control.gate.clone(), control.rollout.clone(), drain.clone());
                Some((listener, address, Arc::new(ops)))
            }
            None => None,
        };
        let bound = match &config.console {
            Some(settings) => Some((settings, bind(settings.listen).await?)),
            None => None,
        };
        let page = bound.as_ref().map(|(settings, (_, address))| settings.url_at(*address));
        let asked = Asked { gate: &control.gate, desk: &control.desk, people: &control.people };
        let notifier = Notifier::open(config, store, asked, page)?;
        warn_without_people(&control.people);
        let console = match bound {
            Some((settings, (listener, address))) => {
                let rooms = (control, notifier.clone());
                let console = open_console(config, settings, store, rooms, address, drain.clone())?;
                Some((listener, address, Arc::new(console)))
            }
            None => None,
        };
        Ok(Self { ops, console, notifier, drain })
    }

    pub(super) fn ops_address(&self) -> Option<SocketAddr> {
        self.ops.as_ref().map(|(_, address, _)| *address)
    }

    pub(super) fn console_address(&self) -> Option<SocketAddr> {
        self.console.as_ref().map(|(_, address, _)| *address)
    }

    /// Serves all of them until the process is to end; what is returned is there when people have
    /// been answered.
    pub(super) fn serve(self, limits: &Limits) -> impl Future<Output = ()> + use<> {
        if let Some((listener, _, ops)) = self.ops {
            tokio::spawn(ops.serve(listener, limits.clone()));
        }
        if let Some(notifier) = self.notifier {
            tokio::spawn(notifier.run(self.drain));
        }
        let pages = self
            .console
            .map(|(listener, _, console)| tokio::spawn(console.serve(listener, limits.clone())));
        async move {
            if let Some(pages) = pages
                && let Err(error) = pages.await
            {
                tracing::error!(%error, "the approvers' page ended badly");
            }
        }
    }
}

fn warn_without_people(people: &People) {
    if !people.everybody().iter().any(|one| one.roles.contains(&Role::Approver)) {
        tracing::warn!(
            "nobody can release a held call yet; `portcullis people add NAME --group GROUP` makes \
             the first account"
        );
    }
}

fn open_console(
    config: &Config,
    settings: &config::Console,
    store: &Store,
    (control, notifier): (&Control, Option<Arc<Notifier>>),
    address: SocketAddr,
    drain: watch::Receiver<bool>,
) -> Result<Console, AppError> {
    let limits = SessionLimits { idle: settings.idle_timeout, whole: settings.session_lifetime };
    if settings.oidc.is_some() {
        control.people.welcome(Guests::new(store.shelf("guests")?));
    }
    let sign_in = Arc::new(SignIn::open(control.people.clone(), store, limits)?);
    let rooms = console::Rooms {
        sign_in,
        desk: control.desk.clone(),
        rollout: control.rollout.clone(),
        plugins: control.plugins.clone(),
        notifier,
        data: config.data.clone(),
    };
    Console::new(settings, &config.environment, address, rooms, drain)
        .map_err(|error| io("prepare TLS towards the identity provider", error))
}
