//! Configuration, migration, and what the program says of itself.

use crate::support::program::Workplace;

#[test]
fn all_that_is_wrong_with_the_configuration_is_said_at_once() {
    let mut workplace = Workplace::fresh();
    workplace.write(
        "tokenhouse.toml",
        "isuer = 'https://id.example.org'\n[tokens]\naccess_lifetime = '25h'\n[log]\nlevel = 'loud'\n",
    );
    workplace.set("TOKENHOUSE__REFRESH__RETRY_WINDOW", "soon");
    workplace.set("TOKENHOUSE__NO__SUCH", "1");

    let commands = [
        &["serve"][..],
        &["user", "list"],
        &["doctor"],
        &["keys", "master"],
        &["migrate"],
        &["config", "check"],
        &["config", "check", "--json"],
    ];
    for command in commands {
        let problems = workplace.run(command).bad();
        for name in ["isuer", "tokens.access_lifetime", "log.level", "refresh.retry_window", "TOKENHOUSE__NO__SUCH"] {
            assert!(problems.contains(name), "{name} is not in {problems}");
        }
    }
    assert!(!workplace.path("data").exists() && !workplace.path("keys").exists(), "nothing was touched");
    let named = workplace.run(&["--config", "nowhere.toml", "user", "list"]).bad();
    assert!(named.contains("nowhere.toml: cannot read the file"), "{named}");
}

#[test]
fn a_configuration_that_can_be_used_is_ok_and_nothing_is_touched() {
    let mut workplace = Workplace::fresh();
    workplace.set("DATABASE_URL", "postgres://nobody:hush@127.0.0.1:1/nothing");
    workplace.set("REDIS_URL", "redis://127.0.0.1:1");

    assert_eq!(workplace.run(&["config", "check"]).good(), "ok\n");
    assert_eq!(workplace.run(&["config", "check", "--json"]).json()["ok"], true);
    assert!(!workplace.path("data").exists() && !workplace.path("keys").exists(), "nothing was touched");
}

#[test]
fn files_that_serve_could_not_use_are_all_named() {
    let mut workplace = Workplace::fresh();
    workplace.set("DATABASE_URL", "postgres://nobody:hush@127.0.0.1:1/nothing");
    workplace.write(
        "tokenhouse.toml",
        "tls = { cert = 'cert.pem', key = 'key.pem' }\nbranding.logo = 'logo.png'\noutbound.extra_ca_file = 'ca.pem'\n\
         log.level = 'info,[=debug'\n",
    );

    let problems = workplace.run(&["config", "check"]).bad();

    for name in ["cert.pem", "logo.png", "ca.pem", "log.level"] {
        assert!(problems.contains(name), "{name} is not in {problems}");
    }
    assert!(!problems.contains("hush"), "{problems}");
}

#[test]
fn the_schema_of_the_configuration_is_printed_whatever_the_configuration_is() {
    let mut workplace = Workplace::fresh();
    workplace.write("tokenhouse.toml", "nonsense");
    workplace.set("TOKENHOUSE_MASTER_KEY", "hush");

    let schema = workplace.run(&["config", "schema"]).json();

    assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
    assert_eq!(schema["properties"]["tokens"]["properties"]["access_lifetime"]["default"], "5m");
    assert_eq!(schema["properties"]["keys"]["properties"]["master_key"].get("default"), None);
    assert_eq!(workplace.run(&["config", "schema", "--json"]).json(), schema);
}

#[test]
fn another_file_can_be_named_before_or_after_the_command() {
    let workplace = Workplace::fresh();
    workplace.write("other.toml", "[database]\nurl = 'sqlite://elsewhere/server.db'\n");

    workplace.run(&["--config", "other.toml", "user", "list"]).good();
    workplace.run(&["user", "list", "--config", "other.toml"]).good();

    assert!(workplace.path("elsewhere/server.db").exists());
    assert!(!workplace.path("data").exists());
}

#[test]
fn the_schema_is_brought_up_and_then_is_up_to_date() {
    let mut workplace = Workplace::fresh();
    workplace.set("TOKENHOUSE__DATABASE__MIGRATE_AT_START", "false");

    let too_early = workplace.run(&["user", "list"]).bad();
    let first = workplace.run(&["migrate", "--json"]).json();
    let second = workplace.run(&["migrate"]).good();

    assert!(too_early.contains("tokenhouse migrate"), "{too_early}");
    assert!(!first["applied"].as_array().unwrap().is_empty());
    assert!(second.starts_with("The schema is up to date (version "), "{second}");
    assert_eq!(workplace.run(&["user", "list"]).good(), "none\n");
}

#[test]
fn a_database_that_cannot_be_opened_is_named_with_its_fix_and_each_cause_once() {
    let mut workplace = Workplace::fresh();
    workplace.write("data", "a file where a folder should be");
    for command in [&["serve"][..], &["user", "list"], &["migrate"]] {
        let file = workplace.run(command).bad();
        let says = "/data/tokenhouse.db (make the folder, or correct DATABASE_URL): ";
        assert!(file.starts_with("tokenhouse: cannot open the file /") && file.contains(says), "{file}");
        assert_eq!(file.matches("os error").count(), 1, "{file}");
    }
    workplace.set("DATABASE_URL", "data/dev.db");
    let form = workplace.run(&["user", "list"]).bad();
    assert!(form.contains("must begin with postgres:// or sqlite://, as in `sqlite://data/dev.db`"), "{form}");
}

#[test]
fn the_openapi_document_is_printed_whatever_the_configuration_is() {
    let workplace = Workplace::fresh();
    workplace.write("tokenhouse.toml", "nonsense");

    let plain = workplace.run(&["openapi"]).json();

    assert_eq!(plain["info"]["title"], "Tokenhouse");
    assert_eq!(workplace.run(&["openapi", "--json"]).json(), plain);
}

#[test]
fn help_and_version_are_there_and_a_wrong_command_is_not() {
    let workplace = Workplace::fresh();
    for command in ["serve", "migrate", "user", "client", "keys", "session", "inspect", "doctor", "config", "openapi"] {
        assert!(workplace.run(&["--help"]).good().contains(&format!("\n  {command} ")), "{command}");
        assert!(workplace.run(&[command, "--help"]).good().contains("--json"));
    }
    assert!(workplace.run(&["--version"]).good().starts_with("tokenhouse 0."));
    for wrong in [&["sevre"][..], &["user"], &["user", "ad"], &[], &["keys", "remove"]] {
        assert_eq!(workplace.run(wrong).code, Some(2), "{wrong:?}");
    }
}
