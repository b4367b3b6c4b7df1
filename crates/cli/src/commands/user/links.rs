//! The links that commands make: where they lead, and how they reach whom they are for.

use crate::context::Context;
use crate::door::Client;
use crate::errors::Stop;
use app::App;
use app::identity::links::{self, Page};
use app::identity::mail::{self, Mailed};
use app::identity::people::Invited;
use security::Plain;
use serde_json::Value;

/// A link, and what became of its mail.
pub(super) struct Delivered {
    pub(super) link: Plain<String>,
    mailed: Mailed,
}

impl Context {
    /// Opens the project for a command that makes links: they lead to where its server is reached at this moment, and where
    /// none runs, to where the settings say.
    pub(crate) async fn open_for_links(&self, command: &str) -> Result<App, Stop> {
        let mut app = self.open_read(command).await?;
        let client = Client::new(app.project.clone());
        match served_at(&client).await {
            Some(url) => app.serve_at(url),
            None => self.output.tell(&format!(
                "no server of this project runs: {} opens once `dango start` has started it",
                app.public_url()
            )),
        }
        Ok(app)
    }
}

/// Returns what a server that runs is called by others. One that does not answer is like none: the link is made all the same.
async fn served_at(client: &Client) -> Option<String> {
    if !client.is_there().await.ok()? {
        return None;
    }
    let status: Value = client.get_plain("/operator/status").await.ok()?;
    Some(status.get("url")?.as_str()?.to_owned())
}

/// Brings a link to whom it is for, where the settings name a mail server.
pub(super) async fn deliver(app: &App, page: Page, made: &Invited) -> Delivered {
    let to = (made.user.id, &made.user.email);
    Delivered {
        link: links::address(app, page, &made.token),
        mailed: mail::send_link(app, page, to, &made.token).await,
    }
}

impl Delivered {
    pub(super) const fn is_mailed(&self) -> bool {
        matches!(self.mailed, Mailed::Sent)
    }

    /// Prints the link, and says whether it was mailed.
    pub(super) fn tell(&self, context: &Context, made: &Invited) -> Result<(), Stop> {
        let (output, email) = (context.output, &made.user.email);
        match &self.mailed {
            Mailed::No => {}
            Mailed::Sent => output.tell(&format!("it was mailed to {email}, and is:")),
            Mailed::Failed(error) => output.warn(&format!(
                "it could not be mailed to {email}: {}; give it to him yourself\nhint: {}",
                error.say, error.hint
            )),
        }
        output.print_data(self.link.expose())
    }
}
