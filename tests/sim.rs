#[path = "it/reducer.rs"]
mod reducer;
mod night {
    #![allow(clippy::unwrap_used, dead_code)]
    #[path = "/work/wl-simulate/tests/it/night/lookalike.rs"]
    mod lookalike;
    #[path = "/work/wl-simulate/tests/it/night/simulator.rs"]
    mod simulator;
    fn amount(variable: &str, usual: u64) -> u64 {
        std::env::var(variable).map_or(usual, |t| t.trim().parse().unwrap())
    }
    fn tell(figure: &str) {
        println!("figure: {figure}");
    }
}
#[cfg(not(test))]
fn main() {}
