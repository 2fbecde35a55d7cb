//! The life of an action, told as stories and as properties.

mod basis;
mod beside;
pub(crate) mod fixture;
mod guards;
mod machine;
mod properties;
