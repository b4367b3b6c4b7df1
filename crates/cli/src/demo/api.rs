//! The shop's HTTP API, served on the loopback address while the demo runs: `GET /reviews?page=N&per_page=M`, a JSON array,
//! the next page in a `Link` header (RFC 8288), a bearer token.

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, LINK};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use std::convert::Infallible;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

/// The token the demo stores with `dango secrets set`; it opens nothing but this API.
pub(crate) const TOKEN: &str = "demo_shop_token_2026";
/// One sync needs one connection.
const CONNECTIONS_MAX: usize = 16;
const PAGE_ROWS_DEFAULT: usize = 100;
const PAGE_ROWS_MAX: usize = 500;

/// The running API; it ends when this is dropped.
pub(crate) struct Api {
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl Api {
    /// Serves `reviews` on a free port of the loopback address.
    pub(crate) async fn start(reviews: Vec<Value>) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let shop = Arc::new(Served {
            reviews,
            base: format!("http://{address}"),
        });
        Ok(Self {
            address,
            task: tokio::spawn(serve(listener, shop)),
        })
    }

    /// Returns the URL the API answers at.
    pub(crate) fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for Api {
    fn drop(&mut self) {
        self.task.abort();
    }
}

struct Served {
    reviews: Vec<Value>,
    base: String,
}

async fn serve(listener: TcpListener, shop: Arc<Served>) {
    let free = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    while let Ok((stream, _)) = listener.accept().await {
        let Ok(place) = Arc::clone(&free).acquire_owned().await else {
            return;
        };
        let shop = Arc::clone(&shop);
        tokio::spawn(async move {
            let answer = service_fn(move |request| {
                let response = shop.answer(&request);
                async move { Ok::<_, Infallible>(response) }
            });
            // A client that hangs up early is no failure of the server.
            let _ = http1::Builder::new()
                .serve_connection(TokioIo::new(stream), answer)
                .await;
            drop(place);
        });
    }
}

impl Served {
    fn answer(&self, request: &Request<Incoming>) -> Response<Full<Bytes>> {
        let token = request
            .headers()
            .get(AUTHORIZATION)
            .and_then(|value| value.to_str().ok());
        if token.and_then(|value| value.strip_prefix("Bearer ")) != Some(TOKEN) {
            return json_response(
                StatusCode::UNAUTHORIZED,
                &json!({"error": "wrong token"}),
                None,
            );
        }
        if request.uri().path() != "/reviews" {
            return json_response(
                StatusCode::NOT_FOUND,
                &json!({"error": "no such path"}),
                None,
            );
        }
        let query = request.uri().query().unwrap_or_default();
        let page = parameter(query, "page").unwrap_or(1).max(1);
        let size = parameter(query, "per_page")
            .unwrap_or(PAGE_ROWS_DEFAULT)
            .clamp(1, PAGE_ROWS_MAX);
        let start = (page - 1).saturating_mul(size);
        let rows: Vec<_> = self
            .reviews
            .iter()
            .skip(start)
            .take(size)
            .cloned()
            .collect();
        let has_more = start.saturating_add(size) < self.reviews.len();
        let next = has_more.then(|| {
            format!(
                "<{}/reviews?page={}&per_page={size}>; rel=\"next\"",
                self.base,
                page + 1
            )
        });
        json_response(StatusCode::OK, &Value::Array(rows), next)
    }
}

fn parameter(query: &str, name: &str) -> Option<usize> {
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    pairs
        .filter(|(key, _)| *key == name)
        .find_map(|(_, value)| value.parse().ok())
}

fn json_response(status: StatusCode, body: &Value, link: Option<String>) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(body.to_string())));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(
        CONTENT_TYPE,
        hyper::header::HeaderValue::from_static("application/json"),
    );
    if let Some(link) = link.and_then(|link| link.parse().ok()) {
        headers.insert(LINK, link);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpStream;

    async fn get(api: &Api, path: &str, token: &str) -> String {
        let mut stream = TcpStream::connect(api.address).await.expect("it listens");
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).await.expect("sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.expect("UTF-8");
        answer
    }

    #[tokio::test]
    async fn pages_follow_the_link_header_to_the_last() {
        let api = Api::start((1..=5).map(|id| json!({"id": id})).collect())
            .await
            .expect("a free port");
        let first = get(&api, "/reviews?per_page=2", TOKEN).await;
        assert!(
            first.contains(&format!(
                "link: <{}/reviews?page=2&per_page=2>; rel=\"next\"",
                api.base_url()
            )),
            "{first}"
        );
        assert!(first.ends_with(r#"[{"id":1},{"id":2}]"#), "{first}");
        let last = get(&api, "/reviews?page=3&per_page=2", TOKEN).await;
        assert!(
            last.ends_with(r#"[{"id":5}]"#) && !last.contains("link:"),
            "{last}"
        );
        assert!(
            get(&api, "/reviews", "wrong")
                .await
                .starts_with("HTTP/1.1 401")
        );
        assert!(get(&api, "/", TOKEN).await.starts_with("HTTP/1.1 404"));
    }
}
