//! Waits with a limit.

use std::{
    thread,
    time::{Duration, Instant},
};

/// Far longer than anything a test waits for takes, on a machine however busy.
pub(super) const LIMIT: Duration = Duration::from_secs(300);

/// Waits for something that announces itself in no other way than by being there.
pub fn wait_for<T>(mut there: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + LIMIT;
    loop {
        if let Some(value) = there() {
            return value;
        }
        assert!(Instant::now() < deadline, "not there within {LIMIT:?}");
        thread::sleep(Duration::from_millis(2));
    }
}
