//! `portcullis simulate`.

use std::net::SocketAddr;
use std::process::ExitCode;

use crate::simulator::{Options, Simulator};

/// Arguments of `simulate`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Where to listen; port 0 takes a free one. Loopback, for it has no protection.
    #[arg(long, default_value = "127.0.0.1:9111")]
    listen: SocketAddr,
    #[command(flatten)]
    options: Options,
}

pub(super) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    let simulator = Simulator::start(args.listen, args.options).await?;
    println!("listening on {}", simulator.url());
    println!("token: {}", simulator.token());
    super::serve::stop_signal()?.await;
    simulator.stop().await;
    Ok(ExitCode::SUCCESS)
}
