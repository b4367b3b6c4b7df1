//! Who is at the command line: named after the account that the kernel says he has. `USER`, `LOGNAME` and `SUDO_USER` say
//! whatever somebody sets them to.

use crate::environment::{Environment, VariableOrigin};
use nix::unistd::{Uid, User, getuid};

/// Returns the name of an account of this machine, for the audit log.
pub fn account_name(uid: u32) -> String {
    let found = User::from_uid(Uid::from_raw(uid)).ok().flatten();
    found.map_or_else(|| format!("uid {uid}"), |user| user.name)
}

/// Returns who runs this process, for the audit log. Root may say for whom he does: he could do as anybody anyway.
pub(crate) fn os_user(environment: &Environment) -> String {
    let uid = getuid();
    let name = account_name(uid.as_raw());
    match sudo_uid(environment).filter(|_| uid.is_root()) {
        Some(by) => format!("{name} (sudo: {})", account_name(by)),
        None => name,
    }
}

/// Returns the account that sudo was started by. `.env`, which others may write, says nothing of it.
fn sudo_uid(environment: &Environment) -> Option<u32> {
    const VARIABLE: &str = "SUDO_UID";
    (environment.origin(VARIABLE) == Some(VariableOrigin::Process)).then_some(())?;
    environment.setting(VARIABLE)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_that_anybody_may_set_name_nobody() {
        let own = account_name(getuid().as_raw());
        assert!(!own.is_empty());
        for name in ["USER", "LOGNAME", "SUDO_USER"] {
            assert_eq!(os_user(&Environment::from_pairs([(name, "eve")])), own);
        }
        let sudo = os_user(&Environment::from_pairs([("SUDO_UID", "0")]));
        let expect = if getuid().is_root() {
            format!("{own} (sudo: {own})")
        } else {
            own
        };
        assert_eq!(sudo, expect);
        assert_eq!(account_name(4_294_967_294), "uid 4294967294");
    }

    #[test]
    fn what_stands_in_a_file_does_not_say_who_runs_sudo() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join(".env");
        fs_err::write(&path, "SUDO_UID=0\n").expect("written");
        let mut environment = Environment::default();
        environment.load_file(&path).expect("well-formed");
        assert_eq!(sudo_uid(&environment), None);
        assert_eq!(
            sudo_uid(&Environment::from_pairs([("SUDO_UID", "ada")])),
            None
        );
        assert_eq!(
            sudo_uid(&Environment::from_pairs([("SUDO_UID", "1000")])),
            Some(1000)
        );
    }
}
