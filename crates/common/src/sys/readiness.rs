//! Readiness notification, by mio: one thread waits for any number of sockets at once (epoll, kqueue, Windows' AFD).

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;
#[cfg(unix)]
use self::unix as system;
#[cfg(windows)]
use self::windows as system;

use std::{fmt, io, process::ChildStdout, time::Duration};

use mio::{Events, Poll};

pub use self::system::{AsSocket, ChildPipe, Watch};

/// What one thread waits for. Each socket has a number, by which it is reported.
pub struct Readiness {
    poll: Poll,
    events: Events,
}

impl fmt::Debug for Readiness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Readiness").finish_non_exhaustive()
    }
}

impl Readiness {
    /// Readiness of nothing yet; at most this many sockets are reported at a time.
    ///
    /// # Errors
    /// When the system has no descriptor left.
    pub fn new(most: usize) -> io::Result<Self> {
        Ok(Self {
            poll: Poll::new()?,
            events: Events::with_capacity(most),
        })
    }

    /// Watches a socket for something to read or to accept, and for its end. It is reported once, and then not before
    /// [`Self::watch_again`]; on Unix it is also reported whenever there is something new. It is watched until it is
    /// closed, and what is returned is dropped.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn watch(&self, socket: &impl AsSocket, number: usize) -> io::Result<Watch> {
        let mut watch = Watch::new(socket, number)?;
        watch.register(self.poll.registry())?;
        Ok(watch)
    }

    /// To be called after a socket was reported, once a read or an accept has found nothing more.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn watch_again(&self, watch: &mut Watch) -> io::Result<()> {
        watch.register_again(self.poll.registry())
    }

    /// Watches a connection, as [`Self::watch`] does, also for room to write when it is to write.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn watch_stream(
        &self,
        stream: &impl AsSocket,
        number: usize,
        writes: bool,
    ) -> io::Result<Watch> {
        let mut watch = Watch::new(stream, number)?;
        watch.register_stream(self.poll.registry(), writes)?;
        Ok(watch)
    }

    /// The same as [`Self::watch_again`], of a connection that is to write now or not.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn watch_stream_again(&self, watch: &mut Watch, writes: bool) -> io::Result<()> {
        watch.register_stream_again(self.poll.registry(), writes)
    }

    /// Watches what a child process writes, and makes reads of it return at once. It is watched until it is dropped.
    ///
    /// # Errors
    /// When the system refuses, or cannot wait for a pipe.
    pub fn watch_pipe(&self, output: ChildStdout, number: usize) -> io::Result<ChildPipe> {
        let mut pipe = ChildPipe::new(output)?;
        pipe.register(self.poll.registry(), number)?;
        Ok(pipe)
    }

    /// Waits until something is ready, for at most this time (None: no limit); the numbers of what is ready.
    ///
    /// # Errors
    /// When the system cannot wait.
    pub fn wait(&mut self, most: Option<Duration>) -> io::Result<impl Iterator<Item = usize>> {
        match self.poll.poll(&mut self.events, most) {
            Err(error) if error.kind() != io::ErrorKind::Interrupted => Err(error),
            _ => Ok(self.events.iter().map(|event| event.token().0)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io::{Read, Write},
        net::{Ipv4Addr, TcpListener, TcpStream},
    };

    use super::*;

    const LONG: Option<Duration> = Some(Duration::from_secs(60));

    /// What is reported next.
    fn next(readiness: &mut Readiness, most: Option<Duration>) -> Vec<usize> {
        readiness.wait(most).unwrap().collect()
    }

    #[test]
    fn what_is_ready_is_reported_by_its_number_until_it_is_read() {
        let mut readiness = Readiness::new(8).unwrap();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let mut watch = readiness.watch(&listener, 0).unwrap();
        assert!(next(&mut readiness, Some(Duration::ZERO)).is_empty());
        let mut client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        assert_eq!(next(&mut readiness, LONG), [0]);
        let (mut stream, _) = listener.accept().unwrap();
        readiness.watch_again(&mut watch).unwrap();
        let mut of_stream = readiness.watch(&stream, 7).unwrap();
        assert!(next(&mut readiness, Some(Duration::ZERO)).is_empty());
        for message in [b"one", b"two"] {
            client.write_all(message).unwrap();
            assert_eq!(next(&mut readiness, LONG), [7]);
            let mut read = [0; 3];
            stream.read_exact(&mut read).unwrap();
            assert_eq!(&read, message);
            readiness.watch_again(&mut of_stream).unwrap();
            assert!(next(&mut readiness, Some(Duration::ZERO)).is_empty());
        }
        drop(client);
        assert_eq!(next(&mut readiness, LONG), [7]);
    }

    #[test]
    fn a_connection_is_reported_when_it_has_room_again() {
        let mut readiness = Readiness::new(8).unwrap();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let mut client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (mut stream, _) = listener.accept().unwrap();
        client.set_nonblocking(true).unwrap();
        let mut written = 0;
        while let Ok(more) = client.write(&[0; 65_536]) {
            written += more;
        }
        let mut watch = readiness.watch_stream(&client, 3, true).unwrap();
        assert!(next(&mut readiness, Some(Duration::ZERO)).is_empty());
        stream.read_exact(&mut vec![0; written]).unwrap();
        assert_eq!(next(&mut readiness, LONG), [3]);
        assert!(client.write(b"more").is_ok());
        readiness.watch_stream_again(&mut watch, false).unwrap();
    }

    #[test]
    fn what_arrived_before_it_was_watched_is_reported() {
        let mut readiness = Readiness::new(8).unwrap();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let mut client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        client.write_all(b"early").unwrap();
        let (stream, _) = listener.accept().unwrap();
        let _watch = readiness.watch(&stream, 1).unwrap();
        assert_eq!(next(&mut readiness, LONG), [1]);
    }
}
