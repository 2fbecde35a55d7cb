mod architecture;
mod configs;
mod conformance_orchestrators;
mod real;
mod recorded;
mod reducer;
mod screen;
