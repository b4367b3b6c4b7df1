//! The pages as a browser loads them. A build without them is tested as it is: it says how they are made.

use crate::project::{Served, Shows};
use server::{Door, Reach, table};

fn is_built() -> bool {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../web/dist/index.html");
    std::path::Path::new(folder).exists()
}

#[tokio::test]
async fn every_address_of_a_page_shows_the_one_page() {
    let served = Served::new().await;
    let table = table();
    let pages = table
        .routes()
        .filter(|route| route.reach == Reach::Pages && !route.path.starts_with("/assets/"));
    let mut count = 0;
    for route in pages {
        let path = route.path.replace("{token}", "not-a-token");
        let answer = served.get(&path, &Shows::Nothing).await;
        assert_eq!(answer.status.as_u16(), 200, "{path}");
        assert_eq!(answer.header("content-type"), "text/html; charset=utf-8");
        assert_eq!(answer.header("cache-control"), "no-store", "{path}");
        let policy = answer.header("content-security-policy");
        assert!(policy.contains("script-src 'self';"), "{policy}");
        assert!(!answer.text.contains("not-a-token"));
        assert!(!answer.text.contains("<style") && !answer.text.contains("<script>"));
        let (_, nonce) = policy.split_once("'nonce-").expect("a nonce");
        let (nonce, _) = nonce.split_once('\'').expect("its end");
        assert_eq!(answer.text.contains(nonce), is_built(), "{path}");
        count += 1;
    }
    assert!(count > 10);
}

#[tokio::test]
async fn files_of_the_pages_are_kept_for_good_and_nothing_else_is_served() {
    let served = Served::new().await;
    let page = served.get("/", &Shows::Nothing).await.text;
    let names: Vec<_> = page
        .split("\"/assets/")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .collect();
    assert_eq!(names.len(), if is_built() { 3 } else { 0 });
    for name in names {
        let path = format!("/assets/{name}");
        let answer = served.get(&path, &Shows::Nothing).await;
        assert_eq!(answer.status.as_u16(), 200, "{path}");
        assert_eq!(
            answer.header("cache-control"),
            "public, max-age=31536000, immutable"
        );
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        let mut request = Served::request("GET", &path, &Shows::Nothing, "");
        let tag = answer.headers.get("etag").expect("a tag").clone();
        request.headers_mut().insert("if-none-match", tag);
        let again = served.send(Door::Web, request).await;
        assert_eq!((again.status.as_u16(), again.text.as_str()), (304, ""));
    }
    for name in ["nothing.js", "..%2Findex.html", "%2e%2e", ".gitkeep"] {
        let answer = served
            .get(&format!("/assets/{name}"), &Shows::Nothing)
            .await;
        answer.is_problem(404, "route_not_found");
    }
}

#[tokio::test]
async fn a_wrong_address_is_a_page_for_people_and_a_problem_for_programs() {
    let served = Served::new().await;
    let as_browser = |path: &str| {
        let mut request = Served::request("GET", path, &Shows::Nothing, "");
        let kinds = "text/html,application/xhtml+xml".parse().expect("a value");
        request.headers_mut().insert("accept", kinds);
        request
    };
    let answer = served.send(Door::Web, as_browser("/no/such/page")).await;
    assert_eq!(answer.status.as_u16(), 404);
    assert_eq!(answer.header("content-type"), "text/html; charset=utf-8");
    for path in ["/api/nothing", "/assets/nothing.js"] {
        let answer = served.send(Door::Web, as_browser(path)).await;
        answer.is_problem(404, "route_not_found");
    }
    let answer = served.get("/no/such/page", &Shows::Nothing).await;
    answer.is_problem(404, "route_not_found");
}
