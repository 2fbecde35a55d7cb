//! windlass
pub mod model;
pub mod providers;
