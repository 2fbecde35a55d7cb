mod architecture;
mod configs;
mod conformance_orchestrators;
mod recorded;
mod screen;
