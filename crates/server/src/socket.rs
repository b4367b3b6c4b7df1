//! The unix socket of a project: where the server waits for the command line, and who is at its other end.

use app::project::Project;
use app::{Error, Result};
use domain::{Code, say};
use fs_err as fs;
use rustix::fs::{Mode, OFlags};
use std::io;
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use tokio::net::{UnixListener, UnixStream};

/// The kernel's limit for the path of a socket is 108 bytes with the end of the text.
const PATH_BYTES_MAX: usize = 107;

/// Returns a path of the socket that the kernel takes; a long one goes by the open folder, which must be kept until it was used.
fn reachable(path: &Path) -> io::Result<(PathBuf, Option<OwnedFd>)> {
    if path.as_os_str().len() <= PATH_BYTES_MAX {
        return Ok((path.to_path_buf(), None));
    }
    let missing = || io::Error::from(io::ErrorKind::InvalidFilename);
    let (folder, name) = path.parent().zip(path.file_name()).ok_or_else(missing)?;
    let folder = rustix::fs::open(folder, OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
    let short = Path::new("/proc/self/fd")
        .join(folder.as_raw_fd().to_string())
        .join(name);
    Ok((short, Some(folder)))
}

/// Listens for the command line. Only who holds the project's lock does, so a socket that is there is a dead one's.
pub(crate) fn listen(project: &Project) -> Result<UnixListener> {
    let path = project.socket_file();
    let failed = |error| Error::file("opened", &path, error);
    match fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
        _ => {}
    }
    let (short, _folder) = reachable(&path).map_err(failed)?;
    let listener = UnixListener::bind(short).map_err(failed)?;
    fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).map_err(failed)?;
    Ok(listener)
}

/// Connects to the server of a project; `None` when none listens there.
pub async fn connect(project: &Project) -> Result<Option<UnixStream>> {
    let path = project.socket_file();
    let connected = async {
        let (short, _folder) = reachable(&path)?;
        UnixStream::connect(short).await
    };
    match connected.await {
        Ok(stream) => Ok(Some(stream)),
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused
            ) =>
        {
            Ok(None)
        }
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Err(Error::denied(
            Code::PermissionDenied,
            say!("the server of this project belongs to another user of this machine"),
        )
        .hint("run the command as that user")
        .caused_by(error)),
        Err(error) => Err(Error::file("opened", &path, error)),
    }
}

/// Returns who is at the other end: the server's own user, or root. Anybody else is sent away.
pub(crate) fn peer(stream: &UnixStream) -> Option<String> {
    let uid = stream.peer_cred().ok()?.uid();
    let is_let_in = uid == 0 || uid == rustix::process::geteuid().as_raw();
    is_let_in.then(|| app::account_name(uid))
}
