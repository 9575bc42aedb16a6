//! Measures the gateway against a bare relay, with a fake model behind both; see `benches/README.md`.
//!
//! One binary plays four parts: without a role it measures; with one it is a process of its own, the fake model or the
//! relay. The gateway is the release binary itself.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a measurement is read on the terminal")]
#![expect(clippy::disallowed_methods, reason = "nothing here is a turn, and no shutdown waits for it")]

mod client;
mod fake_model;
mod measure;
mod process;
mod relay;
mod report;
mod wire;

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Result, bail};
use clap::{Parser, Subcommand};
use tokio::net::TcpListener;

use self::measure::Plan;

/// Measures the gateway against a bare relay, with a fake model behind both.
#[derive(Debug, Parser)]
struct CommandLine {
    #[command(subcommand)]
    role: Option<Role>,
    /// Streams at once
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u16).range(1..=400))]
    streams: u16,
    /// Deltas of one saturated stream; the gateway cuts an answer at 256 KiB
    #[arg(long, default_value_t = 2_000, value_parser = clap::value_parser!(u32).range(1..=8_000))]
    deltas: u32,
    /// Between two deltas of a paced stream
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..=1_000))]
    paced_ms: u64,
    /// How long each single measurement takes
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..=60))]
    seconds: u64,
    /// How often relay and gateway are measured in turn; medians are reported
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u8).range(1..=50))]
    rounds: u8,
    /// Streams that wait, for the memory of one of them
    #[arg(long, default_value_t = 400, value_parser = clap::value_parser!(u16).range(1..=4_000))]
    idle_streams: u16,
    /// Measures this gateway instead of the one that was just built
    #[arg(long, default_value = env!("CARGO_BIN_EXE_chatkit-gateway"))]
    gateway: std::path::PathBuf,
    /// Cargo says so; it changes nothing
    #[arg(long, hide = true)]
    bench: bool,
}

#[derive(Debug, Subcommand)]
enum Role {
    /// Be the fake model
    #[command(hide = true)]
    Model,
    /// Be the relay
    #[command(hide = true)]
    Relay {
        /// Where the model is
        model: SocketAddr,
    },
}

#[tokio::main]
async fn main() -> Result<()> {
    let asked = CommandLine::parse();
    if let Some(role) = asked.role {
        process::end_with_parent();
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        println!("{}", listener.local_addr()?);
        return match role {
            Role::Model => fake_model::serve(listener).await,
            Role::Relay { model } => relay::serve(listener, model).await,
        };
    }
    if !cfg!(target_os = "linux") {
        bail!("CPU time and memory are read from /proc, which only Linux has");
    }
    let plan = Plan {
        streams: asked.streams,
        deltas: asked.deltas,
        gap: Duration::from_millis(asked.paced_ms),
        time: Duration::from_secs(asked.seconds),
        rounds: asked.rounds,
        idle_streams: asked.idle_streams,
    };
    let measured = measure::all(&plan, &asked.gateway).await?;
    print!("{}", report::table(&plan, &measured));
    println!("{}", report::json(&plan, &measured));
    Ok(())
}
