pub mod execute;
pub mod terminal;
