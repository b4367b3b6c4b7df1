//! A client for tests that speaks HTTP/1.1 by itself: over a connection it keeps, and without any code of the server's.

use serde_json::Value;
use std::io::{self, BufRead as _, BufReader, Error, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// A server that has not answered by then does not answer.
const PATIENCE: Duration = Duration::from_mins(1);

/// A connection.
pub struct Connection {
    reader: BufReader<TcpStream>,
    host: String,
}

/// A whole answer.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    headers: Vec<(String, String)>,
    pub body: String,
}

impl Answer {
    /// Returns the first header of this name.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        headers
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// Returns the value of a cookie that the answer sets.
    pub fn cookie(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .filter(|(key, _)| key.eq_ignore_ascii_case("set-cookie"))
            .find_map(|(_, value)| {
                value
                    .split(';')
                    .next()?
                    .strip_prefix(name)?
                    .strip_prefix('=')
            })
    }

    /// Returns the body as JSON; null when it is none.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_default()
    }
}

impl Connection {
    /// Connects to a port of this machine.
    pub fn open(port: u16) -> io::Result<Self> {
        let stream = TcpStream::connect(SocketAddr::from(([127, 0, 0, 1], port)))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        Ok(Self {
            reader: BufReader::new(stream),
            host: format!("localhost:{port}"),
        })
    }

    /// Sends a request and waits for its answer. It says that it comes from the server's own pages.
    pub fn ask(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&Value>,
    ) -> io::Result<Answer> {
        let host = &self.host;
        let body = body.map(Value::to_string).unwrap_or_default();
        let length = body.len().to_string();
        let origin = format!("http://{host}");
        let own = [
            ("Host", host.as_str()),
            ("Origin", &origin),
            ("Content-Length", &length),
        ];
        let kind = (!body.is_empty()).then_some(("Content-Type", "application/json"));
        let all = own.iter().chain(headers).chain(&kind);
        let lines: Vec<_> = all
            .map(|(name, value)| [name, ": ", value, "\r\n"].concat())
            .collect();
        let text = format!("{method} {path} HTTP/1.1\r\n{}\r\n{body}", lines.concat());
        self.send(text.as_bytes())?;
        self.answer()
    }

    /// Sends bytes as they are.
    pub fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.reader.get_mut().write_all(bytes)
    }

    /// Reads one whole answer; what is cut off is none.
    pub fn answer(&mut self) -> io::Result<Answer> {
        let status = self.line()?;
        let status = status.split(' ').nth(1).and_then(|code| code.parse().ok());
        let status = status.ok_or_else(|| Error::other("an answer begins with its status"))?;
        let mut headers = Vec::new();
        loop {
            let line = self.line()?;
            if line.is_empty() {
                break;
            }
            let (name, value) = line.split_once(':').unwrap_or((&line, ""));
            headers.push((name.to_owned(), value.trim().to_owned()));
        }
        let mut answer = Answer {
            status,
            headers,
            body: String::new(),
        };
        let length = answer
            .header("content-length")
            .and_then(|length| length.parse().ok());
        let mut body = vec![0; length.unwrap_or(0)];
        self.reader.read_exact(&mut body)?;
        answer.body = String::from_utf8_lossy(&body).into_owned();
        Ok(answer)
    }

    fn line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        self.reader.read_line(&mut line)?;
        match line.strip_suffix("\r\n") {
            Some(line) => Ok(line.to_owned()),
            None => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }
}
