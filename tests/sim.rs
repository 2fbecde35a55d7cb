#[path = "it/night/mod.rs"]
mod night;
#[path = "it/reducer.rs"]
mod reducer;
