//! `dango demo [PATH]`: a shop, synced and queried, in a project that stays for playing with.

use super::query::rows;
use super::sync;
use crate::context::Context;
use crate::demo::api::{self, Api};
use crate::demo::{files, project, shop};
use crate::door::Door;
use crate::errors::{Stop, unreadable};
use crate::output::style::Style;
use app::error::{Error, Kind};
use app::query::{ExportFormat, OutputFile, QueryRequest};
use app::secrets::{self, SecretName};
use app::sync::SyncRequest;
use app::{App, Environment, SystemClock};
use clap::Args;
use domain::say::Quoted;
use domain::{Code, say};
use security::Plain;
use security::permissions::{ConfigManage, QueryExecute};
use serde_json::json;
use std::path::{Path, PathBuf};

/// What the demo asks of the warehouse at its end: every source takes part.
const QUESTION: &str = "\
SELECT p.name AS product,
       count(*) AS orders,
       sum(o.amount) AS revenue,
       any_value(r.stars) AS stars,
       any_value(w.checkouts) AS checkouts
FROM raw_shop.orders o
JOIN raw_catalog.products p USING (sku)
JOIN (SELECT sku, round(avg(stars), 2) AS stars FROM raw_reviews.reviews GROUP BY sku) r USING (sku)
LEFT JOIN (SELECT sku, sum(quantity) AS checkouts FROM raw_web.events__items GROUP BY sku) w USING (sku)
WHERE o.status <> 'cancelled'
GROUP BY p.name
ORDER BY revenue DESC
LIMIT 8";

/// Arguments of `dango demo`.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The folder of the demo's project; a demo that is there already is synced again
    #[arg(value_name = "PATH", default_value = "dango-demo")]
    path: PathBuf,
}

/// Creates the demo, syncs it, asks it a question, and says what to try next.
pub(crate) async fn run(context: &Context, arguments: Arguments) -> Result<(), Stop> {
    let output = context.output;
    let shop = shop::open();
    let api = Api::start(shop.reviews.clone()).await?;
    let root = prepare(&arguments.path, &shop, &api)?;
    output.tell(&format!("project    {}", root.display()));
    output.tell(&format!(
        "API        {} (served by this command while it runs)",
        api.base_url()
    ));
    let mut options = context.options("demo")?;
    options.project = Some(root.clone());
    let door = Door::Here(Box::new(context.open_with(options).await?));
    let told = Box::pin(tell(context, &door, &root, &shop)).await;
    door.close().await;
    // The API ends with this command: its source would only fail from now on.
    project::write_sources(&root, &api.base_url(), false).map_err(|error| unreadable(&error))?;
    told?;
    next(context, &arguments.path);
    Ok(())
}

/// Creates the project and its files, or writes those of an older demo anew.
fn prepare(path: &Path, shop: &shop::Shop, api: &Api) -> Result<PathBuf, Stop> {
    let exists = path.join(".dango/project.yml").exists();
    if exists && !project::is_demo(path) {
        let say =
            say!("", name Quoted(&path.to_string_lossy()), " holds a project that is not the demo");
        let error = Error::new(Kind::Conflict, Code::ProjectExists, say);
        return Err(error
            .hint("name another folder: `dango demo FOLDER`")
            .into());
    }
    let allow = app::operator::<ConfigManage>(&Environment::from_process())?;
    let made = app::project::init::create(&allow, path, &SystemClock)?;
    let root = made.project.root().to_path_buf();
    files::write(shop, &root.join("data/uploads")).map_err(|error| unreadable(&error))?;
    project::allow_loopback(&root).map_err(|error| unreadable(&error))?;
    project::write_sources(&root, &api.base_url(), true).map_err(|error| unreadable(&error))?;
    Ok(root)
}

async fn tell(context: &Context, door: &Door, root: &Path, shop: &shop::Shop) -> Result<(), Stop> {
    let output = context.output;
    if let Door::Here(app) = door {
        store_token(app).await?;
        write_products(app, root, shop).await?;
    }
    output.tell("");
    let outcomes = Box::pin(door.sync(context, &SyncRequest::default())).await?;
    if !output.json {
        output.print(&sync::summary::text(&outcomes, output))?;
        outcomes
            .iter()
            .filter_map(|outcome| outcome.error.as_ref())
            .for_each(|error| output.error(error));
    }
    sync::verdict(&outcomes)?;
    let request = QueryRequest {
        sql: QUESTION.to_owned(),
        rows_max: None,
        is_held: true,
        timeout_seconds: None,
    };
    let rows = rows::collect(door, &request).await?;
    if output.json {
        let sync = sync::to_json(&outcomes);
        return output.print_json(&json!({"project": root, "sync": sync, "rows": rows.objects}));
    }
    output.tell(&format!(
        "\n{}",
        output
            .talk_palette()
            .paint(Style::Heading, "What sells best, and how is it liked?")
    ));
    rows.print(output)?;
    Ok(())
}

/// Stores the API's token as any other secret.
async fn store_token(app: &App) -> Result<(), Stop> {
    let allow = app.allow::<ConfigManage>().await?;
    let name = SecretName::parse("sources.reviews.auth_token")?;
    let token = Plain::new(api::TOKEN.to_owned());
    secrets::store(app, &allow, &name, &token).await?;
    Ok(())
}

/// Lets the warehouse write the products as Parquet: the same way `dango query --output` does.
async fn write_products(app: &App, root: &Path, shop: &shop::Shop) -> Result<(), Stop> {
    let path = root.join("data/uploads/products/products.parquet");
    let request = QueryRequest {
        sql: files::products_query(shop),
        rows_max: None,
        is_held: false,
        timeout_seconds: None,
    };
    let allow = app.allow::<QueryExecute>().await?;
    let file = OutputFile::new(&path, true)?;
    app::query::export(app, &allow, &request, ExportFormat::Parquet, &file).await?;
    Ok(())
}

/// Says what to try next.
fn next(context: &Context, path: &Path) {
    let output = context.output;
    let there = format!("cd {}", path.display());
    output.tell("");
    output.tell(&super::next(output.talk_palette(), &[
        (&there, "the project is yours to play with"),
        ("dango query \"SELECT country, count(*) FROM raw_shop.customers GROUP BY ALL ORDER BY 2 DESC\"", ""),
        ("dango query --output orders.parquet \"FROM raw_shop.orders\"", "into a file"),
        ("dango sync", "nothing has changed, so nothing is written"),
        ("dango source show shop", "settings, tables, history"),
        ("dango source add", "a source of your own"),
    ]));
    output.tell("the source `reviews` is disabled now: its API was served by this command; run `dango demo` to serve it again");
}

#[cfg(test)]
mod tests {
    use super::*;
    use fs_err as fs;

    #[test]
    fn a_project_of_somebodys_own_is_left_alone() {
        let folder = tempfile::tempdir().expect("a folder");
        fs::create_dir(folder.path().join(".dango")).expect("created");
        fs::write(folder.path().join(".dango/project.yml"), "").expect("written");
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        let stop = runtime.block_on(async {
            let api = Api::start(Vec::new()).await.expect("a free port");
            prepare(folder.path(), &shop::open(), &api).expect_err("not a demo")
        });
        assert_eq!(stop.exit_code(), 5);
    }
}
