//! Which resource a path means.
//!
//! Pure. Must never guess: what is not served is `Unknown`, and answered as an API server answers it.

use crate::demo::kind::Kind;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Route {
    Version,
    Health,
    CoreVersions,
    Groups,
    Group(String),
    Resources {
        group: String,
        version: String,
    },
    Review(Review),
    Collection {
        kind: Kind,
        namespace: Option<String>,
    },
    Item {
        kind: Kind,
        namespace: String,
        name: String,
        part: Part,
    },
    Unknown,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Review {
    Access,
    Rules,
    Identity,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Whole,
    Status,
    Scale,
    Log,
}

pub(super) fn route(path: &str) -> Route {
    let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
    match parts.as_slice() {
        ["version"] => Route::Version,
        ["readyz" | "livez" | "healthz", ..] => Route::Health,
        ["api"] => Route::CoreVersions,
        ["apis"] => Route::Groups,
        ["apis", group] => Route::Group((*group).to_owned()),
        ["api", "v1"] => resources("", "v1"),
        ["apis", group, version] => resources(group, version),
        [
            "apis",
            "authorization.k8s.io",
            "v1",
            "selfsubjectaccessreviews",
        ] => Route::Review(Review::Access),
        [
            "apis",
            "authorization.k8s.io",
            "v1",
            "selfsubjectrulesreviews",
        ] => Route::Review(Review::Rules),
        ["apis", "authentication.k8s.io", "v1", "selfsubjectreviews"] => {
            Route::Review(Review::Identity)
        }
        ["api", "v1", rest @ ..] => object("", "v1", rest),
        ["apis", group, version, rest @ ..] => object(group, version, rest),
        _ => Route::Unknown,
    }
}

fn resources(group: &str, version: &str) -> Route {
    Route::Resources {
        group: group.to_owned(),
        version: version.to_owned(),
    }
}

fn object(group: &str, version: &str, rest: &[&str]) -> Route {
    match rest {
        ["namespaces", namespace, plural, rest @ ..] => {
            within(group, version, Some(namespace), plural, rest)
        }
        [plural, rest @ ..] => within(group, version, None, plural, rest),
        [] => Route::Unknown,
    }
}

fn within(
    group: &str,
    version: &str,
    namespace: Option<&str>,
    plural: &str,
    rest: &[&str],
) -> Route {
    let Some(kind) = Kind::of(group, version, plural) else {
        return Route::Unknown;
    };
    let namespaced = kind.facts().namespaced;
    if namespace.is_some() && !namespaced {
        return Route::Unknown;
    }
    let (name, part) = match rest {
        [] => {
            return Route::Collection {
                kind,
                namespace: namespace.map(str::to_owned),
            };
        }
        [name] => (name, Part::Whole),
        [name, "status"] => (name, Part::Status),
        [name, "scale"] => (name, Part::Scale),
        [name, "log"] if kind == Kind::Pod => (name, Part::Log),
        _ => return Route::Unknown,
    };
    match (namespace, namespaced) {
        // One object of a namespaced kind is not to be had without its namespace.
        (None, true) => Route::Unknown,
        (namespace, _) => Route::Item {
            kind,
            namespace: namespace.unwrap_or_default().to_owned(),
            name: (*name).to_owned(),
            part,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_mean_collections_objects_and_parts() {
        let all = Route::Collection {
            kind: Kind::Rollout,
            namespace: None,
        };
        assert_eq!(route("/apis/argoproj.io/v1alpha1/rollouts"), all);
        assert_eq!(
            route("/api/v1/namespaces/shop/pods/a/log"),
            Route::Item {
                kind: Kind::Pod,
                namespace: "shop".into(),
                name: "a".into(),
                part: Part::Log
            }
        );
        assert_eq!(
            route("/api/v1/namespaces/shop"),
            Route::Item {
                kind: Kind::Namespace,
                namespace: String::new(),
                name: "shop".into(),
                part: Part::Whole
            }
        );
        assert_eq!(route("/apis/flagger.app/v1beta1/canaries"), Route::Unknown);
        assert_eq!(route("/apis/apps/v1/deployments/a"), Route::Unknown);
    }
}
