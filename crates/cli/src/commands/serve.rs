//! `dango serve`: the server, in the foreground.

pub(super) mod first_admin;

use crate::context::Context;
use crate::door::Client;
use crate::errors::Stop;
use app::error::{Error, Kind};
use clap::Args;
use domain::{Code, say};
use serde_json::json;

const EXAMPLES: &str = "\
Examples:
  dango serve                                            on this machine alone
  dango serve --host 0.0.0.0 --public-url https://dango.example.com --behind-proxy

The first admin is made by a link that the terminal shows; without a terminal, by DANGO_ADMIN_EMAIL
and DANGO_ADMIN_PASSWORD_FILE. It waits `--wait` seconds for a command that works in the project.
SIGTERM and Ctrl-C stop it: what runs comes to its end within 30 seconds, syncs go on from there next time.";

/// Arguments of `dango serve`, and of `dango start`, which passes them on.
#[derive(Debug, Clone, Args)]
// No group of its own: `start` has one of the same name.
#[command(after_help = EXAMPLES)]
#[group(skip)]
pub(crate) struct Arguments {
    /// Listen on this address; otherwise `server.host`, or both of loopback
    #[arg(long, value_name = "ADDRESS")]
    host: Option<String>,
    /// Listen on this port, 0 for any that is free; otherwise `platform.port`, or 8800
    #[arg(long, value_name = "PORT")]
    port: Option<u16>,
    /// What others call the server; otherwise `server.public_url`
    #[arg(long, value_name = "URL")]
    public_url: Option<String>,
    /// A proxy encrypts connections, and `server.trusted_proxies` names it
    #[arg(long)]
    behind_proxy: bool,
    /// Refuse to start without a signing key in `DAP_AUTH_JWT_SECRET`
    #[arg(long)]
    require_secret: bool,
}

impl Arguments {
    /// Returns the same arguments as words of a command line.
    pub(crate) fn words(&self) -> Vec<String> {
        let pair =
            |flag: &str, value: Option<String>| value.map(|value| format!("--{flag}={value}"));
        let flag = |flag: &str, is_set: bool| is_set.then(|| format!("--{flag}"));
        [
            pair("host", self.host.clone()),
            pair("port", self.port.map(|port| port.to_string())),
            pair("public-url", self.public_url.clone()),
            flag("behind-proxy", self.behind_proxy),
            flag("require-secret", self.require_secret),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    fn options(self) -> server::Options {
        server::Options {
            host: self.host,
            port: self.port,
            public_url: self.public_url,
            behind_proxy: self.behind_proxy,
            require_secret: self.require_secret,
        }
    }
}

/// Shows the link that makes the first admin: at the terminal that stderr is, for stdout may be a file.
pub(super) fn tell_set_up(context: &Context, link: &str) {
    let output = context.output;
    output.tell(
        "there is no admin yet; this link makes the first one, and only this terminal shows it:",
    );
    output.tell_data(link);
}

/// Serves until it is told to stop.
pub(crate) async fn run(context: &Context, arguments: Arguments) -> Result<(), Stop> {
    let output = context.output;
    if Client::new(context.place()?.project).is_there().await? {
        let say = say!("a server of this project runs already");
        let error = Error::new(Kind::Conflict, Code::ProjectLocked, say);
        return Err(error
            .hint("`dango status` shows it, `dango stop` stops it")
            .into());
    }
    let app = context.open("serve").await?;
    if let Err(stop) = Box::pin(first_admin::make(context, &app)).await {
        app.close().await;
        return Err(stop);
    }
    let listening = Box::pin(server::open(app, arguments.options())).await?;
    for warning in &listening.warnings {
        output.warn(warning);
    }
    let (url, addresses) = (listening.url(), listening.addresses());
    if output.json {
        let pid = std::process::id();
        output.print_json(&json!({"url": url, "addresses": addresses, "pid": pid}))?;
    } else {
        output.print(&format!("dango listens: {url} ({})", addresses.join(", ")))?;
    }
    // Whoever reads this terminal may make the first admin; no file and no log has the link.
    if !output.json
        && output.talks_to_terminal()
        && let Some(link) = listening.set_up_link().await?
    {
        tell_set_up(context, link.expose());
    }
    Box::pin(server::serve(listening, context.interrupts.asked())).await;
    output.tell("stopped");
    Ok(())
}
