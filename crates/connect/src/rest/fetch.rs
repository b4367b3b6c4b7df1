//! One request of a source, asked again as often as makes sense: signed, paced, and backed off from.

use super::answer::{self, Verdict};
use super::plan::{Auth, ClientCredentials, Plan, StreamPlan, prefixed};
use super::spec::ErrorRule;
use super::token::{self, TokenCache};
use crate::failure::{Failure, FailureKind};
use crate::http::{self, Answer, Http, Jitter, Request, Signature, Time, host};
use domain::Timestamp;
use domain::limits::RESPONSE_BYTES_MAX;
use domain::say;
use domain::say::Quoted;
use reqwest::header::{ACCEPT, AUTHORIZATION, HeaderValue, RETRY_AFTER};
use security::Redactor;
use std::time::Duration;
use tracing::debug;

/// A server that asks for a longer wait is not waited for.
const RETRY_AFTER_MAX: Duration = Duration::from_mins(5);

/// Asks the API of one source.
pub(super) struct Fetcher {
    http: Http,
    time: Time,
    tokens: TokenCache,
    jitter: Jitter,
    /// Not before then is the next request sent.
    next_at: Timestamp,
    pub(super) redactor: Redactor,
}

impl Fetcher {
    /// Returns a fetcher for `plan`; `seed` decides the jitter.
    pub(super) fn new(
        plan: &Plan,
        egress: &crate::egress::Egress,
        time: Time,
        seed: &str,
        redactor: Redactor,
    ) -> Result<Self, Failure> {
        let http = Http::new(egress, plan.hosts.clone(), plan.timeout, RESPONSE_BYTES_MAX)?;
        Ok(Self {
            http,
            tokens: TokenCache::default(),
            jitter: Jitter::new(seed),
            next_at: time.now(),
            time,
            redactor,
        })
    }

    pub(super) const fn time(&self) -> &Time {
        &self.time
    }

    /// Returns the answer to `request` for `stream`, which `own` signs besides the API's own signature; `None` when a rule says
    /// that there are no records here.
    pub(super) async fn fetch(
        &mut self,
        plan: &Plan,
        stream: &StreamPlan,
        request: &Request,
        own: &Signature,
    ) -> Result<Option<Answer>, Failure> {
        let path = stream.path.trim_start_matches('/');
        let place = format!("{}/{path}", host(&request.url));
        let mut has_new_token = false;
        loop {
            let mut signature = self.sign(plan).await?;
            signature.extend(own);
            let answer = self
                .ask(plan, &stream.errors, &place, request, &signature)
                .await;
            match answer {
                // The API may have revoked the token before its end.
                Err(failure)
                    if failure.kind == FailureKind::Unauthorized
                        && plan.auth.token_url().is_some()
                        && !has_new_token =>
                {
                    has_new_token = true;
                    self.tokens.forget();
                }
                answer => return answer,
            }
        }
    }

    /// Returns what signs the requests of this API.
    async fn sign(&mut self, plan: &Plan) -> Result<Signature, Failure> {
        let mut signature = Signature::default();
        match &plan.auth {
            Auth::None => {}
            Auth::Header(name, value) => signature.header(name.clone(), value),
            Auth::Query(name, value) => signature.param(name, value),
            Auth::ClientCredentials(client) => {
                if self.tokens.find(self.time.now()).is_none() {
                    self.renew(plan, client).await?;
                }
                if let Some(token) = self.tokens.find(self.time.now()) {
                    signature.header(AUTHORIZATION, &prefixed("Bearer ", token));
                }
            }
        }
        for (name, value) in &plan.headers {
            signature.header(name.clone(), value);
        }
        Ok(signature)
    }

    /// Fetches a token, asking as often as for anything else.
    async fn renew(&mut self, plan: &Plan, client: &ClientCredentials) -> Result<(), Failure> {
        let request = token::request(client);
        let place = host(&client.token_url).to_owned();
        // The credentials stand in the body, where the token server expects them.
        let signature = Signature::default();
        let answer = self
            .ask(plan, &[], &place, &request, &signature)
            .await
            .map_err(token::refused)?;
        let (token, lifetime_seconds) = token::read(client, answer.as_ref())?;
        self.redactor.learn(&token);
        self.tokens.keep(token, self.time.now(), lifetime_seconds);
        Ok(())
    }

    /// Asks until there is an answer that is none of passing failure.
    async fn ask(
        &mut self,
        plan: &Plan,
        rules: &[ErrorRule],
        place: &str,
        request: &Request,
        signature: &Signature,
    ) -> Result<Option<Answer>, Failure> {
        let mut retry = 0;
        loop {
            let failure = match self.once(plan, request, signature).await {
                Ok(answer) => match answer::judge(rules, &answer) {
                    Verdict::Take => return Ok(Some(answer)),
                    Verdict::Skip => return Ok(None),
                    verdict => {
                        let failure = answer::failure(rules, &answer, place, &self.redactor);
                        if verdict == Verdict::Fail || retry >= plan.retries_max {
                            return Err(failure);
                        }
                        self.wait(&answer, place, retry).await?;
                        failure
                    }
                },
                Err(failure) => {
                    if failure.kind != FailureKind::Unreachable || retry >= plan.retries_max {
                        return Err(failure);
                    }
                    self.http.forget_addresses();
                    self.time
                        .sleep(http::backoff(retry, &mut self.jitter))
                        .await;
                    failure
                }
            };
            retry += 1;
            debug!(retry, place, "asking again: {failure}");
        }
    }

    async fn once(
        &mut self,
        plan: &Plan,
        request: &Request,
        signature: &Signature,
    ) -> Result<Answer, Failure> {
        self.pace(plan.interval).await;
        let mut request = request.clone();
        request
            .headers
            .entry(ACCEPT)
            .or_insert(HeaderValue::from_static("application/json"));
        self.http.send(request, signature).await
    }

    /// Waits for this request's turn. A clock that was set back must not make it wait longer than one interval.
    async fn pace(&mut self, interval: Duration) {
        let now = self.time.now();
        let wait = u64::try_from(self.next_at.micros_since(now)).unwrap_or(0);
        let wait = Duration::from_micros(wait).min(interval);
        self.time.sleep(wait).await;
        let taken = i64::try_from((wait + interval).as_micros()).unwrap_or(i64::MAX);
        self.next_at = Timestamp::from_micros(now.as_micros().saturating_add(taken));
    }

    /// Waits as long as the server asks, or backs off.
    async fn wait(&mut self, answer: &Answer, place: &str, retry: u32) -> Result<(), Failure> {
        let asked = answer
            .headers
            .get(RETRY_AFTER)
            .and_then(|value| value.to_str().ok());
        let asked = asked.and_then(|value| http::retry_after(value, self.time.now()));
        if let Some(wait) = asked.filter(|wait| *wait > RETRY_AFTER_MAX) {
            return Err(Failure::new(
                FailureKind::RateLimited,
                say!("", name Quoted(place), " asks to come back only in ", wait.as_secs(), " seconds"),
            )
            .hint("sync again then; a lower `rate_limit` keeps below the API's limit"));
        }
        let wait = asked.unwrap_or_else(|| http::backoff(retry, &mut self.jitter));
        self.time.sleep(wait).await;
        Ok(())
    }
}
