mod conformance_orchestrators;
mod recorded;
