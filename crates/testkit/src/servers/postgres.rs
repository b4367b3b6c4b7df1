//! PostgreSQL from Debian's packages.

use super::process::{Account, Guarded, free_port, program, run};
use super::{DATABASE, PASSWORD, USER};
use fs_err as fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

const INSTALL: &str = "install it with `apt-get install postgresql openssl`";

/// A database that is reached over TLS only.
const TLS_DATABASE: &str = "tls_only";

/// A PostgreSQL server.
pub struct Postgres {
    port: u16,
    dir: PathBuf,
    psql: PathBuf,
    _server: Guarded,
}

impl Postgres {
    /// Returns the server that all tests of this process share.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Postgres> = OnceLock::new();
        SHARED.get_or_init(Self::start)
    }

    /// Starts a server of one's own.
    pub fn start() -> Self {
        let bin = binaries();
        let account = Account::find("postgres", INSTALL);
        let mut server = Guarded::new(account, "QUIT");
        let dir = server.dir().to_owned();
        let data = dir.join("data");
        let password = dir.join("password");
        fs::write(&password, PASSWORD).expect("written");
        run(account
            .command(&program("initdb", &bin, INSTALL), &dir)
            .args([
                "--no-sync",
                "--auth=scram-sha-256",
                "--locale=C.UTF-8",
                "--encoding=UTF8",
            ])
            .args(["--username", USER])
            .arg(format!("--pwfile={}", password.display()))
            .arg(format!("--pgdata={}", data.display())));
        certificate(account, &data);
        let port = free_port();
        let rules = format!(
            "hostnossl {TLS_DATABASE} all 127.0.0.1/32 reject\nhost all all 127.0.0.1/32 scram-sha-256\n"
        );
        fs::write(data.join("pg_hba.conf"), rules).expect("written");
        let mut command = vec![
            program("postgres", &bin, INSTALL).display().to_string(),
            "-D".into(),
            data.display().to_string(),
        ];
        for setting in [
            "listen_addresses=127.0.0.1".to_owned(),
            format!("port={port}"),
            format!("unix_socket_directories={}", dir.display()),
            "ssl=on".into(),
            "fsync=off".into(),
            "full_page_writes=off".into(),
            "shared_buffers=64MB".into(),
            "max_connections=50".into(),
        ] {
            command.extend(["-c".into(), setting]);
        }
        let ready = "database system is ready to accept connections";
        server.serve(&command, ready);
        let server = Self {
            port,
            dir,
            psql: program("psql", &bin, INSTALL),
            _server: server,
        };
        server.sql("postgres", &format!("CREATE DATABASE {DATABASE}"));
        server.sql("postgres", &format!("CREATE DATABASE {TLS_DATABASE}"));
        server
    }

    /// Returns the port on 127.0.0.1.
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Returns the certificate that the server shows, for `localhost` and 127.0.0.1.
    pub fn certificate(&self) -> PathBuf {
        self.dir.join("certificate.pem")
    }

    /// Runs `sql` in `database` and returns what it prints: one line for each row, columns separated by `|`, `NULL` for null.
    pub fn sql(&self, database: &str, sql: &str) -> String {
        run(&mut self.psql(database, sql))
    }

    /// Returns the command that runs `sql`, to be started beside a test.
    pub fn psql(&self, database: &str, sql: &str) -> Command {
        let mut command = Command::new(&self.psql);
        command
            .args([
                "-X",
                "-q",
                "-A",
                "-t",
                "-P",
                "null=NULL",
                "-v",
                "ON_ERROR_STOP=1",
                "-h",
                "127.0.0.1",
            ])
            .args([
                "-p",
                &self.port.to_string(),
                "-U",
                USER,
                "-d",
                database,
                "-c",
                sql,
            ])
            .env("PGPASSWORD", PASSWORD)
            .env("PGTZ", "UTC")
            .env("PGCLIENTENCODING", "UTF8");
        command
    }
}

/// Returns the folders that may hold PostgreSQL's programs, the newest version first.
fn binaries() -> Vec<PathBuf> {
    let mut versions: Vec<(u32, PathBuf)> = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .filter_map(|entry| {
            let path = entry.ok()?.path();
            Some((path.file_name()?.to_str()?.parse().ok()?, path.join("bin")))
        })
        .collect();
    versions.sort();
    let others = [
        "/usr/local/pgsql/bin",
        "/usr/local/bin",
        "/usr/bin",
        "/opt/homebrew/bin",
    ];
    versions
        .into_iter()
        .rev()
        .map(|(_, path)| path)
        .chain(others.map(PathBuf::from))
        .collect()
}

/// Makes a certificate for the server, and a copy beside the data that the tests may read.
fn certificate(account: Account, data: &Path) {
    let openssl = program(
        "openssl",
        &["/usr/bin", "/usr/local/bin"].map(PathBuf::from),
        INSTALL,
    );
    run(account.command(&openssl, data).args(
        "req -x509 -newkey rsa:2048 -nodes -days 2 -keyout server.key -out server.crt -subj /CN=localhost \
         -addext subjectAltName=DNS:localhost,IP:127.0.0.1 -addext basicConstraints=critical,CA:FALSE"
            .split_whitespace(),
    ));
    run(account
        .command(Path::new("/bin/sh"), data)
        .args(["-c", "chmod 600 server.key"]));
    fs::copy(data.join("server.crt"), data.join("../certificate.pem")).expect("copied");
}
