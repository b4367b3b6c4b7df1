//! The witnesses as handlers take them: first, so that it is decided before a byte of the body is read.

use crate::passage::Asker;
use crate::problem::Problem;
use crate::server::Server;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use security::permissions::{Line, PublicReason};
use security::{Allow, Permission, admit};
use std::ops::Deref;

/// Proof that something is open to everybody, for the reason `R`.
#[derive(Debug)]
pub struct Public<R: PublicReason>(Allow<R>);

impl<R: PublicReason> Deref for Public<R> {
    type Target = Allow<R>;

    fn deref(&self) -> &Allow<R> {
        &self.0
    }
}

impl<P: Permission> FromRequestParts<Server> for Allow<P> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, server: &Server) -> Result<Self, Problem> {
        Asker::of(parts)?.authorize(server).await
    }
}

impl<R: PublicReason> FromRequestParts<Server> for Public<R> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &Server) -> Result<Self, Problem> {
        let asker = Asker::of(parts)?;
        Ok(Self(admit(asker.client.clone(), asker.request)))
    }
}

/// Who a route is for, as the tables made from it say.
#[derive(Debug, Clone, Copy)]
pub enum Guard {
    /// Whoever has the permission.
    Permission(Line),
    /// Everybody, for a reason.
    Public {
        name: &'static str,
        reason: &'static str,
    },
}

/// The first argument of a handler.
#[diagnostic::on_unimplemented(
    message = "this handler has no permission",
    label = "its first argument must be `Allow<P>` or `Public<Reason>`"
)]
pub trait Guards {
    /// Who is let through.
    const GUARD: Guard;
}

impl<P: Permission> Guards for Allow<P> {
    const GUARD: Guard = Guard::Permission(Line::of::<P>());
}

impl<R: PublicReason> Guards for Public<R> {
    const GUARD: Guard = Guard::Public {
        name: R::NAME,
        reason: R::REASON,
    };
}

/// The arguments of a handler that begin with a witness. It leans on how axum names a handler's arguments: `(M, T1, …)`.
#[diagnostic::on_unimplemented(
    message = "this handler has no permission",
    label = "its first argument must be `Allow<P>` or `Public<Reason>`"
)]
pub trait Guarded {
    /// Who is let through.
    const GUARD: Guard;
}

macro_rules! guarded {
    ($($more:ident),*) => {
        impl<M, G: Guards $(, $more)*> Guarded for (M, G, $($more,)*) {
            const GUARD: Guard = G::GUARD;
        }
    };
}

guarded!();
guarded!(A);
guarded!(A, B);
guarded!(A, B, C);
guarded!(A, B, C, D);
guarded!(A, B, C, D, E);
