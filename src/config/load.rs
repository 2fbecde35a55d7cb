//! Where the configuration lies, and whether what lies there may be trusted. Must never look in the folder one stands
//! in, and never write.

use std::{
    fs::File,
    io::{ErrorKind, Read},
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
};

use super::{Config, Problems, SecretSource, near::nearest, parse, rule, secret};

/// Far more than anybody writes; a wrong path (a log, a device) is not read to its end.
const LARGEST: u64 = 1024 * 1024;

/// What was found, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loaded {
    pub config: Config,
    /// `None`: there is no file, these are the defaults.
    pub path: Option<PathBuf>,
    /// One sentence each.
    pub warnings: Vec<String>,
}

/// Where the configuration is, or would be: `WINDLASS_CONFIG`, else the platform's place. `None` without a home.
pub fn path(environment: &dyn Fn(&str) -> Option<String>) -> Option<PathBuf> {
    named(environment).or_else(|| usual(environment))
}

/// Reads the file that was named (`explicit`, else `WINDLASS_CONFIG`), or else the one in the platform's place. Only
/// that last one may be missing: whoever names a file does not mean the defaults.
pub fn load(
    explicit: Option<&Path>,
    environment: &dyn Fn(&str) -> Option<String>,
) -> Result<Loaded, Problems> {
    let named = explicit
        .map(Path::to_path_buf)
        .or_else(|| named(environment));
    let may_be_missing = named.is_none();
    let Some(path) = named.or_else(|| usual(environment)) else {
        return Ok(defaults(vec![
            "there is no home directory, so no configuration was looked for".to_owned(),
        ]));
    };
    let shown = path.display().to_string();
    let file = match File::open(&path) {
        Ok(file) => file,
        Err(e) if e.kind() == ErrorKind::NotFound && may_be_missing => {
            return Ok(defaults(Vec::new()));
        }
        Err(e) if e.kind() == ErrorKind::NotFound => {
            return Err(Problems::of_file(
                &shown,
                "there is no such file".to_owned(),
            ));
        }
        Err(e) => return Err(Problems::of_file(&shown, format!("it cannot be read: {e}"))),
    };
    let text = read(file, &shown)?;
    let mut config = parse(&text, &shown)?;
    let home = environment("HOME");
    let mut warnings = unknown_to_write(&config);
    let beside = Beside {
        folder: path.parent(),
        home: home.as_deref(),
    };
    if rule::is_theme_file(&config.ui.theme) {
        let theme = beside.place(Path::new(&config.ui.theme));
        config.ui.theme = theme.to_string_lossy().into_owned();
    }
    for (key, source) in config.secrets_mut() {
        match source {
            SecretSource::File(file) => *file = beside.place(file),
            SecretSource::Env(name) => secret::keep(name),
            SecretSource::Command(_) | SecretSource::Open(_) => {}
        }
        warnings.extend(readable_by_all(&key, source));
    }
    Ok(Loaded {
        config,
        path: Some(path),
        warnings,
    })
}

/// A relative file lies beside the configuration: where one happens to stand must not decide what is sent where.
struct Beside<'a> {
    folder: Option<&'a Path>,
    home: Option<&'a str>,
}

impl Beside<'_> {
    fn place(&self, path: &Path) -> PathBuf {
        match (path.strip_prefix("~"), self.home, self.folder) {
            (Ok(rest), Some(home), _) => Path::new(home).join(rest),
            (Err(_), _, Some(folder)) => folder.join(path),
            _ => path.to_path_buf(),
        }
    }
}

fn defaults(warnings: Vec<String>) -> Loaded {
    Loaded {
        config: Config::default(),
        path: None,
        warnings,
    }
}

fn named(environment: &dyn Fn(&str) -> Option<String>) -> Option<PathBuf> {
    environment("WINDLASS_CONFIG")
        .filter(|path| !path.is_empty())
        .map(PathBuf::from)
}

/// `XDG_CONFIG_HOME` counts wherever it is set, on a Mac too: whoever sets it there means it. A relative one is to be
/// ignored (XDG Base Directory Specification).
fn usual(environment: &dyn Fn(&str) -> Option<String>) -> Option<PathBuf> {
    let folder = environment("XDG_CONFIG_HOME")
        .map(PathBuf::from)
        .filter(|folder| folder.is_absolute())
        .map(|folder| folder.join("windlass"))
        .or_else(|| {
            directories::ProjectDirs::from("", "", "windlass")
                .map(|dirs| dirs.config_dir().to_path_buf())
        })?;
    Some(folder.join("config.toml"))
}

/// The mode is asked of the opened file, so that it cannot be exchanged in between. A link is followed: many keep their
/// configuration elsewhere and link to it; what counts is who may write the file itself.
fn read(mut file: File, shown: &str) -> Result<String, Problems> {
    let wrong = |says: String| Problems::of_file(shown, says);
    let cannot = |e: std::io::Error| wrong(format!("it cannot be read: {e}"));
    let metadata = file.metadata().map_err(cannot)?;
    if metadata.is_dir() {
        return Err(wrong("this is a folder; a file is wanted".to_owned()));
    }
    let mode = metadata.permissions().mode();
    if metadata.is_file() && mode & 0o022 != 0 {
        return Err(wrong(format!(
            "others may write it (mode {:04o}), and it names commands that are run; chmod go-w it first",
            mode & 0o7777
        )));
    }
    let mut bytes = Vec::new();
    file.by_ref()
        .take(LARGEST + 1)
        .read_to_end(&mut bytes)
        .map_err(cannot)?;
    if bytes.len() as u64 > LARGEST {
        return Err(wrong(
            "it is larger than 1 MiB; this is no configuration".to_owned(),
        ));
    }
    let text = String::from_utf8(bytes).map_err(|e| {
        let line = e
            .as_bytes()
            .iter()
            .take(e.utf8_error().valid_up_to())
            .filter(|byte| **byte == b'\n')
            .count()
            + 1;
        wrong(format!("line {line} is not UTF-8"))
    })?;
    // Editors of another platform begin a file with a byte order mark.
    Ok(text
        .strip_prefix('\u{feff}')
        .map(ToOwned::to_owned)
        .unwrap_or(text))
}

/// An environment that nothing describes may well be a context of the kubeconfig, so this is no mistake; a name that
/// is nearly a described one is worth a word.
fn unknown_to_write(config: &Config) -> Vec<String> {
    let described = || config.environments.keys().map(String::as_str);
    config
        .write
        .environments
        .iter()
        .flatten()
        .filter(|name| !config.environments.contains_key(*name))
        .filter_map(|name| {
            let near = nearest(name, described())?;
            Some(format!(
                "write.environments names {name:?}, which no [environments] describes; did you mean {near:?}?"
            ))
        })
        .collect()
}

/// Mounted secrets are often readable by all inside their container, so this warns and does not refuse.
fn readable_by_all(key: &str, source: &SecretSource) -> Option<String> {
    let SecretSource::File(path) = source else {
        return None;
    };
    // A file that is not there yet is told when it is needed.
    let metadata = std::fs::metadata(path).ok()?;
    (metadata.mode() & secret::OTHERS_READ != 0).then(|| {
        format!(
            "{key}: everybody on this machine may read {}; chmod 600 it",
            path.display()
        )
    })
}
