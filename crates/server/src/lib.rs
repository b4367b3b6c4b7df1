//! HTTP: one table of routes, three doors to it.
//!
//! A request goes `entrance` (its id, its host, the limits of its address, the headers of its answer) → `passage` (who sends it,
//! from where) → the handler's witness → the handler, which calls one function of `app`.
//!
//! # Invariants
//! - **The type is the permission.** [`Api`] takes a handler only when its first argument is `Allow<P>` or [`Public<Reason>`];
//!   `Router::route`, `merge`, `nest` and `fallback` are banned everywhere but in `table`, so there is no other way in.
//! - No rule of the product lives here: what the command line calls is called here, with a witness of the same type.
//! - Every refusal and failure is `application/problem+json` in words of ours; one function knows statuses.
//! - Nothing is unbounded: connections, headers, bodies, waiting pieces of streams, remembered syncs, buckets of limits.
//! - What a client claims about itself decides nothing: request ids are ours, addresses come from the connection or from a
//!   proxy we were told to believe, links are never built from `Host`.
//!
//! # Adding a route
//! 1. The permission stands in `security::permissions`, the use case in `app`.
//! 2. A handler in `routes/<noun>.rs`: the witness first, then what it takes from `extract`, the body last.
//! 3. One entry in that file's `add`: path, handler, what it is about, its audit events, what it takes and gives.
//! 4. `make fix` writes `docs/ROUTES.md`, `openapi.json` and `authz_matrix.txt`; read their diff.
//!
//! # What does not compile
//! A handler without a witness:
//! ```compile_fail,E0277
//! async fn list() -> server::Reply<()> { Ok(()) }
//! server::Api::default().get("/x", list);
//! ```
//! One whose witness is not its first argument:
//! ```compile_fail,E0277
//! # use axum::http::HeaderMap;
//! # use security::{Allow, permissions::SourceView};
//! async fn list(_: HeaderMap, _: Allow<SourceView>) -> server::Reply<()> { Ok(()) }
//! server::Api::default().get("/x", list);
//! ```
//! The same with the witness first, to show that nothing else is wrong with it:
//! ```
//! # use axum::http::HeaderMap;
//! # use security::{Allow, permissions::SourceView};
//! async fn list(_: Allow<SourceView>, _: HeaderMap) -> server::Reply<()> { Ok(()) }
//! server::Api::default().get("/x", list);
//! ```
//! A use case that is given the wrong witness:
//! ```compile_fail,E0308
//! # use security::{Allow, permissions::{HealthView, LogsView}};
//! async fn status(app: &app::App, allow: Allow<LogsView>) -> app::Result<app::database::DatabaseStatus> {
//!     app::database::status(app, &allow).await
//! }
//! ```
//! A forged one:
//! ```compile_fail,E0451
//! # fn f(actor: security::Actor, request: security::RequestId) {
//! security::Allow::<security::permissions::LogsView> { actor, request, permission: std::marker::PhantomData };
//! # }
//! ```

mod assets;
mod clients;
mod cookies;
mod cors;
mod csrf;
mod documents;
mod entrance;
mod extract;
mod hosts;
mod listen;
mod local;
mod passage;
mod problem;
mod rates;
mod routes;
mod serve;
mod server;
mod socket;
mod streams;
mod syncs;
mod table;
mod views;
mod witness;

pub use documents::{openapi, routes_markdown};
pub use entrance::{Entrance, Peer};
pub use problem::{Problem, Reply};
pub use routes::table;
pub use serve::{Listening, Options, open, serve};
pub use server::Server;
pub use socket::connect;
pub use table::{Api, Door, Rate, Reach, Route, Table};
pub use views::{LoginRead, SessionRead, TokenRead, UserRead};
pub use witness::{Guard, Public};
