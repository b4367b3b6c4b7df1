use super::*;
use crate::project::tests::bare_project;
use security::Event;
use security::permissions::{AuditView, NotebooksView};
use store::audit::{self, AuditFilter, AuditRow};
use store::{Act, Paging};

fn options(root: &Path) -> OpenOptions {
    OpenOptions {
        project: Some(root.to_path_buf()),
        environment: Environment::from_pairs([("USER", "ada")]),
        command: "test".into(),
        wait_seconds: 0,
        launcher: crate::launcher().expect("this program"),
        clock: Arc::new(SystemClock),
    }
}

/// Returns the audit log, newest first.
async fn audit_rows(app: &App) -> Vec<AuditRow> {
    let allow = app.allow::<AuditView>().await.expect("the operator may");
    let listed = app
        .store
        .run_read(&allow, async |tx| {
            audit::list(&tx, &AuditFilter::default(), Paging::default()).await
        })
        .await;
    listed.expect("a log").items
}

#[tokio::test]
async fn a_denial_is_in_the_audit_log_before_anybody_hears_of_it() {
    let (_folder, project) = bare_project();
    let app = App::open_read(options(project.root()))
        .await
        .expect("a project");
    let denied = app.allow::<NotebooksView>().await.expect_err("not his");
    assert_eq!(denied.code, Code::PermissionDenied);
    let rows = audit_rows(&app).await;
    let [row] = rows.as_slice() else {
        panic!("{rows:?}");
    };
    assert_eq!(
        (
            row.event.as_str(),
            row.permission.as_str(),
            row.actor.as_str()
        ),
        (
            "permission_denied",
            "notebooks.view",
            format!("operator:{}", os_user(&Environment::default())).as_str()
        )
    );
    app.close().await;
}

#[tokio::test]
async fn an_effect_is_settled_with_how_far_it_came() {
    let (_folder, project) = bare_project();
    let app = App::open_read(options(project.root()))
        .await
        .expect("a project");
    let allow = app.allow::<AuditView>().await.expect("the operator may");
    for (has_begun, worked, outcome) in [
        (false, true, "done"),
        (true, true, "done"),
        (true, false, "partly"),
        (false, false, "failed"),
    ] {
        let act = Act::new(Event::SourceRemoved).target(outcome);
        let ended = app.effect(&allow, act, async |progress| {
            if has_begun {
                progress.part_is_done();
            }
            worked.then_some(()).ok_or_else(|| Error::bug("no"))
        });
        assert_eq!(ended.await.is_ok(), worked);
        let rows = audit_rows(&app).await;
        let settled = rows.first().expect("the outcome comes last");
        assert_eq!(settled.details["outcome"], outcome);
    }
    app.close().await;
}
