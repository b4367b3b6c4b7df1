use super::*;
use crate::identity::passkeys::{self, Answered, Question};
use security::Step;
use security::permissions::{
    AccountEnrol, AccountManage, AccountProve, AccountSecure, AccountView,
};
use testkit::authenticator::Device;

const HERE: &str = "http://localhost:8800";
const MINUTE: Duration = Duration::from_mins(1);

struct Answer {
    key: Plain<String>,
    answer: String,
}

impl Answer {
    fn given(&self) -> Answered<'_> {
        Answered {
            key: &self.key,
            answer: &self.answer,
        }
    }
}

async fn show(device: &mut Device, asked: Question) -> Answer {
    Answer {
        answer: device.get(HERE, &asked.options).await.expect("shown"),
        key: asked.key,
    }
}

/// Ada signs in with her password and adds a passkey.
async fn ada_with_passkey(team: &Team, device: &mut Device) -> (Entered, domain::PasskeyId) {
    team.add("ada@example.com", Role::Admin).await;
    let entered = team.sign_in("ada@example.com", PASSWORD).await.expect("in");
    let enrol = team.allowed::<AccountEnrol>(&entered.cookie).await;
    let enrol = enrol.expect("she has just signed in");
    let asked = passkeys::ask_for_new(&team.app, &enrol)
        .await
        .expect("asked");
    let answer = Answer {
        answer: device.create(HERE, &asked.options).await.expect("made"),
        key: asked.key,
    };
    let added = passkeys::register(&team.app, &enrol, answer.given(), "laptop").await;
    let again = passkeys::register(&team.app, &enrol, answer.given(), "laptop").await;
    assert_eq!(code(again), Some(Code::CeremonyOver));
    let added = added.expect("added");
    assert_eq!(added.recovery_codes.len(), 8, "it is the first factor");
    (entered, added.passkey.id)
}

#[tokio::test]
async fn a_passkey_is_a_second_factor() {
    let (team, mut device) = (Team::new().await, Device::default());
    let (first, id) = ada_with_passkey(&team, &mut device).await;
    let waiting = team.sign_in("ada@example.com", PASSWORD).await.expect("in");
    assert_eq!(waiting.step, Some(Step::SecondFactor));
    let prove = team
        .allowed::<AccountProve>(&waiting.cookie)
        .await
        .expect("she may");
    let asked = passkeys::ask_for_proof(&team.app, &prove)
        .await
        .expect("asked");
    let answer = show(&mut device, asked).await;
    let also = team.sign_in("ada@example.com", PASSWORD).await.expect("in");
    for (cookie, expect) in [
        (&first.cookie, Code::UsageInvalid),
        (&also.cookie, Code::CeremonyOver),
    ] {
        let elsewhere = team.allowed::<AccountProve>(cookie).await.expect("she may");
        let taken = passkeys::verify(&team.app, &elsewhere, answer.given()).await;
        assert_eq!(code(taken), Some(expect), "it is of another session");
    }
    let entered = passkeys::verify(&team.app, &prove, answer.given()).await;
    let entered = entered.expect("verified");
    assert_eq!(entered.step, None);
    assert!(
        team.whose(waiting.cookie.expose()).await.is_none(),
        "it has ended"
    );
    let again = passkeys::verify(&team.app, &prove, answer.given()).await;
    assert_eq!(code(again), Some(Code::CeremonyOver));

    let manage = team
        .allowed::<AccountManage>(&entered.cookie)
        .await
        .expect("she may");
    let named = passkeys::rename(&team.app, &manage, id, "work").await;
    assert_eq!(named.expect("named").name, "work");
    let secure = team
        .allowed::<AccountSecure>(&entered.cookie)
        .await
        .expect("fresh");
    passkeys::remove(&team.app, &secure, id)
        .await
        .expect("removed");
    let view = team
        .allowed::<AccountView>(&entered.cookie)
        .await
        .expect("she may");
    assert_eq!(passkeys::list(&team.app, &view).await.expect("listed"), []);
    let plain = team.sign_in("ada@example.com", PASSWORD).await.expect("in");
    assert_eq!(plain.step, None, "there is none to ask for");
}

#[tokio::test]
async fn a_passkey_alone_signs_in() {
    let (team, mut device) = (Team::new().await, Device::default());
    let (_, _) = ada_with_passkey(&team, &mut device).await;
    let (allow, browser) = (public::<SignIn>("192.0.2.7"), plain("a cookie"));
    let ask = async || {
        passkeys::ask_for_anybody(&team.app, &allow, &browser)
            .await
            .expect("asked")
    };
    let answer = show(&mut device, ask().await).await;
    let other = passkeys::sign_in(&team.app, &allow, &plain("another"), answer.given()).await;
    assert_eq!(code(other), Some(Code::CeremonyOver));
    let entered = passkeys::sign_in(&team.app, &allow, &browser, answer.given()).await;
    assert_eq!(entered.expect("in").step, None, "two factors in one");
    let again = passkeys::sign_in(&team.app, &allow, &browser, answer.given()).await;
    assert_eq!(code(again), Some(Code::CeremonyOver));

    let answer = show(&mut device, ask().await).await;
    team.clock.move_on(5 * MINUTE);
    let late = passkeys::sign_in(&team.app, &allow, &browser, answer.given()).await;
    assert_eq!(code(late), Some(Code::CeremonyOver));
}

#[tokio::test]
async fn a_copied_device_is_refused_and_written_down() {
    let (team, mut device) = (Team::new().await, Device::default());
    let (_, _) = ada_with_passkey(&team, &mut device).await;
    let (allow, browser) = (public::<SignIn>("192.0.2.7"), plain("a cookie"));
    let mut copy = device.clone();
    let sign_in = async |device: &mut Device| {
        let asked = passkeys::ask_for_anybody(&team.app, &allow, &browser).await;
        let answer = show(device, asked.expect("asked")).await;
        passkeys::sign_in(&team.app, &allow, &browser, answer.given()).await
    };
    sign_in(&mut device).await.expect("in");
    assert_eq!(code(sign_in(&mut copy).await), Some(Code::PasskeyRefused));
    assert!(team.events().await.contains(&"passkey_replayed".to_owned()));
    sign_in(&mut device)
        .await
        .expect("the rightful one goes on");
}

#[tokio::test]
async fn whoever_may_not_come_in_is_refused_like_an_unknown_passkey() {
    let (team, mut device) = (Team::new().await, Device::default());
    let (entered, _) = ada_with_passkey(&team, &mut device).await;
    team.add("eve@example.com", Role::Admin).await;
    let manage = team.operator::<UsersManage>().await;
    people::deactivate(&team.app, &manage, entered.user.id)
        .await
        .expect("deactivated");
    let (allow, browser) = (public::<SignIn>("192.0.2.7"), plain("a cookie"));
    for device in [&mut device, &mut stranger().await] {
        let asked = passkeys::ask_for_anybody(&team.app, &allow, &browser).await;
        let answer = show(device, asked.expect("asked")).await;
        let refused = passkeys::sign_in(&team.app, &allow, &browser, answer.given()).await;
        assert_eq!(code(refused), Some(Code::PasskeyRefused));
    }
    let failures = team.events().await;
    let failures = failures.iter().filter(|event| *event == "login_failure");
    assert_eq!(failures.count(), 2);
}

/// Returns a device that was registered somewhere else.
async fn stranger() -> Device {
    let mut device = Device::default();
    let elsewhere = Team::new().await;
    ada_with_passkey(&elsewhere, &mut device).await;
    device
}

#[tokio::test]
async fn a_proof_with_a_passkey_is_fresh() {
    let (team, mut device) = (Team::new().await, Device::default());
    let (entered, _) = ada_with_passkey(&team, &mut device).await;
    team.clock.move_on(6 * MINUTE);
    assert!(
        team.allowed::<AccountSecure>(&entered.cookie)
            .await
            .is_err()
    );
    let prove = team
        .allowed::<AccountProve>(&entered.cookie)
        .await
        .expect("she may");
    let asked = passkeys::ask_for_proof(&team.app, &prove)
        .await
        .expect("asked");
    let answer = show(&mut device, asked).await;
    passkeys::reauthenticate(&team.app, &prove, answer.given())
        .await
        .expect("proven");
    assert!(team.allowed::<AccountSecure>(&entered.cookie).await.is_ok());
}
