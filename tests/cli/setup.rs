//! Configuration, migration, and what the program says of itself.

use crate::support::program::Workplace;

#[test]
fn all_that_is_wrong_with_the_configuration_is_said_at_once() {
    let mut position = Workplace::fresh();
    position.write(
        "tokenhouse.toml",
        "isuer = 'https://id.example.org'\n[tokens]\naccess_lifetime = '25h'\n[log]\nlevel = 'loud'\n",
    );
    position.set("TOKENHOUSE__REFRESH__RETRY_WINDOW", "soon");
    position.set("TOKENHOUSE__NO__SUCH", "1");

    for command in [&["serve"][..], &["user", "list"], &["doctor"], &["keys", "master"], &["migrate"]] {
        let problems = position.run(command).bad();
        for name in ["isuer", "tokens.access_lifetime", "log.level", "refresh.retry_window", "TOKENHOUSE__NO__SUCH"] {
            assert!(problems.contains(name), "{name} is not in {problems}");
        }
    }
    assert!(!position.path("data").exists() && !position.path("keys").exists(), "nothing was touched");
    let named = position.run(&["--config", "nowhere.toml", "user", "list"]).bad();
    assert!(named.contains("nowhere.toml: cannot read the file"), "{named}");
}

#[test]
fn another_file_can_be_named_before_or_after_the_command() {
    let position = Workplace::fresh();
    position.write("other.toml", "[database]\nurl = 'sqlite://elsewhere/server.db'\n");

    position.run(&["--config", "other.toml", "user", "list"]).good();
    position.run(&["user", "list", "--config", "other.toml"]).good();

    assert!(position.path("elsewhere/server.db").exists());
    assert!(!position.path("data").exists());
}

#[test]
fn the_schema_is_brought_up_and_then_is_up_to_date() {
    let mut position = Workplace::fresh();
    position.set("TOKENHOUSE__DATABASE__MIGRATE_AT_START", "false");

    let too_early = position.run(&["user", "list"]).bad();
    let first = position.run(&["migrate", "--json"]).json();
    let second = position.run(&["migrate"]).good();

    assert!(too_early.contains("tokenhouse migrate"), "{too_early}");
    assert!(!first["applied"].as_array().unwrap().is_empty());
    assert!(second.starts_with("The schema is up to date (version "), "{second}");
    assert_eq!(position.run(&["user", "list"]).good(), "none\n");
}

#[test]
fn a_database_that_cannot_be_opened_is_named_with_its_fix_and_each_cause_once() {
    let mut position = Workplace::fresh();
    position.write("data", "a file where a folder should be");
    for command in [&["serve"][..], &["user", "list"], &["migrate"]] {
        let file = position.run(command).bad();
        let says = "/data/tokenhouse.db (make the folder, or correct DATABASE_URL): ";
        assert!(file.starts_with("tokenhouse: cannot open the file /") && file.contains(says), "{file}");
        assert_eq!(file.matches("os error").count(), 1, "{file}");
    }
    position.set("DATABASE_URL", "data/dev.db");
    let form = position.run(&["user", "list"]).bad();
    assert!(form.contains("must begin with postgres:// or sqlite://, as in `sqlite://data/dev.db`"), "{form}");
}

#[test]
fn the_openapi_document_is_printed_whatever_the_configuration_is() {
    let position = Workplace::fresh();
    position.write("tokenhouse.toml", "nonsense");

    let plain = position.run(&["openapi"]).json();

    assert_eq!(plain["info"]["title"], "Tokenhouse");
    assert_eq!(position.run(&["openapi", "--json"]).json(), plain);
}

#[test]
fn help_and_version_are_there_and_a_wrong_command_is_not() {
    let position = Workplace::fresh();
    for command in ["serve", "migrate", "user", "client", "keys", "session", "inspect", "doctor", "openapi"] {
        assert!(position.run(&["--help"]).good().contains(&format!("\n  {command} ")), "{command}");
        assert!(position.run(&[command, "--help"]).good().contains("--json"));
    }
    assert!(position.run(&["--version"]).good().starts_with("tokenhouse 0."));
    for wrong in [&["sevre"][..], &["user"], &["user", "ad"], &[], &["keys", "remove"]] {
        assert_eq!(position.run(wrong).code, Some(2), "{wrong:?}");
    }
}
