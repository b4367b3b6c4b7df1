//! Walking through the pages of one endpoint.

mod request;

use super::fetch::Fetcher;
use super::json;
use super::paginate::{self, Seen, Step};
use super::plan::{Plan, StreamPlan};
use super::select;
use super::spec::PaginatorKind;
use crate::failure::{Failure, FailureKind};
use crate::http::{Answer, host};
use domain::say;
use domain::say::Quoted;
use serde_json::Value;
use std::collections::{BTreeMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use url::Url;

/// What a walk is for.
pub(super) struct Route<'a> {
    pub(super) plan: &'a Plan,
    pub(super) stream: &'a StreamPlan,
    /// The parent's fields, for a child stream.
    pub(super) parent: Option<&'a BTreeMap<String, Value>>,
    /// Parameters of this sync: where to start and end.
    pub(super) bounds: Vec<(String, String)>,
    /// The URL of a list inside a record, which is walked instead of the endpoint.
    pub(super) list: Option<&'a str>,
}

/// The pages of one endpoint, one after the other.
pub(super) struct Walk<'a> {
    route: Route<'a>,
    step: Option<Step>,
    /// Steps that were taken, as hashes: coming back to one would never end.
    taken: HashSet<u64>,
    /// The hash of the last page's records.
    previous: Option<u64>,
    pages: u64,
    warnings: Vec<String>,
}

/// A page.
pub(super) struct Records {
    pub(super) records: Vec<Value>,
    pub(super) bytes: u64,
}

impl<'a> Walk<'a> {
    /// Returns a walk from `step`, or from the first page.
    pub(super) fn new(route: Route<'a>, step: Option<Step>) -> Self {
        let step = step.unwrap_or_else(|| paginate::first(&route.stream.paginator));
        Self {
            route,
            step: Some(step),
            taken: HashSet::new(),
            previous: None,
            pages: 0,
            warnings: Vec::new(),
        }
    }

    /// Returns how the next page will be asked for, `None` at the end.
    pub(super) const fn position(&self) -> Option<&Step> {
        self.step.as_ref()
    }

    pub(super) fn take_warnings(&mut self) -> Vec<String> {
        std::mem::take(&mut self.warnings)
    }

    /// Returns the next page, `None` at the end.
    pub(super) async fn next(&mut self, fetcher: &mut Fetcher) -> Result<Option<Records>, Failure> {
        let Some(step) = self.step.take() else {
            return Ok(None);
        };
        let is_guess = paginate::is_guess(&self.route.stream.paginator, &step);
        let page = self.page(fetcher, step).await;
        if is_guess && is_nothing(&page) {
            return self.page(fetcher, Step::Page(1)).await;
        }
        page
    }

    /// Asks for the page of `step` and remembers the step after it.
    async fn page(
        &mut self,
        fetcher: &mut Fetcher,
        step: Step,
    ) -> Result<Option<Records>, Failure> {
        self.count(&step)?;
        let (request, signature) = self.route.request(&step)?;
        let (plan, stream) = (self.route.plan, self.route.stream);
        let Some(answer) = fetcher.fetch(plan, stream, &request, &signature).await? else {
            return Ok(None);
        };
        let bytes = answer.body.len() as u64;
        let parsed = json::parse(&answer.body, &self.place(&answer.url))?;
        let mut body = parsed.value;
        if parsed.mended {
            self.warnings.push(format!(
                "stream {}: a text had half of a character; it is kept as its escape",
                stream.name
            ));
        }
        let mut records = self.take_records(&mut body, &answer)?;
        let seen = Seen {
            body: &body,
            records: &records,
            headers: &answer.headers,
            url: &answer.url,
        };
        let mut next = paginate::next(&stream.paginator, &step, &seen).map_err(|failure| {
            let say = say!("stream ", name Quoted(&stream.name), ": ", failure.say);
            Failure { say, ..failure }
        })?;
        if self.repeats(&step, &records)? {
            records.clear();
        }
        if let Some(Step::Url(url)) = &mut next {
            self.strip_secrets(url);
        }
        self.suspect_more(next.as_ref(), records.len());
        self.step = next;
        Ok(Some(Records { records, bytes }))
    }

    /// Counts a request; a step that was taken before would never end.
    fn count(&mut self, step: &Step) -> Result<(), Failure> {
        self.pages += 1;
        if !self.taken.insert(hash(step)) {
            return Err(self.endless("the next page is one that was read already"));
        }
        if self.pages > self.route.plan.pages_max {
            return Err(Failure::new(
                FailureKind::Protocol,
                say!(
                    "stream ", name Quoted(&self.route.stream.name), " has more than ",
                    self.route.plan.pages_max, " pages"
                ),
            )
            .hint("ask for larger pages, or raise `pages_max`"));
        }
        Ok(())
    }

    fn take_records(&mut self, body: &mut Value, answer: &Answer) -> Result<Vec<Value>, Failure> {
        if body.is_null() {
            return Ok(Vec::new());
        }
        let stream = self.route.stream;
        let selector = match stream.selector.get() {
            Some(selector) => selector.clone(),
            None => select::detect(body, &stream.primary_key),
        };
        let taken = selector.take(body).ok_or_else(|| {
            Failure::new(
                FailureKind::Protocol,
                say!(
                    "the answer of ", name Quoted(&self.place(&answer.url)), " has no ",
                    name Quoted(&selector.keys().join(".")), ", where its records should be"
                ),
            )
            .hint("set the endpoint's `data_selector` to where the list of records is")
        })?;
        if !taken.is_empty() {
            // Found once, it is known for the other pages and the other parents; described or found before, it stays.
            let _ = stream.selector.set(selector);
        }
        Ok(taken)
    }

    /// Returns whether the page says the same as the one before and is to be left out; fails when that would go on forever.
    fn repeats(&mut self, step: &Step, records: &[Value]) -> Result<bool, Failure> {
        let own = (!records.is_empty()).then(|| hash(records));
        let previous = std::mem::replace(&mut self.previous, own);
        if own.is_none() || own != previous {
            return Ok(false);
        }
        let paginator = &self.route.stream.paginator;
        match step {
            // The API counts from 1 and took page 0 for page 1.
            Step::Page(1) if paginate::is_guess(paginator, &Step::Page(0)) => Ok(true),
            _ => Err(self.endless("two pages in a row have the same records")),
        }
    }

    fn endless(&self, reason: &'static str) -> Failure {
        Failure::new(
            FailureKind::Protocol,
            say!("the pages of stream ", name Quoted(&self.route.stream.name), " never end: ").text(reason),
        )
        .hint("set the endpoint's `paginator` to how this API pages, or tell its end with `total_path` or `has_more_path`")
    }

    /// A next link may repeat the secrets that sign a request; they must not get into a resume key.
    fn strip_secrets(&self, link: &mut String) {
        let Ok(mut url) = Url::parse(link) else {
            return;
        };
        let params = self.route.stream.params.iter();
        let own = params.filter(|param| param.is_secret);
        let names = own.map(|param| param.name.as_str());
        names
            .chain(self.route.plan.auth.secret_param())
            .for_each(|name| request::remove_param(&mut url, name));
        *link = url.into();
    }

    /// A single page that is exactly as long as pages often are is probably not all there is.
    fn suspect_more(&mut self, next: Option<&Step>, records: usize) {
        let stream = self.route.stream;
        let limit = stream.params.iter().find(|param| {
            [
                "limit",
                "per_page",
                "page_size",
                "pageSize",
                "size",
                "count",
            ]
            .contains(&param.name.as_str())
        });
        let is_full = limit.map_or(
            [10, 20, 25, 50, 100, 200, 250, 500, 1000].contains(&records),
            |limit| limit.value.expose().parse() == Ok(records),
        );
        if self.pages == 1
            && next.is_none()
            && is_full
            && stream.paginator.kind == PaginatorKind::Auto
            && self.route.parent.is_none()
        {
            self.warnings.push(format!(
                "stream {}: one page with {records} records and no sign of a next one; if there are more, set its \
                 `paginator` (`single_page` if not)",
                stream.name
            ));
        }
    }

    fn place(&self, url: &Url) -> String {
        let path = &self.route.stream.path;
        format!("{}/{}", host(url), path.trim_start_matches('/'))
    }
}

fn hash(what: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    what.hash(&mut hasher);
    hasher.finish()
}

/// Returns whether the API refused a page or has nothing there.
fn is_nothing(page: &Result<Option<Records>, Failure>) -> bool {
    match page {
        Ok(page) => page.as_ref().is_none_or(|page| page.records.is_empty()),
        Err(failure) => matches!(
            failure.kind,
            FailureKind::Failed | FailureKind::Missing | FailureKind::ConfigInvalid
        ),
    }
}
