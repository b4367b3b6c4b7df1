//! Links that commands make: where they lead, and whom they reach.

use crate::project::Project;
use crate::server::Served;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

fn team(settings: &str) -> Project {
    let project = Project::new();
    project.write(".dango/project.yml", settings);
    let words = [
        "init",
        "--admin-email",
        "ada@example.com",
        "--admin-password-stdin",
    ];
    project
        .run_with(&words, "correct horse battery staple\n", &[])
        .succeeded();
    project
}

#[test]
fn a_link_leads_to_where_the_server_listens() {
    let served = Served::start(team(""));
    let url = served.status()["url"].as_str().expect("a url").to_owned();
    assert!(!url.ends_with(":8800"), "{url}");
    let added = served
        .0
        .run(&["user", "add", "bob@example.com"])
        .succeeded();
    let place = format!("{url}/invite/");
    assert!(added.stdout.starts_with(&place), "{place}: {added:?}");
    assert!(!added.stderr.contains("no server"), "{added:?}");
    for (words, place) in [
        (&["user", "reset-password", "bob@example.com"][..], "invite"),
        (&["auth", "recover", "ada@example.com"], "reset-password"),
    ] {
        let link = served.0.run(words).succeeded().stdout;
        assert!(link.starts_with(&format!("{url}/{place}/")), "{link}");
    }
    // Who tries it gets the page of that server.
    served.0.run(&["stop"]).succeeded();
    let alone = served
        .0
        .run(&["user", "add", "eve@example.com"])
        .succeeded();
    assert!(alone.stdout.starts_with("http://localhost:8800/invite/"));
    assert!(
        alone.stderr.contains("no server of this project runs"),
        "{alone:?}"
    );
}

#[test]
fn a_link_is_made_of_the_configured_address_whether_a_server_runs_or_not() {
    let settings = "server: {public_url: 'https://dango.example.com'}\n";
    let project = team(settings);
    let link = |project: &Project, email| project.run(&["user", "add", email]).succeeded().stdout;
    let place = "https://dango.example.com/invite/";
    assert!(link(&project, "bob@example.com").starts_with(place));
    // `dango start` tells that address, too, so the server is started by hand.
    let words = ["start", "--port", "0", "--no-browser"];
    let variables = crate::server::FREE_PORT;
    project.run_with(&words, "", variables).succeeded();
    let served = Served(project);
    assert!(link(&served.0, "eve@example.com").starts_with(place));
}

/// Starts a mail server on loopback; every message that it takes arrives.
fn mail_server() -> (u16, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let (sent, arrives) = sync_channel(8);
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            take(stream, &sent);
        }
    });
    (port, arrives)
}

fn take(mut stream: TcpStream, sent: &SyncSender<String>) {
    let reading = BufReader::new(stream.try_clone().expect("a socket"));
    let _ = stream.write_all(b"220 mail\r\n");
    let (mut message, mut is_message) = (String::new(), false);
    for line in reading.lines().map_while(Result::ok) {
        let answer: &[u8] = match line.as_str() {
            "." if is_message => {
                is_message = false;
                let _ = sent.send(std::mem::take(&mut message));
                b"250 taken\r\n"
            }
            _ if is_message => {
                message.push_str(line.trim_end_matches('='));
                continue;
            }
            "DATA" => {
                is_message = true;
                b"354 go on\r\n"
            }
            "QUIT" => break,
            _ => b"250 good\r\n",
        };
        let _ = stream.write_all(answer);
    }
}

fn mailing(port: u16) -> String {
    format!(
        "server: {{public_url: 'https://dango.example.com'}}\negress: {{allow_private: ['127.0.0.1']}}\n\
         mail: {{host: 127.0.0.1, port: {port}, security: none, from: dango@example.com}}\n"
    )
}

#[test]
fn with_a_mail_server_a_link_is_mailed_and_that_is_said() {
    let (port, arrives) = mail_server();
    let project = team(&mailing(port));
    let added = project.run(&["user", "add", "bob@example.com"]).succeeded();
    let mail = arrives.recv().expect("a mail");
    assert!(mail.contains("To: bob@example.com"), "{mail}");
    assert!(mail.contains(added.stdout.trim()), "{mail} {added:?}");
    assert!(
        added.stderr.contains("it was mailed to bob@example.com"),
        "{added:?}"
    );
    let json = project.run(&["user", "reset-password", "ada@example.com", "--json"]);
    assert_eq!(json.succeeded().json()["mailed"], true);
    assert!(arrives.recv().expect("a mail").contains("reset-password"));
}

#[test]
fn a_mail_that_cannot_be_sent_is_told_and_the_link_is_good_all_the_same() {
    let closed = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = closed.local_addr().expect("an address").port();
    drop(closed);
    let project = team(&mailing(port));
    let added = project.run(&["user", "add", "bob@example.com"]).succeeded();
    assert!(added.stdout.contains("/invite/"), "{added:?}");
    assert!(
        added
            .stderr
            .contains("could not be mailed to bob@example.com"),
        "{added:?}"
    );
    let json = project.run(&["user", "add", "eve@example.com", "--json"]);
    assert_eq!(json.succeeded().json()["mailed"], false);
}
