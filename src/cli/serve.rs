//! `portcullis serve`.

use std::io::IsTerminal as _;
use std::process::ExitCode;

use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

use crate::app::App;
use crate::config::{Config, LogFormat};

/// Serves until SIGTERM or SIGINT; SIGHUP loads the policies again.
pub(super) fn run(config: Config) -> anyhow::Result<ExitCode> {
    trace(&config)?;
    for warning in &config.warnings {
        tracing::warn!("{warning}");
    }
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    super::runtime(threads)?.block_on(async {
        let app = App::start(&config).await?;
        let (told, reload) = tokio::sync::mpsc::channel(1);
        app.reload_on(reload);
        let mut hangups = signal(SignalKind::hangup())?;
        tokio::spawn(async move {
            while hangups.recv().await.is_some() {
                // Full means that a reload is already due.
                let _ = told.try_send(());
            }
        });
        // Whoever reads the line may stop the process at once, and that must be an orderly stop.
        let stop = stop_signal()?;
        if let Some(address) = app.ops_address() {
            println!("health and metrics on http://{address}");
        }
        if let Some(address) = app.console_address() {
            println!("approvers' page on http://{address}");
        }
        println!("listening on http://{}{}", app.address(), crate::proxy::PATH);
        app.serve(stop).await?;
        Ok(ExitCode::SUCCESS)
    })
}

/// Resolves on SIGTERM or SIGINT.
pub(super) fn stop_signal() -> anyhow::Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

/// The process's own log, on standard error. `RUST_LOG` wins over the configuration, whose level is
/// for Portcullis alone: compilers and databases tell hundreds of megabytes of themselves.
fn trace(config: &Config) -> anyhow::Result<()> {
    let level = config.log.level.as_str();
    let own = format!("{},portcullis={level}", if level == "error" { "error" } else { "warn" });
    let filter = EnvFilter::try_from_default_env().or_else(|_| EnvFilter::try_new(own))?;
    // A line that cannot be written is lost. Complaining about it on standard error would panic,
    // and a full disk must not take the answers away.
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .log_internal_errors(false);
    match config.log.format {
        LogFormat::Text => {
            log.with_target(false).with_ansi(std::io::stderr().is_terminal()).init();
        }
        LogFormat::Json => log.json().init(),
    }
    Ok(())
}
