//! A program with `std`: threads, panics that are caught, and how it ends by its argument.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, mpsc};
use std::thread;
use std::time::{Duration, Instant};

static DROPPED: AtomicUsize = AtomicUsize::new(0);

struct Counts;

impl Drop for Counts {
    fn drop(&mut self) {
        DROPPED.fetch_add(1, Ordering::SeqCst);
    }
}

thread_local!(static OWN: RefCell<(Counts, Vec<u32>)> = const { RefCell::new((Counts, Vec::new())) });

fn sums() {
    let total = Arc::new(Mutex::new(HashMap::new()));
    let work = |number: u64| {
        let total = total.clone();
        move || {
            for step in 0..300 {
                *total.lock().unwrap().entry(step % 10).or_insert(0) += number;
                OWN.with(|own| own.borrow_mut().1.push(step));
            }
            OWN.with(|own| own.borrow().1.iter().sum::<u32>())
        }
    };
    let named = |number| thread::Builder::new().name(format!("worker {number}")).spawn(work(number)).unwrap();
    let threads: Vec<_> = (0..5).map(named).collect();
    let sum: u32 = threads.into_iter().map(|thread| thread.join().unwrap()).sum();
    let mut all: Vec<_> = total.lock().unwrap().clone().into_iter().collect();
    all.sort();
    println!("{sum} {all:?} dropped {}", DROPPED.load(Ordering::SeqCst));
}

fn messages() {
    let (send, receive) = mpsc::channel();
    thread::scope(|scope| {
        for number in 0..3_u64 {
            let send = send.clone();
            scope.spawn(move || (0..200).for_each(|step| send.send(number * step).unwrap()));
        }
        drop(send);
        println!("received {}", receive.iter().sum::<u64>());
    });
    let pair = Arc::new((Mutex::new(0), Condvar::new()));
    let other = pair.clone();
    let counter = thread::spawn(move || {
        for _ in 0..10 {
            *other.0.lock().unwrap() += 1;
            other.1.notify_one();
        }
    });
    let mut count = pair.0.lock().unwrap();
    while *count < 10 {
        count = pair.1.wait(count).unwrap();
    }
    println!("counted {}", *count);
    drop(count);
    counter.join().unwrap();
    let begun = Instant::now();
    thread::sleep(Duration::from_millis(30));
    println!("slept {}", begun.elapsed() >= Duration::from_millis(30));
}

fn main() {
    let how = std::env::args().nth(1).unwrap_or_default();
    sums();
    messages();
    let joined = thread::spawn(|| panic!("in a thread")).join();
    println!("joined {:?}", joined.unwrap_err().downcast_ref::<&str>());
    let caught = std::panic::catch_unwind(|| {
        let _counts = Counts;
        [1, 2, 3][std::env::args().count() + 2]
    });
    println!("caught {} dropped {}", caught.is_err(), DROPPED.load(Ordering::SeqCst));
    let numbers = [i32::MAX, std::env::args().count() as i32];
    match how.as_str() {
        "overflow" => println!("{}", numbers.iter().sum::<i32>()),
        "add" => println!("{}", numbers[0] + numbers[1]),
        "panic" => panic!("the end of {}", std::env::args().count()),
        "exit" => std::process::exit(4),
        "abort" => std::process::abort(),
        _ => {}
    }
}
