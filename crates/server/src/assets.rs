//! The files of the web pages, as `make web` built them, inside the program.

use data_encoding::HEXLOWER;
use rust_embed::{EmbeddedFile, RustEmbed};

/// Stands in the built page where the answer's nonce belongs.
const NONCE: &str = "DANGO_CSP_NONCE";

/// A build without the pages says how they are made.
const PLACEHOLDER: &str = "<!doctype html>
<html lang=\"en\">
<head><meta charset=\"utf-8\"><title>Dango</title></head>
<body>
<h1>Dango is running</h1>
<p>This build has no pages. <code>make</code> builds them (npm is needed once) and puts them into the program.</p>
<p>The API is below <code>/api</code>; <code>/api/openapi.json</code> describes it to whoever is signed in.</p>
</body>
</html>
";

#[derive(RustEmbed)]
#[folder = "../../web/dist"]
struct Built;

/// A file of the pages.
pub(crate) struct Asset {
    pub(crate) bytes: std::borrow::Cow<'static, [u8]>,
    pub(crate) kind: &'static str,
    pub(crate) tag: String,
}

/// Returns the one page there is: which of them it shows, it finds out from its address.
pub(crate) fn page(nonce: &str) -> String {
    let built = Built::get("index.html");
    let text = built
        .as_ref()
        .and_then(|file| str::from_utf8(&file.data).ok());
    text.unwrap_or(PLACEHOLDER).replace(NONCE, nonce)
}

/// Returns the file `name` of the pages. Its name has a hash of what it holds.
pub(crate) fn find(name: &str) -> Option<Asset> {
    let EmbeddedFile { data, metadata } = Built::get(&format!("assets/{name}"))?;
    let (_, extension) = name.rsplit_once('.')?;
    let kind = match extension {
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "svg" => "image/svg+xml",
        "woff2" => "font/woff2",
        // Nothing else belongs to the pages.
        _ => return None,
    };
    let tag = format!("\"{}\"", HEXLOWER.encode(&metadata.sha256_hash()));
    Some(Asset {
        bytes: data,
        kind,
        tag,
    })
}
