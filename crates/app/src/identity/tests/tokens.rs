use super::*;
use crate::identity::tokens::{self, TokenRequest};
use crate::identity::{ApiTokenFilter, Paging, Presented};
use security::permissions::{
    AccountManage, AccountSecure, AccountView, SourceSync, SourceView, UsersView,
};

fn wish(name: &str) -> TokenRequest {
    TokenRequest {
        name: name.into(),
        ..TokenRequest::default()
    }
}

impl Team {
    async fn token(
        &self,
        address: &str,
        request: TokenRequest,
    ) -> Result<tokens::MadeToken, Error> {
        let allow = self.operator::<AccountSecure>().await;
        let owner = tokens::owner(&self.app, &allow, Some(&email(address))).await?;
        tokens::create(&self.app, &allow, owner, request).await
    }

    async fn bearer(&self, raw: &str, ip: &str) -> Option<SignedIn> {
        let allow = public::<Authenticate>(ip);
        let client = allow.actor().client().cloned().expect("a client");
        let known =
            crate::identity::recognise(&self.app, &allow, Presented::Bearer(raw), &client).await;
        known.expect("looked up").map(|known| known.actor)
    }
}

#[tokio::test]
async fn a_token_opens_what_it_was_made_for_from_where_it_was_made_for() {
    let team = Team::new().await;
    team.add("ada@example.com", Role::Editor).await;
    let wished = TokenRequest {
        scopes: Some(vec!["source.view".into()]),
        networks: Some(vec!["192.0.2.0/24".into()]),
        expires_in_days: Some(1),
        ..wish("ci")
    };
    let made = team.token("ada@example.com", wished).await.expect("made");
    let raw = made.raw.expose();
    assert!(raw.starts_with("dap_") && raw.len() == 47);
    let actor = Actor::User(team.bearer(raw, "192.0.2.9").await.expect("good"));
    assert!(security::authorize::<SourceView>(&actor, request()).is_ok());
    assert!(security::authorize::<SourceSync>(&actor, request()).is_err());
    assert!(security::authorize::<AccountSecure>(&actor, request()).is_err());
    assert!(
        team.bearer(raw, "203.0.113.1").await.is_none(),
        "another network"
    );
    let mut other = raw.clone();
    other.replace_range(46..47, if raw.ends_with('A') { "B" } else { "A" });
    assert!(
        team.bearer(&other, "192.0.2.9").await.is_none(),
        "one character is wrong"
    );
    team.clock.move_on(Duration::from_hours(24));
    assert!(
        team.bearer(raw, "192.0.2.9").await.is_none(),
        "a day is over"
    );
}

#[tokio::test]
async fn a_token_goes_with_its_owner_and_with_its_revocation() {
    let team = Team::new().await;
    team.add("ada@example.com", Role::Admin).await;
    let bob = team.add("bob@example.com", Role::Viewer).await;
    let manage = team.operator::<UsersManage>().await;
    let made = team
        .token("bob@example.com", wish("ci"))
        .await
        .expect("made");
    let is_good = async || team.bearer(made.raw.expose(), "192.0.2.9").await.is_some();
    assert!(is_good().await);
    people::deactivate(&team.app, &manage, bob.id)
        .await
        .expect("done");
    assert!(!is_good().await);
    people::reactivate(&team.app, &manage, bob.id)
        .await
        .expect("done");
    assert!(is_good().await);
    people::reset_password(&team.app, &manage, bob.id)
        .await
        .map(drop)
        .expect("reset");
    assert!(is_good().await, "a token is no password");
    let entered = team.sign_in("ada@example.com", PASSWORD).await.expect("in");
    let own = team
        .allowed::<AccountManage>(&entered.cookie)
        .await
        .expect("may");
    let ada = tokens::owner(&team.app, &own, Some(&email("bob@example.com")))
        .await
        .expect("herself");
    let foreign = tokens::revoke(&team.app, &own, ada, made.token.id).await;
    assert_eq!(code(foreign), Some(Code::TokenNotFound), "it is bob's");
    tokens::revoke_any(&team.app, &manage, made.token.id)
        .await
        .expect("an admin may");
    tokens::revoke_any(&team.app, &manage, made.token.id)
        .await
        .expect("twice is no error");
    assert!(!is_good().await);
    let view = team.operator::<UsersView>().await;
    let all = async |include_revoked| {
        let filter = ApiTokenFilter { include_revoked };
        let listed = tokens::list_all(&team.app, &view, filter, Paging::default()).await;
        listed.expect("listed").total
    };
    assert_eq!((all(true).await, all(false).await), (1, 0));
}

#[tokio::test]
async fn a_token_cannot_have_what_its_owner_has_not() {
    let team = Team::new().await;
    team.add("ada@example.com", Role::Viewer).await;
    let scopes = |scope: &str| TokenRequest {
        scopes: Some(vec![scope.into()]),
        ..wish("ci")
    };
    let networks = |network: &str| TokenRequest {
        networks: Some(vec![network.into()]),
        ..wish("ci")
    };
    let days = |days| TokenRequest {
        expires_in_days: Some(days),
        ..wish("ci")
    };
    for bad in [
        scopes("source.sync"),
        scopes("account.secure"),
        scopes("everything"),
        networks("192.0.2.0/33"),
        networks("here"),
        days(0),
        days(3651),
        wish(""),
        wish(" "),
        wish(&"x".repeat(256)),
    ] {
        let refused = team.token("ada@example.com", bad.clone()).await;
        assert_eq!(code(refused.map(drop)), Some(Code::TokenInvalid), "{bad:?}");
    }
    team.token("ada@example.com", scopes("source.view"))
        .await
        .map(drop)
        .expect("hers");
    let view = team.operator::<AccountView>().await;
    let owner = tokens::owner(&team.app, &view, Some(&email("ada@example.com")))
        .await
        .expect("hers");
    let listed = tokens::list(&team.app, &view, owner, Paging::default())
        .await
        .expect("listed");
    assert_eq!(listed.total, 1);
    let nobody = tokens::owner(&team.app, &view, None).await;
    assert_eq!(
        code(nobody),
        Some(Code::UserNotFound),
        "there is no only admin"
    );
}
