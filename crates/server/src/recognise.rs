//! Who sends a request: what it presents, and who looks it up.

use app::identity::{self, Presented, Recognised};
use app::{App, Result};
use futures_util::future::BoxFuture;
use security::permissions::Authenticate;
use security::{Client, RequestId, admit};

/// Whoever knows people by what they present. Looked up anew for every request, so that logging out, deactivating and another
/// role act at once.
pub trait Recognise: Send + Sync {
    /// Returns who presents this, `None` when it opens nothing: the reason is nobody's business.
    fn recognise<'a>(
        &'a self,
        app: &'a App,
        presented: Presented<'a>,
        client: &'a Client,
        request: RequestId,
    ) -> BoxFuture<'a, Result<Option<Recognised>>>;

    /// Returns what keeps the server from listening where others can reach it: no admin, a key that is lost with the process.
    fn objection<'a>(&'a self, app: &'a App) -> BoxFuture<'a, Result<Option<&'static str>>>;
}

/// Knows the people of the project.
#[derive(Debug, Default, Clone, Copy)]
pub struct People;

impl Recognise for People {
    fn recognise<'a>(
        &'a self,
        app: &'a App,
        presented: Presented<'a>,
        client: &'a Client,
        request: RequestId,
    ) -> BoxFuture<'a, Result<Option<Recognised>>> {
        Box::pin(async move {
            let allow = admit::<Authenticate>(client.clone(), request);
            identity::recognise(app, &allow, presented, client).await
        })
    }

    fn objection<'a>(&'a self, app: &'a App) -> BoxFuture<'a, Result<Option<&'static str>>> {
        Box::pin(async move {
            let has_admin = identity::links::has_admin(app).await?;
            Ok((!has_admin).then_some("there is no admin yet"))
        })
    }
}

/// Knows nobody: every request but the operator's is anonymous.
#[derive(Debug, Default, Clone, Copy)]
pub struct Nobody;

impl Recognise for Nobody {
    fn recognise<'a>(
        &'a self,
        _: &'a App,
        _: Presented<'a>,
        _: &'a Client,
        _: RequestId,
    ) -> BoxFuture<'a, Result<Option<Recognised>>> {
        Box::pin(async { Ok(None) })
    }

    fn objection<'a>(&'a self, _: &'a App) -> BoxFuture<'a, Result<Option<&'static str>>> {
        Box::pin(async { Ok(Some("there is no admin yet")) })
    }
}
