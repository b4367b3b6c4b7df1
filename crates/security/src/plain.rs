//! A secret in memory.

use zeroize::{Zeroize, Zeroizing};

/// A plain secret. It cannot be printed, serialized or copied, and its memory is overwritten when it is dropped; whoever
/// needs the value says so with [`Plain::expose`], which is easy to search for.
///
/// ```compile_fail
/// let secret = security::Plain::new(String::from("hunter2"));
/// println!("{secret:?}");
/// ```
/// ```compile_fail
/// let secret = security::Plain::new(String::from("hunter2"));
/// let copy = secret.clone();
/// ```
pub struct Plain<T: Zeroize>(Zeroizing<T>);

impl<T: Zeroize> Plain<T> {
    /// Takes a secret over.
    pub fn new(secret: T) -> Self {
        Self(Zeroizing::new(secret))
    }

    /// Returns the secret, for as short as its use.
    pub fn expose(&self) -> &T {
        &self.0
    }
}
