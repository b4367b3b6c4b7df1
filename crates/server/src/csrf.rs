//! Requests that another website makes a browser send: refused wherever something would change.

use crate::hosts::Hosts;
use crate::problem::Problem;
use app::Error;
use axum::http::{HeaderMap, Method, header};
use domain::Code;

/// Refuses an unsafe request that does not come from our own pages. Browsers say where a request comes from; a program that
/// says nothing may write with a token, never with a cookie.
pub(crate) fn check(
    method: &Method,
    headers: &HeaderMap,
    is_cookie: bool,
    hosts: &Hosts,
) -> Result<(), Problem> {
    if method.is_safe() {
        return Ok(());
    }
    let site = headers.get("sec-fetch-site");
    let origin = headers.get(header::ORIGIN);
    let is_ours = match (site, origin) {
        (None, None) => !is_cookie,
        (site, origin) => {
            site.is_none_or(|site| site == "same-origin")
                && origin.is_none_or(|origin| {
                    origin
                        .to_str()
                        .is_ok_and(|origin| hosts.is_our_origin(origin))
                })
        }
    };
    if is_ours {
        return Ok(());
    }
    Err(Problem::new(
        Error::denied(
            Code::OriginForeign,
            "the request comes from another website, or does not say where it comes from",
        )
        .hint("programs send an API token as `Authorization: Bearer TOKEN`"),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn only_our_own_pages_change_anything() {
        let hosts = Hosts::new(8800, Some("https://dango.example.com"), &[]).expect("a URL");
        let check = |method: Method, pairs: &[(&'static str, &'static str)], is_cookie, expect| {
            let mut headers = HeaderMap::new();
            for (name, value) in pairs {
                headers.insert(*name, HeaderValue::from_static(value));
            }
            let is_let_in = check(&method, &headers, is_cookie, &hosts).is_ok();
            assert_eq!(is_let_in, expect, "{method} {pairs:?} {is_cookie}");
        };
        let (site, origin) = ("sec-fetch-site", "origin");
        check(Method::GET, &[(site, "cross-site")], true, true);
        check(Method::POST, &[(site, "same-origin")], true, true);
        check(Method::POST, &[(site, "same-site")], true, false);
        check(Method::POST, &[(site, "cross-site")], false, false);
        check(Method::POST, &[(site, "none")], true, false);
        check(
            Method::DELETE,
            &[(origin, "https://dango.example.com")],
            true,
            true,
        );
        check(
            Method::DELETE,
            &[(origin, "http://localhost:8800")],
            true,
            true,
        );
        check(
            Method::DELETE,
            &[(origin, "http://localhost:3000")],
            true,
            false,
        );
        check(
            Method::DELETE,
            &[(origin, "http://dango.example.com")],
            true,
            false,
        );
        check(Method::PUT, &[(origin, "null")], false, false);
        check(
            Method::PUT,
            &[(site, "same-origin"), (origin, "https://evil.example")],
            true,
            false,
        );
        check(Method::POST, &[], true, false);
        check(Method::POST, &[], false, true);
    }
}
