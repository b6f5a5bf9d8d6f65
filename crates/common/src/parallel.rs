//! Work on several threads: one for many items, or two at once.

use std::{
    num::NonZero,
    panic,
    sync::{Mutex, PoisonError},
    thread,
};

/// The number of processors that this process may use.
pub fn processors() -> usize {
    thread::available_parallelism().map_or(1, NonZero::get)
}

/// Does the work for each item on at most this many threads, this one included; the results are in the order of the items.
/// A free thread takes the next item. The others are called `name-1`, `name-2`, …
///
/// # Panics
/// When the work does.
pub fn each<T: Send, R: Send>(
    name: &str,
    threads: usize,
    items: impl ExactSizeIterator<Item = T> + Send,
    work: impl Fn(T) -> R + Sync,
) -> Vec<R> {
    let threads = threads.min(items.len());
    let mut done = Vec::new();
    done.resize_with(items.len(), || None);
    let done = Mutex::new(done);
    let items = Mutex::new(items.enumerate());
    // In a function of its own, so that no thread holds the lock while it works.
    let take = || items.lock().unwrap_or_else(PoisonError::into_inner).next();
    on_threads(name, threads, &|| {
        while let Some((number, item)) = take() {
            let result = work(item);
            done.lock().unwrap_or_else(PoisonError::into_inner)[number] = Some(result);
        }
    });
    let done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.into_iter().flatten().collect()
}

/// Does two works at once, the first one on a thread of this name; where there is one processor, or no further thread, one after
/// the other.
///
/// # Panics
/// When one of them does.
pub fn both<A: Send, B>(
    name: &str,
    one: impl FnOnce() -> A + Send,
    other: impl FnOnce() -> B,
) -> (A, B) {
    let one = Mutex::new(Some(one));
    let take = || one.lock().unwrap_or_else(PoisonError::into_inner).take();
    thread::scope(|scope| {
        let thread = thread::Builder::new().name(name.to_owned());
        let started = (processors() > 1)
            .then(|| thread.spawn_scoped(scope, || take().map(|one| one())).ok())
            .flatten();
        let other = other();
        let done = started.and_then(|thread| match thread.join() {
            Ok(done) => done,
            Err(panic) => panic::resume_unwind(panic),
        });
        let done = done.or_else(|| take().map(|one| one()));
        (done.expect("it was not taken, or was done"), other)
    })
}

/// Does the work on this many threads at once. (Not generic, because starting threads takes long to compile.)
fn on_threads(name: &str, threads: usize, work: &(dyn Fn() + Sync)) {
    thread::scope(|scope| {
        let mut started = Vec::new();
        for number in 1..threads {
            let thread = thread::Builder::new().name(format!("{name}-{number}"));
            // Without a further thread the others do more.
            let Ok(thread) = thread.spawn_scoped(scope, work) else {
                break;
            };
            started.push(thread);
        }
        work();
        for thread in started {
            if let Err(panic) = thread.join() {
                panic::resume_unwind(panic);
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;

    use super::{both, each};

    #[test]
    fn the_results_are_in_the_order_of_the_items() {
        assert_eq!(
            each("test", 9, 0..100, |item| item * 2),
            (0..100).map(|item| item * 2).collect::<Vec<_>>()
        );
        assert!(each("test", 2, 0..0, |item: i32| item).is_empty());
    }

    #[test]
    fn of_two_works_both_are_done() {
        let numbers = [1, 2, 3];
        let product = || numbers.iter().product::<i32>();
        assert_eq!(both("test", || numbers.len(), product), (3, 6));
    }

    /// Two items that wait for each other are at work at the same time.
    #[test]
    fn the_work_is_done_at_once() {
        let both = Barrier::new(2);
        let leaders = each("test", 2, 0..2, |_| both.wait().is_leader());
        assert_eq!(leaders.iter().filter(|leader| **leader).count(), 1);
    }
}
