//! The program against a real control plane: etcd, kube-apiserver, its controllers, the Argo Rollouts controller and its
//! plugin. Every test runs the program as a user would, and the vendor's programs judge what came of it.
//!
//! `WINDLASS_REAL` names the script that brings the control plane up. Where there is none the tests say that they were
//! skipped; with `WINDLASS_REQUIRE` set that is a failure.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    clippy::string_slice
)]

mod analysis;
mod api;
mod backing_out;
mod blue_green;
mod canary;
mod conflict;
mod guards;
mod killed;
mod monitoring;
mod objects;
mod outage;
mod program;
mod proxy;
mod rbac;
mod reading;
mod story;
mod workloads;
mod world;
