pub mod audit;
pub mod execute;
mod private;
pub mod terminal;
