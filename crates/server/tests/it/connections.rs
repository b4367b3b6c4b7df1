//! Real connections: what comes before a request is one, and how the server stops.

use crate::project::Served;
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::oneshot;

/// Sends bytes and returns the first line of the answer.
async fn first_line(address: &str, bytes: &[u8]) -> String {
    let address: SocketAddr = address.parse().expect("an address");
    let mut stream = TcpStream::connect(address).await.expect("it listens");
    // A server that has heard enough closes early.
    let _ = stream.write_all(bytes).await;
    let mut answer = Vec::new();
    let mut piece = [0; 1_024];
    while let Ok(read) = stream.read(&mut piece).await {
        answer.extend_from_slice(&piece[..read]);
        if read == 0 || answer.contains(&b'\n') {
            break;
        }
    }
    let text = String::from_utf8_lossy(&answer);
    text.lines().next().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn what_is_no_request_is_refused_and_the_server_goes_on() {
    let Served {
        listening, folder, ..
    } = Served::new().await;
    let address = listening.addresses()[0].clone();
    let (stop, stopped) = oneshot::channel::<()>();
    let serving = tokio::spawn(server::serve(listening, async {
        let _ = stopped.await;
    }));
    let huge = format!(
        "GET / HTTP/1.1\r\nhost: localhost\r\nx: {}\r\n\r\n",
        "y".repeat(40 << 10)
    );
    let many = format!(
        "GET / HTTP/1.1\r\nhost: localhost\r\n{}\r\n",
        "x: y\r\n".repeat(200)
    );
    for (bytes, expect) in [
        (&b"nonsense\r\n\r\n"[..], "400"),
        (b"GET / HTTP/1.1\r\nhost: \xff\r\n\r\n", "421"),
        (b"GET /\xff HTTP/1.1\r\nhost: localhost\r\n\r\n", "400"),
        (huge.as_bytes(), "431"),
        (many.as_bytes(), "431"),
        (b"GET /api/health HTTP/1.1\r\nhost: localhost\r\nhost: localhost\r\n\r\n", "421"),
        (b"GET http://evil.example/ HTTP/1.1\r\nhost: localhost\r\n\r\n", "421"),
        (b"POST /api/query HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n", "400"),
        (b"GET /api/health HTTP/1.1\r\nhost: localhost\r\n\r\n", "200"),
    ] {
        let line = first_line(&address, bytes).await;
        let shown = String::from_utf8_lossy(&bytes[..bytes.len().min(60)]).into_owned();
        assert!(line.starts_with(&format!("HTTP/1.1 {expect}")), "{shown}: {line}");
    }
    assert!(folder.path().join(".dango/run/dango.sock").exists());
    stop.send(()).expect("it still runs");
    serving.await.expect("it stops in good order");
    assert!(!folder.path().join(".dango/run/dango.sock").exists());
    let address: SocketAddr = address.parse().expect("an address");
    assert!(
        TcpStream::connect(address).await.is_err(),
        "nobody listens any more"
    );
}

#[tokio::test]
async fn the_server_is_not_reached_from_outside_before_that_is_safe() {
    use app::{App, Environment, OpenOptions, SystemClock};
    use server::Options;
    use std::sync::Arc;
    let folder = tempfile::tempdir().expect("a folder");
    fs_err::create_dir_all(folder.path().join(".dango")).expect("created");
    fs_err::write(folder.path().join(".dango/project.yml"), "").expect("written");
    let open = async |variables: &[(&'static str, &'static str)], options: Options| {
        let opened = OpenOptions {
            project: Some(folder.path().to_path_buf()),
            environment: Environment::from_pairs(variables.iter().copied()),
            command: "serve".into(),
            wait_seconds: 0,
            launcher: app::launcher().expect("this program"),
            clock: Arc::new(SystemClock),
        };
        let app = App::open(opened, &mut |_| {}).await.expect("a project");
        server::open(app, options)
            .await
            .err()
            .map(|error| error.code.to_string())
    };
    let outside = Options {
        host: Some("0.0.0.0".into()),
        port: Some(0),
        behind_proxy: true,
        ..Options::default()
    };
    let refused = Some("listen_refused".to_owned());
    assert_eq!(open(&[("DAP_ENGINE_PORT", "0")], outside).await, refused);
    let here = || Options {
        port: Some(0),
        ..Options::default()
    };
    let dap = [("DAP_ENGINE_PORT", "0"), ("DAP_ENGINE_HOST", "0.0.0.0")];
    assert_eq!(open(&dap, here()).await, refused);
    let container = [("DAP_ENGINE_PORT", "0"), ("DANGO_CONTAINER", "1")];
    let missing = Some("signing_key_missing".to_owned());
    assert_eq!(open(&container, here()).await, missing);
    assert_eq!(open(&[("DAP_ENGINE_PORT", "0")], here()).await, None);
}
