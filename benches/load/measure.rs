//! What is measured, and in what order: relay and gateway in turn, so that a busy machine is busy for both.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use futures_util::future::try_join_all;

use super::client::{Asked, Heard, Stream, listen};
use super::fake_model::Manner;
use super::process::Process;

/// Requests one after the other, for the time to the first delta of an idle system.
const SINGLE_REQUESTS: u32 = 100;
/// Deltas of such a request.
const SINGLE_DELTAS: u32 = 3;
/// A stream that waits does so for so long, in which all of them must be opened.
const IDLE_GAP: Duration = Duration::from_secs(10);
/// So many streams are opened at once where many are wanted.
const OPENED_AT_ONCE: usize = 50;

/// How much is measured.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Streams at once.
    pub streams: u16,
    /// Deltas of one saturated stream.
    pub deltas: u32,
    /// Between two deltas of a paced stream.
    pub gap: Duration,
    /// The time of one measurement.
    pub time: Duration,
    /// How often relay and gateway take turns.
    pub rounds: u8,
    /// Streams that wait, for the memory of one of them.
    pub idle_streams: u16,
}

/// Figures of one system, one value a round.
#[derive(Clone, Debug, Default)]
pub struct Figures {
    /// Time to the first delta, one reader at a time: median and 99th percentile, in seconds.
    pub first_single: [Vec<f64>; 2],
    /// The same while the paced streams run.
    pub first_paced: [Vec<f64>; 2],
    /// Deltas a second, saturated.
    pub rate: Vec<f64>,
    /// CPU seconds a million deltas, saturated.
    pub cpu_saturated: Vec<f64>,
    /// CPU seconds a million deltas, paced.
    pub cpu_paced: Vec<f64>,
    /// Deltas an event, saturated: more than 1 where deltas that came together were merged.
    pub merged: Vec<f64>,
    /// Bytes a stream that waits; measured once.
    pub idle_stream_bytes: Vec<f64>,
    /// The most memory, in bytes; measured once.
    pub peak_bytes: Vec<f64>,
}

/// Figures of everything that was measured.
#[derive(Clone, Debug, Default)]
pub struct Measured {
    /// The model asked directly; times only.
    pub direct: Figures,
    /// The bare relay.
    pub relay: Figures,
    /// The gateway.
    pub gateway: Figures,
}

/// Starts everything, measures, and ends everything.
pub async fn all(plan: &Plan, gateway: &Path) -> Result<Measured> {
    let folder = tempfile::tempdir()?;
    let model = Process::in_role(["model"])?;
    let relay = Process::in_role(["relay", &model.address.to_string()])?;
    let gateway = Process::gateway(gateway, model.address, folder.path()).await?;
    let asked = (Asked::Model(model.address), Asked::Relay(relay.address), Asked::Gateway(gateway.address));
    let mut measured = Measured::default();
    for (asked, process, figures) in
        [(asked.1, &relay, &mut measured.relay), (asked.2, &gateway, &mut measured.gateway)]
    {
        // The first requests also load pages of the program, which would count as memory of the streams.
        single(asked).await?;
        figures.idle_stream_bytes.push(idle(asked, process, plan.idle_streams).await?);
    }
    for round in 1..=plan.rounds {
        eprintln!("round {round} of {}", plan.rounds);
        for (asked, process, figures) in [
            (asked.0, &model, &mut measured.direct),
            (asked.1, &relay, &mut measured.relay),
            (asked.2, &gateway, &mut measured.gateway),
        ] {
            let [median, late] = single(asked).await.context("one at a time")?;
            figures.first_single[0].push(median);
            figures.first_single[1].push(late);
            paced(plan, asked, process, figures).await.context("paced")?;
            if asked != Asked::Model(model.address) {
                saturated(plan, asked, process, figures).await.context("saturated")?;
            }
        }
    }
    measured.relay.peak_bytes.push(relay.memory_bytes_peak()?);
    measured.gateway.peak_bytes.push(gateway.memory_bytes_peak()?);
    Ok(measured)
}

async fn single(asked: Asked) -> Result<[f64; 2]> {
    let mut times = Vec::new();
    for _ in 0..SINGLE_REQUESTS {
        times.push(listen(asked, Manner { deltas: SINGLE_DELTAS, gap: Duration::ZERO }).await?.first);
    }
    Ok(median_and_late(times))
}

async fn paced(plan: &Plan, asked: Asked, process: &Process, figures: &mut Figures) -> Result<()> {
    let deltas = u32::try_from(plan.time.as_millis() / plan.gap.as_millis()).unwrap_or(u32::MAX).max(1);
    let manner = Manner { deltas, gap: plan.gap };
    let cpu_before = process.cpu_seconds()?;
    let streams = (0..u32::from(plan.streams)).map(|position| {
        // Readers do not come all at once.
        let delay = plan.gap * 5 * position / u32::from(plan.streams);
        tokio::spawn(async move {
            tokio::time::sleep(delay).await;
            listen(asked, manner).await
        })
    });
    let heard: Vec<Heard> = try_join_all(streams).await?.into_iter().collect::<Result<_>>()?;
    let millions = f64::from(deltas) * f64::from(plan.streams) / 1e6;
    figures.cpu_paced.push((process.cpu_seconds()? - cpu_before) / millions);
    let [median, late] = median_and_late(heard.iter().map(|heard| heard.first).collect());
    figures.first_paced[0].push(median);
    figures.first_paced[1].push(late);
    Ok(())
}

async fn saturated(plan: &Plan, asked: Asked, process: &Process, figures: &mut Figures) -> Result<()> {
    let manner = Manner { deltas: plan.deltas, gap: Duration::ZERO };
    let (started, cpu_before) = (Instant::now(), process.cpu_seconds()?);
    let time = plan.time;
    let readers = (0..plan.streams).map(|_| {
        tokio::spawn(async move {
            let (mut streams, mut events) = (0_u32, 0);
            while started.elapsed() < time {
                events += listen(asked, manner).await?.events;
                streams += 1;
            }
            anyhow::Ok((f64::from(streams), events as f64))
        })
    });
    let read: Vec<(f64, f64)> = try_join_all(readers).await?.into_iter().collect::<Result<_>>()?;
    let deltas = read.iter().map(|(streams, _)| streams).sum::<f64>() * f64::from(plan.deltas);
    let events = read.iter().map(|(_, events)| events).sum::<f64>();
    figures.rate.push(deltas / started.elapsed().as_secs_f64());
    figures.cpu_saturated.push((process.cpu_seconds()? - cpu_before) / (deltas / 1e6));
    figures.merged.push(deltas / events);
    Ok(())
}

/// What one more stream costs that has said something and now waits.
async fn idle(asked: Asked, process: &Process, count: u16) -> Result<f64> {
    let before = process.memory_bytes()?;
    let mut open = Vec::new();
    while open.len() < usize::from(count) {
        let wanted = OPENED_AT_ONCE.min(usize::from(count) - open.len());
        let opened = try_join_all((0..wanted).map(async |_| {
            let mut stream = Stream::open(asked, Manner { deltas: 2, gap: IDLE_GAP }).await?;
            stream.until_text().await?;
            anyhow::Ok(stream)
        }));
        open.extend(opened.await?);
    }
    let bytes = (process.memory_bytes()? - before) / f64::from(count);
    // What is left running would be in the way of what is measured next.
    try_join_all(open.iter_mut().map(Stream::rest)).await?;
    Ok(bytes)
}

fn median_and_late(mut times: Vec<Duration>) -> [f64; 2] {
    times.sort_unstable();
    let at = |part: f64| times[((times.len() - 1) as f64 * part).round() as usize].as_secs_f64();
    [at(0.5), at(0.99)]
}
