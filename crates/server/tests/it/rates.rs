//! Limits of requests: by address, by account, loopback included.

use crate::project::{Served, Shows};
use security::Role;
use server::Door;
use std::net::IpAddr;

#[tokio::test]
async fn an_address_has_two_hundred_requests_a_minute() {
    let served = Served::new().await;
    let mut good = 0;
    let refused = loop {
        let answer = served.get("/api/version", &Shows::Nothing).await;
        if answer.status.as_u16() != 200 {
            break answer;
        }
        good += 1;
    };
    assert_eq!(good, 200);
    let body = refused.is_problem(429, "rate_limited");
    assert_eq!(body["error_code"], "DANGO-W002");
    assert_eq!(refused.header("retry-after"), "1");
    let health = served.get("/api/health", &Shows::Nothing).await;
    assert_eq!(
        health.status.as_u16(),
        200,
        "load balancers ask all the time"
    );
    served.clock.move_on(1);
    assert_eq!(
        served
            .get("/api/version", &Shows::Nothing)
            .await
            .status
            .as_u16(),
        200
    );
}

#[tokio::test]
async fn an_account_is_counted_wherever_it_asks_from() {
    let settings = "auth:\n  rate_limit:\n    api: {requests: 5, window_seconds: 60}\n";
    let served = Served::with(settings, &[]).await;
    let shows = Shows::Bearer(served.sign_in("ada", Role::Admin, false).await);
    for number in 1..=6_u8 {
        let request = Served::request("GET", "/sources", &shows, "");
        let answer = served
            .send_from(Door::Dap, IpAddr::from([192, 0, 2, number]), request)
            .await;
        let expect = if number <= 5 { 200 } else { 429 };
        assert_eq!(answer.status.as_u16(), expect, "{number}: {}", answer.text);
    }
}

#[tokio::test]
async fn limits_can_be_switched_off() {
    let served = Served::with("auth:\n  rate_limit:\n    enabled: false\n", &[]).await;
    for _ in 0..300 {
        assert_eq!(
            served
                .get("/api/version", &Shows::Nothing)
                .await
                .status
                .as_u16(),
            200
        );
    }
}
