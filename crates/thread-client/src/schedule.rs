//! When which exchange of a load begins: arithmetic only.

use std::time::Duration;

/// A load.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Load {
    /// How many clients there are.
    pub clients: usize,
    /// How much is asked of the server.
    pub amount: Amount,
    /// Over how long the clients start, or the rate rises.
    pub ramp: Duration,
    /// How long all clients are connected before they speak.
    pub hold: Option<Duration>,
}

/// How much is asked of the server.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Amount {
    /// So many exchanges; each client begins the next one when it is answered (a closed loop).
    Exchanges(u64),
    /// The same, for so long.
    Time(Duration),
    /// So many exchanges a second, for so long, whether the server keeps up or not (an open loop).
    Rate(f64, Duration),
}

impl Load {
    /// When the exchange of this number (from 0) begins, from the start of the load; None when it is one too many.
    ///
    /// In a closed loop that is when the client begins who has it as the first, and later ones begin when they can.
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

    /// When the load is over, if time ends it.
    pub fn end(&self) -> Option<Duration> {
        match self.amount {
            Amount::Exchanges(_) => None,
            Amount::Time(time) | Amount::Rate(_, time) => Some(time),
        }
    }

    /// How many exchanges there will be, if that is known.
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

    /// The rate rises evenly from nothing over the ramp, in which half as many exchanges begin as would at the full
    /// rate: the inverse of its integral.
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
    fn a_rate_is_kept_from_the_first_moment() {
        let load = load(Amount::Rate(10.0, Duration::from_millis(450)), 0);
        assert_eq!(begins(&load), [0, 100, 200, 300, 400]);
        assert_eq!(load.exchanges(), Some(5));
    }

    #[test]
    fn a_rate_rises_evenly() {
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
