//! Files and directories that belong to one user and to nobody else: how they are made, opened and replaced.
//!
//! Owns the modes (0700 and 0600, whatever the umask), the refusal of symbolic links, and the order of fsyncs that
//! makes a new or replaced file survive a power cut. It must never loosen or tighten the mode of a directory that it
//! did not make: a state directory set to `/tmp` by mistake would lock everybody else out of it.

use std::fs::{DirBuilder, File, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::Path;

use rustix::fs::{Mode, OFlags};

/// Makes a directory with mode 0700, or checks that the one that is there cannot be written by others.
pub(super) fn make_dir(path: &Path) -> io::Result<()> {
    let is_missing = |dir: &&Path| !dir.as_os_str().is_empty() && !dir.exists();
    let missing: Vec<&Path> = path.ancestors().take_while(is_missing).collect();
    for dir in missing.into_iter().rev() {
        make_one(dir)?;
        match dir.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => sync_dir(parent)?,
            _ => sync_dir(Path::new("."))?,
        }
    }
    let mode = path.metadata()?.mode();
    if mode & 0o022 != 0 {
        return Err(refused(format!(
            "other users may write to it (mode {:04o}); run `chmod go-w {}`, or choose another directory",
            mode & 0o7777,
            path.display()
        )));
    }
    Ok(())
}

/// Makes one directory where there is none. Somebody else's is left as it is: another process may have been first.
fn make_one(path: &Path) -> io::Result<()> {
    match DirBuilder::new().mode(0o700).create(path) {
        // The umask can only have taken bits away, and with 0777 it takes our own.
        Ok(()) => std::fs::set_permissions(path, Permissions::from_mode(0o700)),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
    }
}

/// As [`make_dir`], for a name in a directory that everybody may write to, such as `/tmp`. There somebody else can
/// have been first, so nothing but a directory of our own that only we can enter will do.
pub(super) fn make_dir_among_strangers(path: &Path) -> io::Result<()> {
    make_one(path)?;
    check_among_strangers(path)
}

/// Whether a directory is ours, and only we can enter it.
pub(super) fn check_among_strangers(path: &Path) -> io::Result<()> {
    let found = path.symlink_metadata()?;
    let is_ours = found.is_dir() && found.uid() == rustix::process::geteuid().as_raw();
    if !is_ours || found.mode() & 0o077 != 0 {
        return Err(refused(
            "it is not a directory that belongs to this user alone",
        ));
    }
    Ok(())
}

/// Opens a file for reading and appending, made with mode 0600 where there is none. A symbolic link is refused: a
/// link planted in the directory must not make us append to a file of its maker's choice.
pub(super) fn open_append(path: &Path) -> io::Result<File> {
    let flags = OFlags::RDWR
        | OFlags::APPEND
        | OFlags::CREATE
        | OFlags::NOFOLLOW
        | OFlags::CLOEXEC
        | OFlags::NONBLOCK;
    let file = File::from(
        rustix::fs::open(path, flags, Mode::from_raw_mode(0o600)).map_err(explain_link)?,
    );
    own(&file)?;
    Ok(file)
}

/// Opens a file for reading, refusing symbolic links and whatever is not a file.
pub(super) fn open_read(path: &Path) -> io::Result<File> {
    // NONBLOCK, because opening a pipe that somebody put there would wait for a writer for ever.
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
    let file = File::from(rustix::fs::open(path, flags, Mode::empty()).map_err(explain_link)?);
    if !file.metadata()?.is_file() {
        return Err(refused("it is not a regular file"));
    }
    Ok(file)
}

/// Puts `bytes` in the place of `dir/name`, so that a crash leaves the old file or the new one, and never a mixture.
pub(super) fn replace(dir: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    // The process id keeps two processes from writing into each other's temporary file.
    let temporary = dir.join(format!(".{name}.{}", std::process::id()));
    let flags =
        OFlags::WRONLY | OFlags::CREATE | OFlags::TRUNC | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let written = (|| {
        let mut file = File::from(
            rustix::fs::open(&temporary, flags, Mode::from_raw_mode(0o600))
                .map_err(explain_link)?,
        );
        own(&file)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        std::fs::rename(&temporary, dir.join(name))?;
        sync_dir(dir)
    })();
    if written.is_err()
        && let Err(error) = std::fs::remove_file(&temporary)
        && error.kind() != io::ErrorKind::NotFound
    {
        tracing::warn!(file = %temporary.display(), %error, "a temporary file could not be removed");
    }
    written
}

/// Makes the names in a directory durable. A file that was fsynced is still lost in a power cut when its name was not.
pub(super) fn sync_dir(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}

/// Refuses what is not a regular file, and gives ours mode 0600: closed where it was left open to others, and readable
/// by ourselves where the umask made it otherwise.
fn own(file: &File) -> io::Result<()> {
    let found = file.metadata()?;
    if !found.is_file() {
        return Err(refused("it is not a regular file"));
    }
    if found.mode() & 0o7777 != 0o600 {
        file.set_permissions(Permissions::from_mode(0o600))?;
    }
    Ok(())
}

fn explain_link(error: rustix::io::Errno) -> io::Error {
    if error == rustix::io::Errno::LOOP {
        refused("it is a symbolic link, and those are not followed here")
    } else {
        error.into()
    }
}

fn refused(why: impl Into<String>) -> io::Error {
    io::Error::new(io::ErrorKind::PermissionDenied, why.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        path.metadata().unwrap().mode() & 0o7777
    }

    #[test]
    fn a_new_directory_is_for_its_owner_only_and_so_are_those_above_it() {
        let base = tempfile::tempdir().unwrap();
        make_dir(&base.path().join("state/windlass")).unwrap();
        assert_eq!(mode(&base.path().join("state/windlass")), 0o700);
        assert_eq!(mode(&base.path().join("state")), 0o700);
    }

    #[test]
    fn a_directory_that_others_may_write_to_is_refused_and_left_as_it_is() {
        let base = tempfile::tempdir().unwrap();
        std::fs::set_permissions(base.path(), Permissions::from_mode(0o1777)).unwrap();
        let refusal = make_dir(base.path()).unwrap_err().to_string();
        assert!(
            refusal.contains("other users may write to it (mode 1777)"),
            "{refusal}"
        );
        assert_eq!(mode(base.path()), 0o1777);
    }

    #[test]
    fn among_strangers_a_directory_that_others_can_enter_is_refused() {
        let base = tempfile::tempdir().unwrap();
        let open = base.path().join("open");
        std::fs::create_dir(&open).unwrap();
        std::fs::set_permissions(&open, Permissions::from_mode(0o755)).unwrap();
        make_dir_among_strangers(&open).unwrap_err();
        let link = base.path().join("link");
        std::os::unix::fs::symlink(base.path(), &link).unwrap();
        make_dir_among_strangers(&link).unwrap_err();
        make_dir_among_strangers(&base.path().join("mine")).unwrap();
        make_dir_among_strangers(&base.path().join("mine")).unwrap();
    }

    #[test]
    fn a_replaced_file_is_whole_private_and_leaves_nothing_beside_it() {
        let base = tempfile::tempdir().unwrap();
        replace(base.path(), "served.json", b"old").unwrap();
        replace(base.path(), "served.json", b"new").unwrap();
        let file = base.path().join("served.json");
        assert_eq!(std::fs::read(&file).unwrap(), b"new");
        assert_eq!(mode(&file), 0o600);
        assert_eq!(std::fs::read_dir(base.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_file_left_open_to_others_is_closed_when_it_is_opened_for_writing() {
        let base = tempfile::tempdir().unwrap();
        let file = base.path().join("audit.jsonl");
        std::fs::write(&file, "").unwrap();
        std::fs::set_permissions(&file, Permissions::from_mode(0o666)).unwrap();
        open_append(&file).unwrap();
        assert_eq!(mode(&file), 0o600);
    }

    #[test]
    fn what_is_no_file_is_refused() {
        let base = tempfile::tempdir().unwrap();
        let link = base.path().join("link");
        std::os::unix::fs::symlink("elsewhere", &link).unwrap();
        for error in [
            open_append(&link).unwrap_err(),
            open_read(&link).unwrap_err(),
        ] {
            assert!(error.to_string().contains("symbolic link"), "{error}");
        }
        open_append(Path::new("/dev/null")).unwrap_err();
        open_read(Path::new("/dev/null")).unwrap_err();
    }
}
