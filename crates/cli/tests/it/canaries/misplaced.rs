//! Secrets where none belongs, and folders of ours where data belongs.

use super::Sweep;

#[test]
fn a_secret_where_none_belongs_is_not_repeated() {
    let mut sweep = Sweep::new();
    let value = sweep.canary("typed in the wrong place", "sk_live_{}");
    let url = format!("postgresql://u:{value}@127.0.0.1:9/x");
    let assigned = format!("password={value}");
    let shop = ["--name", "shop"];
    let postgres = ["source", "add", "postgres", "--name", "shop"];
    let host = format!("host={url}");
    for words in [
        &["source", "add", &url][..],
        &["source", "add", "postgres", "--name", &url],
        &[&postgres[..], &["--set", &format!("credentials={url}")]].concat(),
        &[&postgres[..], &["--set", &host]].concat(),
        &[
            &postgres[..],
            &[
                "--set",
                &host,
                "--set",
                "database=x",
                "--set",
                "username=u",
                "--secret-env",
                "password=PW",
            ],
        ]
        .concat(),
        &[&postgres[..], &["--set", &assigned]].concat(),
        &[&postgres[..], &["--secret-file", &assigned]].concat(),
        &[&postgres[..], &["--secret-env", &assigned]].concat(),
        &[&postgres[..], &["--secret-stdin", &assigned]].concat(),
        &[&postgres[..], &["--secrets-file", &value]].concat(),
        &[
            &["source", "add", "rest_api"],
            &shop[..],
            &["--set", &format!("base_url=https://u:{value}@127.0.0.1:9/")],
        ]
        .concat(),
        &[
            &["source", "add", "rest_api"],
            &shop[..],
            &[
                "--set",
                &format!("base_url=https://127.0.0.1:9/?api_key={value}"),
            ],
        ]
        .concat(),
        &["source", "edit", "shop", "--set", &assigned],
        &["source", "edit", "shop", "--unset", &value],
        &["source", "test", &url],
        &["source", "show", &value],
        &["sync", &url],
        &["sync", "--source", &url],
        &["sync", "--since", &value],
        &["sync", "--limit", &value],
        &["secrets", "set", &assigned],
        &["secrets", "set", &format!("shop.{value}="), "--stdin"],
        &["secrets", "set", "shop.password", &value],
        &["secrets", "unset", &url, "--yes"],
        &["config", "show", &value],
        &["explain", &value],
        &[&url],
        &["--password", &value],
        &[&format!("--password={value}")],
    ] {
        sweep.run_with(words, "");
    }
    for text in [
        format!("sources:\n  - name: x\n    type: postgres\n    password: {value}: {value}\n"),
        format!("sources:\n  - name: x\n    type: postgres\n    postgres: {{password: {value}\n"),
        format!("sources: {value}\n"),
        format!("sources:\n  - {value}\n"),
        format!("sources:\n  - name: x\n    type: {url}\n"),
        format!("sources:\n  - name: x\n    type: postgres\n    enabled: {value}\n"),
        format!("sources:\n  - name: x\n    type: postgres\n    postgres: {url}\n"),
        format!(
            "sources:\n  - name: x\n    type: postgres\n    postgres: {{host: h, port: {value}}}\n"
        ),
        format!(
            "sources:\n  - name: x\n    type: postgres\n    postgres: {{credentials: *{value}}}\n"
        ),
        format!(
            "sources:\n  - name: x\n    type: rest_api\n    rest_api: {{base_url: '{url}', endpoints: [a]}}\n"
        ),
        format!(
            "sources:\n  - name: x\n    type: rest_api\n    rest_api: {{base_url: 'https://127.0.0.1:9', auth: '{value}', endpoints: [a]}}\n"
        ),
        format!(
            "sources:\n  - name: x\n    type: rest_api\n    rest_api: {{base_url: 'https://127.0.0.1:9', auth: {{type: '{value}'}}, endpoints: [a]}}\n"
        ),
        format!(
            "sources:\n  - name: x\n    type: rest_api\n    rest_api: {{base_url: 'https://127.0.0.1:9', auth: {{type: bearer, token: [\"{value}\"]}}, endpoints: [a]}}\n"
        ),
        format!(
            "sources:\n  - name: x\n    type: rest_api\n    rest_api: {{base_url: 'https://127.0.0.1:9', headers: \"X-Api-Key: {value}\", endpoints: [a]}}\n"
        ),
        format!(
            "sources:\n  - name: x\n    type: rest_api\n    rest_api: {{base_url: 'https://127.0.0.1:9', headers: {{\"X-Api-Key: {value}\": x}}, endpoints: [a]}}\n"
        ),
    ] {
        sweep.project.write(".dango/sources.yml", &text);
        for words in [
            &["config", "validate"][..],
            &["sync"],
            &["source", "list"],
            &["source", "show", "x"],
            &["source", "test", "x", "--json"],
            &["doctor"],
        ] {
            sweep.run(words);
        }
    }
    sweep.project.write(".dango/sources.yml", "sources:\n  - name: x\n    type: rest_api\n    rest_api: {base_url: 'https://127.0.0.1:9', endpoints: [a]}\n");
    for text in [
        format!("{value}\n"),
        format!("[sources.x]\nauth_token = {value}\n"),
        format!("[sources.x]\nauth_token = \"{value}\n"),
        format!("[sources.x]\nauth_token = [\"{value}\"]\n"),
        format!("[sources.x]\nauth_token = \"${{{value}\"\n"),
        format!("[sources.x]\nauth_token = \"{value}\"\nauth_token = \"{value}\"\n"),
        format!("[sources.x]\n\"{value}\" = 1\nauth_token = 1979-05-27\n"),
    ] {
        sweep.project.write(".dlt/secrets.toml", &text);
        for words in [
            &["config", "validate"][..],
            &["sync"],
            &["secrets", "set", "x.y", "--stdin"],
            &["source", "show", "x"],
            &["source", "test", "x"],
            &["doctor"],
        ] {
            sweep.run_with(words, "abcdefgh");
        }
    }
    sweep.finish();
}

#[test]
fn the_project_s_own_folders_are_no_data() {
    let mut sweep = Sweep::new();
    let value = sweep.canary("in a folder that was named as data", "{}");
    sweep.project.write(
        ".dlt/secrets.toml",
        &format!("[sources.x]\npassword = \"{value}\"\nother = \"{value}\"\n"),
    );
    std::os::unix::fs::symlink(".dlt", sweep.project.path("link")).expect("linked");
    for (directory, pattern, code) in [
        (".dlt", "*", "config_invalid"),
        ("./data/../.dlt/", "secrets.toml", "config_invalid"),
        ("link", "*", "config_invalid"),
        (".dango", "*.yml", "config_invalid"),
        (".dango/logs", "*", "config_invalid"),
        ("data", "../.dlt/*", "config_invalid"),
    ] {
        sweep.project.write(
            ".dango/sources.yml",
            &format!("sources:\n  - name: x\n    type: local_files\n    local_files:\n      directory: {directory}\n      tables:\n        - {{name: t, pattern: '{pattern}', format: csv}}\n"),
        );
        sweep.project.write("data/x.csv", "a\n1\n");
        sweep.run(&["sync"]).failed(1, code);
    }
    // Hidden files and folders match no pattern.
    sweep
        .project
        .write(".env", &format!("A={value}\nB={value}\n"));
    sweep.project.write(
        ".dango/sources.yml",
        "sources:\n  - name: x\n    type: local_files\n    local_files:\n      directory: .\n      tables:\n        - {name: t, pattern: '**/*', format: csv}\n        - {name: u, pattern: '.env', format: csv}\n        - {name: v, pattern: '.dlt/*', format: csv}\n",
    );
    sweep.run(&["sync"]);
    sweep.finish();
}
