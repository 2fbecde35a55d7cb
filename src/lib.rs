//! windlass
pub mod app;
pub mod model;
pub mod ops;
pub mod providers;
