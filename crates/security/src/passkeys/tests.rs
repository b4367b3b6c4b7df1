use super::*;
use testkit::authenticator::Device;
use uuid::Uuid;

const HERE: &str = "http://localhost:8800";

fn url(text: &str) -> Url {
    Url::parse(text).expect("a URL")
}

fn site() -> Passkeys {
    Passkeys::new(&url(HERE)).expect("a site")
}

fn ada() -> UserId {
    UserId::new(Uuid::from_u128(7))
}

fn email() -> Email {
    Email::parse("ada@example.com").expect("an address")
}

async fn registered(site: &Passkeys, device: &mut Device) -> Registered {
    let asked = site.ask_for_new(ada(), &email(), &[]).expect("asked");
    let answer = device.create(HERE, &asked.options).await.expect("made");
    site.register(&asked.state, &answer).expect("registered")
}

/// Changes what a page asks the device for, as a page under somebody's control could.
fn changed(options: &Value, pointer: &str, to: &str) -> Value {
    let mut options = options.clone();
    *options.pointer_mut(pointer).expect("it is there") = Value::from(to);
    options
}

#[test]
fn a_site_has_a_name_and_tls() {
    let check = |text: &str, expect: bool| {
        assert_eq!(Passkeys::new(&url(text)).is_ok(), expect, "{text}");
    };
    check("http://localhost:8800", true);
    check("https://dango.example.com", true);
    check("https://dango.example.com:8443/", true);
    check("http://dango.example.com", false);
    check("http://127.0.0.1:8800", false);
    check("https://192.0.2.7", false);
    check("https://[::1]:8800", false);
    check("http://notlocalhost:8800", false);
}

#[tokio::test]
async fn a_device_registers_and_is_then_a_second_factor() {
    let (site, mut device) = (site(), Device::default());
    let asked = site.ask_for_new(ada(), &email(), &[]).expect("asked");
    let selection = asked
        .options
        .pointer("/publicKey/authenticatorSelection")
        .expect("it is there");
    assert_eq!(selection["residentKey"], "preferred");
    assert_eq!(selection["userVerification"], "required");
    assert_eq!(asked.options["publicKey"]["rp"]["id"], "localhost");
    let mut kept = registered(&site, &mut device).await;
    for _ in 0..2 {
        let asked = site.ask_for_proof(&[&kept.credential]).expect("asked");
        let answer = device.get(HERE, &asked.options).await.expect("shown");
        let answer = Answer::parse(&answer).expect("an answer");
        assert_eq!(answer.credential_id(), kept.credential_id);
        let shown = site
            .prove(&asked.state, &answer, &kept.credential)
            .expect("proven");
        assert!(shown.counter > kept.counter);
        (kept.counter, kept.credential) = (shown.counter, shown.credential);
    }
    let again = site
        .ask_for_new(ada(), &email(), &[&kept.credential])
        .expect("asked");
    let excluded = &again.options["publicKey"]["excludeCredentials"][0]["id"];
    assert_eq!(excluded, kept.credential_id.as_str(), "it has one");
}

#[tokio::test]
async fn a_device_signs_in_and_says_whose_it_is() {
    let (site, mut device) = (site(), Device::default());
    let kept = registered(&site, &mut device).await;
    let asked = site.ask_for_anybody().expect("asked");
    assert!(asked.options.get("mediation").is_none());
    let answer = device.get(HERE, &asked.options).await.expect("shown");
    let answer = Answer::parse(&answer).expect("an answer");
    assert_eq!(answer.credential_id(), kept.credential_id);
    let bob = UserId::new(Uuid::from_u128(8));
    let as_bob = site.sign_in(&asked.state, &answer, bob, &kept.credential);
    assert!(matches!(as_bob, Err(PasskeyError::OtherUser)), "{as_bob:?}");
    site.sign_in(&asked.state, &answer, ada(), &kept.credential)
        .expect("signed in");
}

#[tokio::test]
async fn an_answer_is_to_its_own_question() {
    let (site, mut device) = (site(), Device::default());
    let kept = registered(&site, &mut device).await;
    let first = site.ask_for_proof(&[&kept.credential]).expect("asked");
    let second = site.ask_for_proof(&[&kept.credential]).expect("asked");
    let anybody = site.ask_for_anybody().expect("asked");
    let answer = device.get(HERE, &first.options).await.expect("shown");
    let answer = Answer::parse(&answer).expect("an answer");
    let other = site.prove(&second.state, &answer, &kept.credential);
    assert!(matches!(other, Err(PasskeyError::Refused(_))), "{other:?}");
    let kind = site.prove(&anybody.state, &answer, &kept.credential);
    assert!(matches!(kind, Err(PasskeyError::OtherState)), "{kind:?}");
    let kind = site.sign_in(&first.state, &answer, ada(), &kept.credential);
    assert!(matches!(kind, Err(PasskeyError::OtherState)), "{kind:?}");
    let unasked = registered(&site, &mut Device::default()).await;
    let other = site.prove(&first.state, &answer, &unasked.credential);
    assert!(
        matches!(other, Err(PasskeyError::OtherCredential)),
        "{other:?}"
    );
}

#[tokio::test]
async fn a_passkey_nobody_asked_for_is_refused() {
    let (site, mut hers, mut his) = (site(), Device::default(), Device::default());
    let kept = registered(&site, &mut hers).await;
    let foreign = registered(&site, &mut his).await;
    let asked = site.ask_for_proof(&[&kept.credential]).expect("asked");
    let mut options = asked.options.clone();
    let publics = options["publicKey"].as_object_mut().expect("an object");
    publics.remove("allowCredentials");
    let answer = his.get(HERE, &options).await.expect("shown");
    let answer = Answer::parse(&answer).expect("an answer");
    for credential in [&kept.credential, &foreign.credential] {
        let proven = site.prove(&asked.state, &answer, credential);
        assert!(
            matches!(proven, Err(PasskeyError::Refused(_))),
            "{proven:?}"
        );
    }
    let asked = site.ask_for_anybody().expect("asked");
    let answer = his.get(HERE, &asked.options).await.expect("shown");
    let answer = Answer::parse(&answer).expect("an answer");
    let with_hers = site.sign_in(&asked.state, &answer, ada(), &kept.credential);
    assert!(
        matches!(with_hers, Err(PasskeyError::Refused(_))),
        "{with_hers:?}"
    );
}

#[tokio::test]
async fn another_origin_is_refused() {
    let (site, mut device) = (site(), Device::default());
    let kept = registered(&site, &mut device).await;
    // The browser in software lets a page ask for a passkey of another name, which real ones refuse.
    for elsewhere in [
        "http://localhost:9999",
        "https://localhost:8800",
        "http://sub.localhost:8800",
        "https://phish.example",
    ] {
        let asked = site.ask_for_new(ada(), &email(), &[]).expect("asked");
        let mut other = Device::default();
        let answer = other.create(elsewhere, &asked.options).await;
        let made = site.register(&asked.state, &answer.expect("made"));
        assert!(matches!(made, Err(PasskeyError::Refused(_))), "{made:?}");
        let asked = site.ask_for_proof(&[&kept.credential]).expect("asked");
        let answer = device.get(elsewhere, &asked.options).await.expect("shown");
        let answer = Answer::parse(&answer).expect("an answer");
        let proven = site.prove(&asked.state, &answer, &kept.credential);
        assert!(
            matches!(proven, Err(PasskeyError::Refused(_))),
            "{proven:?}"
        );
    }
}

#[tokio::test]
async fn a_holder_who_is_not_verified_is_refused() {
    let (site, mut device) = (site(), Device::default());
    let kept = registered(&site, &mut device).await;
    device.is_verified = false;
    let lax = |asked: &Asked, pointer| changed(&asked.options, pointer, "discouraged");
    for asked in [
        site.ask_for_proof(&[&kept.credential]).expect("asked"),
        site.ask_for_anybody().expect("asked"),
    ] {
        assert_eq!(device.get(HERE, &asked.options).await, None);
        let options = lax(&asked, "/publicKey/userVerification");
        let answer = device.get(HERE, &options).await.expect("shown");
        let answer = Answer::parse(&answer).expect("an answer");
        let shown = match answer.user() {
            Some(user)
                if asked.options["publicKey"]["allowCredentials"] == serde_json::json!([]) =>
            {
                site.sign_in(&asked.state, &answer, user, &kept.credential)
            }
            _ => site.prove(&asked.state, &answer, &kept.credential),
        };
        assert!(matches!(shown, Err(PasskeyError::Refused(_))), "{shown:?}");
    }
    let asked = site.ask_for_new(ada(), &email(), &[]).expect("asked");
    let pointer = "/publicKey/authenticatorSelection/userVerification";
    let mut device = Device::default();
    device.is_verified = false;
    let options = lax(&asked, pointer);
    let answer = device.create(HERE, &options).await.expect("made");
    let made = site.register(&asked.state, &answer);
    assert!(matches!(made, Err(PasskeyError::Refused(_))), "{made:?}");
}

#[tokio::test]
async fn a_copied_device_shows_by_its_counter() {
    let (site, mut device) = (site(), Device::default());
    let mut kept = registered(&site, &mut device).await;
    let mut copy = device.clone();
    for _ in 0..3 {
        let asked = site.ask_for_anybody().expect("asked");
        let answer = device.get(HERE, &asked.options).await.expect("shown");
        let answer = Answer::parse(&answer).expect("an answer");
        let shown = site
            .sign_in(&asked.state, &answer, ada(), &kept.credential)
            .expect("signed in");
        kept.credential = shown.credential;
    }
    let asked = site.ask_for_anybody().expect("asked");
    let answer = copy.get(HERE, &asked.options).await.expect("shown");
    let answer = Answer::parse(&answer).expect("an answer");
    let shown = site.sign_in(&asked.state, &answer, ada(), &kept.credential);
    assert!(matches!(shown, Err(PasskeyError::Replayed)), "{shown:?}");
}

#[tokio::test]
async fn an_answer_that_was_changed_is_refused() {
    let (site, mut device) = (site(), Device::default());
    let kept = registered(&site, &mut device).await;
    let asked = site.ask_for_proof(&[&kept.credential]).expect("asked");
    let answer = device.get(HERE, &asked.options).await.expect("shown");
    let answer: Value = serde_json::from_str(&answer).expect("JSON");
    for pointer in [
        "/response/signature",
        "/response/authenticatorData",
        "/response/clientDataJSON",
    ] {
        let text = answer
            .pointer(pointer)
            .and_then(Value::as_str)
            .expect("text");
        let mut bytes = BASE64URL_NOPAD.decode(text.as_bytes()).expect("base64");
        let last = bytes.last_mut().expect("it is not empty");
        *last ^= 1;
        let changed = changed(&answer, pointer, &BASE64URL_NOPAD.encode(&bytes));
        let proven = Answer::parse(&changed.to_string())
            .and_then(|answer| site.prove(&asked.state, &answer, &kept.credential));
        assert!(proven.is_err(), "{pointer}");
    }
    for bad in ["", "{}", "null", "[]", "\u{0}"] {
        assert!(Answer::parse(bad).is_err(), "{bad}");
        let asked = site.ask_for_new(ada(), &email(), &[]).expect("asked");
        assert!(site.register(&asked.state, bad).is_err(), "{bad}");
    }
}
