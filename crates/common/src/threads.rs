//! The threads and channels that the journal is made of: std's and crossbeam's. With `--cfg shuttle` they are such as
//! shuttle can let on in any order, so that a test tries the orders; atomic numbers and the time
//! of day stay std's.

#[cfg(not(shuttle))]
pub(crate) use crossbeam::channel;
#[cfg(not(shuttle))]
pub(crate) use std::thread;

#[cfg(shuttle)]
pub(crate) use shuttle::thread;

/// As much of crossbeam's bounded channel as the journal uses. Time does not pass in shuttle: a wait for at most so long
/// may be over at any moment.
#[cfg(shuttle)]
pub(crate) mod channel {
    use std::{collections::VecDeque, sync::Arc, time::Duration};

    pub(crate) use crossbeam::channel::{
        RecvError, RecvTimeoutError, SendTimeoutError, TryRecvError, TrySendError,
    };
    use shuttle::{
        rand::{Rng, thread_rng},
        sync::{Condvar, Mutex},
    };

    #[derive(Debug)]
    struct Shared<T> {
        state: Mutex<State<T>>,
        changed: Condvar,
    }

    #[derive(Debug)]
    struct State<T> {
        items: VecDeque<T>,
        room: usize,
        senders: usize,
        receivers: usize,
    }

    #[derive(Debug)]
    pub(crate) struct Sender<T>(Arc<Shared<T>>);

    #[derive(Debug)]
    pub(crate) struct Receiver<T>(Arc<Shared<T>>);

    pub(crate) fn bounded<T>(room: usize) -> (Sender<T>, Receiver<T>) {
        let state = State {
            items: VecDeque::new(),
            room,
            senders: 1,
            receivers: 1,
        };
        let shared = Arc::new(Shared {
            state: Mutex::new(state),
            changed: Condvar::new(),
        });
        (Sender(Arc::clone(&shared)), Receiver(shared))
    }

    impl<T> Sender<T> {
        pub(crate) fn try_send(&self, item: T) -> Result<(), TrySendError<T>> {
            let mut state = self.0.state.lock().unwrap();
            if state.receivers == 0 {
                return Err(TrySendError::Disconnected(item));
            }
            if state.items.len() >= state.room {
                return Err(TrySendError::Full(item));
            }
            state.items.push_back(item);
            self.0.changed.notify_all();
            Ok(())
        }

        pub(crate) fn send_timeout(&self, item: T, _: Duration) -> Result<(), SendTimeoutError<T>> {
            let mut state = self.0.state.lock().unwrap();
            while state.receivers > 0 && state.items.len() >= state.room {
                if thread_rng().gen_bool(0.1) {
                    return Err(SendTimeoutError::Timeout(item));
                }
                state = self.0.changed.wait(state).unwrap();
            }
            drop(state);
            match self.try_send(item) {
                Ok(()) => Ok(()),
                Err(TrySendError::Full(item)) => Err(SendTimeoutError::Timeout(item)),
                Err(TrySendError::Disconnected(item)) => Err(SendTimeoutError::Disconnected(item)),
            }
        }

        pub(crate) fn len(&self) -> usize {
            self.0.state.lock().unwrap().items.len()
        }
    }

    impl<T> Receiver<T> {
        pub(crate) fn try_recv(&self) -> Result<T, TryRecvError> {
            let mut state = self.0.state.lock().unwrap();
            match state.items.pop_front() {
                Some(item) => {
                    self.0.changed.notify_all();
                    Ok(item)
                }
                None if state.senders == 0 => Err(TryRecvError::Disconnected),
                None => Err(TryRecvError::Empty),
            }
        }

        pub(crate) fn recv(&self) -> Result<T, RecvError> {
            loop {
                match self.try_recv() {
                    Ok(item) => return Ok(item),
                    Err(TryRecvError::Disconnected) => return Err(RecvError),
                    Err(TryRecvError::Empty) => self.wait(),
                }
            }
        }

        pub(crate) fn recv_timeout(&self, _: Duration) -> Result<T, RecvTimeoutError> {
            match self.try_recv() {
                Ok(item) => Ok(item),
                Err(TryRecvError::Disconnected) => Err(RecvTimeoutError::Disconnected),
                Err(TryRecvError::Empty) => {
                    shuttle::thread::yield_now();
                    Err(RecvTimeoutError::Timeout)
                }
            }
        }

        fn wait(&self) {
            let mut state = self.0.state.lock().unwrap();
            while state.items.is_empty() && state.senders > 0 {
                state = self.0.changed.wait(state).unwrap();
            }
        }
    }

    impl<T> Clone for Sender<T> {
        fn clone(&self) -> Self {
            self.0.state.lock().unwrap().senders += 1;
            Self(Arc::clone(&self.0))
        }
    }

    impl<T> Drop for Sender<T> {
        fn drop(&mut self) {
            self.0.state.lock().unwrap().senders -= 1;
            self.0.changed.notify_all();
        }
    }

    impl<T> Drop for Receiver<T> {
        fn drop(&mut self) {
            self.0.state.lock().unwrap().receivers -= 1;
            self.0.changed.notify_all();
        }
    }

    impl<T> Iterator for &Receiver<T> {
        type Item = T;
        fn next(&mut self) -> Option<T> {
            self.recv().ok()
        }
    }
}
