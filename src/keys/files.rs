//! Private files. They are read only where other users have no access, and written whole or not at all.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use zeroize::Zeroizing;

use super::open_error::OpenError;
use crate::clock::Random;

/// The longest file that is read, in bytes. No key that is accepted comes near this size.
const LONGEST: u64 = 64 * 1024;

/// Reads a private file; `None` where there is no such file.
pub(super) fn read(path: &Path) -> Result<Option<Zeroizing<String>>, OpenError> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(problem(path, &format!("cannot be read: {error}"))),
    };
    judge(path, &file)?;
    let mut octets = Zeroizing::new(Vec::new());
    file.take(LONGEST).read_to_end(&mut octets).map_err(|error| problem(path, &format!("cannot be read: {error}")))?;
    if octets.iter().all(u8::is_ascii_whitespace) {
        return Err(problem(path, "is empty: restore it from a backup, or remove it"));
    }
    match std::str::from_utf8(&octets) {
        Ok(text) => Ok(Some(Zeroizing::new(text.to_owned()))),
        Err(_) => Err(problem(path, "is not text: a key is expected there in base64 or PEM")),
    }
}

/// Lists the `*.pem` files of a folder by name; none where there is no such folder.
pub(super) fn pem_files(folder: &Path) -> Result<Vec<PathBuf>, OpenError> {
    let listed = fs::read_dir(folder).and_then(Iterator::collect::<io::Result<Vec<_>>>);
    let mut paths: Vec<PathBuf> = match listed {
        Ok(entries) => {
            entries.into_iter().filter(|entry| is_pem(&entry.file_name())).map(|entry| entry.path()).collect()
        }
        Err(error) if error.kind() == ErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(problem(folder, &format!("cannot be listed: {error}"))),
    };
    paths.sort();
    Ok(paths)
}

fn is_pem(name: &std::ffi::OsStr) -> bool {
    // Hidden files are leftovers of editors and file systems.
    let name = name.to_string_lossy();
    name.ends_with(".pem") && !name.starts_with('.')
}

fn judge(path: &Path, file: &File) -> Result<(), OpenError> {
    let metadata = file.metadata().map_err(|error| problem(path, &format!("cannot be read: {error}")))?;
    if metadata.is_dir() {
        let hint = "is a directory where a file is expected (Docker makes one when the file to mount is missing): remove it and put the key there";
        return Err(problem(path, hint));
    }
    if metadata.len() > LONGEST {
        return Err(problem(path, "is far too long for a key"));
    }
    let mode = metadata.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        let hint = format!("is open to other users (mode {mode:03o}): run `chmod 600 {}`", path.display());
        return Err(problem(path, &hint));
    }
    Ok(())
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WriteOutcome {
    /// The file was written, and is synced to the disk.
    New,
    /// There was a file before. It was left alone.
    Existed,
}

/// Writes a private file that must not exist yet. A reader sees no file or the whole file, even after a crash.
pub(super) fn write_new(path: &Path, text: &str, random: &Random) -> Result<WriteOutcome, OpenError> {
    let cannot = |error: io::Error| problem(path, &format!("cannot be written: {error}"));
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(cannot)?;
    let draft = folder.join(format!(".key-{}.tmp", URL_SAFE_NO_PAD.encode(random.bytes::<9>())));
    let written = write_draft(&draft, text).and_then(|()| give_name(&draft, path));
    // After a rename there is nothing left to remove; after a link or a failure there is.
    _ = fs::remove_file(&draft);
    let written = written.map_err(cannot)?;
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(cannot)?;
    Ok(written)
}

fn write_draft(draft: &Path, text: &str) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(draft)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

/// Uses a hard link, which never replaces an existing file; a rename would.
fn give_name(draft: &Path, path: &Path) -> io::Result<WriteOutcome> {
    match fs::hard_link(draft, path) {
        Ok(()) => Ok(WriteOutcome::New),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(WriteOutcome::Existed),
        // Some file systems (FAT, many network shares) have no hard links.
        Err(_) if path.try_exists()? => Ok(WriteOutcome::Existed),
        Err(_) => fs::rename(draft, path).map(|()| WriteOutcome::New),
    }
}

pub(super) fn problem(path: &Path, what: &str) -> OpenError {
    OpenError(format!("{} {what}", path.display()))
}
