//! Ctrl-C, Ctrl-Break, and the closing of the console, by ctrlc.

use std::{
    io,
    sync::{
        Arc, Mutex, OnceLock, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use crate::sys::types::Asked;

/// The exit code of a second Ctrl-C: STATUS_CONTROL_C_EXIT, as if it had not been caught.
const CONTROL_C_EXIT: i32 = 0xC000_013A_u32 as i32;

type Handler = Box<dyn Fn(Asked) + Send>;

/// Handles Ctrl-C for as long as it lives.
#[derive(Debug)]
pub struct Guard(Caught);

/// The handler while a guard lives; the console has one of the process.
#[derive(Clone)]
struct Caught(Arc<Mutex<Option<Handler>>>);

impl std::fmt::Debug for Caught {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Caught").finish_non_exhaustive()
    }
}

/// Ctrl-C ends the process, until [`Guard::catch_stop`]; then it goes to `handler`. `stopping` says whether a stop was
/// requested; it is not asked here.
///
/// # Errors
/// None on Windows.
pub fn listen(
    _stopping: impl Fn() -> bool + Send + 'static,
    handler: impl Fn(Asked) + Send + 'static,
) -> io::Result<Guard> {
    Ok(Guard(Caught(Arc::new(Mutex::new(Some(Box::new(handler)))))))
}

impl Guard {
    /// From now on the first Ctrl-C asks for a stop; a second one ends the process at once. To be called once.
    ///
    /// # Errors
    /// When the handler cannot be installed.
    pub fn catch_stop(&self) -> io::Result<()> {
        static INSTALLED: OnceLock<()> = OnceLock::new();
        if INSTALLED.set(()).is_err() {
            return Ok(());
        }
        let stopping = AtomicBool::new(false);
        let caught = self.0.clone();
        let install = ctrlc::set_handler(move || {
            if stopping.swap(true, Ordering::Relaxed) {
                end();
            }
            let handler = caught.0.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(handler) = handler.as_ref() {
                handler(Asked::Stop);
            }
        });
        install.map_err(io::Error::other)
    }
}

/// The one place that ends a process at once, as the default handler of the console does.
#[allow(clippy::exit)]
fn end() {
    std::process::exit(CONTROL_C_EXIT);
}

impl Drop for Guard {
    fn drop(&mut self) {
        let mut handler = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        *handler = None;
    }
}
