//! HTTP over the project's socket: one connection a request, answers that come line by line.

use super::gone;
use crate::errors::Stop;
use app::error::{Error, Kind};
use app::project::Project;
use app::query::ResultColumn;
use app::sync::SyncNews;
use app::told::Told;
use bytes::Bytes;
use domain::say::Retold;
use domain::{Code, say};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper::{Method, Request, Response, StatusCode, header};
use hyper_util::rt::TokioIo;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::time::Duration;

/// Between two looks whether a server listens by now.
const POLL: Duration = Duration::from_millis(100);
/// An answer in one piece; rows come in many.
const ANSWER_BYTES_MAX: usize = 16 << 20;

/// One line of an answer on its way.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Line {
    /// The id of the sync that was started.
    Started(String),
    News(SyncNews),
    Columns(Vec<ResultColumn>),
    Rows(Vec<Map<String, Value>>),
    Text(String),
}

/// The server of a project, as the command line asks it.
#[derive(Clone)]
pub(crate) struct Client {
    project: Project,
}

impl Client {
    pub(crate) const fn new(project: Project) -> Self {
        Self { project }
    }

    /// Returns whether a server listens.
    pub(crate) async fn is_there(&self) -> Result<bool, Stop> {
        Ok(server::connect(&self.project).await?.is_some())
    }

    /// Returns once a server listens.
    pub(super) async fn appears(&self) -> Result<Self, Stop> {
        loop {
            tokio::time::sleep(POLL).await;
            if self.is_there().await? {
                return Ok(self.clone());
            }
        }
    }

    /// Asks for what is told in one last line.
    pub(super) async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Stop> {
        let response = self.send(Method::GET, path, None).await?;
        read(response, |_| Ok(())).await
    }

    pub(super) async fn delete<T: DeserializeOwned>(&self, path: &str) -> Result<T, Stop> {
        let response = self.send(Method::DELETE, path, None).await?;
        read(response, |_| Ok(())).await
    }

    pub(super) async fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T, Stop> {
        self.post_lines(path, body, |_| Ok(())).await
    }

    /// Sends a request and hands every line of its answer to `on_line` as it comes; returns what the last one says.
    pub(crate) async fn post_lines<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
        on_line: impl FnMut(Line) -> Result<(), Stop>,
    ) -> Result<T, Stop> {
        let response = self.send(Method::POST, path, Some(to_bytes(body)?)).await?;
        read(response, on_line).await
    }

    /// Asks for a document.
    pub(crate) async fn get_plain<T: DeserializeOwned>(&self, path: &str) -> Result<T, Stop> {
        document(self.send(Method::GET, path, None).await?).await
    }

    /// Asks for something to be done.
    pub(crate) async fn post_plain<T: DeserializeOwned>(&self, path: &str) -> Result<T, Stop> {
        document(self.send(Method::POST, path, None).await?).await
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<Bytes>,
    ) -> Result<Response<Incoming>, Stop> {
        let stream = server::connect(&self.project).await?;
        let stream = stream.ok_or_else(|| gone("nobody listens any more"))?;
        let (mut sender, connection) =
            http1::handshake(TokioIo::new(stream)).await.map_err(gone)?;
        // Ends with the request that it serves.
        tokio::spawn(connection);
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, "localhost")
            .header(header::CONTENT_TYPE, "application/json")
            .body(Full::new(body.unwrap_or_default()))
            .map_err(|error| Error::bug("a request is none").caused_by(error))?;
        let response = sender.send_request(request).await.map_err(gone)?;
        if response.status().is_success() {
            return Ok(response);
        }
        Err(problem(response).await)
    }
}

fn to_bytes(body: &impl Serialize) -> Result<Bytes, Stop> {
    let bytes = serde_json::to_vec(body);
    let bytes = bytes.map_err(|error| Error::bug("a request is no JSON").caused_by(error))?;
    Ok(bytes.into())
}

async fn whole(response: Response<Incoming>) -> Result<Bytes, Stop> {
    let body = Limited::new(response.into_body(), ANSWER_BYTES_MAX);
    Ok(body.collect().await.map_err(gone)?.to_bytes())
}

async fn document<T: DeserializeOwned>(response: Response<Incoming>) -> Result<T, Stop> {
    serde_json::from_slice(&whole(response).await?).map_err(gone)
}

/// Returns the server's refusal as this command's own error.
async fn problem(response: Response<Incoming>) -> Stop {
    #[derive(Deserialize)]
    struct Problem {
        code: String,
        message: String,
        hint: Option<String>,
    }
    let kind = match response.status() {
        StatusCode::UNAUTHORIZED => Kind::Unauthenticated,
        StatusCode::FORBIDDEN => Kind::Denied,
        StatusCode::NOT_FOUND => Kind::NotFound,
        StatusCode::CONFLICT => Kind::Conflict,
        StatusCode::SERVICE_UNAVAILABLE => Kind::Unavailable,
        status if status.is_server_error() => Kind::Bug,
        _ => Kind::Invalid,
    };
    match document::<Problem>(response).await {
        Ok(told) => {
            let code = Code::parse(&told.code).unwrap_or(Code::Bug);
            let error = Error::new(kind, code, say!("", Retold(&told.message)));
            let hint = told.hint.unwrap_or_default();
            Stop::Failed(error.hint(say!("", Retold(&hint))))
        }
        Err(stop) => stop,
    }
}

/// Reads an answer to its last line, which says how the work ended.
async fn read<T: DeserializeOwned>(
    response: Response<Incoming>,
    mut on_line: impl FnMut(Line) -> Result<(), Stop>,
) -> Result<T, Stop> {
    #[derive(Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Last {
        Done(Value),
        Failed(Told),
    }
    let mut body = response.into_body();
    let mut waiting: Vec<u8> = Vec::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(gone)?.into_data() else {
            continue;
        };
        // Only what came now can end a line.
        let mut looked = waiting.len();
        waiting.extend_from_slice(&data);
        let mut start = 0;
        while let Some(length) = waiting.iter().skip(looked).position(|byte| *byte == b'\n') {
            let end = looked + length;
            let line = waiting.get(start..end).unwrap_or_default();
            match serde_json::from_slice(line) {
                Ok(Last::Done(value)) => return serde_json::from_value(value).map_err(gone),
                Ok(Last::Failed(told)) => return Err(Error::from(told).into()),
                Err(_) => on_line(serde_json::from_slice(line).map_err(gone)?)?,
            }
            (start, looked) = (end + 1, end + 1);
        }
        waiting.drain(..start);
    }
    Err(gone("the last line is missing"))
}
