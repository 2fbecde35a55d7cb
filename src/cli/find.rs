//! Which release a SERVICE on the command line means. Nothing is guessed: what is ambiguous lists its candidates.

use crate::{
    app::releases::Releases,
    config::nearest,
    model::{
        id::{EnvironmentName, Namespace, ReleaseId, ServiceName, WorkloadKind},
        release::Release,
        text::sanitise,
    },
};

/// `[kind/][namespace/]name`, and `--env`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wanted {
    pub kind: Option<WorkloadKind>,
    pub namespace: Option<Namespace>,
    pub name: ServiceName,
    pub environment: Option<EnvironmentName>,
}

impl Wanted {
    pub(super) fn parse(service: &str, environment: Option<&str>) -> Result<Self, String> {
        let parts: Vec<&str> = service.split('/').collect();
        let kind_of = |word: &str| WorkloadKind::from_word(word);
        let (kind, namespace, name) = match parts.as_slice() {
            [name] => (None, None, *name),
            [first, name] => match kind_of(first) {
                Some(kind) => (Some(kind), None, *name),
                None => (None, Some(*first), *name),
            },
            [kind, namespace, name] => match kind_of(kind) {
                Some(kind) => (Some(kind), Some(*namespace), *name),
                None => {
                    return Err(format!(
                        "{}: {kind:?} is no kind; valid are argo-rollout, deployment, statefulset, daemonset",
                        sanitise(service)
                    ));
                }
            },
            _ => {
                return Err(format!(
                    "{}: a service is written [kind/][namespace/]name",
                    sanitise(service)
                ));
            }
        };
        if name.is_empty() {
            return Err(
                "a service is written [kind/][namespace/]name, and the name is missing".to_owned(),
            );
        }
        Ok(Self {
            kind,
            namespace: namespace.map(Namespace::new),
            name: ServiceName::new(name),
            environment: environment.map(EnvironmentName::new),
        })
    }

    fn fits(&self, id: &ReleaseId) -> bool {
        id.name == self.name
            && self.kind.is_none_or(|kind| id.kind == kind)
            && self
                .namespace
                .as_ref()
                .is_none_or(|namespace| id.namespace == *namespace)
            && self
                .environment
                .as_ref()
                .is_none_or(|environment| id.environment == *environment)
    }

    /// The one that is meant; otherwise a sentence with the candidates, or with the nearest names.
    pub(super) fn find<'a>(&self, releases: &'a Releases) -> Result<&'a Release, String> {
        let fits: Vec<&Release> = releases
            .iter()
            .map(|(_, release)| release)
            .filter(|release| self.fits(&release.rollout.id))
            .collect();
        match fits.as_slice() {
            [one] => Ok(one),
            [] => Err(self.not_found(releases)),
            many => {
                let mut names: Vec<String> = many
                    .iter()
                    .map(|release| release.rollout.id.to_string())
                    .collect();
                names.sort();
                Err(format!(
                    "{} is ambiguous: {}; say which with kind/namespace/name and --env",
                    self.name,
                    names.join(", ")
                ))
            }
        }
    }

    fn not_found(&self, releases: &Releases) -> String {
        let claimed = releases.claimed_by(&self.name);
        if let Some(owner) = claimed
            && self.kind == Some(WorkloadKind::Deployment)
        {
            return format!(
                "deployment {} holds the template of {owner} and belongs to it: name that one",
                self.name
            );
        }
        let ids = || releases.iter().map(|(_, release)| &release.rollout.id);
        let mut near: Vec<String> = ids()
            .filter(|id| {
                id.name.as_str().contains(self.name.as_str())
                    || self.name.as_str().contains(id.name.as_str())
            })
            .map(ToString::to_string)
            .take(5)
            .collect();
        if near.is_empty() {
            let nearest = nearest(self.name.as_str(), ids().map(|id| id.name.as_str()));
            near.extend(
                ids()
                    .filter(|id| Some(id.name.as_str()) == nearest)
                    .map(ToString::to_string)
                    .take(5),
            );
        }
        near.sort();
        let among = match releases.len() {
            0 => String::new(),
            1 => " among the 1 release there is".to_owned(),
            many => format!(" among {many} releases"),
        };
        match near.is_empty() {
            true => format!(
                "{} was not found{among}; windlass status lists them",
                self.name
            ),
            false => format!(
                "{} was not found{among}; there is {}",
                self.name,
                near.join(", ")
            ),
        }
    }
}
