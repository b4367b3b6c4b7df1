//! How sign-in is set up, as an admin sees it: what is given, never its value.

use super::keys::SECRET_VARIABLE;
use crate::App;
use security::Allow;
use security::permissions::AuthManage;
use std::time::Duration;

/// Which parts of an OAuth client are given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClientGiven {
    pub id: bool,
    pub secret: bool,
}

/// How sign-in is set up.
#[derive(Debug)]
pub struct Overview {
    /// Whether the key that signs sessions comes from outside.
    pub is_secret_given: bool,
    pub access: Duration,
    pub logs_reset_links: bool,
    pub github: ClientGiven,
    pub google: ClientGiven,
    pub redirect_url: Option<String>,
    /// Whether metadata lies on a database server.
    pub is_on_server: bool,
}

/// Returns how sign-in is set up.
pub fn overview(app: &App, allow: &Allow<AuthManage>) -> Overview {
    let _ = allow;
    let environment = app.environment();
    let is_given = |name: &str| {
        let found = environment.find(name);
        found.is_some_and(|value| !value.expose().trim().is_empty())
    };
    let client = |provider: &str| ClientGiven {
        id: is_given(&format!("DAP_OAUTH_{provider}_CLIENT_ID")),
        secret: is_given(&format!("DAP_OAUTH_{provider}_CLIENT_SECRET")),
    };
    let config = &app.identity().config;
    Overview {
        is_secret_given: is_given(SECRET_VARIABLE),
        access: config.lifetimes.access,
        logs_reset_links: config.log_reset_links,
        github: client("GITHUB"),
        google: client("GOOGLE"),
        redirect_url: environment
            .setting("DAP_AUTH_OAUTH_REDIRECT_URL")
            .map(str::to_owned),
        is_on_server: is_given("DANGO_DATABASE_URL") || is_given("DAP_DATABASE_URL"),
    }
}
