//! Processes that are measured: started, watched through `/proc`, and ended whatever happens.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use tokio::net::TcpStream;

/// A process that does not listen after so long never will.
const START_WAIT_MAX: Duration = Duration::from_secs(20);
const LOOK_AGAIN_AFTER: Duration = Duration::from_millis(20);

/// What the kernel counts CPU time in towards user space, on every architecture Rust has a Linux for.
const TICKS_PER_SECOND: f64 = 100.0;
/// What would end a measurement that comes from one address.
const LIMITS: [&str; 12] = [
    "MESSAGES_PER_MINUTE",
    "MESSAGES_PER_DAY",
    "MESSAGES_PER_MINUTE_PER_ADDRESS",
    "MESSAGES_PER_DAY_PER_ADDRESS",
    "PERSONALIZATIONS_PER_DAY",
    "TRANSLATIONS_PER_DAY",
    "TRANSLATIONS_PER_DAY_PER_ADDRESS",
    "STREAMS_PER_READER",
    "STREAMS_PER_ADDRESS",
    "REQUESTS_PER_MINUTE_PER_ADDRESS",
    "CONNECTIONS_MAX",
    "CONNECTIONS_PER_ADDRESS_MAX",
];

/// A process of ours; ended when this is dropped, also by a panic.
pub struct Process {
    child: Child,
    /// Where it listens.
    pub address: SocketAddr,
}

impl Process {
    /// This binary in another role.
    pub fn in_role<A: AsRef<OsStr>>(arguments: impl IntoIterator<Item = A>) -> Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = Self { child: command.spawn()?, address: ([127, 0, 0, 1], 0).into() };
        let stdout = child.child.stdout.take().context("it has an output")?;
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line)?;
        child.address = line.trim().parse().context("it did not say where it listens")?;
        Ok(child)
    }

    /// The gateway, with a database of its own in `folder`.
    pub async fn gateway(binary: &Path, model: SocketAddr, folder: &Path) -> Result<Self> {
        let address = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let mut command = Command::new(binary);
        command.env_clear().current_dir(folder).stdin(Stdio::null());
        command.env("HOST", address.ip().to_string()).env("PORT", address.port().to_string());
        command.env("DATA_DIR", folder).env("LOG_LEVEL", "warn");
        command.env("OPENAI_BASE_URL", format!("http://{model}/v1")).env("OPENAI_API_KEY", "none");
        // A title is a request more, and no answer.
        command.env("TITLES", "off");
        // Out of reach, and counted all the same.
        for limit in LIMITS {
            command.env(limit, "1000000000");
        }
        let mut child = Self { child: command.spawn().context("the gateway cannot be started")?, address };
        let started = std::time::Instant::now();
        while TcpStream::connect(address).await.is_err() {
            ensure!(child.child.try_wait()?.is_none(), "the gateway ended at once");
            ensure!(started.elapsed() < START_WAIT_MAX, "the gateway does not listen");
            tokio::time::sleep(LOOK_AGAIN_AFTER).await;
        }
        Ok(child)
    }

    /// CPU time spent so far in its own code and in the kernel for it, in seconds.
    pub fn cpu_seconds(&self) -> Result<f64> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        let (_, after_name) = stat.rsplit_once(')').context("not a line of /proc/…/stat")?;
        let mut times = after_name.split_whitespace().skip(11).map(str::parse::<f64>);
        let (user, system) = (times.next().context("no user time")??, times.next().context("no system time")??);
        Ok((user + system) / TICKS_PER_SECOND)
    }

    /// Memory it has now, in bytes.
    pub fn memory_bytes(&self) -> Result<f64> {
        self.status("VmRSS:")
    }

    /// The most memory it ever had, in bytes.
    pub fn memory_bytes_peak(&self) -> Result<f64> {
        self.status("VmHWM:")
    }

    fn status(&self, name: &str) -> Result<f64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix(name)).with_context(|| format!("no {name}"))?;
        let kilobytes: f64 = line.trim().trim_end_matches("kB").trim().parse()?;
        Ok(kilobytes * 1024.0)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Ends this process when its input does, which is when its parent ends, however that comes about.
pub fn end_with_parent() {
    std::thread::spawn(|| {
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        std::process::exit(0);
    });
}
