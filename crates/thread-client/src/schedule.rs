//! The schedule of a load: when each exchange begins. Arithmetic only.

use std::time::Duration;

/// A load.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Load {
    /// The number of clients.
    pub clients: usize,
    /// How many exchanges are run, or for how long.
    pub amount: Amount,
    /// The time over which the clients start, or the rate rises.
    pub ramp: Duration,
    /// How long all clients stay connected before they send.
    pub hold: Option<Duration>,
}

/// How many exchanges are run, or for how long.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Amount {
    /// This number of exchanges; each client begins the next one when it is answered (a closed loop).
    Exchanges(u64),
    /// The same, for this time.
    Time(Duration),
    /// This number of exchanges per second, for this time, whether the server keeps up or not (an open loop).
    Rate(f64, Duration),
}

impl Load {
    /// When the exchange of this number (from 0) begins, from the start of the load; None after the last one.
    ///
    /// In a closed loop, the first exchange of each client is scheduled, and further ones begin as soon as they can.
    pub fn begin(&self, number: u64) -> Option<Duration> {
        let among_clients = |number: u64| {
            let share = number.min(self.clients as u64) as f64 / self.clients as f64;
            self.ramp.mul_f64(if number < self.clients as u64 {
                share
            } else {
                0.0
            })
        };
        match self.amount {
            Amount::Exchanges(most) => (number < most).then(|| among_clients(number)),
            Amount::Time(_) => Some(among_clients(number)),
            Amount::Rate(rate, time) => {
                let begin = self.at_rate(number as f64, rate);
                (begin < time).then_some(begin)
            }
        }
    }

    /// When the load ends, if its time is limited.
    pub fn end(&self) -> Option<Duration> {
        match self.amount {
            Amount::Exchanges(_) => None,
            Amount::Time(time) | Amount::Rate(_, time) => Some(time),
        }
    }

    /// The number of exchanges, if it is known.
    pub fn exchanges(&self) -> Option<u64> {
        match self.amount {
            Amount::Exchanges(most) => Some(most),
            Amount::Time(_) => None,
            Amount::Rate(rate, time) => {
                let (ramp, time) = (self.ramp.as_secs_f64(), time.as_secs_f64());
                let rising = time.min(ramp);
                let risen = if ramp > 0.0 {
                    rising * rising / (2.0 * ramp)
                } else {
                    0.0
                };
                Some((rate * (risen + (time - rising))).ceil() as u64)
            }
        }
    }

    /// When the exchange of this number begins: the inverse of the rate's integral. The rate rises linearly from 0 over
    /// the ramp, in which half as many exchanges begin as at the full rate.
    fn at_rate(&self, number: f64, rate: f64) -> Duration {
        let ramp = self.ramp.as_secs_f64();
        let rising = rate * ramp / 2.0;
        let seconds = if number < rising {
            (2.0 * ramp * number / rate).sqrt()
        } else {
            ramp + (number - rising) / rate
        };
        Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(amount: Amount, ramp: u64) -> Load {
        Load {
            clients: 4,
            amount,
            ramp: Duration::from_millis(ramp),
            hold: None,
        }
    }

    fn begins(load: &Load) -> Vec<u128> {
        (0..100)
            .map_while(|number| load.begin(number))
            .map(|begin| begin.as_millis())
            .collect()
    }

    #[test]
    fn a_rate_holds_from_the_start() {
        let load = load(Amount::Rate(10.0, Duration::from_millis(450)), 0);
        assert_eq!(begins(&load), [0, 100, 200, 300, 400]);
        assert_eq!(load.exchanges(), Some(5));
    }

    #[test]
    fn a_rate_rises_linearly() {
        let load = load(Amount::Rate(10.0, Duration::from_secs(2)), 1000);
        // Five in the second in which it rises, a whole ten in the next.
        assert_eq!(begins(&load)[..7], [0, 447, 632, 774, 894, 1000, 1100]);
        assert_eq!((begins(&load).len(), load.exchanges()), (15, Some(15)));
    }

    #[test]
    fn clients_start_one_after_another() {
        let load = load(Amount::Exchanges(6), 1000);
        assert_eq!(begins(&load), [0, 250, 500, 750, 0, 0]);
    }
}
