//! `cargo bench -p harness --bench boards`: how long a bare board takes to be ready, to do nothing, and to get 16 MiB.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use harness::executor::board::{Client, Remote};
use harness::executor::{Call, Executor, Stop};
use linker::Target;
use linker::memory::{InFlight, Lifetime, Memory, Place, Protection, Segment};
use qemu::{Board, System};

fn main() -> anyhow::Result<()> {
    println!("{:8} {:>10} {:>14} {:>12}", "board", "ready ms", "round trip us", "16 MiB ms");
    let boards =
        [("raspi3b", "aarch64", [0x5280_0020u32, 0xd65f_03c0]), ("raspi2b", "armv7", [0xe3a0_0001, 0xe12f_ff1e])];
    for (name, target, code) in boards {
        let board = Board::find(name)?;
        let mut ready = Vec::new();
        for _ in 0..11 {
            let mut client = Client::new(board.clone(), Arc::new(System::Bare));
            ready.push(timed(|| client.start())?);
        }
        let client = Rc::new(RefCell::new(Client::new(board, Arc::new(System::Bare))));
        let target = Target::named(target).ok_or_else(|| anyhow::anyhow!("no target {target}"))?;
        let mut machine = Remote::new(&client, target)?;
        let code: Vec<u8> = code.iter().flat_map(|word| word.to_le_bytes()).collect();
        place(&mut machine, 0x40_0000, &code)?;
        let mut trips = Vec::new();
        for _ in 0..5000 {
            trips.push(timed(|| match machine.start(&Call { function: 0x40_0000, ..Call::default() }) {
                Stop::Returned => Ok(()),
                stop => Err(anyhow::anyhow!("{stop:?}")),
            })?);
        }
        let large = vec![0x5a; 16 << 20];
        let mut places = Vec::new();
        for _ in 0..7 {
            machine.reset();
            places.push(timed(|| {
                place(&mut machine, 0x100_0000, &large)?;
                // What is put off until it is needed is needed now.
                Ok::<(), anyhow::Error>(machine.peek(0x1ff_fff0, &mut [0; 8])?)
            })?);
        }
        let [ready, trip, placed] = [ready, trips, places].map(median);
        println!(
            "{name:8} {:>10.1} {:>14.1} {:>12.1}",
            ready.as_secs_f64() * 1e3,
            trip.as_secs_f64() * 1e6,
            placed.as_secs_f64() * 1e3
        );
    }
    Ok(())
}

fn timed<E>(work: impl FnOnce() -> Result<(), E>) -> Result<Duration, E> {
    let start = Instant::now();
    work().map(|()| start.elapsed())
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

fn place(machine: &mut Remote, address: u64, content: &[u8]) -> anyhow::Result<()> {
    let segment = Segment {
        size: content.len() as u64,
        content: content.len(),
        alignment: 4,
        protection: Protection::ReadExecute,
        relro: false,
        thread_local: None,
        lifetime: Lifetime::Standard,
        place: Place::At(address),
    };
    let mut memory = machine.reserve(&[segment]).map_err(|error| anyhow::anyhow!(error))?;
    memory.content(0).copy_from_slice(content);
    machine.finalize(memory, &[]).map_err(|error| anyhow::anyhow!(error))?;
    Ok(())
}
