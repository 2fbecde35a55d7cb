mod conformance_orchestrators;
mod real;
mod recorded;
