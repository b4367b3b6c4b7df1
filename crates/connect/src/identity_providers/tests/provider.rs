//! The provider: it signs with real keys, and checks our half of the protocol.

use super::{CLIENT, NOW_SECONDS, SECRET, redirect};
use crate::identity_providers::Endpoints;
use crate::rest::tests::server::{Reply, Request, Server};
use data_encoding::{BASE64, BASE64URL_NOPAD};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use url::{Url, form_urlencoded};

/// Made for these tests: `openssl genrsa 2048`, `openssl genpkey -algorithm EC` on P-256.
const RSA: &[u8] = include_bytes!("keys/rsa.der");
const EC: &[u8] = include_bytes!("keys/ec.der");
const RSA_N: &str = "oUTdwyLTJLzjS3qSOCsntiYlPc684-nUbkEUXRdLTMEW6K3dTuXEb_ZwjrHYQIBnp3ygxRfshZy2yzjM3B4UI6w4uyYph5v3EpPbxkGCKTadxpNPhQghJL-r6TG0MpOsLmfEDjE7sL1wkn3h-vSCD-Itldiz_KArfUouhEDq8UtetPUfbnboaU5VssiWAjLTBhwrkqSm448LanE0s9uewaEERaDKUTy7H_9RYamjbvFSjvWoikQ8jGjO5eGm860GiUIVJZJP2dl6TsoMRp0Osj3-oug3tAA1dofDpTezRW_FwicaQJAUjTYy6y3qUK9oZy7K2Ze6xCFVKKdp7iueVw";
const EC_X: &str = "g3Rbze7Zrwqxs3I85f0rPY56TVJliEoH5X32dqbaEQ8";
const EC_Y: &str = "5wkSMkCXXFpx8ox3cCDcviPsz2VrK3E-t23w2lrCLow";

/// How the provider behaves: right, or wrong in one way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Way {
    Rsa,
    Ec,
    /// It takes the client's secret in the body alone.
    Post,
    TextualBooleans,
    NamesIssuer,
    UnverifiedEmail,
    SilentEmail,
    NoEmail,
    WrongAudience,
    FurtherAudience,
    OtherParty,
    WrongIssuer,
    WrongNonce,
    NoNonce,
    Expired,
    FromTheFuture,
    AlgorithmNone,
    SignedWithPublicKey,
    SignedWithClientSecret,
    OtherKey,
    Tampered,
    KeyInHeader,
    NoToken,
    EmptySubject,
    UnknownClient,
    Huge,
    Redirects(String),
    DescribesAnother,
    TokensAt(&'static str),
    Github,
    GithubUnverified,
    GithubRefuses,
    GithubBroken,
    GithubDown,
}

/// The authorization that was given: what the token request must fit.
#[derive(Default)]
struct Given {
    nonce: Option<String>,
    challenge: String,
    is_open: bool,
}

pub(super) struct Provider {
    server: Server,
    way: Way,
    given: Arc<Mutex<Given>>,
}

impl Provider {
    pub(super) async fn start(way: Way) -> Self {
        let given = Arc::new(Mutex::new(Given::default()));
        let (behaviour, open) = (way.clone(), Arc::clone(&given));
        let server = Server::start(move |request| answer(&behaviour, &open, request)).await;
        Self { server, way, given }
    }

    pub(super) fn issuer(&self) -> String {
        self.server.url().trim_end_matches('/').to_owned()
    }

    pub(super) fn endpoints(&self) -> Endpoints {
        match self.way {
            Way::Github
            | Way::GithubUnverified
            | Way::GithubRefuses
            | Way::GithubBroken
            | Way::GithubDown => Endpoints::Github {
                site: self.server.url(),
                api: format!("{}/api/v3/", self.issuer()),
            },
            _ => Endpoints::Oidc {
                issuer: self.issuer(),
            },
        }
    }

    /// Returns how often it was asked something.
    pub(super) fn asked(&self) -> usize {
        self.server.seen().len()
    }

    /// Signs somebody in who was sent here, and returns the query with which he goes back.
    pub(super) fn visit(&self, url: &Url) -> String {
        let asked: BTreeMap<_, _> = url.query_pairs().into_owned().collect();
        assert_eq!(asked["client_id"], CLIENT);
        assert_eq!(asked["redirect_uri"], redirect().as_str());
        assert_eq!(asked["code_challenge_method"], "S256");
        let mut given = self.given.lock().expect("not poisoned");
        *given = Given {
            nonce: asked.get("nonce").cloned(),
            challenge: asked["code_challenge"].clone(),
            is_open: true,
        };
        let mut back = form_urlencoded::Serializer::new(String::new());
        back.append_pair("state", &asked["state"])
            .append_pair("code", "the-code");
        if self.way == Way::NamesIssuer {
            back.append_pair("iss", &self.issuer());
        }
        back.finish()
    }
}

fn answer(way: &Way, given: &Mutex<Given>, request: &Request) -> Reply {
    let here = format!("http://{}", request.header("host").expect("a host"));
    match request.path.as_str() {
        "/.well-known/openid-configuration" => match way {
            Way::Huge => Reply::json(&json!({"issuer": "x".repeat(1 << 20)})),
            Way::Redirects(to) => Reply::status(302, "").header("location", to.clone()),
            _ => Reply::json(&description(way, &here)).header("content-type", "application/json"),
        },
        "/keys" => Reply::json(&json!({"keys": keys()})).header("content-type", "application/json"),
        "/token" | "/login/oauth/access_token" => {
            tokens(way, given, &here, request).header("content-type", "application/json")
        }
        "/api/v3/user" => person(way, request),
        "/api/v3/user/emails" => Reply::json(&json!([
            {"email": "ada@home.example", "primary": false, "verified": true},
            {"email": "Ada@example.com", "primary": true, "verified": *way == Way::Github},
        ])),
        other => Reply::status(404, other),
    }
}

fn description(way: &Way, here: &str) -> Value {
    let token_endpoint = match way {
        Way::TokensAt(place) => (*place).to_owned(),
        _ => format!("{here}/token"),
    };
    let issuer = match way {
        Way::DescribesAnother => "https://another.example",
        _ => here,
    };
    let method = match way {
        Way::Post => "client_secret_post",
        _ => "client_secret_basic",
    };
    json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{here}/authorize"),
        "token_endpoint": token_endpoint,
        "jwks_uri": format!("{here}/keys"),
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        // What it claims to sign with changes nothing: the list of what we take is ours.
        "id_token_signing_alg_values_supported": ["RS256", "ES256", "HS256", "none"],
        "token_endpoint_auth_methods_supported": [method],
        "authorization_response_iss_parameter_supported": *way == Way::NamesIssuer,
    })
}

fn keys() -> Value {
    json!([
        {"kty": "RSA", "use": "sig", "kid": "rsa", "alg": "RS256", "n": RSA_N, "e": "AQAB"},
        {"kty": "EC", "use": "sig", "kid": "ec", "alg": "ES256", "crv": "P-256", "x": EC_X, "y": EC_Y},
        {"kty": "something new", "kid": "new"},
    ])
}

fn refuse(error: &str) -> Reply {
    Reply::status(
        400,
        json!({"error": error, "error_description": "the-code"}).to_string(),
    )
}

/// Gives a token for the code, if all of our half is right.
fn tokens(way: &Way, given: &Mutex<Given>, here: &str, request: &Request) -> Reply {
    let form: BTreeMap<String, String> = form_urlencoded::parse(request.body.as_bytes())
        .into_owned()
        .collect();
    let is_github = request.path.starts_with("/login");
    if *way == Way::UnknownClient {
        return refuse("invalid_client");
    }
    let in_body = *way == Way::Post || is_github;
    if !is_client(in_body, request, &form) {
        return refuse("invalid_client");
    }
    let mut given = given.lock().expect("not poisoned");
    let verifier = form.get("code_verifier").map_or("", String::as_str);
    let challenge = BASE64URL_NOPAD.encode(&Sha256::digest(verifier.as_bytes()));
    let is_right = given.is_open
        && challenge == given.challenge
        && form.get("code").is_some_and(|code| code == "the-code")
        && form
            .get("redirect_uri")
            .is_some_and(|uri| *uri == redirect().as_str());
    if !is_right {
        return refuse("invalid_grant");
    }
    given.is_open = false;
    match way {
        Way::GithubRefuses => Reply::json(&json!({"error": "bad_verification_code"})),
        Way::GithubBroken => Reply::status(200, "<html>an-access-token"),
        _ if is_github => {
            Reply::json(&json!({"access_token": "an-access-token", "token_type": "bearer"}))
        }
        Way::NoToken => {
            Reply::json(&json!({"access_token": "an-access-token", "token_type": "Bearer"}))
        }
        _ => Reply::json(&json!({
            "access_token": "an-access-token",
            "token_type": "Bearer",
            "expires_in": 3600,
            "id_token": token(way, here, given.nonce.as_deref()),
        })),
    }
}

fn is_client(in_body: bool, request: &Request, form: &BTreeMap<String, String>) -> bool {
    if in_body {
        let says = |name: &str, value: &str| form.get(name).is_some_and(|said| said == value);
        return says("client_id", CLIENT) && says("client_secret", SECRET);
    }
    // RFC 6749 §2.3.1: both are encoded as forms are, before they are joined.
    let encoded = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let joined = format!("{}:{}", encoded(CLIENT), encoded(SECRET));
    let expect = format!("Basic {}", BASE64.encode(joined.as_bytes()));
    request.header("authorization") == Some(expect.as_str())
}

fn claims(way: &Way, here: &str, nonce: Option<&str>) -> Value {
    let mut claims = json!({
        "iss": here, "sub": "subject-117", "aud": CLIENT, "azp": CLIENT,
        "iat": NOW_SECONDS, "exp": NOW_SECONDS + 300, "auth_time": NOW_SECONDS - 5,
        "nonce": nonce, "email": "Ada@example.com", "email_verified": true,
    });
    let (name, value) = match way {
        Way::TextualBooleans => ("email_verified", json!("true")),
        Way::UnverifiedEmail => ("email_verified", json!(false)),
        Way::SilentEmail => ("email_verified", Value::Null),
        Way::NoEmail => ("email", Value::Null),
        Way::WrongAudience => ("aud", json!("another")),
        Way::FurtherAudience => ("aud", json!([CLIENT, "another"])),
        Way::OtherParty => ("azp", json!("another")),
        Way::WrongIssuer => ("iss", json!("https://another.example")),
        Way::WrongNonce => ("nonce", json!("another")),
        Way::NoNonce => ("nonce", Value::Null),
        Way::Expired => ("exp", json!(NOW_SECONDS)),
        Way::FromTheFuture => ("iat", json!(NOW_SECONDS + 600)),
        Way::EmptySubject => ("sub", json!("")),
        _ => return claims,
    };
    let map = claims.as_object_mut().expect("a map");
    if value.is_null() {
        map.remove(name);
    } else {
        map.insert(name.to_owned(), value);
    }
    claims
}

fn token(way: &Way, here: &str, nonce: Option<&str>) -> String {
    let claims = claims(way, here, nonce);
    let sign = |algorithm, kid: &str, key: &EncodingKey| {
        let mut header = Header::new(algorithm);
        header.kid = Some(kid.to_owned());
        encode(&header, &claims, key).expect("it signs")
    };
    let (rsa, ec) = (EncodingKey::from_rsa_der(RSA), EncodingKey::from_ec_der(EC));
    match way {
        Way::Ec => sign(Algorithm::ES256, "ec", &ec),
        Way::OtherKey => sign(Algorithm::ES256, "rsa", &ec),
        Way::SignedWithPublicKey => sign(
            Algorithm::HS256,
            "rsa",
            &EncodingKey::from_secret(RSA_N.as_bytes()),
        ),
        Way::SignedWithClientSecret => sign(
            Algorithm::HS256,
            "rsa",
            &EncodingKey::from_secret(SECRET.as_bytes()),
        ),
        Way::AlgorithmNone => {
            let part = |value: &Value| BASE64URL_NOPAD.encode(value.to_string().as_bytes());
            format!("{}.{}.", part(&json!({"alg": "none"})), part(&claims))
        }
        Way::Tampered => {
            let token = sign(Algorithm::RS256, "rsa", &rsa);
            let mut parts = token.split('.').map(str::to_owned).collect::<Vec<_>>();
            let mut claims = claims.clone();
            claims["sub"] = json!("subject-118");
            parts[1] = BASE64URL_NOPAD.encode(claims.to_string().as_bytes());
            parts.join(".")
        }
        Way::KeyInHeader => {
            let mut header = Header::new(Algorithm::ES256);
            header.kid = Some("mine".into());
            header.jku = Some(format!("{here}/keys"));
            encode(&header, &claims, &ec).expect("it signs")
        }
        _ => sign(Algorithm::RS256, "rsa", &rsa),
    }
}

fn person(way: &Way, request: &Request) -> Reply {
    if request.header("authorization") != Some("Bearer an-access-token") {
        return Reply::status(401, "{}");
    }
    match way {
        Way::GithubDown => Reply::status(503, "an-access-token"),
        _ => Reply::json(&json!({"id": 583_231, "login": "ada", "email": null})),
    }
}
