//! How many replicas canary and stable get: the vendor's arithmetic (utils/replicaset/canary.go), in whole numbers.
//!
//! Pure. Must never round differently from the vendor: the counts are what an operator sees.

/// What a `ReplicaSet` has: what it was asked for, and what is available.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Size {
    pub(super) wanted: i64,
    pub(super) available: i64,
}

impl Size {
    fn for_scale_down(self, ignore_availability: bool) -> i64 {
        if ignore_availability || self.wanted < self.available {
            self.wanted
        } else {
            self.available
        }
    }
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Basic {
    pub(super) replicas: i64,
    pub(super) weight: i64,
    pub(super) surge: i64,
    pub(super) unavailable: i64,
    pub(super) canary: Size,
    /// None where the new `ReplicaSet` is the stable one.
    pub(super) stable: Option<Size>,
    pub(super) others_wanted: i64,
}

impl Basic {
    /// Counts for canary and stable that come closer to the weight without leaving surge and availability.
    pub(super) fn counts(&self) -> (i64, i64) {
        let (want_canary, want_stable) = if self.stable.is_some() {
            approximate(self.replicas, self.weight, self.surge)
        } else {
            (self.replicas, 0)
        };
        let stable = self.stable.unwrap_or_default();
        let most = self.replicas + self.surge;
        let mut room = most - (self.canary.wanted + stable.wanted + self.others_wanted);
        let (mut canary_count, mut stable_count) = (self.canary.wanted, stable.wanted);
        if self.stable.is_some() && stable.wanted < want_stable && room > 0 {
            stable_count = want_stable.min(stable.wanted + room);
            room -= stable_count - stable.wanted;
        }
        if self.canary.wanted < want_canary && room > 0 {
            canary_count = want_canary.min(self.canary.wanted + room);
        }
        // Older ReplicaSets go first.
        if self.others_wanted > 0 {
            return (canary_count, stable_count);
        }
        let least = self.replicas - self.unavailable;
        let increasing = want_canary >= self.canary.wanted;
        let spare =
            self.canary.for_scale_down(!increasing) + stable.for_scale_down(increasing) - least;
        if spare <= 0 {
            return (canary_count, stable_count);
        }
        if increasing {
            if self.stable.is_some() {
                stable_count = shrink(stable, want_stable, spare, stable_count);
                let drain = (stable, stable_count);
                (stable_count, canary_count) =
                    within(drain, (self.canary, canary_count), most, least);
            }
        } else {
            canary_count = shrink(self.canary, want_canary, spare, canary_count);
            let drain = (self.canary, canary_count);
            (canary_count, stable_count) = within(drain, (stable, stable_count), most, least);
        }
        (canary_count, stable_count)
    }
}

fn shrink(set: Size, desired: i64, spare: i64, count: i64) -> i64 {
    if set.wanted > desired {
        desired.max(set.wanted - spare)
    } else {
        count
    }
}

/// The vendor's `adjustReplicaWithinLimits`, step by step.
fn within(drain: (Size, i64), adjust: (Size, i64), most: i64, least: i64) -> (i64, i64) {
    let ((drain_set, mut drain), (adjust_set, mut adjust)) = (drain, adjust);
    let over = (adjust + drain - most).max(0);
    adjust -= over;
    let available = drain_set.available.min(drain) + adjust_set.available.min(adjust);
    let extra = (adjust_set.available - adjust).max(0);
    adjust += extra.min((least - available).max(0));
    drain -= (adjust + drain - most).max(0);
    (drain, adjust)
}

/// The counts closest to the weight; with surge, one pod more than asked for may come closer.
fn approximate(replicas: i64, weight: i64, surge: i64) -> (i64, i64) {
    if replicas == 0 {
        return (0, 0);
    }
    let (floor, ceiling) = (replicas * weight / 100, (replicas * weight + 99) / 100);
    let tied = |total: i64| total * weight % 100 == 50;
    let zero_allowed = weight == 100 || weight == 0 || (replicas == 1 && surge == 0);
    let mut options = Vec::new();
    if ceiling < replicas || zero_allowed {
        options.push((ceiling, replicas));
    }
    if !tied(replicas) && (floor != 0 || zero_allowed) {
        options.push((floor, replicas));
    }
    if surge > 0 {
        options.push((ceiling, replicas + 1));
        if !tied(replicas + 1) && (floor != 0 || zero_allowed) {
            options.push((floor, replicas + 1));
        }
    }
    // |canary * 100 / total - weight|, compared without fractions; the first of equals wins.
    let off = |(canary, total): (i64, i64)| ((canary * 100 - weight * total).abs(), total);
    options
        .into_iter()
        .reduce(|best, option| {
            let ((one, one_total), (two, two_total)) = (off(option), off(best));
            if one * two_total < two * one_total {
                option
            } else {
                best
            }
        })
        .map_or((0, replicas), |(canary, total)| (canary, total - canary))
}

/// With traffic routing: rounded up, and stable stays whole.
pub(super) fn routed(replicas: i64, weight: i64) -> i64 {
    (replicas * weight + 99) / 100
}

#[cfg(test)]
mod unit {
    use super::*;

    fn basic(
        replicas: i64,
        weight: i64,
        canary: i64,
        stable: i64,
        unavailable: i64,
        surge: i64,
    ) -> (i64, i64) {
        let size = |count| Size {
            wanted: count,
            available: count,
        };
        let (canary, stable) = (size(canary), Some(size(stable)));
        Basic {
            replicas,
            weight,
            surge,
            unavailable,
            canary,
            stable,
            others_wanted: 0,
        }
        .counts()
    }

    #[test]
    fn the_vendors_own_examples_come_out() {
        // From the comment on CalculateReplicaCountsForBasicCanary, but for one that its own code no longer follows.
        assert_eq!(basic(10, 10, 0, 10, 1, 1), (1, 9));
        assert_eq!(basic(10, 30, 0, 10, 0, 3), (3, 10));
        assert_eq!(basic(10, 30, 0, 10, 5, 0), (0, 7));
        assert_eq!(basic(1, 5, 0, 1, 0, 1), (1, 1));
        assert_eq!(basic(1, 95, 0, 1, 0, 1), (1, 1));
    }

    #[test]
    fn routed_canaries_are_rounded_up() {
        assert_eq!(routed(10, 5), 1);
        assert_eq!(routed(12, 25), 3);
        assert_eq!(routed(4, 0), 0);
    }
}
