//! The seccomp wall: a list of system calls, some only with certain arguments; every other one fails with EPERM.
//!
//! Failing is chosen over killing because the C++ below us probes for calls and copes without; what matters is that nothing
//! happens.

mod allowed;

use crate::SandboxError;
use crate::cage::Profile;
use seccompiler::{
    BpfProgram, Error, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition,
    SeccompFilter, SeccompRule, TargetArch, apply_filter_all_threads,
};
use std::collections::BTreeMap;

/// The rules of a filter: for each call, the argument patterns of which one must fit; none means any.
type Rules = BTreeMap<i64, Vec<SeccompRule>>;

#[cfg(target_arch = "x86_64")]
const ARCH: TargetArch = TargetArch::x86_64;
#[cfg(target_arch = "aarch64")]
const ARCH: TargetArch = TargetArch::aarch64;

/// Restricts every thread of this process.
pub(super) fn restrict(profile: Profile) -> Result<(), SandboxError> {
    let refused = |source| SandboxError::Seccomp { source };
    for filter in [
        clone3_filter().map_err(refused)?,
        main_filter(profile).map_err(refused)?,
    ] {
        apply_filter_all_threads(&filter).map_err(refused)?;
    }
    Ok(())
}

fn main_filter(profile: Profile) -> Result<BpfProgram, Error> {
    let denied = SeccompAction::Errno(libc::EPERM.unsigned_abs());
    let rules = allowed::rules(profile, std::process::id())?;
    Ok(SeccompFilter::new(rules, denied, SeccompAction::Allow, ARCH)?.try_into()?)
}

/// `clone3` keeps its flags in memory, where a filter cannot look. Answered with "not implemented", the C library falls back
/// to `clone`, which the main filter judges. That needs a filter of its own, as a filter has one answer for what it denies.
fn clone3_filter() -> Result<BpfProgram, Error> {
    let rules = Rules::from([(libc::SYS_clone3, Vec::new())]);
    let missing = SeccompAction::Errno(libc::ENOSYS.unsigned_abs());
    Ok(SeccompFilter::new(rules, SeccompAction::Allow, missing, ARCH)?.try_into()?)
}

/// A pattern that one 32-bit argument equals a value.
fn equals(argument: u8, value: u64) -> Result<SeccompRule, Error> {
    pattern(&[(argument, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, value)])
}

/// A pattern that certain bits of a 32-bit argument have a value.
fn bits(argument: u8, mask: u64, value: u64) -> Result<SeccompRule, Error> {
    pattern(&[(
        argument,
        SeccompCmpArgLen::Dword,
        SeccompCmpOp::MaskedEq(mask),
        value,
    )])
}

fn pattern(conditions: &[(u8, SeccompCmpArgLen, SeccompCmpOp, u64)]) -> Result<SeccompRule, Error> {
    let conditions: Result<Vec<_>, _> = conditions
        .iter()
        .map(|(argument, length, operator, value)| {
            SeccompCondition::new(*argument, length.clone(), operator.clone(), *value)
        })
        .collect();
    Ok(SeccompRule::new(conditions?)?)
}
