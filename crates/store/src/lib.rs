//! The metadata database: jobs, the history of syncs, the audit log; on `SQLite` or Postgres by the same code.
//!
//! ```
//! # async fn sync(store: store::Store, allow: security::Allow<security::permissions::SourceSync>) -> Result<(), store::StoreError> {
//! use security::{Event, permissions::SourceSync};
//! use store::jobs::{self, JobKind, NewJob};
//! let act = store::Act::new(Event::SyncTriggered).target("shop");
//! let lease = store
//!     .run_tx(&allow, act, async |tx| {
//!         let job = NewJob::new(JobKind::Sync, "shop");
//!         let created = jobs::create(&tx, job).await?;
//!         jobs::start(&tx, created.id).await
//!     })
//!     .await?;
//! # Ok(()) }
//! ```
//!
//! # Invariants
//! - **The transaction is the witness.** [`Store::run_tx`] and [`Store::run_read`] hand out a [`Tx`] against an
//!   [`Allow`](security::Allow); store functions take nothing else, and say in their signature which permission they need
//!   (`P: Implies<SourceView>`) and whether they change anything (`&Tx<P>` or any [`Mode`]).
//! - **No audit, no change.** A commit writes the audit row (actor, permission, event, target, request) in its own
//!   transaction; what fails writes nothing. The exceptions are signs of life ([`Store::heartbeat`],
//!   [`Store::renew_session`]), which are no acts, [`Store::begin_attempt`], because how the attempt ends is one, and
//!   [`Store::sequence`] with its checkpoints, which give the log's own rows their place.
//! - **Nothing is lost to a race.** Writers take the lock when they begin (`BEGIN IMMEDIATE`, `SERIALIZABLE`); a transaction
//!   that loses is repeated up to a limit; a swallowed error cannot commit; every step of a job is a compare-and-set.
//! - **The store calls nobody.** No network, no clock of its own, no `await` on the outside world inside a transaction.
//! - **One place for differences.** Only `dialect.rs` knows which database it is. Ids are text and times are microseconds in
//!   all of them.
//! - Nothing here redacts: texts and details come in without secrets. Personal data of an act stands apart
//!   ([`Act::personal`]), so that it can be erased.
//!
//! # Adding a table
//! 1. A new step under `migrations/`, named `m<next number>_<what>`, in the list of `migrations.rs`. Released steps are never
//!    edited: expand first, contract in a later release.
//! 2. `<noun>.rs` with the public types and functions, `<noun>/rows.rs` with the entity and how a row is read. Lists take a
//!    [`Paging`]; ids are `TextUuid` (text where they
//!    may be empty); columns of time end in `_at_us`; stored enums have `as_str` and `from_stored`.
//! 3. Functions that write take `&Tx<P>`, functions that read take `&Tx<P, M>`; a permission the function needs is a bound,
//!    a permission that a row carries is part of its `WHERE`.
//! 4. A new act is one line in `security::events`.
//! 5. `tests/it/<noun>.rs`, each function in the list of `tests/it/main.rs`: it runs on every database.
//!
//! # What does not compile
//! No witness:
//! ```compile_fail,E0308
//! # async fn f(store: store::Store, actor: security::Actor) -> Result<(), store::StoreError> {
//! store.run_tx(&actor, security::Event::SyncTriggered, async |_| Ok(())).await
//! # }
//! ```
//! A permission that does not include what the function needs:
//! ```compile_fail,E0277
//! # async fn f(store: store::Store, allow: security::Allow<security::permissions::LogsView>) -> Result<(), store::StoreError> {
//! store.run_read(&allow, async |tx| store::sync_runs::list_latest(&tx).await.map(drop)).await
//! # }
//! ```
//! The same with one that does, to show that nothing else is wrong with it:
//! ```
//! # async fn f(store: store::Store, allow: security::Allow<security::permissions::SourceSync>) -> Result<(), store::StoreError> {
//! store.run_read(&allow, async |tx| store::sync_runs::list_latest(&tx).await.map(drop)).await
//! # }
//! ```
//! A change in a transaction that only reads:
//! ```compile_fail,E0308
//! # async fn f(store: store::Store, allow: security::Allow<security::permissions::SourceSync>, id: domain::JobId) -> Result<(), store::StoreError> {
//! store.run_read(&allow, async |tx| store::jobs::start(&tx, id).await.map(drop)).await
//! # }
//! ```
//! A forged witness or transaction:
//! ```compile_fail,E0451
//! # fn f(actor: security::Actor, request: security::RequestId) {
//! security::Allow::<security::permissions::SourceSync> { actor, request, permission: std::marker::PhantomData };
//! # }
//! ```
//! ```compile_fail,E0451
//! # fn f() {
//! store::Tx::<security::permissions::SourceSync> { shared: todo!(), permission: std::marker::PhantomData };
//! # }
//! ```

pub mod api_tokens;
pub mod attempts;
pub mod audit;
pub mod ceremonies;
pub mod device_sign_ins;
mod dialect;
pub mod effects;
pub mod error;
mod file;
pub mod ids;
pub mod jobs;
pub mod linked_logins;
pub mod links;
pub mod location;
mod migrations;
pub mod paging;
pub mod passkeys;
pub mod second_factors;
pub mod sessions;
mod store;
pub mod sync_runs;
pub mod transactions;
pub mod users;
mod ways_in;

pub use error::StoreError;
pub use ids::Ids;
pub use location::DatabaseUrl;
pub use paging::{Listed, Paging};
pub use store::{Process, Store};
pub use transactions::{Act, Mode, Read, Tx, Write};
