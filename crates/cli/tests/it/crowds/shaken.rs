//! Requests that were good until somebody shook them: bytes turned, cut out, doubled, and what parsers stumble over put in.

use super::Served;
use std::io::{Read as _, Write as _};
use std::time::Duration;

/// Shaken requests of each thread; what is left unfinished costs a wait, so there are several.
const THREADS: u64 = 16;
const OF_A_THREAD: u64 = 150;
/// Nobody who has answered takes that long; who has not waits for the rest of a request.
const PATIENCE: Duration = Duration::from_millis(250);

/// What parsers stumble over.
const STONES: [&[u8]; 22] = [
    b"\0",
    b"\r\n",
    b"\n",
    b"\r",
    b"\r\n\r\n",
    b"\xff\xfe",
    b"\xc3\x28",
    b"\xed\xa0\x80",
    "\u{202e}".as_bytes(),
    b"%00",
    b"%0d%0aset-cookie: x=y",
    b"%ff%fe",
    b"..%2f..%2f",
    b" HTTP/1.1",
    b"\r\ncontent-length: 5",
    b"\r\ncontent-length: -1",
    b"\r\ntransfer-encoding: chunked",
    b"\r\ntransfer-encoding: identity, chunked",
    b"\r\n folded: line",
    b"{\"a\":{\"a\":{\"a\":",
    b"\\ud800",
    b"99999999999999999999999999",
];

/// Splitmix64: the same on every run.
struct Dice(u64);

impl Dice {
    fn throw(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % sides.max(1) as u64).unwrap_or(0)
    }
}

fn shake(request: &mut Vec<u8>, dice: &mut Dice) {
    for _ in 0..=dice.throw(3) {
        let at = dice.throw(request.len());
        let end = (at + 1 + dice.throw(24)).min(request.len());
        match dice.throw(6) {
            0 => request[at] ^= 1 << dice.throw(8),
            1 => drop(request.drain(at..end)),
            2 => {
                let part = request[at..end].to_vec();
                request.splice(at..at, part.repeat(1 + dice.throw(40)));
            }
            3 => request[at] = u8::try_from(dice.throw(256)).unwrap_or(0),
            _ => {
                let stone = STONES[dice.throw(STONES.len())];
                request.splice(at..at, stone.iter().copied());
            }
        }
        if request.is_empty() {
            return;
        }
    }
}

/// Requests that are answered as they should be until they are shaken.
fn good(served: &Served) -> Vec<Vec<u8>> {
    let host = format!("localhost:{}", served.port);
    let jwt = served.cookie.trim_start_matches("dap-jwt=");
    let made = served.project.run(&["token", "create", "shaken", "--json"]);
    let made = made.succeeded().json();
    let token = made["token"].as_str().unwrap_or_default();
    let request = |line: &str, headers: &str, body: &str| {
        let length = body.len();
        format!(
            "{line} HTTP/1.1\r\nhost: {host}\r\norigin: http://{host}\r\ncontent-type: application/json\r\n\
             content-length: {length}\r\n{headers}\r\n\r\n{body}"
        )
        .into_bytes()
    };
    let cookie = format!("cookie: a=b; dap-jwt={jwt}");
    vec![
        request("GET /api/auth/me", &cookie, ""),
        request(
            "GET /api/auth/me",
            &format!("authorization: Bearer {jwt}"),
            "",
        ),
        request(
            "GET /api/auth/me",
            &format!("authorization: Bearer {token}"),
            "",
        ),
        request(
            "GET /api/audit/events?limit=3&offset=1&event_type=user.logged_in",
            &cookie,
            "",
        ),
        request(
            "POST /api/auth/links/invite",
            &cookie,
            r#"{"token": "abcdefghijklmnopqrstuvwxyz"}"#,
        ),
        request(
            "POST /api/admin/users",
            &cookie,
            r#"{"email": "new@example.com", "role": "viewer"}"#,
        ),
        request(
            "POST /api/auth/api-tokens",
            &cookie,
            r#"{"name": "n", "scopes": ["source.view"], "expires_in_days": 3}"#,
        ),
        request(
            "PUT /api/admin/users/00000000-0000-7000-8000-000000000000/role",
            &cookie,
            r#"{"role": "editor"}"#,
        ),
    ]
}

/// Sends a request; returns the status of the answer, if there is one.
fn status(served: &Served, request: &[u8]) -> Option<u16> {
    let mut stream = served.raw();
    stream.set_read_timeout(Some(PATIENCE)).expect("set");
    // Who has heard enough closes early.
    let _ = stream.write_all(request);
    let mut answer = [0; 64];
    let read = stream.read(&mut answer).unwrap_or(0);
    let text = String::from_utf8_lossy(&answer[..read]).into_owned();
    text.split(' ').nth(1)?.parse().ok()
}

#[test]
fn a_shaken_request_is_refused_in_good_order() {
    let served = Served::start();
    let all = good(&served);
    for request in &all {
        let said = status(&served, request);
        let line = String::from_utf8_lossy(request);
        assert!(
            matches!(said, Some(200..=299 | 400 | 404)),
            "{said:?}: {line}"
        );
    }
    let memory = served.memory_kb();
    let mut answered = 0;
    std::thread::scope(|scope| {
        let running: Vec<_> = (0..THREADS)
            .map(|seed| {
                let (all, served) = (&all, &served);
                scope.spawn(move || {
                    let mut dice = Dice(seed);
                    let mut answered = 0;
                    for _ in 0..OF_A_THREAD {
                        let mut request = all[dice.throw(all.len())].clone();
                        shake(&mut request, &mut dice);
                        let said = status(served, &request);
                        let shown = String::from_utf8_lossy(&request).into_owned();
                        assert!(said.is_none_or(|said| said < 500), "{said:?}: {shown:?}");
                        answered += u64::from(said.is_some());
                    }
                    answered
                })
            })
            .collect();
        for thread in running {
            answered += thread.join().expect("no answer was a fault");
        }
    });
    println!("{answered} of {} were answered", THREADS * OF_A_THREAD);
    served.is_well(memory);
}
