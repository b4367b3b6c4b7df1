//! What `dango login` keeps: one file a server, for its owner alone.

use super::ServerAddress;
use crate::environment::Environment;
use crate::files::{self, Reach};
use crate::{Error, Result};
use domain::{Code, say};
use fs_err as fs;
use security::Plain;
use serde::Deserialize;
use serde_json::json;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

/// Servers that are listed at most.
const SERVERS_MAX: usize = 100;

/// Who one is at a server.
pub struct Login {
    pub server: ServerAddress,
    pub token: Plain<String>,
    /// Whose the token is, as the server said when it was kept.
    pub email: Option<String>,
    pub scopes: Option<Vec<String>>,
    /// When the token ends (RFC 3339), as far as that is known.
    pub expires_at: Option<String>,
    /// Whether `dango login` had it made: then signing out ends it.
    pub is_own: bool,
}

/// The folder in which logins are kept.
pub struct Kept {
    folder: PathBuf,
}

/// A file as it stands there.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    server: String,
    token: String,
    email: Option<String>,
    scopes: Option<Vec<String>>,
    expires_at: Option<String>,
    is_own: bool,
}

impl Kept {
    /// Returns the folder of whoever runs the command: below `XDG_CONFIG_HOME`, or below `~/.config`.
    pub fn of(environment: &Environment) -> Result<Self> {
        let absolute = |name: &str| {
            let path = environment.setting(name).map(PathBuf::from);
            path.filter(|path| path.is_absolute())
        };
        let config = absolute("XDG_CONFIG_HOME")
            .or_else(|| absolute("HOME").map(|home| home.join(".config")));
        let config = config.ok_or_else(|| {
            let say =
                "there is no folder to keep a login in: neither XDG_CONFIG_HOME nor HOME is set";
            Error::invalid(Code::FileAccess, say).hint("set one of them")
        })?;
        Ok(Self {
            folder: config.join("dango/servers"),
        })
    }

    /// Returns where a login at `server` is kept.
    pub fn path(&self, server: &ServerAddress) -> PathBuf {
        self.folder.join(server.file_name())
    }

    /// Returns the login at `server`.
    pub fn find(&self, server: &ServerAddress) -> Result<Option<Login>> {
        let path = self.path(server);
        let login = read(&path)?;
        match login {
            // A file that was renamed must not send its token elsewhere.
            Some(login) if login.server != *server => Err(broken(&path)),
            login => Ok(login),
        }
    }

    /// Returns every login, in the order of the servers' names.
    pub fn list(&self) -> Result<Vec<Login>> {
        let entries = match fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(Error::file("read", &self.folder, error)),
        };
        let mut paths: Vec<_> = entries
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|path| path.extension().is_some_and(|end| end == "json"))
            .take(SERVERS_MAX)
            .collect();
        paths.sort_unstable();
        let logins = paths.iter().map(|path| read(path));
        Ok(logins
            .collect::<Result<Vec<_>>>()?
            .into_iter()
            .flatten()
            .collect())
    }

    /// Keeps `login`, in place of an earlier one at the same server.
    pub fn keep(&self, login: &Login) -> Result<PathBuf> {
        files::create_folder(&self.folder, Reach::Owner)?;
        let path = self.path(&login.server);
        let told = json!({
            "server": login.server.as_str(), "token": login.token.expose(), "email": login.email,
            "scopes": login.scopes, "expires_at": login.expires_at, "is_own": login.is_own,
        });
        let text = Plain::new(format!("{told:#}\n"));
        files::write_whole(&path, text.expose().as_bytes(), Reach::Owner)?;
        Ok(path)
    }

    /// Forgets the login at `server`; returns whether there was one.
    pub fn forget(&self, server: &ServerAddress) -> Result<bool> {
        let path = self.path(server);
        match fs::remove_file(&path) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(Error::file("removed", &path, error)),
        }
    }
}

fn read(path: &Path) -> Result<Option<Login>> {
    let mode = match fs::metadata(path) {
        Ok(metadata) => metadata.permissions().mode(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Error::file("read", path, error)),
    };
    if mode & 0o077 != 0 {
        let say = say!("", name path, " holds a token, and others may read it");
        let hint = say!(
            "run `chmod 600 ",
            path,
            "`; if somebody may have seen it, `dango logout` ends the token"
        );
        return Err(Error::invalid(Code::FileAccess, say).hint(hint));
    }
    let Some(text) = files::read_text(path)?.map(Plain::new) else {
        return Ok(None);
    };
    // The parser's words would repeat what stands there.
    let file: File = serde_json::from_str(text.expose()).map_err(|_| broken(path))?;
    Ok(Some(Login {
        server: ServerAddress::parse(&file.server).map_err(|_| broken(path))?,
        token: Plain::new(file.token),
        email: file.email,
        scopes: file.scopes,
        expires_at: file.expires_at,
        is_own: file.is_own,
    }))
}

fn broken(path: &Path) -> Error {
    let say = say!("", name path, " is not what `dango login` wrote");
    Error::invalid(Code::ConfigUnreadable, say).hint("remove the file and sign in again")
}
