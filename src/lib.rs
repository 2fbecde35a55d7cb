//! windlass
pub mod model;
