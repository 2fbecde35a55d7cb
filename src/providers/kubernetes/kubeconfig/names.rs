//! Names of contexts: which part of a long one names the environment, and which known one was probably meant.

/// The context's name, or its last part where no other context would have the same: `prod` for
/// `arn:aws:eks:eu-west-1:1234:cluster/prod`. What people type to confirm has to be short and has to be certain.
pub(super) fn environment<'a>(name: &'a str, all: &[&str]) -> &'a str {
    let short = last_part(name);
    if short.is_empty() {
        return name;
    }
    let same = all
        .iter()
        .filter(|other| **other != name && (last_part(other) == short || **other == short))
        .count();
    if same == 0 { short } else { name }
}

/// The last part of a path or ARN. `OpenShift`'s contexts (`namespace/host:port/user`) end with the user, which names no
/// environment: there it is the host.
fn last_part(name: &str) -> &str {
    let parts: Vec<&str> = name.split('/').collect();
    match parts.as_slice() {
        [_, host, _] if host.contains(':') => host,
        [.., last] => last,
        [] => name,
    }
}

/// The known names nearest to what was asked for, best first, at most three. None is better than a far-fetched one.
pub(super) fn nearest<'a>(asked: &str, known: impl Iterator<Item = &'a str>) -> Vec<String> {
    let asked = asked.to_lowercase();
    let mut near: Vec<(usize, &str)> = known
        .filter_map(|name| {
            let lower = name.to_lowercase();
            let far = distance(&asked, &lower).min(distance(&asked, last_part(&lower)));
            let contains = !asked.is_empty() && lower.contains(&asked);
            let close = far <= 1 + asked.chars().count() / 3;
            (contains || close).then_some((if contains { far.min(1) } else { far }, name))
        })
        .collect();
    near.sort_unstable();
    near.into_iter()
        .take(3)
        .map(|(_, name)| name.to_owned())
        .collect()
}

/// How many letters have to be changed, added or removed.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, letter) in a.chars().enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        if let Some(first) = row.first_mut() {
            *first = left;
        }
        for (cell, other) in row.iter_mut().skip(1).zip(&b) {
            let change = diagonal + usize::from(letter != *other);
            diagonal = *cell;
            left = change.min(left + 1).min(diagonal + 1);
            *cell = left;
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_part_names_the_environment_where_it_is_unique() {
        let prod = "arn:aws:eks:eu-west-1:1234:cluster/prod";
        let other = "arn:aws:eks:us-east-1:1234:cluster/prod";
        assert_eq!(environment(prod, &[prod, "staging"]), "prod");
        assert_eq!(environment(prod, &[prod, other]), prod);
        assert_eq!(environment(prod, &[prod, "prod"]), prod);
        assert_eq!(environment("prod", &[prod, "prod"]), "prod");
        assert_eq!(environment("kind-dev", &["kind-dev"]), "kind-dev");
        assert_eq!(environment("odd/", &["odd/"]), "odd/");
    }

    #[test]
    fn an_openshift_context_is_named_by_its_host_not_by_its_user() {
        let context = "shop/api-prod:6443/alice";
        assert_eq!(environment(context, &[context]), "api-prod:6443");
        let other = "payments/api-prod:6443/alice";
        assert_eq!(environment(context, &[context, other]), context);
    }

    #[test]
    fn a_mistyped_name_finds_its_neighbours_and_nonsense_finds_none() {
        let known = ["prod-eu", "prod-us", "staging", "arn:aws:x/prod"];
        let near = |asked: &str| nearest(asked, known.into_iter());
        assert_eq!(near("prd-eu").first().map(String::as_str), Some("prod-eu"));
        assert_eq!(near("stagign"), ["staging"]);
        assert!(near("prod").contains(&"arn:aws:x/prod".to_owned()));
        assert!(near("quite-another").is_empty());
    }
}
