//! What thousands of objects have in common is kept once.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use super::name;
use crate::model::{id::Namespace, step::Step};

/// Shares namespaces and step lists between the objects of one environment. Images are not shared: each service has
/// its own.
#[derive(Debug, Default)]
pub struct Interner {
    namespaces: HashMap<Box<str>, Namespace>,
    steps: HashSet<Arc<[Step]>>,
}

/// From this many on, lists that nobody holds any more are let go before a new one is kept.
const SWEEP_AT: usize = 1024;

impl Interner {
    pub fn namespace(&mut self, text: &str) -> Namespace {
        if let Some(known) = self.namespaces.get(text) {
            return known.clone();
        }
        let namespace = Namespace::new(&name(text));
        self.namespaces.insert(text.into(), namespace.clone());
        namespace
    }

    pub fn steps(&mut self, steps: Vec<Step>) -> Arc<[Step]> {
        if let Some(known) = self.steps.get(steps.as_slice()) {
            return Arc::clone(known);
        }
        if self.steps.len() >= SWEEP_AT && self.steps.len().is_power_of_two() {
            self.steps.retain(|list| Arc::strong_count(list) > 1);
        }
        let steps: Arc<[Step]> = steps.into();
        self.steps.insert(Arc::clone(&steps));
        steps
    }
}
