//! Ctrl-C and SIGTERM: the first asks the running work to stop at its next safe point, the second ends the process. Children
//! die with it, and whatever was not committed is undone by them.

use crate::errors::Stop;
use crate::output::Output;
use std::future::Future;
use std::io;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

/// Tells who waits that the user wants to stop.
#[derive(Debug, Clone)]
pub(crate) struct Interrupts {
    asked: watch::Receiver<bool>,
}

impl Interrupts {
    /// Starts to listen; must be called inside the runtime.
    pub(crate) fn listen(output: Output) -> io::Result<Self> {
        let (mut interrupt, mut terminate) = (
            signal(SignalKind::interrupt())?,
            signal(SignalKind::terminate())?,
        );
        let (sender, asked) = watch::channel(false);
        tokio::spawn(async move {
            loop {
                tokio::select! {
                    _ = interrupt.recv() => {}
                    _ = terminate.recv() => {}
                }
                if sender.send_replace(true) {
                    output.tell("stopped");
                    std::process::exit(130);
                }
            }
        });
        Ok(Self { asked })
    }

    /// Returns once the user asked to stop.
    pub(crate) async fn asked(&self) {
        // The sender lives as long as the runtime; without it nobody can ask any more.
        if self.asked.clone().wait_for(|asked| *asked).await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// Runs work that may be dropped at any point.
    pub(crate) async fn or_drop<T>(
        &self,
        work: impl Future<Output = Result<T, Stop>>,
    ) -> Result<T, Stop> {
        tokio::select! {
            done = work => done,
            () = self.asked() => Err(Stop::interrupted()),
        }
    }

    /// Runs work that stops by itself at its next safe point once `stop` was called.
    pub(crate) async fn or_ask<T>(&self, work: impl Future<Output = T>, stop: impl FnOnce()) -> T {
        tokio::pin!(work);
        tokio::select! {
            done = &mut work => return done,
            () = self.asked() => stop(),
        }
        work.await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn asked_work_is_stopped_or_dropped() {
        let (sender, asked) = watch::channel(false);
        let interrupts = Interrupts { asked };
        assert_eq!(interrupts.or_ask(async { 7 }, || {}).await, 7);
        sender.send_replace(true);
        let stop = interrupts
            .or_drop(std::future::pending::<Result<(), Stop>>())
            .await;
        assert_eq!(stop.expect_err("it was asked").exit_code(), 130);
        let (ask, answer) = tokio::sync::oneshot::channel();
        let work = async { answer.await.is_ok() };
        assert!(
            interrupts
                .or_ask(work, || {
                    let _ = ask.send(());
                })
                .await
        );
    }
}
