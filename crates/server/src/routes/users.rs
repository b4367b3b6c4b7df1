//! The people of the team, as an admin manages them: by DAP's names and by Dango's.

use super::accounts::Ended;
use super::sign_in::email;
use super::sources::{DONE, Done};
use crate::extract::{Given, Id, Json, Paged, Search, given, maybe_plain};
use crate::problem::{Problem, Reply};
use crate::server::Server;
use crate::table::Api;
use crate::views::UserRead;
use app::Error;
use app::identity::people::{self, Invited};
use app::identity::{Paging, UserFilter, links, mail, second_factors, sessions};
use axum::extract::State;
use axum::http::StatusCode;
use domain::{Code, UserId};
use security::permissions::{UsersManage, UsersView};
use security::{Allow, Event, Plain, Role};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;

pub(super) fn add(api: &mut Api) {
    const TAG: &str = "users";
    for (path, is_hidden) in [("/users", true), ("/admin/users", false)] {
        let route = api.get(path, list);
        route
            .about(TAG, "Lists the users, newest first.")
            .asks("include_deleted", "whether deleted users are listed too")
            .asks("offset", "items to skip")
            .asks(
                "limit",
                "items in the answer, 50 unless said otherwise, 500 at most",
            )
            .gives::<UserPage>(200);
        if is_hidden {
            route.hidden();
        }
    }
    api.get("/users/{id}", show)
        .about(TAG, "Shows a user.")
        .gives::<UserRead>(200);
    api.patch("/users/{id}", change)
        .about(TAG, "Changes a user's address, role or access.")
        .event(Event::UserUpdated)
        .event(Event::EmailChanged)
        .event(Event::RoleChanged)
        .event(Event::UserDeactivated)
        .event(Event::UserReactivated)
        .event(Event::UserRestored)
        .takes::<Changes>()
        .gives::<UserRead>(200);
    api.delete("/users/{id}", delete)
        .about(TAG, "Deletes a user so that he can be restored.")
        .event(Event::UserDeleted)
        .answers(204);
    api.post("/admin/users", invite)
        .about(TAG, "Invites somebody; the answer holds the link, once.")
        .event(Event::UserCreated)
        .takes::<Invitation>()
        .gives::<InvitedRead>(201);
    api.post("/admin/users/{id}/reinvite", invite_again)
        .about(TAG, "Makes another invite link; the one before is void.")
        .event(Event::InviteResent)
        .gives::<InvitedRead>(200);
    api.post("/admin/users/{id}/reset-password", reset_password)
        .about(
            TAG,
            "Takes a user's password away and makes the link by which he chooses another.",
        )
        .event(Event::PasswordReset)
        .event(Event::PasswordResetSent)
        .gives::<InvitedRead>(200);
    api.post("/admin/users/{id}/reset-2fa", reset_second_factor)
        .about(
            TAG,
            "Takes a user's second factors away, who has lost them.",
        )
        .event(Event::TwoFaReset)
        .gives::<UserRead>(200);
    api.post("/admin/users/{id}/deactivate", deactivate)
        .about(TAG, "Takes a user's access away.")
        .event(Event::UserDeactivated)
        .gives::<UserRead>(200);
    api.post("/admin/users/{id}/reactivate", reactivate)
        .about(TAG, "Gives a user his access back.")
        .event(Event::UserReactivated)
        .gives::<UserRead>(200);
    api.post("/admin/users/{id}/unlock", unlock)
        .about(TAG, "Forgets the failures that locked an account.")
        .event(Event::AccountUnlocked)
        .gives::<UserRead>(200);
    api.post("/admin/users/{id}/restore", restore)
        .about(TAG, "Brings a deleted user back.")
        .event(Event::UserRestored)
        .gives::<UserRead>(200);
    api.post("/admin/users/{id}/erase", erase)
        .about(TAG, "Erases a user with everything he owns, for good.")
        .event(Event::UserErased)
        .takes::<Named>()
        .gives::<Done>(200);
    api.post("/admin/users/{id}/revoke-sessions", end_sessions)
        .about(TAG, "Ends all sessions of a user.")
        .event(Event::SessionExpired)
        .gives::<Ended>(200);
    api.put("/admin/users/{id}/role", set_role)
        .about(TAG, "Gives a user another role.")
        .event(Event::RoleChanged)
        .takes::<NewRole>()
        .gives::<UserRead>(200);
    api.delete("/admin/users/{id}", delete_named)
        .about(
            TAG,
            "Deletes a user so that he can be restored; the body repeats his address.",
        )
        .event(Event::UserDeleted)
        .takes::<Named>()
        .gives::<Done>(200);
}

/// Which part of the users is wanted.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    #[serde(default)]
    offset: u64,
    limit: Option<u64>,
    #[serde(default)]
    include_deleted: bool,
}

/// One page of the users.
#[derive(Serialize, ToSchema)]
struct UserPage {
    items: Vec<UserRead>,
    total: u64,
    offset: u64,
    limit: u64,
    has_more: bool,
}

async fn list(
    allow: Allow<UsersView>,
    State(server): State<Server>,
    Search(wanted): Search<Wanted>,
) -> Reply<Given<UserPage>> {
    let paged = Paged {
        offset: wanted.offset,
        limit: wanted.limit,
    };
    let filter = UserFilter {
        include_deleted: wanted.include_deleted,
    };
    let paging = Paging::new(paged.limit(), paged.offset);
    let listed = people::list(server.app(), &allow, filter, paging).await?;
    let items: Vec<_> = listed.items.iter().map(UserRead::of).collect();
    let shown = paged.offset.saturating_add(items.len() as u64);
    Ok(given(UserPage {
        has_more: shown < listed.total,
        items,
        total: listed.total,
        offset: paged.offset,
        limit: paged.limit(),
    }))
}

async fn show(
    allow: Allow<UsersView>,
    State(server): State<Server>,
    Id(id): Id,
) -> Reply<Given<UserRead>> {
    let person = people::get(server.app(), &allow, UserId::new(id)).await?;
    Ok(given(UserRead::of(&person)))
}

async fn shown(server: &Server, allow: &Allow<UsersManage>, id: UserId) -> Reply<Given<UserRead>> {
    let person = people::get(server.app(), allow, id).await?;
    Ok(given(UserRead::of(&person)))
}

/// What an admin changes about a user. He neither learns nor chooses a password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Changes {
    email: Option<String>,
    role: Option<String>,
    /// DAP's way to say `admin` or `editor`.
    is_superuser: Option<bool>,
    is_active: Option<bool>,
    #[serde(default, deserialize_with = "maybe_plain")]
    #[schema(ignore)]
    password: Option<Plain<String>>,
}

async fn change(
    allow: Allow<UsersManage>,
    State(server): State<Server>,
    Id(id): Id,
    Json(changes): Json<Changes>,
) -> Reply<Given<UserRead>> {
    let (app, id) = (server.app(), UserId::new(id));
    if changes.password.is_some() {
        let text = "nobody chooses another's password: `POST /admin/users/{id}/reset-password` makes a link";
        return Err(Problem::field(&["body", "password"], "value_error", text));
    }
    let user = people::get(app, &allow, id).await?.user;
    let named = changes.role.as_deref().map(role).transpose()?;
    let by_dap = match changes.is_superuser {
        Some(true) => Some(Role::Admin),
        Some(false) if user.role == Role::Admin => Some(Role::Editor),
        Some(false) | None => None,
    };
    let wanted = people::Changes {
        email: changes.email.as_deref().map(email).transpose()?,
        role: named.or(by_dap),
        is_active: changes.is_active,
    };
    people::change(app, &allow, id, wanted).await?;
    shown(&server, &allow, id).await
}

fn role(name: &str) -> Reply<Role> {
    Role::from_name(name).ok_or_else(|| {
        let text = "it is one of `viewer`, `editor` and `admin`";
        Problem::field(&["body", "role"], "value_error", text)
    })
}

async fn delete(
    allow: Allow<UsersManage>,
    State(server): State<Server>,
    Id(id): Id,
) -> Reply<StatusCode> {
    people::delete(server.app(), &allow, UserId::new(id)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Somebody to invite.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Invitation {
    email: String,
    role: Option<String>,
}

/// Somebody who was invited, with the address of his link.
#[derive(Serialize, ToSchema)]
struct InvitedRead {
    user: UserRead,
    #[serde(skip_serializing_if = "Option::is_none")]
    invite_url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reset_url: Option<String>,
    expires_at: String,
}

async fn invite(
    allow: Allow<UsersManage>,
    State(server): State<Server>,
    Json(invitation): Json<Invitation>,
) -> Reply<Given<InvitedRead>> {
    let email = email(&invitation.email)?;
    let role = role(invitation.role.as_deref().unwrap_or("viewer"))?;
    let invited = people::invite(server.app(), &allow, &email, role).await?;
    let invited = invited_read(&server, &allow, invited, links::Page::Invite).await?;
    Ok(Given(StatusCode::CREATED, invited))
}

async fn invited_read(
    server: &Server,
    allow: &Allow<UsersManage>,
    invited: Invited,
    page: links::Page,
) -> Reply<InvitedRead> {
    let person = people::get(server.app(), allow, invited.user.id).await?;
    let (app, token) = (
        Arc::clone(server.app()),
        Plain::new(invited.token.expose().clone()),
    );
    let (id, email) = (invited.user.id, invited.user.email.clone());
    // Whoever invites has the link in any case, and does not wait for the mail server.
    server.do_later(async move {
        let _ = mail::send_link(&app, page, (id, &email), &token).await;
    });
    let link = links::address(server.app(), page, &invited.token);
    let link = Some(link.expose().clone());
    let (invite_url, reset_url) = match page {
        links::Page::Invite => (link, None),
        links::Page::Reset | links::Page::SetUp => (None, link),
    };
    Ok(InvitedRead {
        user: UserRead::of(&person),
        invite_url,
        reset_url,
        expires_at: invited.expires_at.to_rfc3339(),
    })
}

async fn invite_again(
    allow: Allow<UsersManage>,
    State(server): State<Server>,
    Id(id): Id,
) -> Reply<Given<InvitedRead>> {
    let invited = people::invite_again(server.app(), &allow, UserId::new(id)).await?;
    let page = links::Page::Invite;
    Ok(given(invited_read(&server, &allow, invited, page).await?))
}

async fn reset_password(
    allow: Allow<UsersManage>,
    State(server): State<Server>,
    Id(id): Id,
) -> Reply<Given<InvitedRead>> {
    let (app, id) = (server.app(), UserId::new(id));
    let had_one = people::get(app, &allow, id).await?.user.has_password;
    let reset = people::reset_password(app, &allow, id).await?;
    let page = if had_one {
        links::Page::Reset
    } else {
        links::Page::Invite
    };
    Ok(given(invited_read(&server, &allow, reset, page).await?))
}

macro_rules! steps {
    ($($name:ident = $step:path;)+) => {$(
        async fn $name(
            allow: Allow<UsersManage>,
            State(server): State<Server>,
            Id(id): Id,
        ) -> Reply<Given<UserRead>> {
            let id = UserId::new(id);
            $step(server.app(), &allow, id).await?;
            shown(&server, &allow, id).await
        }
    )+};
}

steps! {
    deactivate = people::deactivate;
    reactivate = people::reactivate;
    unlock = people::unlock;
    restore = people::restore;
    reset_second_factor = second_factors::reset;
}

/// A user's address once more: what cannot be taken back is not done by a slip.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Named {
    confirm_email: String,
}

async fn confirmed(
    server: &Server,
    allow: &Allow<UsersManage>,
    id: UserId,
    named: &Named,
) -> Reply<()> {
    let user = people::get(server.app(), allow, id).await?.user;
    if domain::Email::parse(&named.confirm_email).as_ref() == Ok(&user.email) {
        return Ok(());
    }
    let error = Error::invalid(
        Code::UserInvalid,
        "`confirm_email` is not the address of this user",
    );
    Err(error
        .hint("repeat the address, so that nobody is deleted by a slip")
        .into())
}

async fn delete_named(
    allow: Allow<UsersManage>,
    State(server): State<Server>,
    Id(id): Id,
    Json(named): Json<Named>,
) -> Reply<Given<Done>> {
    let id = UserId::new(id);
    confirmed(&server, &allow, id, &named).await?;
    people::delete(server.app(), &allow, id).await?;
    Ok(given(DONE))
}

async fn erase(
    allow: Allow<UsersManage>,
    State(server): State<Server>,
    Id(id): Id,
    Json(named): Json<Named>,
) -> Reply<Given<Done>> {
    let id = UserId::new(id);
    confirmed(&server, &allow, id, &named).await?;
    people::erase(server.app(), &allow, id).await?;
    Ok(given(DONE))
}

async fn end_sessions(
    allow: Allow<UsersManage>,
    State(server): State<Server>,
    Id(id): Id,
) -> Reply<Given<Ended>> {
    let revoked_count = sessions::end_all(server.app(), &allow, UserId::new(id)).await?;
    Ok(given(Ended { revoked_count }))
}

/// Another role.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewRole {
    role: String,
}

async fn set_role(
    allow: Allow<UsersManage>,
    State(server): State<Server>,
    Id(id): Id,
    Json(new): Json<NewRole>,
) -> Reply<Given<UserRead>> {
    let id = UserId::new(id);
    people::set_role(server.app(), &allow, id, role(&new.role)?).await?;
    shown(&server, &allow, id).await
}
