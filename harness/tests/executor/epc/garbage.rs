//! Thousands of damaged sessions, of stock controllers and of one that says more than they do: whatever is wrong, the server comes
//! to an end and does not panic.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use harness::dice::Dice;
use harness::epc::place::{Policy, Terms};
use harness::epc::server::serve;
use harness::executor::{Budget, Executor};
use harness::orc::sps::{self, Error, Expected};
use harness::orc::wire::{HEADER, Message};
use harness::orc::{AddressRange, AllocationAction, FinalizeRequest, Segment, SymbolDefinition, WrapperCall};

use super::support::{Client, Objects, machine, record, session};

/// Damaged sessions for each whole one, unless the variable `MUTANTS` says otherwise.
const MUTANTS: u64 = 5_000;

/// What a session may take: damaged code may run for as long as the budget lets it, in each call.
const BUDGET: Budget = Budget { time: Duration::from_millis(100), ..Budget::of_instructions(100_000) };
const LIMIT: Duration = Duration::from_secs(5);

/// A session by messages, so that what is damaged is still read far enough to matter.
fn split(mut session: &[u8]) -> Vec<Vec<u8>> {
    let bytes = |message: Message| {
        let mut bytes = Vec::new();
        message.write(&mut bytes).expect("a vector");
        bytes
    };
    std::iter::from_fn(|| Message::read(&mut session).expect("whole messages").map(bytes)).collect()
}

/// Damages a session in one place.
fn damage(messages: &mut Vec<Vec<u8>>, random: &mut Dice) {
    let which = random.below(messages.len());
    let Some(message) = messages.get_mut(which).filter(|message| !message.is_empty()) else { return };
    match random.below(10) {
        0 => {
            let at = random.below(message.len());
            message.truncate(at);
        }
        1 => {
            messages.remove(which);
        }
        2 => {
            let copy = message.clone();
            let at = random.below(messages.len());
            messages.insert(at, copy);
        }
        3 => {
            let other = random.below(messages.len());
            messages.swap(which, other);
        }
        4 => {
            let bit = random.below(8 * message.len());
            message[bit / 8] ^= 1 << (bit % 8);
        }
        // A number of the payload, or rarely one of the header, to something near it or at some limit.
        kind => {
            let from = if kind < 9 { HEADER } else { 0 };
            // Some are cut already.
            let Some(room) = message.len().checked_sub(from + 8) else { return };
            let at = from + random.below(room + 1);
            let old = u64::from_le_bytes(message[at..at + 8].try_into().expect("8 bytes"));
            let new = match random.below(8) {
                0 => 0,
                1 => old.wrapping_add(1),
                2 => old.wrapping_sub(1),
                3 => old ^ 1 << random.below(64),
                4 => u64::MAX >> random.below(64),
                5 => 1 << random.below(64),
                6 => old.wrapping_mul(0x1000),
                _ => random.bits(),
            };
            message[at..at + 8].copy_from_slice(&new.to_le_bytes());
        }
    }
}

/// Every function there is, most of them with something to do.
fn talkative(client: &mut Client) {
    let name = |what: &str| format!("__llvm_orc_{what}");
    let memory = |what: &str| name(&format!("SimpleExecutorMemoryManager_{what}_wrapper"));
    let library = |what: &str| name(&format!("SimpleExecutorDylibManager_{what}_wrapper"));
    let bootstrap = |what: &str| name(&format!("bootstrap_{what}_wrapper"));
    let handle = client.call::<Expected<u64>>(&library("open"), &(0u64, "", 0u64)).0.expect("a handle");
    let names = [("puts", true), ("none", false)];
    let found = client.call::<Expected<Vec<SymbolDefinition>>>(&library("lookup"), &(0u64, handle, names.as_slice()));
    let puts = found.0.expect("found")[0].address;
    let _ = client.call::<Expected<Vec<Option<SymbolDefinition>>>>(&library("resolve"), &(handle, names.as_slice()));
    let base = client.call::<Expected<u64>>(&memory("reserve"), &(0u64, 0x3000u64)).0.expect("room");
    let words = |words: &[u32]| words.iter().flat_map(|word| word.to_le_bytes()).collect::<Vec<u8>>();
    // main: puts(argv[0]), by the word behind it; then 3. Behind that, a function that returns 3.
    let main = [0xa9bf_7bfd, 0xf940_0020, 0x5800_00d0, 0xd63f_0200, 0x5280_0060, 0xa8c1_7bfd, 0xd65f_03c0, 0];
    let code = [words(&main), puts.to_le_bytes().to_vec(), words(&[0x5280_0060, 0xd65f_03c0])].concat();
    let frames = client.symbol("llvm_orc_registerEHFrameAllocAction");
    let range = sps::encode(&AddressRange { start: base, end: base + 8 });
    let call = WrapperCall { function: frames, arguments: &range };
    let segment = |group, page: u64, content| Segment { group, address: base + page * 0x1000, size: 0x1000, content };
    let request = FinalizeRequest {
        segments: vec![segment(5, 0, code.as_slice()), segment(3, 1, b"data"), segment(1, 2, b"constant")],
        actions: vec![AllocationAction { finalize: call, deallocate: call }; 2],
    };
    assert_eq!(client.call::<Error>(&memory("finalize"), &(0u64, request)).0, Ok(()));
    assert_eq!(client.call::<i64>(&bootstrap("run_as_main"), &(base, vec!["printed", "argument"])), 3);
    assert_eq!(client.call::<i32>(&bootstrap("run_as_int_function"), &(base + 0x28, 0i32)), 3);
    let data = base + 0x1000;
    let () = client.call(&bootstrap("mem_write_uint32s"), &vec![(data, 7u32), (data + 8, 9u32)]);
    let () = client.call(&bootstrap("mem_write_buffers"), &vec![(data + 16, b"text".as_slice())]);
    assert_eq!(client.call::<Vec<u64>>(&bootstrap("mem_read_uint64s"), &vec![data, data + 8]), [7, 9]);
    assert_eq!(client.call::<Vec<String>>(&bootstrap("mem_read_strings"), &vec![data + 16]), ["text"]);
    let ranges = vec![AddressRange { start: data, end: data + 4 }];
    assert_eq!(client.call::<Vec<Vec<u8>>>(&bootstrap("mem_read_buffers"), &ranges), [[7, 0, 0, 0]]);
    let slab = client.call::<Expected<u64>>(&memory("reserve"), &(0u64, 0x2000u64)).0.expect("room");
    let part = Segment { group: 3, address: slab + 0x1000, size: 0x1000, content: b"part" };
    let request = FinalizeRequest { segments: vec![part], actions: Vec::new() };
    let key = client.call::<Expected<u64>>(&memory("initialize"), &(0u64, request)).0.expect("a key");
    assert_eq!(client.call::<Error>(&memory("deinitialize"), &(0u64, vec![key])).0, Ok(()));
    assert_eq!(client.call::<Error>(&memory("release"), &(0u64, vec![slab])).0, Ok(()));
    assert_eq!(client.call::<Error>(&memory("deallocate"), &(0u64, vec![base])).0, Ok(()));
}

#[test]
fn damaged_sessions_come_to_an_end() {
    let mutants = std::env::var("MUTANTS").map_or(MUTANTS, |count| count.parse().expect("a number"));
    let mut whole = Vec::new();
    session("aarch64", |mut client| {
        talkative(&mut client);
        whole.push(("aarch64", client.said));
    });
    for target in ["aarch64", "thumbv7"] {
        whole.push((target, record(&Objects::new(target))));
    }
    for (target, bytes) in whole {
        let mut machine = machine(target);
        machine.set_budget(BUDGET);
        let messages = split(&bytes);
        assert!(messages.len() >= 5 && messages.concat() == bytes);
        let mut endings = [0; 2];
        let mut answers = std::collections::BTreeSet::new();
        for seed in 0..=mutants {
            let mut random = Dice::new(seed);
            let mut damaged = messages.clone();
            // The first is whole.
            for _ in 0..seed.min(1 + random.bits() % 3) {
                damage(&mut damaged, &mut random);
            }
            let damaged = damaged.concat();
            let start = Instant::now();
            let mut said = Vec::new();
            // What was reserved elsewhere than when the session was recorded is damage, too.
            let place = if seed % 8 == 7 { Policy::Random(seed) } else { Policy::Near };
            let terms = Terms { place, page_size: None };
            let served = catch_unwind(AssertUnwindSafe(|| {
                serve(&mut machine, terms, damaged.as_slice(), &mut said, &mut |_| ())
            }));
            let served = served.unwrap_or_else(|_| panic!("{target}: seed {seed} panics"));
            assert!(start.elapsed() < LIMIT, "{target}: seed {seed} takes {:?}", start.elapsed());
            assert!(seed > 0 || served.is_ok(), "{served:?}");
            endings[usize::from(served.is_err())] += 1;
            answers.insert(said);
            machine.reset();
        }
        // Not all the same: some sessions broke, most went on, and many went on differently.
        assert!(
            endings[0] > mutants / 2 && endings[1] > mutants / 20 && answers.len() > 200,
            "{endings:?} {}",
            answers.len()
        );
    }
}
