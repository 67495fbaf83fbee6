//! The approvers' page: where people read held calls and decide.
//!
//! A listener of its own, switched on by `console.listen`, so that agents and people never share a
//! door. Pages are made on the server and work without scripts; scripts of our own make them live.
//! Nothing is decided here: who asks is proven here, what they may do is said by the rooms below.
//!
//! What holds for every answer stands in one place each: `guard` (names, methods, where a request
//! comes from, the headers of an answer), `extract` (who asks, and that a form came from our own
//! page). A page takes `Signed` or `Posted` and has all of it.

mod account;
mod api;
mod areas;
mod asked;
mod assets;
mod decide;
mod events;
mod export;
mod extract;
mod grants;
mod guard;
mod history;
mod hold;
mod holds;
mod oidc;
mod page;
mod records;
mod sign_in;
mod slack;
mod text;
mod turns;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::response::IntoResponse as _;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tower::ServiceExt as _;

use crate::clock;
use crate::config;
use crate::desk::Desk;
use crate::identity::SignIn;
use crate::listen::{self, Limits};
use crate::notify::Notifier;
use crate::rollout::{PluginRollout, Rollout};

use guard::Names;
use oidc::Organisation;
use turns::Turns;

/// The rooms that pages ask.
pub struct Rooms {
    /// Who people are.
    pub sign_in: Arc<SignIn>,
    /// What people do with holds.
    pub desk: Arc<Desk>,
    /// Which policies decide.
    pub rollout: Arc<Rollout>,
    /// Which plugins look.
    pub plugins: Arc<PluginRollout>,
    /// To whom presses of buttons in messages go.
    pub notifier: Option<Arc<Notifier>>,
    /// Where the log is.
    pub data: PathBuf,
}

/// The page and the rooms it asks.
pub struct Console {
    sign_in: Arc<SignIn>,
    desk: Arc<Desk>,
    rollout: Arc<Rollout>,
    plugins: Arc<PluginRollout>,
    data: PathBuf,
    names: Names,
    environment: String,
    /// Who else vouches for people.
    organisation: Option<Organisation>,
    /// To whom presses of buttons in messages go.
    notifier: Option<Arc<Notifier>>,
    exports: Turns,
    looks: Turns,
    draining: watch::Receiver<bool>,
}

impl Console {
    /// Puts it together; `address` is where it listens, `draining` turns true when the process is
    /// to end.
    ///
    /// # Errors
    /// If TLS towards the organisation's provider cannot be prepared.
    pub fn new(
        settings: &config::Console,
        environment: &str,
        address: SocketAddr,
        rooms: Rooms,
        draining: watch::Receiver<bool>,
    ) -> std::io::Result<Self> {
        let names = Names::new(address, &settings.url_at(address));
        let organisation = settings.oidc.as_ref();
        let organisation = organisation.map(|it| Organisation::new(it, names.url())).transpose()?;
        let environment = environment.to_owned();
        let Rooms { sign_in, desk, rollout, plugins, notifier, data } = rooms;
        Ok(Self {
            sign_in,
            desk,
            rollout,
            plugins,
            notifier,
            data,
            names,
            environment,
            organisation,
            exports: Turns::exports(),
            looks: Turns::looks(),
            draining,
        })
    }

    /// Serves until the process is to end.
    pub async fn serve(self: Arc<Self>, listener: TcpListener, limits: Limits) {
        let shutdown = self.draining.clone();
        tokio::spawn(self.clone().sweep());
        let router = self.router();
        let handler = move |request: http::Request<_>| {
            let router = router.clone();
            async move {
                let answered = router.oneshot(request.map(Body::new)).await;
                answered.unwrap_or_else(|never| match never {}).into_response()
            }
        };
        listen::serve(listener, handler, limits, shutdown).await;
    }

    /// Forgets sessions that are over, until the process is to end.
    async fn sweep(self: Arc<Self>) {
        let mut draining = self.draining.clone();
        let mut minutes = tokio::time::interval(Duration::from_secs(60));
        loop {
            tokio::select! {
                _ = minutes.tick() => {}
                _ = draining.wait_for(|stop| *stop) => return,
            }
            if let Err(error) = self.sign_in.sweep(clock::now()) {
                tracing::error!(%error, "sessions cannot be read");
            }
        }
    }

    /// Where people sign in at their organisation and come back to `next`; empty if nobody else
    /// vouches for them.
    fn provider(&self, next: &str) -> String {
        if self.organisation.is_none() {
            return String::new();
        }
        let next: String = form_urlencoded::byte_serialize(next.as_bytes()).collect();
        format!("/login/oidc?next={next}")
    }

    /// Every page, behind the guard.
    fn router(self: Arc<Self>) -> Router {
        Router::new()
            .merge(sign_in::routes())
            .merge(oidc::routes())
            .merge(slack::routes())
            .merge(account::routes())
            .merge(holds::routes())
            .merge(hold::routes())
            .merge(decide::routes())
            .merge(grants::routes())
            .merge(history::routes())
            .merge(records::routes())
            .merge(areas::routes())
            .merge(events::routes())
            .merge(api::routes())
            .merge(assets::routes())
            .fallback(page::nothing_here)
            .method_not_allowed_fallback(page::wrong_method)
            .layer(axum::middleware::from_fn_with_state(self.clone(), guard::guard))
            .with_state(self)
    }
}
