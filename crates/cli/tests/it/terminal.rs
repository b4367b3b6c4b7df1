//! What a person at a terminal sees: prompts that hide secrets, a wizard that saves nothing untested, colours, bars.

use crate::project::Project;
use rustix::pty::{OpenptFlags, grantpt, ioctl_tiocgptpeer, openpt, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};
use std::fs::File;
use std::io::{Read as _, Write as _};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::Duration;

/// Far more than any step takes; met only when something hangs.
const PATIENCE: Duration = Duration::from_mins(1);
const CTRL_C: &str = "\u{3}";
const ENTER: &str = "\r";

/// A pseudo-terminal with the binary behind it.
struct Terminal {
    keyboard: File,
    screen: Receiver<Vec<u8>>,
    seen: String,
    /// How much of `seen` was waited for already.
    read: usize,
    child: Child,
}

impl Terminal {
    fn open(project: &Project, words: &[&str]) -> Self {
        Self::open_with(project, words, None)
    }

    /// Opens one with stdout somewhere else.
    fn open_with(project: &Project, words: &[&str], stdout: Option<Stdio>) -> Self {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a pseudo-terminal");
        grantpt(&master).expect("granted");
        unlockpt(&master).expect("unlocked");
        let size = Winsize {
            ws_row: 40,
            ws_col: 120,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        tcsetwinsize(&master, size).expect("sized");
        let slave = ioctl_tiocgptpeer(&master, OpenptFlags::RDWR | OpenptFlags::NOCTTY)
            .expect("its other end");
        let end = || Stdio::from(slave.try_clone().expect("copied"));
        let mut command = Command::new(env!("CARGO_BIN_EXE_dango"));
        command
            .args(words)
            .current_dir(project.path(""))
            .env_clear();
        command
            .env("PATH", "/usr/bin:/bin")
            .env("HOME", project.path(""))
            .env("TERM", "xterm");
        let child = command
            .stdin(end())
            .stdout(stdout.unwrap_or_else(end))
            .stderr(end())
            .spawn()
            .expect("the binary runs");
        let keyboard = File::from(master);
        let mut reader = keyboard.try_clone().expect("copied");
        let (sender, screen) = sync_channel(1_024);
        std::thread::spawn(move || {
            let mut bytes = [0; 4_096];
            // The read fails once the last process behind the terminal has ended.
            while let Ok(length @ 1..) = reader.read(&mut bytes) {
                if sender
                    .send(bytes.iter().copied().take(length).collect())
                    .is_err()
                {
                    return;
                }
            }
        });
        Self {
            keyboard,
            screen,
            seen: String::new(),
            read: 0,
            child,
        }
    }

    /// Waits until `text` appears after everything that was waited for before.
    #[track_caller]
    fn wait_for(&mut self, text: &str) {
        loop {
            let fresh = self.seen.get(self.read..).unwrap_or_default();
            if let Some(at) = fresh.find(text) {
                self.read += at + text.len();
                return;
            }
            let more = self.screen.recv_timeout(PATIENCE);
            assert!(more.is_ok(), "{text:?} did not appear in {:?}", self.seen);
            self.seen
                .push_str(&String::from_utf8_lossy(&more.unwrap_or_default()));
        }
    }

    fn type_in(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).expect("typed");
    }

    /// Waits for the end and returns the exit code and everything that was on the screen.
    fn end(mut self) -> (Option<i32>, String) {
        let code = self.child.wait().expect("it ends").code();
        // What the process wrote is read to the end; then the thread ends and closes the channel.
        while let Ok(bytes) = self.screen.recv_timeout(PATIENCE) {
            self.seen.push_str(&String::from_utf8_lossy(&bytes));
        }
        (code, self.seen)
    }
}

#[test]
fn a_secret_is_hidden_while_it_is_typed() {
    let project = Project::new();
    let mut terminal = Terminal::open(&project, &["secrets", "set", "sources.pay.api_key"]);
    terminal.wait_for("sources.pay.api_key:");
    terminal.type_in("c4n4ry-at-the-keyboard");
    terminal.type_in(ENTER);
    terminal.wait_for("stored");
    let (code, seen) = terminal.end();
    assert_eq!(code, Some(0), "{seen}");
    assert!(!seen.contains("c4n4ry"), "{seen}");
    assert!(
        project
            .read(".dlt/secrets.toml")
            .contains("c4n4ry-at-the-keyboard")
    );
}

#[test]
fn ctrl_c_at_a_prompt_changes_nothing() {
    let project = Project::new();
    let before = project.read(".dlt/secrets.toml");
    let mut terminal = Terminal::open(&project, &["secrets", "set", "sources.pay.api_key"]);
    terminal.wait_for("sources.pay.api_key:");
    terminal.type_in(CTRL_C);
    let (code, seen) = terminal.end();
    assert_eq!(code, Some(130), "{seen}");
    assert_eq!(project.read(".dlt/secrets.toml"), before);
}

#[test]
fn no_input_asks_nothing_at_a_terminal_either() {
    let project = Project::new();
    let (code, seen) = Terminal::open(
        &project,
        &["secrets", "set", "sources.pay.api_key", "--no-input"],
    )
    .end();
    assert_eq!(code, Some(2), "{seen}");
    assert!(seen.contains("input_needed"), "{seen}");
}

#[test]
fn the_wizard_asks_again_until_the_source_answers_and_saves_only_then() {
    let project = Project::new();
    project.write("data/uploads/orders.csv", "id\n1\n2\n");
    let before = project.read(".dango/sources.yml");
    let mut terminal = Terminal::open(&project, &["source", "add", "csv"]);
    terminal.wait_for("What shall it be called?");
    terminal.type_in("files\r");
    terminal.wait_for("The folder the files are in");
    terminal.type_in("data/nowhere\r");
    terminal.wait_for("optional settings");
    terminal.type_in("n\r");
    terminal.wait_for("source_missing");
    terminal.wait_for("Answer again");
    assert_eq!(project.read(".dango/sources.yml"), before);
    terminal.type_in(ENTER);
    terminal.wait_for("What shall it be called?");
    terminal.type_in("files\r");
    terminal.wait_for("The folder the files are in");
    terminal.type_in("data/uploads\r");
    terminal.wait_for("optional settings");
    terminal.type_in("n\r");
    terminal.wait_for("dango sync files");
    let (code, seen) = terminal.end();
    assert_eq!(code, Some(0), "{seen}");
    assert!(project.read(".dango/sources.yml").contains("data/uploads"));
    project.run(&["sync", "files"]).succeeded();
}

#[test]
fn a_terminal_gets_colours_and_a_dumb_one_does_not() {
    let project = Project::synced_shop();
    let (_, seen) = Terminal::open(&project, &["source", "list"]).end();
    assert!(seen.contains("\u{1b}[1m"), "{seen:?}");
    let (_, seen) = Terminal::open(&project, &["source", "list", "--color", "never"]).end();
    assert!(!seen.contains('\u{1b}'), "{seen:?}");
}

#[test]
fn a_removal_is_confirmed() {
    let project = Project::shop();
    let mut terminal = Terminal::open(&project, &["source", "remove", "shop"]);
    terminal.wait_for("Remove the source `shop`?");
    terminal.type_in("n\r");
    terminal.wait_for("nothing was removed");
    assert_eq!(terminal.end().0, Some(0));
    assert!(project.read(".dango/sources.yml").contains("shop"));
}

#[test]
fn a_sync_at_a_terminal_moves_bars_and_ends_with_its_table() {
    let project = Project::shop();
    let (code, seen) = Terminal::open(&project, &["sync"]).end();
    assert_eq!(code, Some(0), "{seen}");
    assert!(
        seen.contains("5 rows changed") && seen.contains("INSERTED"),
        "{seen}"
    );
    assert!(!seen.contains("shop: started"), "{seen}");
}

#[test]
fn the_link_to_the_first_admin_is_on_the_screen_and_nowhere_else() {
    let project = Project::new();
    let file = File::create(project.path("stdout")).expect("created");
    let words = ["serve", "--port", "0"];
    let mut terminal = Terminal::open_with(&project, &words, Some(Stdio::from(file)));
    terminal.wait_for("/setup/");
    terminal.wait_for("\n");
    let link = terminal.seen.split("/setup/").nth(1).expect("a link");
    let token = link.split_whitespace().next().expect("a token").to_owned();
    assert!(token.len() > 40, "{token}");
    let stopped = project.run(&["stop"]);
    stopped.succeeded();
    let (code, _) = terminal.end();
    assert_eq!(code, Some(0));
    let events = project.run(&["audit", "--json"]).succeeded();
    assert!(events.stdout.contains("set_up"), "{events:#?}");
    for text in [
        events.stdout,
        project.read("stdout"),
        project.read(".dango/logs/audit.jsonl"),
        project.read(".dango/logs/dango.jsonl"),
    ] {
        assert!(!text.contains(&token), "{text}");
    }
}
