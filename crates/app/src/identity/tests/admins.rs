use super::*;
use crate::identity::people::Promoted;
use crate::identity::{Paging, UserFilter, account};
use futures_util::future::join_all;
use security::permissions::{AccountSecure, UsersView};

#[tokio::test]
async fn one_admin_remains_however_many_are_demoted_at_once() {
    let team = Team::new().await;
    let mut admins = Vec::new();
    for n in 0..8 {
        admins.push(
            team.add(&format!("admin{n}@example.com"), Role::Admin)
                .await,
        );
    }
    let manage = team.operator::<UsersManage>().await;
    let tries =
        (0..64).map(|n| people::set_role(&team.app, &manage, admins[n % 8].id, Role::Viewer));
    let ended = join_all(tries).await;
    assert!(ended.iter().any(|one| {
        one.as_ref()
            .err()
            .is_some_and(|e| e.code == Code::LastAdmin)
    }));
    let view = team.operator::<UsersView>().await;
    let listed = people::list(&team.app, &view, UserFilter::default(), Paging::default())
        .await
        .expect("listed");
    let left = listed
        .items
        .iter()
        .filter(|person| person.user.role == Role::Admin)
        .count();
    assert_eq!((listed.total, left), (8, 1));
}

#[tokio::test]
async fn nobody_takes_the_last_admin_away_nor_himself() {
    let team = Team::new().await;
    let ada = team.add("ada@example.com", Role::Admin).await;
    let operator = team.operator::<UsersManage>().await;
    people::invite(&team.app, &operator, &email("new@example.com"), Role::Admin)
        .await
        .expect("invited");
    // Somebody who was invited as an admin may never come.
    assert_eq!(
        code(people::delete(&team.app, &operator, ada.id).await),
        Some(Code::LastAdmin)
    );
    assert_eq!(
        code(people::deactivate(&team.app, &operator, ada.id).await),
        Some(Code::LastAdmin)
    );
    assert_eq!(
        code(people::erase(&team.app, &operator, ada.id).await),
        Some(Code::LastAdmin)
    );
    let bob = team.add("bob@example.com", Role::Admin).await;
    let entered = team.sign_in("bob@example.com", PASSWORD).await.expect("in");
    let own = team
        .allowed::<UsersManage>(&entered.cookie)
        .await
        .expect("an admin");
    assert_eq!(
        code(people::delete(&team.app, &own, bob.id).await),
        Some(Code::NotOneself)
    );
    assert_eq!(
        code(people::deactivate(&team.app, &own, bob.id).await),
        Some(Code::NotOneself)
    );
    assert_eq!(
        code(
            people::reset_password(&team.app, &own, bob.id)
                .await
                .map(drop)
        ),
        Some(Code::NotOneself)
    );
    people::delete(&team.app, &own, ada.id)
        .await
        .expect("another one");
    assert_eq!(
        code(team.sign_in("ada@example.com", PASSWORD).await),
        Some(Code::CredentialsWrong)
    );
    people::restore(&team.app, &own, ada.id)
        .await
        .expect("back");
    team.sign_in("ada@example.com", PASSWORD).await.expect("in");
    people::erase(&team.app, &own, ada.id)
        .await
        .expect("erased");
    assert_eq!(
        code(people::get(&team.app, &own, ada.id).await),
        Some(Code::UserNotFound)
    );
}

#[tokio::test]
async fn an_address_is_one_users_even_after_he_was_deleted() {
    let team = Team::new().await;
    team.add("ada@example.com", Role::Admin).await;
    let bob = team.add("bob@example.com", Role::Viewer).await;
    let manage = team.operator::<UsersManage>().await;
    people::delete(&team.app, &manage, bob.id)
        .await
        .expect("deleted");
    let again = people::invite(&team.app, &manage, &email("BOB@example.com"), Role::Viewer).await;
    assert_eq!(code(again.map(drop)), Some(Code::UserExists));
    let taken = people::set_email(&team.app, &manage, bob.id, &email("ada@example.com")).await;
    assert_eq!(code(taken), Some(Code::UserExists));
    let entered = team.sign_in("ada@example.com", PASSWORD).await.expect("in");
    let secure = team
        .allowed::<AccountSecure>(&entered.cookie)
        .await
        .expect("fresh");
    let moved = account::set_own_email(&team.app, &secure, &email("ada@example.org"))
        .await
        .expect("moved");
    assert!(!moved.is_verified);
    team.sign_in("ada@example.org", PASSWORD).await.expect("in");
}

#[tokio::test]
async fn whoever_installs_makes_an_admin_of_whomever_he_names() {
    let team = Team::new().await;
    let manage = team.operator::<UsersManage>().await;
    let ensure = async |password: Option<&str>| {
        let password = password.map(plain);
        people::ensure_admin(
            &team.app,
            &manage,
            &email("ada@example.com"),
            password.as_ref(),
            false,
        )
        .await
    };
    assert_eq!(
        ensure(Some(PASSWORD)).await.expect("made").1,
        Promoted::Created
    );
    let eve = team.add("eve@example.com", Role::Admin).await;
    let ada = people::get_by_email(&team.app, &manage, &email("ada@example.com"))
        .await
        .expect("there");
    people::set_role(&team.app, &manage, ada.id, Role::Viewer)
        .await
        .expect("set");
    people::delete(&team.app, &manage, ada.id)
        .await
        .expect("deleted");
    let (user, how) = ensure(None).await.expect("promoted");
    assert_eq!(
        (how, user.role, user.may_sign_in()),
        (Promoted::Existing, Role::Admin, true)
    );
    team.sign_in("ada@example.com", PASSWORD)
        .await
        .expect("the password is his own");
    ensure(Some("quite another long secret"))
        .await
        .expect("promoted");
    assert_eq!(
        code(team.sign_in("ada@example.com", PASSWORD).await),
        Some(Code::CredentialsWrong)
    );
    assert_eq!(eve.role, Role::Admin);
}
