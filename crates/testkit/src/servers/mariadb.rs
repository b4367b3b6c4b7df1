//! MariaDB from Debian's packages.

use super::process::{Account, Guarded, free_port, program, run};
use super::{DATABASE, PASSWORD, USER};
use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

const INSTALL: &str = "install it with `apt-get install mariadb-server`";

/// A MariaDB server.
pub struct Mariadb {
    port: u16,
    client: PathBuf,
    _server: Guarded,
}

impl Mariadb {
    /// Returns the server that all tests of this process share.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Mariadb> = OnceLock::new();
        SHARED.get_or_init(Self::start)
    }

    /// Starts a server of one's own.
    pub fn start() -> Self {
        let places = [
            "/usr/sbin",
            "/usr/bin",
            "/usr/local/bin",
            "/opt/homebrew/bin",
        ]
        .map(PathBuf::from);
        let account = Account::find("mysql", INSTALL);
        let mut server = Guarded::new(account, "KILL");
        let dir = server.dir().to_owned();
        let data = format!("--datadir={}", dir.join("data").display());
        run(account
            .command(&program("mariadb-install-db", &places, INSTALL), &dir)
            .args([
                "--no-defaults",
                "--auth-root-authentication-method=normal",
                "--skip-test-db",
            ])
            .args(["--skip-name-resolve", "--innodb-log-file-size=16M", &data]));
        let port = free_port();
        let socket = dir.join("socket");
        let command: Vec<String> = [
            &program("mariadbd", &places, INSTALL).display().to_string(),
            "--no-defaults",
            &data,
            &format!("--socket={}", socket.display()),
            &format!("--pid-file={}", dir.join("pid").display()),
            &format!("--port={port}"),
            "--bind-address=127.0.0.1",
            "--skip-name-resolve",
            "--skip-log-bin",
            "--innodb-flush-log-at-trx-commit=0",
            "--innodb-log-file-size=16M",
            "--innodb-buffer-pool-size=64M",
            "--max-allowed-packet=128M",
        ]
        .map(str::to_owned)
        .to_vec();
        server.serve(&command, "ready for connections");
        let client = program("mariadb", &places, INSTALL);
        run(Command::new(&client).arg("--no-defaults").args(["-u", "root", "-S"]).arg(&socket).args([
            "-e",
            &format!(
                "CREATE USER {USER}@'%' IDENTIFIED BY '{PASSWORD}'; GRANT ALL ON *.* TO {USER}@'%' WITH GRANT OPTION;
                CREATE DATABASE {DATABASE} CHARACTER SET utf8mb4"
            ),
        ]));
        Self {
            port,
            client,
            _server: server,
        }
    }

    /// Returns the port on 127.0.0.1.
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Runs `sql` in `database` and returns what it prints: one line for each row, columns separated by tabs.
    pub fn sql(&self, database: &str, sql: &str) -> String {
        run(&mut self.client(database, sql))
    }

    /// Returns the command that runs `sql`, to be started beside a test.
    pub fn client(&self, database: &str, sql: &str) -> Command {
        let mut command = Command::new(&self.client);
        command
            .args([
                "--no-defaults",
                "--batch",
                "--raw",
                "--skip-column-names",
                "-h",
                "127.0.0.1",
            ])
            .args([
                "--default-character-set=utf8mb4",
                "-P",
                &self.port.to_string(),
                "-u",
                USER,
            ])
            .args(["--init-command=SET time_zone='+00:00'", "-e", sql, database])
            .env("MYSQL_PWD", PASSWORD);
        command
    }
}
