pub mod audit;
pub mod execute;
mod private;
pub mod served;
pub mod terminal;
