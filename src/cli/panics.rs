//! A panic of ours costs one file, not the run.
//!
//! Owns: turning a panic into an error that says where it came from.

use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Once;

thread_local! {
    static CATCHING: Cell<bool> = const { Cell::new(false) };
    static MESSAGE: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Runs `action`. A panic in it becomes the error that is given to the caller, and prints nothing.
pub(super) fn caught<T>(action: impl FnOnce() -> T) -> anyhow::Result<T> {
    static HOOK: Once = Once::new();
    HOOK.call_once(keep_quiet_while_catching);
    CATCHING.set(true);
    // Nothing that `action` may leave half done is used after a panic.
    let result = catch_unwind(AssertUnwindSafe(action));
    CATCHING.set(false);
    result.map_err(|_| {
        let message = MESSAGE.take();
        anyhow::anyhow!("this is a fault of dockeropt, please report it with the file: {message}")
    })
}

fn keep_quiet_while_catching() {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        if CATCHING.get() {
            MESSAGE.set(info.to_string().replace('\n', " "));
        } else {
            usual(info);
        }
    }));
}

#[cfg(test)]
mod tests {
    use super::caught;

    #[test]
    fn a_panic_is_an_error_with_its_place() {
        let error = caught(|| panic!("too bad")).unwrap_err().to_string();
        assert!(error.contains("please report") && error.contains("panics.rs") && error.contains("too bad"), "{error}");
        assert_eq!(caught(|| 1).unwrap(), 1);
    }
}
