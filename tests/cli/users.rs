//! `tokenhouse user …`

use serde_json::json;

use crate::support::program::Workplace;

const PASSWORD: &str = "a fine long password";

#[test]
fn a_user_is_added_shown_listed_stopped_and_removed() {
    let place = Workplace::fresh();
    let add =
        ["user", "add", "Ada", "--email", "ada@example.org", "--role", "reader", "--role", "writer", "--group", "g"];
    let added = place.run_with_input(&[&add[..], &["--admin", "--password-stdin"]].concat(), PASSWORD).good();
    assert!(added.starts_with("Added ") && added.contains(" Ada active admin"), "{added}");
    assert!(!added.contains(PASSWORD));

    let shown = place.run(&["--json", "user", "show", "ada@example.org"]).json();
    assert_eq!((&shown["username"], &shown["roles"]), (&json!("Ada"), &json!(["reader", "writer"])));
    let id = shown["id"].as_str().unwrap();
    assert_eq!(place.run(&["user", "show", id, "--json"]).json(), shown);
    assert!(place.run(&["user", "show", "ADA"]).good().contains(id));
    assert_eq!(place.run(&["user", "list", "--json"]).json(), json!([shown]));
    assert!(place.run(&["user", "disable", "ada"]).good().starts_with("Disabled; sessions ended everywhere."));
    assert!(place.run(&["user", "list"]).good().contains("Ada disabled admin"));
    assert_eq!(place.run(&["user", "enable", "ada", "--json"]).json(), json!({}));
    assert_eq!(place.run(&["user", "remove", "ada", "--json"]).json(), json!({ "applied": "everywhere" }));
    assert_eq!(place.run(&["user", "list"]).good().trim(), "none");
    for command in ["show", "disable", "enable", "remove"] {
        let gone = place.run(&["user", command, "ada"]).bad();
        assert_eq!(gone, "tokenhouse: there is no user `ada`\n");
    }
}

#[test]
fn what_is_wrong_with_a_user_is_said_in_a_sentence() {
    let place = Workplace::fresh();
    place.run_with_input(&["user", "add", "ada", "--password-stdin"], PASSWORD).good();

    let taken = place.run(&["user", "add", "Ada"]).bad();
    let short = place.run_with_input(&["user", "add", "bob", "--password-stdin"], "short").bad();
    let none = place.run(&["user", "add", "bob", "--password-stdin"]).bad();
    let mail = place.run(&["user", "add", "bob", "--email", "nowhere"]).bad();

    assert_eq!(taken, "tokenhouse: the name or the address is taken\n");
    assert_eq!(short, "tokenhouse: the password needs at least 8 characters\n");
    assert_eq!(none, "tokenhouse: standard input holds no password\n");
    assert_eq!(mail, "tokenhouse: this is not an electronic mail address\n");
    let on_the_command_line = place.run(&["user", "passwd", "ada"]);
    assert_eq!(on_the_command_line.code, Some(2));
    assert!(on_the_command_line.err.contains("--password-stdin"));
}

#[actix_web::test]
async fn a_password_is_set_from_standard_input() {
    let place = Workplace::fresh();
    let added = place.run(&["user", "add", "ada"]).good();
    assert!(added.contains("No password yet") && added.contains("tokenhouse user passwd"), "{added}");
    let serving = place.serve(&[]);
    assert_eq!(sign_in(&serving, "ada", PASSWORD).await, 401);

    let set =
        place.run_with_input(&["user", "passwd", "ada", "--password-stdin"], &format!("{PASSWORD}\r\nsecond line\n"));

    assert_eq!(set.good(), "Password set; sessions ended everywhere.\n");
    assert_eq!(sign_in(&serving, "ada", PASSWORD).await, 200);
}

#[actix_web::test]
async fn users_are_imported_with_the_hashes_of_other_systems() {
    let place = Workplace::fresh();
    let lines = [
        json!({ "username": "argon", "password_hash": ARGON2 }),
        json!({ "username": "bcrypt", "email": "b@example.org", "password_hash": BCRYPT }),
        json!({ "username": "django", "roles": ["clerk"], "password_hash": DJANGO }),
        json!({ "username": "nobody" }),
    ]
    .map(|line| line.to_string());
    let [argon, bcrypt, django, nobody] = &lines;
    let text = format!(
        "{argon}\n\n{bcrypt}\n{{\"username\": \"broken\n{django}\n{argon}\n{nobody}\n{}\n",
        r#"{"username":"md5","password_hash":"5f4dcc3b5aa765d61d8327deb882cf99"}"#
    );
    let file = place.write("users.jsonl", &text);

    let imported = place.run(&["user", "import", file.to_str().unwrap(), "--json"]);

    assert_eq!(imported.code, Some(1), "what could not be taken is a failure");
    let answer: serde_json::Value = serde_json::from_str(&imported.out).unwrap();
    assert_eq!(answer["added"], 4);
    let problems: Vec<&str> = answer["problems"].as_array().unwrap().iter().map(|it| it.as_str().unwrap()).collect();
    assert_eq!(problems.len(), 3);
    assert!(problems[0].starts_with("line 4: not as expected at column"), "{problems:?}");
    assert_eq!(problems[1], "line 6: the name or the address is taken");
    assert!(problems[2].starts_with("line 8: the password hash is neither"), "{problems:?}");
    assert!(!imported.out.contains("5f4dcc3b"));
    let serving = place.serve(&[]);
    let [grusse, horse] = ["Grüße, Welt 7", "correct horse battery staple"];
    for (name, password, status) in [
        ("argon", grusse, 200),
        ("bcrypt", horse, 200),
        ("b@example.org", horse, 200),
        ("django", horse, 200),
        ("nobody", horse, 401),
        ("md5", "password", 401),
    ] {
        assert_eq!(sign_in(&serving, name, password).await, status, "{name}");
        assert_eq!(sign_in(&serving, name, "another battery staple").await, 401, "{name}");
    }
    let again = place.run(&["user", "import", "nowhere.jsonl"]).bad();
    assert!(again.starts_with("tokenhouse: nowhere.jsonl: "), "{again}");
}

async fn sign_in(serving: &crate::support::program::Serving, username: &str, password: &str) -> u16 {
    let request = reqwest::Client::new().post(serving.url("/api/token/"));
    request.form(&[("username", username), ("password", password)]).send().await.unwrap().status().as_u16()
}

/// "Grüße, Welt 7" by Django 5.2, and "correct horse battery staple" by crypt(3) and by Django's recipe.
const ARGON2: &str = "argon2$argon2id$v=19$m=64,t=2,p=2$c29tZXNhbHR2YWx1ZQ$anuWLIiLif+k8luhSt2dvJB0HnXjMPg/idWgtpZRgbE";
const BCRYPT: &str = "$2b$04$abcdefghijklmnopqrstuu7EJV7kdjBBQxyb0HjTh9KS7.Lah/6CG";
const DJANGO: &str = "pbkdf2_sha256$1000$seasalt$3xmXbyk2QpiyNcnoBbzRPwEBsYPTbDlRdtmLyBvQltA=";
