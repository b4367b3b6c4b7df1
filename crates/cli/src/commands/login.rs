//! `dango login`: signs in at a server elsewhere, by a short code that somebody types there, or with an API token.

use crate::context::Context;
use crate::errors::{Stop, usage};
use crate::output::table::{Align, Columns};
use crate::prompts;
use app::Environment;
use app::identity::device;
use app::remote::{self, Checked, Kept, Login, Server, TOKEN_VARIABLE};
use clap::Args;
use domain::say;
use domain::say::Quoted;
use security::Plain;
use serde_json::{Value, json};

const NOTES: &str = "\
Without a token the command shows a code. Somebody who has an account at the server types it there, on the page `/device` after
he has signed in, and this machine gets a token of his: for his name, the server's state, the sources and queries, for 90 days.

What it is good for: `dango status --remote`, `dango source list --remote`, `dango query --remote SQL`, and with
`--scope audit.view` `dango audit --remote`. Everything else is done in the browser, or at the machine of the server.

DAP_AUTH_TOKEN is a token for one command, or for `dango login` to keep; DAP_ENGINE_URL names the server. Both are read from the
environment, never from a project's `.env`. The token is kept in a file that only you can read, below `~/.config/dango/servers`.";

/// Arguments of `dango login`.
#[derive(Debug, Args)]
#[command(after_help = NOTES)]
pub(crate) struct Arguments {
    /// The server's address, as a browser shows it; otherwise `DAP_ENGINE_URL`
    #[arg(value_name = "URL")]
    url: Option<String>,
    /// Ask for an API token, hidden while it is typed
    #[arg(long, conflicts_with_all = ["token_stdin", "scopes", "days", "name"])]
    token: bool,
    /// Read an API token from stdin
    #[arg(long, conflicts_with_all = ["scopes", "days", "name"])]
    token_stdin: bool,
    /// Show where you are signed in, and whether the tokens are still good
    #[arg(long, conflicts_with_all = ["token", "token_stdin", "scopes", "days", "name"])]
    status: bool,
    /// Ask for a permission (`source.view`) in place of the usual ones; may be given several times
    #[arg(long = "scope", value_name = "PERMISSION")]
    scopes: Vec<String>,
    /// Days until the token ends
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(1..=i64::from(device::DAYS_MAX)))]
    days: Option<u32>,
    /// What whoever lets this machine in sees; otherwise its host name
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
}

/// Signs in.
pub(crate) async fn run(context: &Context, arguments: Arguments) -> Result<(), Stop> {
    // Not the project's `.env`: a folder must not say where a token goes.
    let environment = Environment::from_process();
    let kept = Kept::of(&environment)?;
    if arguments.status {
        let shown = status(context, &kept, arguments.url.as_deref());
        return context.interrupts.or_drop(Box::pin(shown)).await;
    }
    let address = remote::choose(&environment, &kept, arguments.url.as_deref())?;
    let is_token = arguments.token || arguments.token_stdin;
    let asks_anew = !arguments.scopes.is_empty() || arguments.days.is_some();
    let token = match remote::given_token(&environment, &address)? {
        _ if is_token => Some(typed(context, &arguments).await?),
        given => given.filter(|_| !asks_anew),
    };
    let signed_in = async {
        let server = Server::find(address).await?;
        match token {
            Some(token) => with_token(&server, token).await,
            None => by_code(context, &server, &arguments).await,
        }
    };
    let login = context.interrupts.or_drop(Box::pin(signed_in)).await?;
    let file = kept.keep(&login)?;
    if context.output.json {
        let mut told = shown(&login);
        if let Some(fields) = told.as_object_mut() {
            fields.insert("file".into(), json!(file));
        }
        return context.output.print_json(&told);
    }
    context.output.tell(&format!(
        "signed in at {} as {}; the token is kept in {}",
        login.server,
        who(&login),
        file.display()
    ));
    Ok(())
}

async fn typed(context: &Context, arguments: &Arguments) -> Result<Plain<String>, Stop> {
    let token = if arguments.token_stdin {
        prompts::secret_from_stdin(&context.interrupts).await?
    } else {
        let flag = format!("--token-stdin or {TOKEN_VARIABLE}");
        let help = "your account's page at the server makes one";
        context
            .ask("an API token", &flag)?
            .secret("API token:", help)?
    };
    if token.expose().trim().is_empty() {
        return Err(usage("the token is empty", "it begins with `dap_`"));
    }
    Ok(Plain::new(token.expose().trim().to_owned()))
}

async fn with_token(server: &Server, token: Plain<String>) -> Result<Login, Stop> {
    let Checked { email, .. } = remote::check_token(server, &token).await?;
    Ok(Login {
        server: server.address.clone(),
        token,
        email,
        scopes: None,
        expires_at: None,
        is_own: false,
    })
}

async fn by_code(context: &Context, server: &Server, arguments: &Arguments) -> Result<Login, Stop> {
    let name = match &arguments.name {
        Some(name) => name.clone(),
        None => format!("dango on {}", host_name()),
    };
    let offer = remote::begin_device(server, &name, &arguments.scopes, arguments.days).await?;
    // Words of the server: they do nothing to the terminal.
    let (page, code) = (Quoted(&offer.page), Quoted(&offer.code));
    let minutes = offer.lasts.as_secs().div_ceil(60);
    let text = say!(
        "open ",
        page,
        " and type the code ",
        code,
        "\nor at the machine of the server: dango token approve ",
        code,
        " --as EMAIL\nwaiting; the code is good for ",
        minutes,
        " minutes"
    );
    let step = json!({
        "user_code": offer.code, "verification_uri": offer.page, "expires_in": offer.lasts.as_secs(),
    });
    context.output.tell_step(text.as_str(), &step);
    Ok(remote::wait_for_device(server, &offer).await?)
}

/// Returns what this machine is called.
fn host_name() -> String {
    let name = fs_err::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    match name.trim() {
        "" => "another machine".to_owned(),
        name => name.to_owned(),
    }
}

fn who(login: &Login) -> String {
    let email = login.email.as_deref().unwrap_or("the owner of the token");
    say!("", Quoted(email)).as_str().to_owned()
}

fn shown(login: &Login) -> Value {
    json!({
        "server": login.server.as_str(), "email": login.email, "scopes": login.scopes,
        "expires_at": login.expires_at,
    })
}

/// Shows the logins that are kept, each looked up at its server.
async fn status(context: &Context, kept: &Kept, url: Option<&str>) -> Result<(), Stop> {
    let output = context.output;
    let only = url.map(remote::ServerAddress::parse).transpose()?;
    let mut logins = kept.list()?;
    logins.retain(|login| only.as_ref().is_none_or(|only| login.server == *only));
    let mut items = Vec::new();
    let headings = ["SERVER", "WHO", "EXPIRES", "STATE"].map(|name| (name, Align::Left));
    let mut columns = Columns::new(&headings, output.data_palette(), output.list_width());
    for login in &logins {
        let state = state(login).await;
        let mut item = shown(login);
        if let Some(fields) = item.as_object_mut() {
            fields.insert("state".into(), json!(state));
        }
        items.push(item);
        columns.row([
            login.server.to_string(),
            who(login),
            login.expires_at.clone().unwrap_or_else(|| "-".into()),
            state.to_owned(),
        ]);
    }
    if output.json {
        return output.print_json(&json!({ "items": items }));
    }
    if logins.is_empty() {
        output.tell("signed in nowhere; `dango login URL` signs in");
        return Ok(());
    }
    output.print(&columns.render())
}

/// Returns how a login stands: `good`, `refused` or `unreachable`.
async fn state(login: &Login) -> &'static str {
    let Ok(server) = Server::find(login.server.clone()).await else {
        return "unreachable";
    };
    match remote::check_token(&server, &login.token).await {
        Ok(_) => "good",
        Err(error) if error.kind == app::Kind::Unavailable => "unreachable",
        Err(_) => "refused",
    }
}
