//! Every release that is known, indexed. Owns the join of rollouts and their ReplicaSets and the replacement of a
//! collection that is told anew. Costs per fact are constant; nothing here depends on how many releases there are.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use super::index::Index;
use jiff::Timestamp;

use crate::model::{
    event::{Collection, CollectionKind, Fact},
    id::{EnvironmentName, ReleaseId, Uid, WorkloadKind},
    release::{Group, Release, SortAge},
    replica_set::{Owned, ReplicaSet},
    rollout::Rollout,
};

/// A place in the store. Reused after a release is gone, so it is never kept across updates as an identity.
pub type Slot = u32;

#[derive(Debug, Default)]
pub struct Releases {
    slots: Vec<Option<Release>>,
    free: Vec<Slot>,
    by_id: Index<ReleaseId>,
    by_uid: Index<Uid>,
    /// ReplicaSets that were told before their owner.
    early: HashMap<Uid, Vec<ReplicaSet>>,
    /// What has been told since a collection began anew.
    retelling: HashMap<(EnvironmentName, Collection), HashSet<Uid>>,
    /// Deployments that hold the template of a Rollout: they belong to that Rollout and have no row of their own.
    claimed: HashSet<ReleaseId>,
    /// What is around a release and lifts it on the Board. Few have any.
    lifts: HashMap<Slot, Lift>,
}

/// What is not in its rollout and puts a release higher on the Board.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lift {
    pub by: LiftedBy,
    pub since: Option<Timestamp>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LiftedBy {
    /// An alert fires: above everything, whatever its phase says.
    Firing,
    /// A gate of its pipeline waits for a human.
    Gate,
    /// Its pipeline runs and has deployed nothing yet.
    Pipeline,
}

/// What one fact changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Changed {
    Nothing,
    /// This release; its group or order may have changed too.
    Release(Slot),
    /// Which releases there are.
    Set,
}

impl Releases {
    pub fn get(&self, slot: Slot) -> Option<&Release> {
        self.slots.get(slot as usize)?.as_ref()
    }

    pub fn slot_of(&self, id: &ReleaseId) -> Option<Slot> {
        let is = |slot| {
            self.get(slot)
                .is_some_and(|release| release.rollout.id == *id)
        };
        self.by_id.get(id, is)
    }

    pub fn find(&self, id: &ReleaseId) -> Option<&Release> {
        self.get(self.slot_of(id)?)
    }

    pub fn find_uid(&self, uid: &Uid) -> Option<&Release> {
        self.get(self.slot_of_uid(uid)?)
    }

    fn slot_of_uid(&self, uid: &Uid) -> Option<Slot> {
        let is = |slot| {
            self.get(slot)
                .is_some_and(|release| release.rollout.uid == *uid)
        };
        self.by_uid.get(uid, is)
    }

    /// In which group it is, and where in it.
    pub fn sort_key(&self, slot: Slot, release: &Release, fresh: bool) -> (Group, SortAge) {
        let (group, age) = release.sort_key(fresh);
        let Some(lift) = self.lifts.get(&slot) else {
            return (group, age);
        };
        let lifted = match lift.by {
            LiftedBy::Firing => Group::Broken,
            LiftedBy::Gate => group.min(Group::NeedsYou),
            // What cannot be believed stays unknown.
            LiftedBy::Pipeline if group == Group::Quiet => Group::Moving,
            LiftedBy::Pipeline => group,
        };
        if lifted == group {
            return (group, age);
        }
        let since = lift.since.map_or(i64::MAX, Timestamp::as_second);
        (lifted, SortAge::OldestFirst(since))
    }

    /// Since when a release is in the group it is in: as it is, or as what lifts it.
    pub fn since(&self, id: &ReleaseId) -> Option<Timestamp> {
        let slot = self.slot_of(id)?;
        let release = self.get(slot)?;
        match self.lifts.get(&slot) {
            Some(lift) if self.sort_key(slot, release, true).0 != release.group(true) => lift.since,
            _ => release.since(),
        }
    }

    pub fn group(&self, slot: Slot, release: &Release, fresh: bool) -> Group {
        self.sort_key(slot, release, fresh).0
    }

    pub fn lift(&self, id: &ReleaseId) -> Option<Lift> {
        self.lifts.get(&self.slot_of(id)?).copied()
    }

    /// Takes what lifts releases now, and says which of them have another place by that.
    pub fn set_lifts(&mut self, lifts: &HashMap<ReleaseId, Lift>) -> Vec<Slot> {
        let now: HashMap<Slot, Lift> = lifts
            .iter()
            .filter_map(|(id, lift)| Some((self.slot_of(id)?, *lift)))
            .collect();
        let changed = now
            .iter()
            .filter(|(slot, lift)| self.lifts.get(*slot) != Some(*lift))
            .map(|(slot, _)| *slot)
            .chain(
                self.lifts
                    .keys()
                    .filter(|slot| !now.contains_key(slot))
                    .copied(),
            )
            .collect();
        self.lifts = now;
        changed
    }

    pub fn len(&self) -> usize {
        self.by_id.len()
    }

    /// One more than the highest slot.
    pub fn slots(&self) -> usize {
        self.slots.len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Every release that has a row of its own.
    pub fn iter(&self) -> impl Iterator<Item = (Slot, &Release)> {
        self.slots.iter().enumerate().filter_map(|(slot, release)| {
            let release = release.as_ref()?;
            if !self.claimed.is_empty() && self.claimed.contains(&release.rollout.id) {
                return None;
            }
            Some((Slot::try_from(slot).ok()?, release))
        })
    }

    /// Takes one fact about workloads or ReplicaSets; the others change nothing here.
    pub fn apply(&mut self, environment: &EnvironmentName, fact: &Fact) -> Changed {
        match fact {
            Fact::Begin(collection) => {
                self.retelling
                    .insert((environment.clone(), collection.clone()), HashSet::new());
                Changed::Nothing
            }
            Fact::Rollout(rollout) => self.put(rollout),
            Fact::RolloutGone { id, uid } => self.remove(id, uid),
            Fact::ReplicaSet(owned) => self.put_set(environment, owned.clone()),
            Fact::ReplicaSetGone { owner, uid } => self.remove_set(owner, uid),
            Fact::Complete(collection) => self.complete(environment, collection),
            Fact::Absent(collection) => {
                self.retelling
                    .insert((environment.clone(), collection.clone()), HashSet::new());
                self.complete(environment, collection)
            }
            Fact::Health(_) | Fact::Heard(_) | Fact::Who(_) | Fact::Access(_) => Changed::Nothing,
        }
    }

    fn put(&mut self, rollout: &Arc<Rollout>) -> Changed {
        let environment = rollout.id.environment.clone();
        let kind = CollectionKind::Workloads(rollout.id.kind);
        self.told(&environment, kind, &rollout.id.namespace, &rollout.uid);
        let claims_anew = self.claim(rollout);
        if let Some(slot) = self.slot_of(&rollout.id) {
            let Some(Some(release)) = self.slots.get_mut(slot as usize) else {
                return Changed::Nothing;
            };
            if release.rollout.uid != rollout.uid {
                // Deleted and created again: the old versions belong to the old object.
                self.by_uid.remove(&release.rollout.uid, slot);
                release.sets = self.early.remove(&rollout.uid).unwrap_or_default();
                self.by_uid.insert(&rollout.uid, slot);
            }
            release.rollout = Arc::clone(rollout);
            share(rollout, &mut release.sets);
            return if claims_anew {
                Changed::Set
            } else {
                Changed::Release(slot)
            };
        }
        let mut sets = self.early.remove(&rollout.uid).unwrap_or_default();
        share(rollout, &mut sets);
        sort(&mut sets);
        let release = Release {
            rollout: Arc::clone(rollout),
            sets,
        };
        let slot = match self.free.pop() {
            Some(slot) => slot,
            None => match Slot::try_from(self.slots.len()) {
                Ok(slot) => {
                    self.slots.push(None);
                    slot
                }
                Err(_) => return Changed::Nothing,
            },
        };
        if let Some(place) = self.slots.get_mut(slot as usize) {
            *place = Some(release);
        }
        self.by_id.insert(&rollout.id, slot);
        self.by_uid.insert(&rollout.uid, slot);
        Changed::Set
    }

    /// Whether something lost its row by that.
    fn claim(&mut self, rollout: &Rollout) -> bool {
        if let Some(reference) = rollout.argo().and_then(|argo| argo.workload_ref.as_ref())
            && &*reference.kind == "Deployment"
        {
            return self.claimed.insert(ReleaseId {
                kind: WorkloadKind::Deployment,
                name: (&*reference.name).into(),
                ..rollout.id.clone()
            });
        }
        false
    }

    /// Whether a Deployment is the template of a Rollout.
    pub fn is_claimed(&self, id: &ReleaseId) -> bool {
        self.claimed.contains(id)
    }

    /// The Rollout to which a Deployment of this name belongs.
    pub fn claimed_by(&self, name: &crate::model::id::ServiceName) -> Option<&ReleaseId> {
        self.slots
            .iter()
            .flatten()
            .map(|release| &release.rollout)
            .find_map(|rollout| {
                let reference = rollout.argo()?.workload_ref.as_ref()?;
                (&*reference.name == name.as_str()).then_some(&rollout.id)
            })
    }

    fn remove(&mut self, id: &ReleaseId, uid: &Uid) -> Changed {
        let Some(slot) = self.slot_of(id) else {
            return Changed::Nothing;
        };
        let Some(place) = self.slots.get_mut(slot as usize) else {
            return Changed::Nothing;
        };
        // A late farewell of an object whose name another one has by now changes nothing.
        if place
            .as_ref()
            .is_some_and(|release| release.rollout.uid != *uid)
        {
            return Changed::Nothing;
        }
        let gone = place.take();
        self.lifts.remove(&slot);
        self.by_id.remove(id, slot);
        self.by_uid.remove(uid, slot);
        self.free.push(slot);
        if let Some(reference) = gone
            .as_ref()
            .and_then(|release| release.rollout.argo())
            .and_then(|argo| argo.workload_ref.as_ref())
        {
            self.claimed.remove(&ReleaseId {
                kind: WorkloadKind::Deployment,
                name: (&*reference.name).into(),
                ..id.clone()
            });
        }
        Changed::Set
    }

    fn put_set(&mut self, environment: &EnvironmentName, Owned { owner, set }: Owned) -> Changed {
        self.told_anywhere(environment, CollectionKind::ReplicaSets, &set.uid);
        let Some(slot) = self.slot_of_uid(&owner) else {
            let sets = self.early.entry(owner).or_default();
            replace(sets, set);
            return Changed::Nothing;
        };
        let Some(Some(release)) = self.slots.get_mut(slot as usize) else {
            return Changed::Nothing;
        };
        replace(&mut release.sets, set);
        share(&release.rollout, &mut release.sets);
        sort(&mut release.sets);
        Changed::Release(slot)
    }

    fn remove_set(&mut self, owner: &Uid, uid: &Uid) -> Changed {
        if let Some(sets) = self.early.get_mut(owner) {
            sets.retain(|set| set.uid != *uid);
        }
        let Some(slot) = self.slot_of_uid(owner) else {
            return Changed::Nothing;
        };
        let Some(Some(release)) = self.slots.get_mut(slot as usize) else {
            return Changed::Nothing;
        };
        release.sets.retain(|set| set.uid != *uid);
        Changed::Release(slot)
    }

    fn told(
        &mut self,
        environment: &EnvironmentName,
        kind: CollectionKind,
        namespace: &crate::model::id::Namespace,
        uid: &Uid,
    ) {
        if self.retelling.is_empty() {
            return;
        }
        for namespace in [None, Some(namespace.clone())] {
            if let Some(told) = self
                .retelling
                .get_mut(&(environment.clone(), Collection { kind, namespace }))
            {
                told.insert(uid.clone());
            }
        }
    }

    fn told_anywhere(&mut self, environment: &EnvironmentName, kind: CollectionKind, uid: &Uid) {
        for ((of, collection), told) in &mut self.retelling {
            if of == environment && collection.kind == kind {
                told.insert(uid.clone());
            }
        }
    }

    /// What was not told again is gone.
    fn complete(&mut self, environment: &EnvironmentName, collection: &Collection) -> Changed {
        let Some(told) = self
            .retelling
            .remove(&(environment.clone(), collection.clone()))
        else {
            return Changed::Nothing;
        };
        let within = |id: &ReleaseId| {
            id.environment == *environment
                && collection
                    .namespace
                    .as_ref()
                    .is_none_or(|namespace| *namespace == id.namespace)
        };
        match collection.kind {
            CollectionKind::Workloads(kind) => {
                let gone: Vec<(ReleaseId, Uid)> = self
                    .slots
                    .iter()
                    .flatten()
                    .filter(|release| {
                        release.rollout.id.kind == kind
                            && within(&release.rollout.id)
                            && !told.contains(&release.rollout.uid)
                    })
                    .map(|release| (release.rollout.id.clone(), release.rollout.uid.clone()))
                    .collect();
                for (id, uid) in gone {
                    self.remove(&id, &uid);
                }
                // Told one by one, with room for as many again.
                self.slots.shrink_to_fit();
            }
            CollectionKind::ReplicaSets => {
                for release in self.slots.iter_mut().flatten() {
                    if within(&release.rollout.id) {
                        release.sets.retain(|set| told.contains(&set.uid));
                    }
                }
            }
        }
        Changed::Set
    }
}

/// What a set has in common with its rollout is kept once: there are thirty thousand sets to ten thousand rollouts.
fn share(rollout: &Rollout, sets: &mut [ReplicaSet]) {
    for set in sets {
        if set.images == rollout.images {
            set.images = Arc::clone(&rollout.images);
        }
    }
}

fn replace(sets: &mut Vec<ReplicaSet>, set: ReplicaSet) {
    match sets.iter_mut().find(|old| old.uid == set.uid) {
        Some(old) => *old = set,
        None => {
            sets.reserve_exact(1);
            sets.push(set);
        }
    }
}

fn sort(sets: &mut [ReplicaSet]) {
    sets.sort_by(|a, b| {
        b.revision
            .cmp(&a.revision)
            .then_with(|| a.hash.cmp(&b.hash))
    });
}
