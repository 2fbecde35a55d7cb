//! The whole of it: the promised file, the sample, discovery and what is refused.

use std::{
    collections::{BTreeSet, HashMap},
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use toml::de::{DeTable, DeValue};

use super::{
    describe::{Key, ROOT, SECRET, Shape},
    *,
};

const PROMISED: &str = include_str!("../../tests/configs/valid/promised.toml");

fn written(folder: &Path, name: &str, text: &str, mode: u32) -> PathBuf {
    let path = folder.join(name);
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    path
}

fn loaded(explicit: Option<&Path>, variables: &[(&str, &Path)]) -> Result<Loaded, Problems> {
    let variables: HashMap<&str, String> = variables
        .iter()
        .map(|(name, path)| (*name, path.display().to_string()))
        .collect();
    load(explicit, &|name| variables.get(name).cloned())
}

#[test]
fn what_is_good_can_be_counted_instead_of_what_is_bad() {
    let text = "[services.a.metrics]\nslow = { good_and_bad = 'count', good = 'bucket' }\n";
    let config = parse(text, "config.toml").unwrap();
    assert_eq!(
        config.services["a"].metrics["slow"],
        Metric {
            good_and_bad: "count".to_owned(),
            part: Part::Good("bucket".to_owned()),
        }
    );
}

#[test]
fn the_promised_file_is_read_whole() {
    let config = parse(PROMISED, "config.toml").unwrap();
    assert_eq!(config.ui.theme, "dark");
    assert_eq!(config.write.environments.unwrap(), ["staging", "prod-eu"]);
    let prod = &config.environments["prod-eu"];
    assert_eq!(prod.tier, Tier::Prod);
    assert_eq!(prod.namespaces.as_deref().unwrap(), ["shop", "payments"]);
    assert_eq!(
        prod.prometheus.as_ref().unwrap().token,
        Some(SecretSource::Env("PROM_TOKEN".to_owned()))
    );
    assert_eq!(
        prod.alertmanager.as_ref().unwrap().url,
        "https://alertmanager.prod-eu.example"
    );
    assert_eq!(
        config.sources.github.unwrap().token,
        Some(SecretSource::Command(
            ["gh", "auth", "token"].map(ToOwned::to_owned).to_vec()
        ))
    );
    let checkout = &config.services["checkout"];
    assert_eq!(
        checkout.workload.as_ref().unwrap().to_string(),
        "shop/argo-rollout/checkout"
    );
    assert_eq!(checkout.alerts["service"], "checkout");
    assert!(matches!(&checkout.metrics["errors"].part, Part::Bad(query) if query.contains("5..")));
}

#[test]
fn an_empty_file_is_the_defaults() {
    let config = parse("", "config.toml").unwrap();
    assert_eq!(config, Config::default());
    assert_eq!(config.ui.theme, "dark");
    assert_eq!(config.write.minutes, 30);
    assert!(config.actions.note);
    assert_eq!(config.write.environments, None);
}

#[test]
fn an_environment_of_which_only_the_name_is_told_is_of_tier_prod() {
    let config = parse("[environments.x]\n", "config.toml").unwrap();
    assert_eq!(config.environments["x"].tier, Tier::Prod);
    assert_eq!(config.environments["x"].namespaces, None);
}

#[test]
fn all_mistakes_of_a_file_are_told_in_its_order() {
    let text = "[ui]\nthemes = 1\n\n[write]\nminutes = 0\nenvironments = \"x\"\n[environments.a]\ntier = \"qa\"\n";
    assert_eq!(
        parse(text, "config.toml").unwrap_err().to_string(),
        "config.toml:2:1: unknown key \"themes\" in [ui]; did you mean \"theme\"?\n\
         config.toml:5:11: write.minutes: a whole number from 1 to 480 is wanted, not 0\n\
         config.toml:6:16: write.environments: a list of texts is wanted, not a text\n\
         config.toml:8:8: environments.a.tier: \"qa\" is unknown; valid are dev, staging, prod"
    );
}

#[test]
fn no_message_repeats_a_secret_that_stands_in_the_file() {
    for text in [
        "[sources.github]\ntoken = \"hunter2\"\n",
        "[sources.github]\ntoken = { env = \"hunter2-hunter2\" }\n",
        "[sources.github]\ntoken = [\"hunter2\"]\n",
        "[sources.github]\ntoken = \"hunter2\n",
        "[sources.github]\ntoken = hunter2\n",
        "[sources.github]\ntoken = \"\\hunter2\"\n",
        "[environments.a]\nprometheus = { url = \"https://me:hunter2@x.example\" }\n",
    ] {
        let said = parse(text, "config.toml").unwrap_err().to_string();
        assert!(!said.contains("hunter2"), "{said}");
    }
}

fn uncommented() -> String {
    let key = |line: &str| match line.strip_prefix('#') {
        Some(key) if !key.starts_with(' ') => key.to_owned(),
        _ => line.to_owned(),
    };
    sample().lines().map(key).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_sample_changes_nothing_until_a_key_is_uncommented() {
    assert_eq!(parse(sample(), "sample").unwrap(), Config::default());
}

#[test]
fn the_uncommented_sample_is_valid() {
    let config = parse(&uncommented(), "sample").unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(config.write.minutes, 30);
    assert_eq!(config.services["checkout"].metrics.len(), 2);
}

#[test]
fn the_sample_shows_every_key() {
    let text = uncommented();
    let table = DeTable::parse(&text).unwrap();
    let mut missing = BTreeSet::new();
    let mut secrets = BTreeSet::new();
    let top = DeValue::Table(table.get_ref().clone());
    keys_not_in(&top, ROOT, "", &mut missing, &mut secrets);
    assert_eq!(missing, BTreeSet::new());
    let ways: BTreeSet<String> = SECRET.iter().map(|key| key.name.to_owned()).collect();
    assert_eq!(secrets, ways, "every way to name a secret is shown once");
}

fn keys_not_in(
    value: &DeValue<'_>,
    keys: &[Key],
    path: &str,
    missing: &mut BTreeSet<String>,
    secrets: &mut BTreeSet<String>,
) {
    for key in keys {
        let path = format!("{path}.{}", key.name);
        let Some(value) = value.get(key.name) else {
            missing.insert(path);
            continue;
        };
        let value = value.get_ref();
        match key.shape {
            Shape::Table(keys) => keys_not_in(value, keys, &path, missing, secrets),
            Shape::Named(keys) => {
                // Two keys that exclude each other are shown by two entries: missing is what none of them shows.
                let of_each = value.as_table().unwrap().values().map(|one| {
                    let mut of_this = BTreeSet::new();
                    keys_not_in(one.get_ref(), keys, &path, &mut of_this, secrets);
                    of_this
                });
                missing.extend(of_each.reduce(|a, b| &a & &b).unwrap());
            }
            Shape::Secret => secrets.extend(
                value
                    .as_table()
                    .unwrap()
                    .keys()
                    .map(|k| k.get_ref().to_string()),
            ),
            _ => {}
        }
    }
}

fn theme_and_path(explicit: Option<&Path>, variables: &[(&str, &Path)]) -> (String, PathBuf) {
    let loaded = loaded(explicit, variables).unwrap();
    (loaded.config.ui.theme, loaded.path.unwrap())
}

#[test]
fn a_named_file_comes_before_the_variable_and_the_variable_before_the_usual_place() {
    let folder = tempfile::tempdir().unwrap();
    let theme = |name: &str, theme: &str| {
        written(
            folder.path(),
            name,
            &format!("ui.theme = \"{theme}\""),
            0o600,
        )
    };
    fs::create_dir(folder.path().join("windlass")).unwrap();
    let usual = theme("windlass/config.toml", "light");
    let variable = theme("variable.toml", "terminal");
    let explicit = theme("explicit.toml", "high-contrast");

    let xdg = ("XDG_CONFIG_HOME", folder.path());
    let both = [xdg, ("WINDLASS_CONFIG", variable.as_path())];
    assert_eq!(
        theme_and_path(Some(&explicit), &both),
        ("high-contrast".to_owned(), explicit.clone())
    );
    assert_eq!(
        theme_and_path(None, &both),
        ("terminal".to_owned(), variable.clone())
    );
    assert_eq!(
        theme_and_path(None, &[xdg]),
        ("light".to_owned(), usual.clone())
    );
    let empty = [xdg, ("WINDLASS_CONFIG", Path::new(""))];
    assert_eq!(theme_and_path(None, &empty), ("light".to_owned(), usual));
}

#[test]
fn only_the_file_in_the_usual_place_may_be_missing() {
    let folder = tempfile::tempdir().unwrap();
    let nowhere = folder.path().join("nowhere.toml");
    let usual = loaded(None, &[("XDG_CONFIG_HOME", folder.path())]).unwrap();
    assert_eq!((usual.config, usual.path), (Config::default(), None));
    let says = format!("{}: there is no such file", nowhere.display());
    assert_eq!(loaded(Some(&nowhere), &[]).unwrap_err().to_string(), says);
    let variable = [("WINDLASS_CONFIG", nowhere.as_path())];
    assert_eq!(loaded(None, &variable).unwrap_err().to_string(), says);
}

#[test]
fn a_file_that_others_may_write_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    for mode in [0o620, 0o602, 0o666, 0o777] {
        let path = written(folder.path(), "config.toml", "", mode);
        let said = loaded(Some(&path), &[]).unwrap_err().to_string();
        assert!(said.contains("chmod go-w"), "{mode:o}: {said}");
    }
    for mode in [0o600, 0o644, 0o640] {
        let path = written(folder.path(), "config.toml", "", mode);
        assert!(loaded(Some(&path), &[]).is_ok(), "{mode:o}");
    }
}

#[test]
fn a_link_is_followed_and_the_file_behind_it_is_judged() {
    let folder = tempfile::tempdir().unwrap();
    let path = written(folder.path(), "real.toml", "", 0o666);
    let link = folder.path().join("link.toml");
    std::os::unix::fs::symlink(&path, &link).unwrap();
    assert!(loaded(Some(&link), &[]).is_err());
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    assert!(loaded(Some(&link), &[]).is_ok());
}

#[test]
fn what_is_no_text_file_is_refused_with_a_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let said = |path: &Path| loaded(Some(path), &[]).unwrap_err().to_string();
    assert!(said(folder.path()).ends_with("this is a folder; a file is wanted"));
    let large = written(folder.path(), "large", &"#".repeat(1024 * 1024 + 1), 0o600);
    assert!(said(&large).contains("larger than 1 MiB"));
    let binary = folder.path().join("binary");
    fs::write(&binary, b"\n\n\xff").unwrap();
    fs::set_permissions(&binary, fs::Permissions::from_mode(0o600)).unwrap();
    assert!(said(&binary).ends_with("line 3 is not UTF-8"));
}

#[test]
fn a_byte_order_mark_is_no_mistake() {
    let folder = tempfile::tempdir().unwrap();
    let path = written(
        folder.path(),
        "config.toml",
        "\u{feff}[ui]\ntheme = \"light\"\n",
        0o600,
    );
    assert_eq!(loaded(Some(&path), &[]).unwrap().config.ui.theme, "light");
}

#[test]
fn relative_files_lie_beside_the_configuration_and_the_tilde_is_the_home() {
    let folder = tempfile::tempdir().unwrap();
    let text = "ui.theme = \"mine.toml\"\n\
                [sources.github]\ntoken = { file = \"github.token\" }\n\
                [environments.a.prometheus]\nurl = \"https://x.example\"\ntoken = { file = \"~/p\" }\n";
    let path = written(folder.path(), "config.toml", text, 0o600);
    let config = loaded(Some(&path), &[("HOME", Path::new("/home/me"))])
        .unwrap()
        .config;
    assert_eq!(
        config.ui.theme,
        folder.path().join("mine.toml").display().to_string()
    );
    assert_eq!(
        config.sources.github.unwrap().token,
        Some(SecretSource::File(folder.path().join("github.token")))
    );
    assert_eq!(
        config.environments["a"].prometheus.as_ref().unwrap().token,
        Some(SecretSource::File(PathBuf::from("/home/me/p")))
    );
}

#[test]
fn a_secret_that_all_may_read_is_warned_of() {
    let folder = tempfile::tempdir().unwrap();
    let secret = written(folder.path(), "t", "x", 0o644);
    let text = "[sources.github]\ntoken = { file = \"t\" }\n";
    let path = written(folder.path(), "config.toml", text, 0o600);
    let warnings = loaded(Some(&path), &[]).unwrap().warnings;
    assert_eq!(
        warnings,
        [format!(
            "sources.github.token: everybody on this machine may read {}; chmod 600 it",
            secret.display()
        )]
    );
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o600)).unwrap();
    assert!(loaded(Some(&path), &[]).unwrap().warnings.is_empty());
}

#[test]
fn an_environment_to_arm_that_is_nearly_a_described_one_is_warned_of() {
    let folder = tempfile::tempdir().unwrap();
    let text = "write.environments = [\"prod-ue\", \"other\"]\n[environments.prod-eu]\n";
    let path = written(folder.path(), "config.toml", text, 0o600);
    let warnings = loaded(Some(&path), &[]).unwrap().warnings;
    assert_eq!(
        warnings,
        [
            "write.environments names \"prod-ue\", which no [environments] describes; did you mean \"prod-eu\"?"
        ]
    );
}

#[test]
fn the_path_is_told_whether_or_not_a_file_is_there() {
    let xdg = |name: &str| (name == "XDG_CONFIG_HOME").then(|| "/x".to_owned());
    assert_eq!(path(&xdg), Some(PathBuf::from("/x/windlass/config.toml")));
    let named = |name: &str| (name == "WINDLASS_CONFIG").then(|| "/y.toml".to_owned());
    assert_eq!(path(&named), Some(PathBuf::from("/y.toml")));
}
