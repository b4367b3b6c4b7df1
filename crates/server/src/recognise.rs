//! Who sends a request: what it presents, and who looks it up.

use app::Result;
use futures_util::future::BoxFuture;
use security::{Client, Plain, RequestId, SignedIn};

/// What a request presents.
pub enum Presented<'a> {
    /// The value of the session cookie; it may be answered with a newer one.
    Cookie(&'a str),
    /// What stands after `Bearer`: an API token, or a session that is never renewed.
    Bearer(&'a str),
}

/// Somebody who was recognised.
pub struct Recognised {
    pub actor: SignedIn,
    /// The cookie to send instead of the one that came.
    pub cookie: Option<Plain<String>>,
}

/// Whoever knows people by what they present. Looked up anew for every request, so that logging out, deactivating and another
/// role act at once.
pub trait Recognise: Send + Sync {
    /// Returns who presents this, `None` when it opens nothing: the reason is nobody's business.
    fn recognise<'a>(
        &'a self,
        presented: Presented<'a>,
        client: &'a Client,
        request: RequestId,
    ) -> BoxFuture<'a, Result<Option<Recognised>>>;

    /// Returns what keeps the server from listening where others can reach it: no admin, a key that is lost with the process.
    fn objection(&self) -> BoxFuture<'_, Result<Option<&'static str>>>;
}

/// Knows nobody: every request but the operator's is anonymous.
#[derive(Debug, Default, Clone, Copy)]
pub struct Nobody;

impl Recognise for Nobody {
    fn recognise<'a>(
        &'a self,
        _: Presented<'a>,
        _: &'a Client,
        _: RequestId,
    ) -> BoxFuture<'a, Result<Option<Recognised>>> {
        Box::pin(async { Ok(None) })
    }

    fn objection(&self) -> BoxFuture<'_, Result<Option<&'static str>>> {
        Box::pin(async { Ok(Some("there is no admin yet")) })
    }
}
