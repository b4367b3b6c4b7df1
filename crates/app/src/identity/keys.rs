//! The key that signs session cookies: given by the environment, or made once and kept in the project.
//!
//! The file is looked at before each use and read again when it has changed, so that a key which was replaced at the command
//! line counts at the next request of a running server.

use crate::environment::Environment;
use crate::error::Kind;
use crate::project::Project;
use crate::{App, Error, Result, files};
use data_encoding::HEXLOWER;
use domain::say::Quoted;
use domain::{Clock, Code, Timestamp, say};
use fs_err as fs;
use security::permissions::AuthManage;
use security::session_tokens::{Keyring, SigningKey};
use security::{Allow, Entropy, Event, Plain};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;
use store::{Act, StoreError};

/// DAP's variable for the secret.
pub const SECRET_VARIABLE: &str = "DAP_AUTH_JWT_SECRET";
/// The secret before it, while cookies it signed are still out.
const PREVIOUS_VARIABLE: &str = "DAP_AUTH_JWT_SECRET_PREVIOUS";
/// How long the cookies of a replaced key are taken: long enough for everybody who works to have got another.
const PREVIOUS_FOR: Duration = Duration::from_hours(24);
const SECRET_BYTES: usize = 32;

/// What a file looked like when it was read.
type Stamp = (u64, i64, i64, u64);

/// The keys of a project.
pub struct SigningKeys {
    source: Source,
    read: RwLock<Option<(Stamp, Arc<Keyring>)>>,
}

enum Source {
    /// Looked at when something is signed or read: a command that does neither does not ask for it.
    Given {
        current: Plain<String>,
        previous: Option<Plain<String>>,
    },
    /// One line for each key, the current one first: the secret in hexadecimal and when it was made, in microseconds.
    File(PathBuf),
}

/// What became of the wish for another key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rotated {
    /// Sessions that ended with it.
    pub sessions_ended: u64,
}

impl SigningKeys {
    /// Returns where the keys of a project come from.
    pub(crate) fn find(project: &Project, environment: &Environment) -> Self {
        let given = |variable| {
            let secret = environment.find(variable)?;
            Some(Plain::new(secret.expose().clone()))
        };
        let source = match given(SECRET_VARIABLE) {
            Some(current) => Source::Given {
                current,
                previous: given(PREVIOUS_VARIABLE),
            },
            None => Source::File(project.session_key_file()),
        };
        Self {
            source,
            read: RwLock::new(None),
        }
    }

    /// Makes sure that there is a key. Without one in the environment it is made and kept, unless `must_be_given`: in a
    /// container it would be another one after each start.
    pub(crate) fn prepare(
        &self,
        clock: &dyn Clock,
        entropy: &dyn Entropy,
        must_be_given: bool,
    ) -> Result<()> {
        let Source::File(path) = &self.source else {
            return self.ring(clock).map(drop);
        };
        if must_be_given {
            let say = say!("there is no key to sign sessions with: ", name Quoted(SECRET_VARIABLE), " is not set");
            return Err(Error::new(Kind::NoSigningKey, Code::SigningKeyMissing, say)
                .hint("set it to the output of `openssl rand -hex 32`, the same at every start"));
        }
        let folder = path.parent().unwrap_or_else(|| Path::new("."));
        files::create_folder(folder, files::Reach::Owner)?;
        // Two starts at once must agree on one key: whoever is late takes what is there.
        let line = new_line(clock.now(), entropy);
        files::create_file(path, line.expose().as_bytes(), files::Reach::Owner)?;
        self.ring(clock).map(drop)
    }

    /// Returns the keys that count now.
    pub(crate) fn ring(&self, clock: &dyn Clock) -> Result<Arc<Keyring>> {
        let stamp = match &self.source {
            Source::Given { .. } => Stamp::default(),
            Source::File(path) => stamp(path)?,
        };
        let known = self.read.read().unwrap_or_else(PoisonError::into_inner);
        if let Some((known, ring)) = known.as_ref()
            && *known == stamp
        {
            return Ok(Arc::clone(ring));
        }
        drop(known);
        let ring = Arc::new(match &self.source {
            Source::Given { current, previous } => {
                let current = signing_key(SECRET_VARIABLE, current)?;
                let previous = previous.as_ref();
                let previous = previous.map(|secret| signing_key(PREVIOUS_VARIABLE, secret));
                Keyring::new(current, previous.transpose()?.into_iter().collect())
            }
            Source::File(path) => read(path, clock.now())?,
        });
        let mut known = self.read.write().unwrap_or_else(PoisonError::into_inner);
        *known = Some((stamp, Arc::clone(&ring)));
        Ok(ring)
    }
}

/// Replaces the key that signs sessions. What the one before has signed is good for another day, or ends at once with
/// `revoke_all`.
pub async fn rotate_keys(
    app: &App,
    allow: &Allow<AuthManage>,
    revoke_all: bool,
) -> Result<Rotated> {
    let Source::File(path) = &app.identity.keys.source else {
        let say = say!("the key that signs sessions is in ", name Quoted(SECRET_VARIABLE), ", which only you can change");
        return Err(Error::invalid(Code::SigningKeyGiven, say).hint(say!(
            "set ",
            name Quoted(SECRET_VARIABLE),
            " to the output of `openssl rand -hex 32`, the old value to ",
            name Quoted(PREVIOUS_VARIABLE),
            ", and start the server again"
        )));
    };
    let folder = path.parent().unwrap_or_else(|| Path::new("."));
    files::create_folder(folder, files::Reach::Owner)?;
    let act = Act::new(Event::KeyRotated).detail("revoke_all", revoke_all);
    let line = new_line(app.clock.now(), &*app.identity.entropy);
    app.effect(allow, act, async |_| {
        let before = match files::read_text(path)? {
            Some(text) if !revoke_all => Plain::new(text),
            _ => Plain::new(String::new()),
        };
        let text = Plain::new(format!("{}{}", line.expose(), before.expose()));
        files::write_whole(path, text.expose().as_bytes(), files::Reach::Owner)
    })
    .await?;
    let sessions_ended = if revoke_all {
        let ended: Result<u64, StoreError> = app
            .store
            .run_tx(allow, Event::SessionsRevoked, async |tx| {
                let ended = store::sessions::end_everybodys(&tx, "keys rotated").await?;
                tx.detail("sessions", ended);
                Ok(ended)
            })
            .await;
        ended?
    } else {
        0
    };
    Ok(Rotated { sessions_ended })
}

/// Reads a secret of the environment; one that is short or easy to guess is refused.
fn signing_key(variable: &'static str, secret: &Plain<String>) -> Result<SigningKey> {
    SigningKey::from_text(secret).map_err(|why| {
        let why = match why {
            security::session_tokens::KeyError::Empty => "it is empty",
            security::session_tokens::KeyError::Short => "it has fewer than 32 bytes",
            security::session_tokens::KeyError::Weak => "it is easy to guess",
        };
        let say = say!("", name Quoted(variable), " cannot sign sessions: ").text(why);
        Error::new(Kind::NoSigningKey, Code::SigningKeyWeak, say)
            .hint("set it to the output of `openssl rand -hex 32`")
    })
}

fn stamp(path: &Path) -> Result<Stamp> {
    let seen = fs::metadata(path).map_err(|error| Error::file("read", path, error))?;
    Ok((seen.ino(), seen.mtime(), seen.mtime_nsec(), seen.size()))
}

fn read(path: &Path, now: Timestamp) -> Result<Keyring> {
    let broken = || {
        let say = say!("", name path, " does not hold a key");
        Error::invalid(Code::SigningKeyWeak, say)
            .hint("`dango keys rotate --revoke-all` makes another; everybody signs in again")
    };
    let text = Plain::new(files::read_text(path)?.ok_or_else(broken)?);
    let mut lines = text.expose().lines().filter_map(parse_line);
    let (secret, mut replaced_at) = lines.next().ok_or_else(broken)?;
    let current = SigningKey::from_bytes(secret);
    let grace = i64::try_from(PREVIOUS_FOR.as_micros()).unwrap_or(i64::MAX);
    let mut previous = Vec::new();
    for (secret, made_at) in lines {
        if now.as_micros() > replaced_at.saturating_add(grace) {
            break;
        }
        previous.push(SigningKey::from_bytes(secret));
        replaced_at = made_at;
    }
    Ok(Keyring::new(current, previous))
}

fn parse_line(line: &str) -> Option<(Vec<u8>, i64)> {
    let (secret, made_at) = line.split_once(' ')?;
    let secret = HEXLOWER.decode(secret.as_bytes()).ok()?;
    (secret.len() >= SECRET_BYTES).then_some((secret, made_at.trim().parse().ok()?))
}

fn new_line(now: Timestamp, entropy: &dyn Entropy) -> Plain<String> {
    let mut secret = vec![0; SECRET_BYTES];
    entropy.fill(&mut secret);
    let secret = Plain::new(secret);
    Plain::new(format!(
        "{} {}\n",
        HEXLOWER.encode(secret.expose()),
        now.as_micros()
    ))
}
