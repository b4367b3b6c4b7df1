//! A provider on loopback: GitHub's API and an `OpenID` provider in one. `connect`'s own tests are stricter with both.

use axum::body::Bytes;
use data_encoding::BASE64URL_NOPAD;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use tokio::net::TcpListener;
use url::Url;

/// The moment at which the tests' clock stands.
pub(super) const NOW: u64 = 1_800_000_000;
pub(super) const SECRET: &str = "a client's secret, at least 32 bytes long";

/// The key that `connect`'s tests were given.
const EC: &[u8] = include_bytes!("../../../../connect/src/identity_providers/tests/keys/ec.der");
const EC_X: &str = "g3Rbze7Zrwqxs3I85f0rPY56TVJliEoH5X32dqbaEQ8";
const EC_Y: &str = "5wkSMkCXXFpx8ox3cCDcviPsz2VrK3E-t23w2lrCLow";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    Right,
    Unverified,
    ForgedToken,
    Broken,
}

#[derive(Default)]
struct Given {
    /// The nonce that each code was given for.
    codes: BTreeMap<String, Option<String>>,
    exchanges: usize,
    /// Whoever signs in there next.
    person: u32,
}

pub(crate) struct Provider {
    address: SocketAddr,
    given: Arc<Mutex<Given>>,
}

impl Provider {
    pub(crate) async fn start(way: Way) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let given = Arc::new(Mutex::new(Given::default()));
        let shared = Arc::clone(&given);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let shared = Arc::clone(&shared);
                tokio::spawn(async move {
                    let service = service_fn(|request| answer(way, address, &shared, request));
                    let _ = http1::Builder::new()
                        .serve_connection(TokioIo::new(stream), service)
                        .await;
                });
            }
        });
        Self { address, given }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Returns how often a code was exchanged.
    pub(super) fn exchanges(&self) -> usize {
        self.given.lock().expect("not poisoned").exchanges
    }

    /// From now on another Ada signs in here.
    pub(crate) fn somebody_else(&self) {
        self.given.lock().expect("not poisoned").person += 1;
    }

    /// Signs Ada in who was sent here; returns the query with which she goes back.
    pub(super) fn visit(&self, url: &str) -> String {
        let url = Url::parse(url).expect("a URL");
        assert!(url.as_str().starts_with(&self.url()), "{url}");
        let asked: BTreeMap<_, _> = url.query_pairs().into_owned().collect();
        assert_eq!(asked["code_challenge_method"], "S256");
        let codes = &mut self.given.lock().expect("not poisoned").codes;
        let code = format!("code-{}", codes.len());
        codes.insert(code.clone(), asked.get("nonce").cloned());
        format!("state={}&code={code}", asked["state"])
    }
}

async fn answer(
    way: Way,
    address: SocketAddr,
    given: &Mutex<Given>,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let path = request.uri().path().to_owned();
    let form = request.into_body().collect().await.expect("a body");
    let form = form.to_bytes();
    let mut form = url::form_urlencoded::parse(&form);
    let code = form.find(|(name, _)| name == "code");
    let code = code.map_or(String::new(), |(_, code)| code.into_owned());
    let here = format!("http://{address}");
    let body = match path.as_str() {
        "/.well-known/openid-configuration" => json!({
            "issuer": here, "authorization_endpoint": format!("{here}/authorize"),
            "token_endpoint": format!("{here}/token"), "jwks_uri": format!("{here}/keys"),
            "response_types_supported": ["code"], "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["ES256"],
        }),
        "/keys" => json!({"keys": [{
            "kty": "EC", "use": "sig", "kid": "ec", "alg": "ES256", "crv": "P-256", "x": EC_X, "y": EC_Y,
        }]}),
        "/token" | "/login/oauth/access_token" if way == Way::Broken => json!("nonsense"),
        "/token" | "/login/oauth/access_token" => {
            let mut given = given.lock().expect("not poisoned");
            given.exchanges += 1;
            let nonce = given.codes.remove(&code).flatten();
            json!({
                "access_token": "an-access-token", "token_type": "Bearer", "expires_in": 3600,
                "id_token": token(way, &here, nonce.as_deref()),
            })
        }
        "/api/v3/user" => {
            let person = given.lock().expect("not poisoned").person;
            json!({"id": 583_231 + person, "login": "ada"})
        }
        _ => {
            json!([{"email": "Ada@example.com", "primary": true, "verified": way != Way::Unverified}])
        }
    };
    let response = Response::builder().header("content-type", "application/json");
    let body = Full::new(Bytes::from(body.to_string()));
    Ok(response.body(body).expect("a response"))
}

fn token(way: Way, here: &str, nonce: Option<&str>) -> String {
    let claims = json!({
        "iss": here, "sub": "subject-117", "aud": "dango", "iat": NOW, "exp": NOW + 300,
        "nonce": nonce, "email": "Ada@example.com", "email_verified": way != Way::Unverified,
    });
    if way == Way::ForgedToken {
        let part = |value: &Value| BASE64URL_NOPAD.encode(value.to_string().as_bytes());
        return format!("{}.{}.", part(&json!({"alg": "none"})), part(&claims));
    }
    let mut header = Header::new(Algorithm::ES256);
    header.kid = Some("ec".to_owned());
    encode(&header, &claims, &EncodingKey::from_ec_der(EC)).expect("it signs")
}
