//! The two providers against a real Prometheus and a real Alertmanager, as Debian packages them: a program of our own
//! counts, they scrape and fire, and what is told has to be what was counted. Needs no cluster.
//!
//! Where the two programs are not installed these tests say that they were skipped; with `WINDLASS_REQUIRE` set that is
//! a failure.

mod alerts;
mod counts;
pub(super) mod programs;
