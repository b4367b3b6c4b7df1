use super::*;
use connect::identity_providers::Endpoints;
use connect::mail::MailSecurity;

fn providers(text: &str, secrets: &str, pairs: &[(&str, &str)]) -> (ProjectConfig, Vec<Finding>) {
    let (_folder, project) = bare_project();
    fs_err::write(project.project_file(), text).expect("written");
    fs_err::create_dir_all(project.root().join(".dlt")).expect("a folder");
    fs_err::write(project.secrets_file(), secrets).expect("written");
    let environment = Environment::from_pairs(pairs.iter().copied());
    read(&project, &environment).expect("readable")
}

/// Returns the providers that are left: `name client_id secret`.
fn named(config: &ProjectConfig) -> Vec<String> {
    let all = config.logins.providers.iter();
    all.map(|one| {
        let secret = one.client_secret.as_ref();
        let secret = secret.map_or("-", |secret| secret.expose().as_str());
        format!("{} {} {secret}", one.name, one.client_id)
    })
    .collect()
}

const GITHUB: &str = "auth: {oauth_providers: {github: {client_id: ours}}}";

#[test]
fn a_secret_of_a_provider_comes_from_where_git_does_not_see_it() {
    let stored = "[auth.oauth_providers.github]\nclient_secret = \"stored-secret\"\n";
    let (config, findings) = providers(GITHUB, stored, &[]);
    assert_eq!(findings, []);
    assert_eq!(named(&config), ["github ours stored-secret"]);
    let pairs = [
        ("DAP_OAUTH_GITHUB_CLIENT_SECRET", "given-secret"),
        ("DAP_OAUTH_GOOGLE_CLIENT_ID", "theirs"),
        ("DAP_OAUTH_GOOGLE_CLIENT_SECRET", "google-secret"),
    ];
    let (config, findings) = providers(GITHUB, stored, &pairs);
    assert_eq!(findings, []);
    let expect = ["github ours given-secret", "google theirs google-secret"];
    assert_eq!(named(&config), expect);

    let written =
        "auth: {oauth_providers: {google: {client_id: ours, client_secret: written-secret}}}";
    let (config, findings) = providers(written, "", &[]);
    assert_eq!(named(&config), ["google ours written-secret"]);
    let [finding] = findings.as_slice() else {
        panic!("{findings:?}")
    };
    assert_eq!(finding.severity, Severity::Warning);
    assert!(!format!("{config:?} {findings:?}").contains("written-secret"));
    let shown = crate::REDACTOR.redact("it is written-secret");
    assert!(!shown.contains("written-secret"), "{shown}");
    let template = written.replace("written-secret", "'${THEIRS}'");
    let (config, findings) = providers(&template, "", &[("THEIRS", "from a variable")]);
    assert_eq!(findings, []);
    assert_eq!(named(&config), ["google ours from a variable"]);
}

#[test]
fn a_provider_that_is_not_whole_is_left_out_and_told() {
    for heritage in ["{}", "{google: {}}", "{github: ~, google: ~}"] {
        let text = format!("auth: {{oauth_providers: {heritage}}}");
        let (config, findings) = providers(&text, "", &[]);
        assert_eq!(
            (named(&config), findings),
            (Vec::new(), Vec::new()),
            "{heritage}"
        );
    }
    let (config, findings) = providers(GITHUB, "", &[]);
    assert_eq!((named(&config), findings.len()), (Vec::new(), 1));
    assert_eq!(findings[0].severity, Severity::Warning);
    let corp = |more: &str| {
        let text = format!(
            "auth: {{oauth_create_viewers: true, oauth_providers: {{corp: {{client_id: x{more}}}}}}}"
        );
        let (config, findings) = providers(&text, "", &[]);
        let errors = findings
            .iter()
            .filter(|one| one.severity == Severity::Error);
        (config.logins.providers.len(), errors.count())
    };
    let domain = ", allowed_domains: [example.com]";
    assert_eq!(corp(domain), (0, 1), "no issuer");
    assert_eq!(corp(&format!(", issuer: 'ftp://x'{domain}")), (0, 1));
    assert_eq!(
        corp(", issuer: 'https://id.example.com'"),
        (1, 1),
        "for whom?"
    );
    assert_eq!(
        corp(", issuer: 'https://id.example.com', allowed_domains: ['@x']"),
        (1, 1)
    );
    assert_eq!(
        corp(&format!(", issuer: 'https://id.example.com'{domain}")),
        (1, 0)
    );
    let (config, findings) =
        providers("auth: {oauth_providers: {'../x': {client_id: x}}}", "", &[]);
    assert_eq!((named(&config), findings.len()), (Vec::new(), 1));
}

#[test]
fn a_github_of_ones_own_is_named_by_its_address() {
    let text =
        "auth: {oauth_providers: {github: {client_id: x, issuer: 'https://git.example.com/'}}}";
    let pairs = [("DAP_OAUTH_GITHUB_CLIENT_SECRET", "s")];
    let (config, findings) = providers(text, "", &pairs);
    assert_eq!(findings, []);
    let api = match &config.logins.providers[0].endpoints {
        Endpoints::Github { api, .. } => api.as_str(),
        Endpoints::Oidc { .. } => "",
    };
    assert_eq!(api, "https://git.example.com/api/v3");
}

#[test]
fn a_mail_server_has_a_sender_and_the_usual_port() {
    let mail = |text: &str| {
        let (config, findings) = providers(text, "[mail]\npassword = \"mail-secret\"\n", &[]);
        (config.mail, findings.len())
    };
    assert!(matches!(mail(""), (None, 0)));
    let (found, findings) =
        mail("mail: {host: smtp.example.com, from: dango@example.com, username: d}");
    let found = found.expect("a mail server");
    assert_eq!(
        (findings, found.port, found.security),
        (0, 587, MailSecurity::StartTls)
    );
    let password = found.password.expect("a password");
    assert_eq!(password.expose(), "mail-secret");
    let (found, _) = mail("mail: {host: smtp.example.com, port: 465, from: dango@example.com}");
    assert_eq!(found.expect("one").security, MailSecurity::Tls);
    assert!(matches!(mail("mail: {host: smtp.example.com}"), (None, 1)));
    assert!(matches!(
        mail("mail: {host: smtp.example.com, from: d@example.com, secure: 1}"),
        (Some(_), 1)
    ));
}
