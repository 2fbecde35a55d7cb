mod conformance_orchestrators;
mod configs;
