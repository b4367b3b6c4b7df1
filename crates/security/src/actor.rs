//! Who acts.

use domain::{Email, JobId, SessionId, TokenId, UserId};
use std::fmt;
use std::net::IpAddr;
use uuid::Uuid;

/// A role of the team.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    Viewer,
    Editor,
    Admin,
}

impl Role {
    /// Every role, the weakest first.
    pub const ALL: &'static [Self] = &[Self::Viewer, Self::Editor, Self::Admin];

    /// Returns the name in the database, on the wire and on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Editor => "editor",
            Self::Admin => "admin",
        }
    }

    /// Returns the role of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|role| role.as_str() == name)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

/// The id of one request or command, the same in every log line and audit row it causes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RequestId(Uuid);

impl RequestId {
    /// Returns the id with this UUID.
    pub const fn new(uuid: Uuid) -> Self {
        Self(uuid)
    }

    /// Returns the UUID.
    pub const fn as_uuid(self) -> Uuid {
        self.0
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(out)
    }
}

/// Where a request comes from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Client {
    pub ip: Option<IpAddr>,
    pub user_agent: Option<String>,
    /// Who has signed in with this browser before. It opens nothing; it tells its owner from a stranger who guesses.
    pub device_of: Option<UserId>,
}

impl Client {
    /// Returns whether `user` has signed in from here before.
    pub fn is_known_to(&self, user: UserId) -> bool {
        self.device_of == Some(user)
    }
}

/// What somebody showed to be let in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Via {
    Session(SessionId),
    /// An API token. `scopes` are names of permissions; without them it may what its owner may.
    Token {
        id: TokenId,
        scopes: Option<Vec<String>>,
    },
}

/// What somebody has to do before anything else: until it is done, nothing is open to him but this.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Step {
    /// He has shown a password, and has a second factor to show.
    SecondFactor,
    /// His password was chosen by somebody else, or is too old.
    ChangePassword,
    /// He has no second factor, and has to have one.
    Enrol,
}

/// Somebody who is signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedIn {
    pub id: UserId,
    pub email: Email,
    pub role: Role,
    pub via: Via,
    pub client: Client,
    /// What comes first.
    pub step: Option<Step>,
    /// Whether he has shown who he is a short while ago; a token never has.
    pub is_fresh: bool,
}

/// Who acts. There is no actor that may do everything without a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Actor {
    /// Somebody at the command line of the machine, with the rights of the project's files.
    Operator { os_user: String },
    /// Whoever sits at the machine, while sign-in is switched off (`dango auth disable`).
    LocalOperator,
    /// A job that runs again, or later, for whom it was made.
    Job { id: JobId, os_user: String },
    /// A person of the team.
    User(SignedIn),
    /// Somebody who has shown nothing yet: signs in, or follows a link.
    Anonymous(Client),
}

impl Actor {
    /// Returns the actor as audit rows name it: `operator:root`, `job:operator:root`, `user:<id>`, `anonymous`.
    pub fn audit_name(&self) -> String {
        match self {
            Self::Operator { os_user } => format!("operator:{os_user}"),
            Self::LocalOperator => "local-operator".to_owned(),
            Self::Job { os_user, .. } => format!("job:operator:{os_user}"),
            Self::User(user) => format!("user:{}", user.id),
            Self::Anonymous(_) => "anonymous".to_owned(),
        }
    }

    /// Returns the person, when it is one.
    pub const fn user(&self) -> Option<&SignedIn> {
        match self {
            Self::User(user) => Some(user),
            Self::Operator { .. } | Self::LocalOperator | Self::Job { .. } | Self::Anonymous(_) => {
                None
            }
        }
    }

    /// Returns where the actor's request comes from, when it came over the network.
    pub const fn client(&self) -> Option<&Client> {
        match self {
            Self::User(user) => Some(&user.client),
            Self::Anonymous(client) => Some(client),
            Self::Operator { .. } | Self::LocalOperator | Self::Job { .. } => None,
        }
    }
}
