//! `dango auth status`.

use crate::context::Context;
use crate::errors::Stop;
use app::App;
use app::identity::{Paging, UserFilter, people, switch};
use security::Role;
use security::permissions::UsersView;
use serde_json::json;

/// Counts of users.
#[derive(Debug, Default, serde::Serialize)]
struct Counts {
    total: u64,
    active: u64,
    admins: u64,
    with_second_factor: u64,
}

/// Shows whether people sign in, and how many there are.
pub(crate) async fn run(context: &Context) -> Result<(), Stop> {
    let app = context.open_read("auth").await?;
    let counted = count(&app).await;
    let is_on = switch::is_on(&app.project);
    app.close().await;
    let counts = counted?;
    let output = context.output;
    if output.json {
        return output.print_json(&json!({"auth_enabled": is_on, "users": counts}));
    }
    let word = if is_on { "on" } else { "off" };
    output.print(&format!(
        "sign-in is {word}\nusers: {} ({} active, {} active admins, {} with a second factor)",
        counts.total, counts.active, counts.admins, counts.with_second_factor
    ))
}

async fn count(app: &App) -> Result<Counts, Stop> {
    let allow = app.allow::<UsersView>().await?;
    let mut counts = Counts::default();
    let mut offset = 0;
    loop {
        let filter = UserFilter::default();
        let page = people::list(app, &allow, filter, Paging::new(500, offset)).await?;
        counts.total = page.total;
        if page.items.is_empty() {
            return Ok(counts);
        }
        offset += page.items.len() as u64;
        for person in &page.items {
            let user = &person.user;
            let is_active = person.state() == "active";
            counts.active += u64::from(is_active);
            counts.admins += u64::from(is_active && user.role == Role::Admin);
            counts.with_second_factor += u64::from(user.has_second_factor);
        }
    }
}
