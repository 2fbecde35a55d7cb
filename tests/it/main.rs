mod architecture;
mod configs;
mod conformance_orchestrators;
mod readme;
mod real;
mod recorded;
mod reducer;
mod screen;
