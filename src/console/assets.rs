//! Files that pages load: one style, one script, an icon, the manifest of the installed page.
//!
//! They are part of the program, and their digest is part of their path, so browsers may keep them
//! for ever and never see an old one.

use std::sync::{Arc, LazyLock};

use axum::Router;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use http::HeaderValue;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};

use super::Console;
use crate::domain::Digest;

/// A file with its digest in its path.
pub(super) struct Asset {
    path: String,
    kind: &'static str,
    bytes: &'static [u8],
}

pub(super) static STYLE: LazyLock<Asset> = LazyLock::new(|| {
    Asset::new(
        "console",
        "css",
        "text/css; charset=utf-8",
        concat!(
            include_str!("assets/console.css"),
            include_str!("assets/holds.css"),
            include_str!("assets/page.css")
        )
        .as_bytes(),
    )
});
pub(super) static SCRIPT: LazyLock<Asset> = LazyLock::new(|| {
    let kind = "text/javascript; charset=utf-8";
    Asset::new(
        "console",
        "js",
        kind,
        concat!(include_str!("assets/console.js"), include_str!("assets/holds.js")).as_bytes(),
    )
});
pub(super) static ICON: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("icon", "svg", "image/svg+xml", include_bytes!("assets/icon.svg")));
pub(super) static MANIFEST: LazyLock<Asset> = LazyLock::new(|| {
    let kind = "application/manifest+json";
    Asset::new("manifest", "webmanifest", kind, include_bytes!("assets/manifest.webmanifest"))
});

impl Asset {
    fn new(name: &str, ending: &str, kind: &'static str, bytes: &'static [u8]) -> Self {
        let digest = Digest::of("portcullis/asset/v1", &[bytes]);
        Self { path: format!("/assets/{name}-{}.{ending}", digest.short()), kind, bytes }
    }

    pub(super) fn path(&self) -> &str {
        &self.path
    }

    fn answer(&self) -> Response {
        let kind = HeaderValue::from_static(self.kind);
        let cache = HeaderValue::from_static("public, max-age=31536000, immutable");
        ([(CONTENT_TYPE, kind), (CACHE_CONTROL, cache)], self.bytes).into_response()
    }
}

pub(super) fn routes() -> Router<Arc<Console>> {
    let assets = [&STYLE, &SCRIPT, &ICON, &MANIFEST];
    // The manifest names the icon, so that one has a fixed path as well.
    let fixed = Router::new().route("/assets/icon.svg", get(|| async { ICON.answer() }));
    assets
        .into_iter()
        .fold(fixed, |router, asset| router.route(asset.path(), get(|| async { asset.answer() })))
}
