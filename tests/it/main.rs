mod configs;
mod conformance_orchestrators;
mod recorded;
