mod encoder;
mod erase;
mod motion;
mod pen;
mod shown;
pub use erase::Erase;
