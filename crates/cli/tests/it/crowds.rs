//! Crowds and clients that mean no good, against the real server over TCP: many idle ones, slow ones, bodies and heads without
//! end, and requests that somebody shook. It answers others meanwhile, and its memory stays bounded.

#![expect(
    clippy::print_stdout,
    reason = "times are told, never asserted: `--nocapture` shows them"
)]

mod shaken;

use crate::project::Project;
use serde_json::json;
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::process::Command;
use std::time::{Duration, Instant};
use testkit::http::Connection;

const PASSWORD: &str = "correct horse battery staple";
const FREE_PORT: (&str, &str) = ("DAP_ENGINE_PORT", "0");
/// Files a process may have open where nobody set anything: Debian's default.
const FILES: &str = "ulimit -Sn 1024 && exec \"$0\" \"$@\"";
/// What a crowd may cost: far less than what it sends, far more than an allocator's moods.
const GROWTH_KB_MAX: u64 = 96 << 10;

/// A running server; ada's session and a connection that was there before the crowd.
struct Served {
    project: Project,
    pid: u64,
    port: u16,
    cookie: String,
}

impl Served {
    fn start() -> Self {
        let project = Project::empty();
        let words = [
            "init",
            "--admin-email",
            "ada@example.com",
            "--admin-password-stdin",
        ];
        project.run_with(&words, PASSWORD, &[]).succeeded();
        project.write(".dango/project.yml", "auth: {rate_limit: {enabled: false}}");
        let mut command = Command::new("/bin/sh");
        command
            .args([
                "-c",
                FILES,
                env!("CARGO_BIN_EXE_dango"),
                "start",
                "--port",
                "0",
                "--no-browser",
            ])
            .current_dir(project.path(""))
            .env_clear()
            .envs([("PATH", "/usr/bin:/bin"), FREE_PORT])
            .env("HOME", project.path(""));
        let started = command.output().expect("a shell");
        assert!(
            started.status.success(),
            "{}",
            String::from_utf8_lossy(&started.stderr)
        );
        let status = project.run(&["status", "--json"]).succeeded().json();
        let url = status["url"].as_str().unwrap_or_default();
        let mut served = Self {
            pid: status["pid"].as_u64().expect("a pid"),
            port: url
                .rsplit(':')
                .next()
                .and_then(|port| port.parse().ok())
                .expect("a port"),
            cookie: String::new(),
            project,
        };
        served.cookie = format!("dap-jwt={}", served.sign_in());
        served
    }

    fn connect(&self) -> Connection {
        Connection::open(self.port).expect("it listens")
    }

    fn raw(&self) -> TcpStream {
        let stream = TcpStream::connect(SocketAddr::from(([127, 0, 0, 1], self.port)));
        let stream = stream.expect("it listens");
        stream
            .set_read_timeout(Some(Duration::from_secs(30)))
            .expect("set");
        stream
            .set_write_timeout(Some(Duration::from_secs(30)))
            .expect("set");
        stream
    }

    fn sign_in(&self) -> String {
        let body = json!({"email": "ada@example.com", "password": PASSWORD});
        let answer = self
            .connect()
            .ask("POST", "/api/auth/login", &[], Some(&body));
        let answer = answer.expect("an answer");
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.cookie("dap-jwt").expect("a session").to_owned()
    }

    /// Asks who one is, which takes a look at the database; returns how long the answer took.
    fn look(&self, connection: &mut Connection) -> Duration {
        let began = Instant::now();
        let answer = connection.ask("GET", "/api/auth/me", &[("Cookie", &self.cookie)], None);
        let answer = answer.expect("an answer");
        assert_eq!(answer.status, 200, "{answer:?}");
        began.elapsed()
    }

    /// Returns the resident memory of the server in KiB.
    fn memory_kb(&self) -> u64 {
        let status = fs_err::read_to_string(format!("/proc/{}/status", self.pid));
        let status = status.expect("it runs");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let digits = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
        digits.expect("a number")
    }

    /// Checks that the server lives, grew by little, and has logged no fault of its own.
    #[track_caller]
    fn is_well(&self, before_kb: u64) {
        self.look(&mut self.connect());
        let after_kb = self.memory_kb();
        println!("memory: {before_kb} KiB before, {after_kb} KiB after");
        assert!(
            after_kb < before_kb + GROWTH_KB_MAX,
            "{before_kb} KiB, then {after_kb} KiB"
        );
        let log = self.project.read(".dango/logs/dango.jsonl");
        let faults: Vec<_> = log
            .lines()
            .filter(|line| line.contains("\"ERROR\"") || line.contains("panicked"))
            .collect();
        assert!(faults.is_empty(), "{faults:#?}");
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // A test that failed must not leave a server behind.
        let _ = self.project.run(&["stop"]);
    }
}

fn tell(what: &str, mut took: Vec<Duration>) {
    took.sort();
    let at = |share: usize| {
        took.get(took.len() * share / 100)
            .copied()
            .unwrap_or_default()
    };
    println!(
        "{what}: {} requests, median {:?}, p99 {:?}",
        took.len(),
        at(50),
        at(99)
    );
}

/// Lets this process hold the other ends of a crowd.
fn raise_files() {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    let needed = 4_096;
    if limit.current.is_some_and(|current| current < needed) {
        limit.current = Some(limit.maximum.map_or(needed, |most| most.min(needed)));
        setrlimit(Resource::Nofile, limit).expect("raised");
    }
}

/// Returns whether the server has closed a connection that does not block.
fn is_closed(stream: &mut TcpStream) -> bool {
    let mut some = [0; 512];
    loop {
        match stream.read(&mut some) {
            Ok(0) => return true,
            Ok(_) => {}
            Err(error) => return error.kind() != ErrorKind::WouldBlock,
        }
    }
}

#[test]
fn a_thousand_who_say_nothing_or_next_to_nothing_are_let_go() {
    raise_files();
    let served = Served::start();
    let mut before = served.connect();
    tell(
        "alone",
        (0..200).map(|_| served.look(&mut before)).collect(),
    );
    let memory = served.memory_kb();
    let began = Instant::now();
    let mut crowd: Vec<_> = (0..1_000).map(|_| served.raw()).collect();
    for stream in &crowd {
        stream.set_nonblocking(true).expect("set");
    }
    // Room for other files has to be left: the log's, the database's, those of children.
    println!("all were there after {:?}", began.elapsed());
    served.sign_in();
    println!("somebody else had signed in after {:?}", began.elapsed());
    served
        .project
        .run(&["token", "create", "meanwhile"])
        .succeeded();
    assert!(
        crowd.iter_mut().all(|stream| !is_closed(stream)),
        "nobody had to go first"
    );
    let mut took = Vec::new();
    let mut slow = b"GET /api/health HTTP/1.1\r\nhost: localhost\r\nx: "
        .iter()
        .copied()
        .chain(std::iter::repeat(b'y'));
    while !crowd.is_empty() {
        assert!(
            began.elapsed() < Duration::from_secs(40),
            "{} are still there",
            crowd.len()
        );
        let byte = [slow.next().expect("without end")];
        for stream in crowd.iter_mut().step_by(5) {
            // Whoever was let go is found below.
            let _ = stream.write(&byte);
        }
        took.extend((0..50).map(|_| served.look(&mut before)));
        crowd.retain_mut(|stream| !is_closed(stream));
    }
    println!("all were let go after {:?}", began.elapsed());
    tell("with a thousand others", took);
    served.is_well(memory);
}

/// What one gets who sends a head and then a body of 100 MB, piece by piece, for as long as it is taken.
fn pour(served: &Served, head: &str, is_chunked: bool) -> (String, usize) {
    let mut stream = served.raw();
    stream.write_all(head.as_bytes()).expect("it listens");
    let piece = vec![b'x'; 64 << 10];
    let size = format!("{:x}\r\n", piece.len());
    let mut sent = 0;
    while sent < 100_000_000 {
        let worked = if is_chunked {
            stream
                .write_all(size.as_bytes())
                .and_then(|()| stream.write_all(&piece))
                .and_then(|()| stream.write_all(b"\r\n"))
        } else {
            stream.write_all(&piece)
        };
        if worked.is_err() {
            break;
        }
        sent += piece.len();
    }
    let mut answer = [0; 256];
    let read = stream.read(&mut answer).unwrap_or(0);
    let text = String::from_utf8_lossy(&answer[..read]).into_owned();
    (text.chars().take(12).collect(), sent)
}

#[test]
fn bodies_and_heads_without_end_are_cut_off() {
    let served = Served::start();
    let memory = served.memory_kb();
    let (host, cookie) = (format!("localhost:{}", served.port), &served.cookie);
    let common = format!(
        "host: {host}\r\norigin: http://{host}\r\ncontent-type: application/json\r\ncookie: {cookie}\r\n"
    );
    let head = |method: &str, path: &str, rest: &str| {
        format!("{method} {path} HTTP/1.1\r\n{common}{rest}\r\n")
    };
    let long = "content-length: 100000000\r\n";
    let chunked = "transfer-encoding: chunked\r\n";
    let pours = [
        (head("POST", "/api/auth/login", long), false),
        (head("POST", "/api/auth/login", chunked), true),
        (
            head("POST", "/api/auth/jwt/login", long).replace("json", "x-www-form-urlencoded"),
            false,
        ),
        (head("POST", "/api/query", chunked), true),
        (head("POST", "/api/secrets", long), false),
        (head("POST", "/api/nowhere", long), false),
        // Its handler reads no body.
        (
            head("POST", "/api/auth/logout", long).replace("dap-jwt=", "dap-jwt=x"),
            false,
        ),
    ];
    std::thread::scope(|scope| {
        let running: Vec<_> = pours
            .iter()
            .map(|(head, is_chunked)| (head, scope.spawn(|| pour(&served, head, *is_chunked))))
            .collect();
        for (head, thread) in running {
            let line = head.lines().next().unwrap_or_default();
            let (answer, sent) = thread.join().expect("it ends");
            println!("{line}: {answer:?} after {sent} bytes");
            assert!(answer.starts_with("HTTP/1.1 4"), "{line}: {answer:?}");
            assert!(sent < 50_000_000, "{line}: {sent} bytes were taken");
        }
    });
    for megabyte in ["x: ", "cookie: dap-jwt=", "authorization: Bearer "] {
        let text = format!("{megabyte}{}\r\n", "y".repeat(1 << 20));
        let (answer, _) = pour(&served, &head("GET", "/api/auth/me", &text), false);
        assert!(answer.starts_with("HTTP/1.1 431"), "{megabyte}: {answer:?}");
    }
    served.is_well(memory);
}
