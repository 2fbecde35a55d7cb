use std::{
    fs,
    io::{BufRead, BufReader, Read},
};

use secrecy::ExposeSecret;

use super::*;

async fn of(source: SecretSource) -> Result<String, SecretError> {
    let secret = source.resolve(&|name| (name == "TOKEN").then(|| "abc".to_owned()));
    secret.await.map(|secret| secret.expose_secret().to_owned())
}

fn shell(script: &str) -> SecretSource {
    SecretSource::Command(["sh", "-c", script].map(ToOwned::to_owned).to_vec())
}

#[tokio::test]
async fn a_variable_is_asked_for_by_its_name() {
    assert_eq!(
        of(SecretSource::Env("TOKEN".to_owned())).await.unwrap(),
        "abc"
    );
    let unset = of(SecretSource::Env("OTHER".to_owned())).await.unwrap_err();
    assert_eq!(
        unset.to_string(),
        "the environment variable OTHER is not set"
    );
}

#[tokio::test]
async fn a_file_gives_its_text_without_the_newline_at_its_end() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("token");
    for text in ["s3cret", "s3cret\n", "s3cret\r\n"] {
        fs::write(&path, text).unwrap();
        assert_eq!(
            of(SecretSource::File(path.clone())).await.unwrap(),
            "s3cret"
        );
    }
}

#[tokio::test]
async fn what_cannot_be_a_token_is_refused_without_being_repeated() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("token");
    let long = "hunter2".repeat(20_000);
    for (text, says) in [
        ("", "is empty"),
        ("\n", "is empty"),
        ("hunter2\r\nX-Evil: 1", "is no single line of text"),
        (long.as_str(), "is longer than any token"),
    ] {
        fs::write(&path, text).unwrap();
        let said = of(SecretSource::File(path.clone()))
            .await
            .unwrap_err()
            .to_string();
        assert!(said.contains(says) && !said.contains("hunter2"), "{said}");
    }
    fs::write(&path, b"\xff\xfe").unwrap();
    let said = of(SecretSource::File(path)).await.unwrap_err();
    assert!(matches!(said, SecretError::NotAToken(_)), "{said}");
}

#[tokio::test]
async fn a_file_that_is_not_there_is_told_by_its_path() {
    let said = of(SecretSource::File("/nowhere/token".into()))
        .await
        .unwrap_err();
    assert!(
        said.to_string()
            .starts_with("/nowhere/token cannot be read: ")
    );
}

#[tokio::test]
async fn a_command_gives_what_it_prints() {
    let source = SecretSource::Command(["printf", "%s\\n", "a b"].map(ToOwned::to_owned).to_vec());
    assert_eq!(of(source).await.unwrap(), "a b");
}

#[tokio::test]
async fn a_command_cannot_read_our_keys() {
    assert_eq!(of(shell("cat; echo end")).await.unwrap(), "end");
}

#[tokio::test]
async fn a_command_that_fails_is_told_with_its_last_complaint_and_without_its_output() {
    let said = of(shell(
        "echo hunter2; echo first >&2; printf 'log\\033[31m in\\n\\n' >&2; exit 4",
    ))
    .await
    .unwrap_err()
    .to_string();
    assert!(
        said.starts_with("sh failed (exit status: 4): log"),
        "{said}"
    );
    assert!(
        !said.contains('\u{1b}') && !said.contains("hunter2"),
        "{said}"
    );
}

#[tokio::test]
async fn a_command_that_is_not_there_is_told_by_its_name() {
    let source = SecretSource::Command(vec!["no-such-program-here".to_owned()]);
    let said = of(source).await.unwrap_err().to_string();
    assert!(
        said.starts_with("no-such-program-here cannot be started: "),
        "{said}"
    );
}

#[tokio::test]
async fn a_command_that_never_stops_writing_is_cut_off() {
    let said = of(SecretSource::Command(vec!["yes".to_owned()]))
        .await
        .unwrap_err();
    assert_eq!(said, SecretError::TooLong("yes".to_owned()));
}

/// A command whose shell and whose child hold a pipe open: the pipe ends when both are dead.
struct Hanging {
    _folder: tempfile::TempDir,
    pipe: PathBuf,
}

impl Hanging {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        let made = std::process::Command::new("mkfifo")
            .arg(&pipe)
            .status()
            .unwrap();
        assert!(made.success());
        Self {
            _folder: folder,
            pipe,
        }
    }

    fn source(&self) -> SecretSource {
        let pipe = self.pipe.display();
        shell(&format!("exec 3>'{pipe}'; sleep 1000 & echo up >&3; wait"))
    }

    /// Comes back when the command runs.
    async fn up(&self) -> BufReader<fs::File> {
        let pipe = self.pipe.clone();
        let open = move || {
            let mut reader = BufReader::new(fs::File::open(pipe).unwrap());
            let mut line = String::new();
            reader.read_line(&mut line).unwrap();
            assert_eq!(line, "up\n");
            reader
        };
        tokio::task::spawn_blocking(open).await.unwrap()
    }
}

async fn all_dead(mut reader: BufReader<fs::File>) {
    let rest = tokio::task::spawn_blocking(move || reader.read_to_end(&mut Vec::new()));
    assert_eq!(rest.await.unwrap().unwrap(), 0);
}

#[tokio::test]
async fn a_command_that_hangs_is_killed_with_its_children_at_the_limit() {
    let hanging = Hanging::new();
    let source = hanging.source();
    let running = tokio::spawn(async move { source.resolve(&|_| None).await.map(|_| ()) });
    let reader = hanging.up().await;
    tokio::time::pause();
    tokio::time::advance(LIMIT).await;
    let said = running.await.unwrap().unwrap_err();
    tokio::time::resume();
    assert_eq!(said.to_string(), "sh did not answer within 30 s");
    all_dead(reader).await;
}

#[tokio::test]
async fn a_command_whose_answer_nobody_waits_for_any_more_is_killed_with_its_children() {
    let hanging = Hanging::new();
    let source = hanging.source();
    let running = tokio::spawn(async move { source.resolve(&|_| None).await.map(|_| ()) });
    let reader = hanging.up().await;
    running.abort();
    assert!(running.await.unwrap_err().is_cancelled());
    all_dead(reader).await;
}

#[test]
fn a_source_is_shown_by_its_place() {
    let shown = format!("{:?}", SecretSource::Env("TOKEN".to_owned()));
    assert_eq!(shown, "Env(\"TOKEN\")");
}
