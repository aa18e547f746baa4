//! A panic as a value: one configuration that runs into a fault of ours costs that one, and not the run.

use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Once;

thread_local! {
    static CONTAINED: Cell<bool> = const { Cell::new(false) };
    static MESSAGE: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Does something, or says with which message and where it panicked. What it had in hand may be half done then.
pub(crate) fn contain<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let usual = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if !CONTAINED.get() {
                return usual(panic);
            }
            let message = panic.payload();
            let message =
                message.downcast_ref::<String>().map(String::as_str).or(message.downcast_ref::<&str>().copied());
            let message = message.unwrap_or("no message");
            let place =
                panic.location().map_or(String::new(), |at| format!("{}:{}:{}: ", at.file(), at.line(), at.column()));
            MESSAGE.set(Some(format!("{place}{message}")));
        }));
    });
    let outer = CONTAINED.replace(true);
    let result = catch_unwind(AssertUnwindSafe(work));
    CONTAINED.set(outer);
    result.map_err(|_| MESSAGE.take().unwrap_or_else(|| "no message".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_a_value_with_message_and_place() {
        assert_eq!(contain(|| 1), Ok(1));
        let numbers = [1, 2];
        let problem = contain(|| numbers[std::hint::black_box(2)]).expect_err("out of bounds");
        assert!(problem.starts_with("harness/src/contained.rs:"), "{problem}");
        assert!(problem.ends_with("index out of bounds: the len is 2 but the index is 2"), "{problem}");
        // Other threads are not concerned.
        let other = contain(|| std::thread::spawn(|| contain(|| panic!("over there"))).join().expect("contained"));
        assert!(other.expect("here nothing happened").is_err_and(|problem: String| problem.ends_with("over there")));
    }
}
