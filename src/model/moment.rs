//! A time that an object tells of itself, in half the room of a [`Timestamp`] and a third of an optional one: ten thousand
//! releases and their versions tell some eighty thousand of them. To the microsecond, which is finer than any of them is
//! told.

use std::{fmt, num::NonZero};

use jiff::Timestamp;

/// Microseconds since the least number of 64 bits, so that earlier is less and none of them is zero.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment(NonZero<u64>);

const SIGN: u64 = 1 << 63;

impl Moment {
    pub fn time(self) -> Timestamp {
        let microseconds = (self.0.get() ^ SIGN).cast_signed();
        // Made of a time, so there is one.
        Timestamp::from_microsecond(microseconds).unwrap_or(Timestamp::UNIX_EPOCH)
    }
}

impl From<Timestamp> for Moment {
    fn from(time: Timestamp) -> Self {
        let number = time.as_microsecond().cast_unsigned() ^ SIGN;
        Self(NonZero::new(number).unwrap_or(NonZero::<u64>::MIN))
    }
}

impl fmt::Debug for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.time(), f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIMES: [&str; 6] = [
        "-009999-01-02T01:59:59Z",
        "1969-12-31T23:59:59.999999Z",
        "1970-01-01T00:00:00Z",
        "2026-11-20T09:58:01Z",
        "2026-11-20T09:58:01.000001Z",
        "9999-12-30T22:00:00Z",
    ];

    #[test]
    fn a_moment_is_the_time_that_it_was_made_of_and_keeps_its_order() {
        let times: Vec<Timestamp> = TIMES.iter().map(|text| text.parse().unwrap()).collect();
        let moments: Vec<Moment> = times.iter().copied().map(Moment::from).collect();
        let again: Vec<Timestamp> = moments.iter().map(|moment| moment.time()).collect();
        assert_eq!(again, times);
        assert!(moments.is_sorted());
        assert_eq!(size_of::<Option<Moment>>(), 8);
    }
}
