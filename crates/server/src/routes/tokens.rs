//! API tokens, by DAP's names and by Dango's.

use super::Page;
use super::sources::{DONE, Done};
use crate::extract::{Given, Id, Json, Paged, Search, given};
use crate::problem::Reply;
use crate::server::Server;
use crate::table::Api;
use crate::views::TokenRead;
use app::identity::tokens::{self, TokenRequest};
use app::identity::{ApiTokenFilter, Paging};
use axum::extract::State;
use axum::http::StatusCode;
use domain::TokenId;
use security::permissions::{AccountManage, AccountSecure, AccountView, UsersManage, UsersView};
use security::{Allow, Event};
use serde::Deserialize;
use utoipa::ToSchema;

pub(super) fn add(api: &mut Api) {
    const TAG: &str = "tokens";
    api.post("/auth/api-tokens", create)
        .about(TAG, "Makes an API token; its text is shown once.")
        .event(Event::ApiTokenCreated)
        .takes::<NewToken>()
        .gives::<TokenRead>(201);
    api.get("/auth/api-tokens", list)
        .about(TAG, "Lists one's own tokens, newest first.")
        .gives::<Vec<TokenRead>>(200);
    api.get("/auth/api-tokens/admin", list_all)
        .about(TAG, "Lists everybody's tokens, newest first.")
        .hidden()
        .asks(
            "include_revoked",
            "whether revoked and expired ones are listed too; they are unless said otherwise",
        )
        .asks("offset", "items to skip")
        .asks(
            "limit",
            "items in the answer, 50 unless said otherwise, 500 at most",
        )
        .gives_page::<TokenRead>();
    api.delete("/auth/api-tokens/admin/{id}", revoke_any)
        .about(TAG, "Revokes anybody's token.")
        .hidden()
        .event(Event::ApiTokenRevoked)
        .answers(204);
    api.delete("/auth/api-tokens/{id}", revoke)
        .about(TAG, "Revokes one of one's own tokens.")
        .event(Event::ApiTokenRevoked)
        .answers(204);
    api.post("/auth/api-keys", create_key)
        .about(TAG, "Makes an API token, by Dango's name.")
        .event(Event::ApiTokenCreated)
        .takes::<NewToken>()
        .gives::<TokenRead>(201);
    api.get("/auth/api-keys", list)
        .about(TAG, "Lists one's own tokens, by Dango's name.")
        .gives::<Vec<TokenRead>>(200);
    api.delete("/auth/api-keys/{id}", revoke_key)
        .about(TAG, "Revokes one of one's own tokens, by Dango's name.")
        .event(Event::ApiTokenRevoked)
        .gives::<Done>(200);
}

/// A token as it is wished for.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewToken {
    name: String,
    /// From 1 to 3650; without it the token is good until it is revoked.
    expires_in_days: Option<u32>,
    /// Names of permissions; without them it may what its owner may.
    scopes: Option<Vec<String>>,
    /// Addresses or networks it may come from; without them from anywhere.
    networks: Option<Vec<String>>,
}

async fn made(server: &Server, allow: &Allow<AccountSecure>, wish: NewToken) -> Reply<TokenRead> {
    let app = server.app();
    let owner = tokens::owner(app, allow, None).await?;
    let request = TokenRequest {
        name: wish.name,
        expires_in_days: wish.expires_in_days,
        scopes: wish.scopes,
        networks: wish.networks,
    };
    let made = tokens::create(app, allow, owner, request).await?;
    Ok(TokenRead::made(&made))
}

async fn create(
    allow: Allow<AccountSecure>,
    State(server): State<Server>,
    Json(wish): Json<NewToken>,
) -> Reply<Given<TokenRead>> {
    Ok(Given(
        StatusCode::CREATED,
        made(&server, &allow, wish).await?,
    ))
}

async fn create_key(
    allow: Allow<AccountSecure>,
    State(server): State<Server>,
    Json(wish): Json<NewToken>,
) -> Reply<Given<TokenRead>> {
    let made = made(&server, &allow, wish).await?;
    Ok(Given(StatusCode::CREATED, made.into_key()))
}

async fn list(
    allow: Allow<AccountView>,
    State(server): State<Server>,
) -> Reply<Given<Vec<TokenRead>>> {
    let app = server.app();
    let owner = tokens::owner(app, &allow, None).await?;
    let listed = tokens::list(app, &allow, owner, Paging::new(500, 0)).await?;
    Ok(given(listed.items.iter().map(TokenRead::of).collect()))
}

async fn revoke(
    allow: Allow<AccountManage>,
    State(server): State<Server>,
    Id(id): Id,
) -> Reply<StatusCode> {
    let app = server.app();
    let owner = tokens::owner(app, &allow, None).await?;
    tokens::revoke(app, &allow, owner, TokenId::new(id)).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn revoke_key(
    allow: Allow<AccountManage>,
    server: State<Server>,
    id: Id,
) -> Reply<Given<Done>> {
    revoke(allow, server, id).await?;
    Ok(given(DONE))
}

/// Which part of everybody's tokens is wanted.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    #[serde(default)]
    offset: u64,
    limit: Option<u64>,
    include_revoked: Option<bool>,
}

async fn list_all(
    allow: Allow<UsersView>,
    State(server): State<Server>,
    Search(wanted): Search<Wanted>,
) -> Reply<Given<Page<TokenRead>>> {
    let paged = Paged {
        offset: wanted.offset,
        limit: wanted.limit,
    };
    let filter = ApiTokenFilter {
        include_revoked: wanted.include_revoked.unwrap_or(true),
    };
    let paging = Paging::new(paged.limit(), paged.offset);
    let listed = tokens::list_all(server.app(), &allow, filter, paging).await?;
    let shown = listed.items.iter();
    let items = shown
        .map(|(token, owner)| TokenRead::of_somebody(token, owner))
        .collect();
    Ok(given(Page::part(items, listed.total, paged)))
}

async fn revoke_any(
    allow: Allow<UsersManage>,
    State(server): State<Server>,
    Id(id): Id,
) -> Reply<StatusCode> {
    tokens::revoke_any(server.app(), &allow, TokenId::new(id)).await?;
    Ok(StatusCode::NO_CONTENT)
}
