//! The switch of sign-in: `.dango/auth.yml`, Dango's file. Only what says clearly that sign-in is off switches it off; a file
//! that is missing, broken or says anything else does not.

use crate::files::{self, Reach};
use crate::project::Project;
use crate::{App, Result, SystemEntropy};
use security::permissions::AuthManage;
use security::tokens::NewToken;
use security::{Allow, Event, Plain};
use serde::Deserialize;

const ON: &str = "# whether people sign in; `dango auth enable` and `dango auth disable` change it\nenabled: true\n";
const OFF: &str = "# whether people sign in; `dango auth enable` and `dango auth disable` change it\nenabled: false\n";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Switch {
    enabled: Word,
}

/// `false` in quotes is no clear word.
#[derive(Deserialize)]
#[serde(untagged)]
enum Word {
    Clear(bool),
    Other(serde::de::IgnoredAny),
}

/// Returns whether people have to sign in.
pub fn is_on(project: &Project) -> bool {
    let read = files::read_text(&project.auth_file());
    let switch = read
        .ok()
        .flatten()
        .and_then(|text| serde_saphyr::from_str::<Switch>(&text).ok());
    !matches!(
        switch,
        Some(Switch {
            enabled: Word::Clear(false)
        })
    )
}

/// Switches sign-in on or off. A server that was started with it on goes on so until it is started again; one that was
/// started with it off asks again at the next request.
pub async fn set(app: &App, allow: &Allow<AuthManage>, is_on: bool) -> Result<()> {
    let event = if is_on {
        Event::AuthEnabled
    } else {
        Event::AuthDisabled
    };
    // The record comes first: a switch that nobody can find in the log is worse than a record of one that failed.
    app.store.record(allow, event).await?;
    let text = if is_on { ON } else { OFF };
    files::write_whole(&app.project.auth_file(), text.as_bytes(), Reach::Owner)
}

/// Makes the token by which programs of this machine's user are known while sign-in is off: it lies in `.dango/run/`, for its
/// owner alone, and is another one at every start.
pub fn make_local_token(app: &App) -> Result<Plain<String>> {
    let token = NewToken::for_link(&SystemEntropy).raw;
    let path = app.project.local_token_file();
    files::write_whole(&path, token.expose().as_bytes(), Reach::Owner)?;
    Ok(token)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::tests::bare_project;

    #[test]
    fn only_a_clear_word_switches_sign_in_off() {
        let (_folder, project) = bare_project();
        assert!(is_on(&project), "without the file");
        let check = |text: &[u8], expect: bool| {
            fs_err::write(project.auth_file(), text).expect("written");
            let shown = String::from_utf8_lossy(text).into_owned();
            assert_eq!(is_on(&project), expect, "{shown}");
        };
        check(OFF.as_bytes(), false);
        check(b"enabled: false", false);
        for on in [
            ON.as_bytes(),
            b"",
            b"enabled:",
            b"enabled: no such thing",
            b"enabled: 0",
            b"enabled: \"false\"",
            b"{enabled: false",
            b"enabled: false\nenabled: true",
            b"enabled: false\nother: 1",
            b"\xff\xfe",
            b"- enabled: false",
        ] {
            check(on, true);
        }
        fs_err::remove_file(project.auth_file()).expect("removed");
        fs_err::create_dir(project.auth_file()).expect("a folder in its place");
        assert!(is_on(&project));
    }
}
