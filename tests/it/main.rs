mod architecture;
mod configs;
mod conformance_orchestrators;
mod recorded;
mod reducer;
mod screen;
