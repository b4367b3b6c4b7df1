//! The declarative REST engine: an API is described by data (`spec`), filled in and checked (`plan`), and read page by
//! page (`walk`, `read`).
//!
//! What it guarantees: records are delivered at least once and, with `merge` and a primary key, end up once; pages that never
//! end, answers beyond the limits and links to other hosts are failures, never silence.

mod answer;
mod deliver;
mod embedded;
mod fetch;
mod incremental;
mod json;
mod overrides;
mod paginate;
mod parents;
mod plan;
mod read;
mod select;
pub(crate) mod spec;
mod template;
mod token;
mod values;
mod walk;

#[cfg(test)]
pub(crate) mod tests;

use crate::catalog::Connector;
use crate::credentials::Credentials;
use crate::egress::Egress;
use crate::failure::{Failure, FailureKind};
use crate::http::{Time, host};
use crate::page::{Page, Start, Stream};
use domain::say::Quoted;
use domain::{SourceName, say};
use fetch::Fetcher;
use plan::{Overrides, Plan, StreamPlan};
use security::Redactor;
use serde_json::{Map, Value};
use spec::Api;
use tokio::sync::mpsc::Sender;
use values::Values;

/// A REST source.
pub struct Rest {
    source: SourceName,
    plan: Plan,
    fetcher: Fetcher,
}

impl Rest {
    /// Reads the source's description; nothing is sent yet.
    pub fn open(
        connector: &Connector,
        name: &SourceName,
        block: &Value,
        credentials: &Credentials,
        egress: &Egress,
        time: Time,
    ) -> Result<Self, Failure> {
        let mut plan = plan(connector, name, block, credentials)?;
        plan.allow_plain(egress);
        let redactor = Redactor::new();
        let secrets = connector.fields.iter().filter(|field| field.secret);
        secrets
            .filter_map(|field| credentials.secret(&field.name))
            .for_each(|secret| redactor.learn(secret));
        let fetcher = Fetcher::new(&plan, egress, time, name.as_str(), redactor)?;
        Ok(Self {
            source: name.clone(),
            plan,
            fetcher,
        })
    }

    /// Asks for one page and returns what answered, in one line.
    pub async fn test(&mut self) -> Result<String, Failure> {
        let Self {
            plan,
            fetcher,
            source,
        } = self;
        let stream = test_stream(plan, source)?;
        let records = read::first_page(plan, fetcher, stream).await?.len();
        let host = host(&plan.base);
        Ok(format!(
            "{host} answered: {} has {records} records on its first page",
            stream.name
        ))
    }

    /// Returns the streams that the source reads.
    pub fn streams(&self) -> Vec<Stream> {
        let stream = |stream: &StreamPlan| Stream {
            name: stream.name.clone(),
            origin: stream.path.clone(),
            disposition: stream.disposition,
            primary_key: stream.primary_key.clone(),
            cursor: stream
                .incremental
                .as_ref()
                .map(|incremental| incremental.column.clone()),
            resumable: stream.is_resumable,
            rows_estimated: None,
            schema: None,
        };
        self.plan
            .streams
            .iter()
            .filter(|stream| stream.is_chosen)
            .map(stream)
            .collect()
    }

    /// Reads `stream` and hands its pages on.
    pub async fn read(
        &mut self,
        stream: &Stream,
        start: &Start,
        pages: Sender<Page>,
    ) -> Result<(), Failure> {
        let plan = self.plan.stream(&stream.name).ok_or_else(|| {
            Failure::new(
                FailureKind::Missing,
                say!("source ", name self.source, " has no stream ", name Quoted(&stream.name)),
            )
        })?;
        let schema = self.source.schema();
        read::read(&self.plan, &mut self.fetcher, plan, &schema, start, pages).await
    }
}

/// Returns the stream that is asked for a test: the one the description names, or the first that needs no parent.
fn test_stream<'a>(plan: &'a Plan, source: &SourceName) -> Result<&'a StreamPlan, Failure> {
    let mut candidates: Vec<_> = plan
        .streams
        .iter()
        .filter(|stream| stream.parent.is_none())
        .collect();
    candidates.sort_by_key(|stream| {
        (
            Some(&stream.path) != plan.test_path.as_ref(),
            !stream.is_chosen,
        )
    });
    candidates.first().copied().ok_or_else(|| {
        Failure::new(
            FailureKind::ConfigInvalid,
            say!(
                "source ",
                name source,
                " has no endpoint that can be read without a parent"
            ),
        )
    })
}

/// Returns what a source's block says, without sending anything or asking for a credential it does not have.
fn plan(
    connector: &Connector,
    name: &SourceName,
    block: &Value,
    credentials: &Credentials,
) -> Result<Plan, Failure> {
    let place = say!("source ", name name);
    let empty = Map::new();
    let entries = block.as_object().unwrap_or(&empty);
    let values = Values::Source {
        name,
        fields: &connector.fields,
        block: entries,
        credentials,
    };
    let own_url = || credentials.get("base_url").map(str::to_owned);
    if let Some(api) = &connector.api {
        let mut overrides = overrides::read(name, connector, block)?;
        overrides.base_url = overrides.base_url.or_else(own_url);
        return Plan::new(api, &overrides, &values, &place, Some(&connector.hosts));
    }
    let mut api = spec::rest_block(name, block)?;
    api.base_url = api.base_url.or_else(own_url);
    Plan::new(&api, &Overrides::default(), &values, &place, None)
}

/// Checks the description in a connector file and returns its tables.
pub(crate) fn check_file(file: &str, api: &Api) -> Result<Vec<String>, Failure> {
    let place = say!("", name Quoted(file));
    if api.hosts.is_empty() {
        return Err(Failure::new(
            FailureKind::ConfigInvalid,
            say!(
                "",
                place,
                ": `hosts` is missing: the hosts that the credentials may go to"
            ),
        ));
    }
    let values = Values::Declared {
        fields: &api.fields,
    };
    let plan = Plan::new(
        api,
        &Overrides::default(),
        &values,
        &place,
        Some(&api.hosts),
    )?;
    Ok(plan.streams.into_iter().map(|stream| stream.name).collect())
}

/// Checks a REST source's block without its credentials: what `config validate` can know.
pub(crate) fn check_block(
    connector: &Connector,
    name: &SourceName,
    block: &Value,
) -> Result<(), Failure> {
    match plan(connector, name, block, &Credentials::new()) {
        Err(failure) if failure.kind == FailureKind::CredentialMissing => Ok(()),
        other => other.map(|_| ()),
    }
}
