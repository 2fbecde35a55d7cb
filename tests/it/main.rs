mod architecture;
mod conformance_orchestrators;
mod recorded;
mod screen;
