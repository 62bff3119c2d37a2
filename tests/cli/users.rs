//! `tokenhouse user …`

use serde_json::json;

use crate::support::program::Workplace;

const PASSWORD: &str = "a fine long password";

#[test]
fn a_user_is_added_shown_listed_stopped_and_removed() {
    let workplace = Workplace::fresh();
    let add =
        ["user", "add", "Ada", "--email", "ada@example.org", "--role", "reader", "--role", "writer", "--group", "g"];
    let added = workplace.run_with_input(&[&add[..], &["--admin", "--password-stdin"]].concat(), PASSWORD).good();
    assert!(added.starts_with("Added ") && added.contains(" Ada active admin"), "{added}");
    assert!(!added.contains(PASSWORD));

    let shown = workplace.run(&["--json", "user", "show", "ada@example.org"]).json();
    assert_eq!((&shown["username"], &shown["roles"]), (&json!("Ada"), &json!(["reader", "writer"])));
    let id = shown["id"].as_str().unwrap();
    assert_eq!(workplace.run(&["user", "show", id, "--json"]).json(), shown);
    assert!(workplace.run(&["user", "show", "ADA"]).good().contains(id));
    assert_eq!(workplace.run(&["user", "list", "--json"]).json(), json!([shown]));
    assert!(workplace.run(&["user", "disable", "ada"]).good().starts_with("Disabled; sessions ended everywhere."));
    assert!(workplace.run(&["user", "list"]).good().contains("Ada disabled admin"));
    assert_eq!(workplace.run(&["user", "enable", "ada", "--json"]).json(), json!({}));
    assert_eq!(workplace.run(&["user", "remove", "ada", "--json"]).json(), json!({ "applied": "everywhere" }));
    assert_eq!(workplace.run(&["user", "list"]).good().trim(), "none");
    for command in ["show", "disable", "enable", "remove"] {
        let gone = workplace.run(&["user", command, "ada"]).bad();
        assert_eq!(gone, "tokenhouse: there is no user `ada`\n");
    }
}

#[test]
fn a_user_is_changed_part_by_part() {
    let workplace = Workplace::fresh();
    let add =
        ["user", "add", "ada", "--email", "ada@example.org", "--email-verified", "--role", "reader", "--group", "g"];
    let claims = ["--claim", "name=Ada = Lovelace", "--claim", "address.country=GB", "--claim", "birthdate=1815-12-10"];
    workplace.run(&[&add[..], &claims].concat()).good();
    let shown = workplace.run(&["user", "show", "ada"]).good();
    for line in [
        "  email: ada@example.org (verified)",
        "  roles: reader",
        "  groups: g",
        "  name: Ada = Lovelace",
        "  birthdate: 1815-12-10",
        "  address: {\"country\":\"GB\"}",
    ] {
        assert!(shown.lines().any(|shown| shown == line), "{line}: {shown}");
    }

    let set =
        ["user", "set", "ada@example.org", "--email", "ada@example.com", "--admin", "--role", "clerk", "--role", "b"];
    let claims = ["--no-groups", "--claim", "name=", "--claim", "address.locality=London", "--json"];
    let changed = workplace.run(&[&set[..], &claims].concat()).json();

    assert_eq!(workplace.run(&["user", "show", "ada", "--json"]).json(), changed);
    assert_eq!((&changed["email"], &changed["email_verified"]), (&json!("ada@example.com"), &json!(false)));
    assert_eq!((&changed["admin"], &changed["roles"]), (&json!(true), &json!(["clerk", "b"])));
    assert_eq!((&changed["groups"], changed["profile"].get("name")), (&json!([]), None));
    assert_eq!(changed["profile"]["address"], json!({ "country": "GB", "locality": "London" }));
    let none = workplace
        .run(&["user", "set", "ada", "--no-email", "--no-admin", "--no-roles", "--claim", "birthdate="])
        .good();
    assert!(none.starts_with("Changed ") && none.contains(" ada active\n") && !none.contains("email"), "{none}");
    let nothing = workplace.run(&["user", "set", "ada"]).bad();
    assert_eq!(nothing, "tokenhouse: name what is to change; see `tokenhouse user set --help`\n");
}

#[test]
fn what_cannot_be_changed_is_said_in_a_sentence() {
    let workplace = Workplace::fresh();
    workplace.run(&["user", "add", "ada"]).good();
    workplace.run(&["user", "add", "bob", "--email", "bob@example.org"]).good();
    let set = |arguments: &[&str]| workplace.run(&[&["user", "set", "ada"], arguments].concat());

    assert_eq!(set(&["--email", "bob@example.org"]).bad(), "tokenhouse: the address is taken\n");
    assert_eq!(set(&["--email-verified"]).bad(), "tokenhouse: there is no address that could be verified\n");
    assert!(set(&["--claim", "nick=A"]).bad().starts_with("tokenhouse: there is no claim \"nick\"; there are name,"));
    assert_eq!(set(&["--claim", "name=A", "--claim", "name=B"]).bad(), "tokenhouse: the claim name is set twice\n");
    assert!(set(&["--claim", "birthdate=tomorrow"]).bad().contains("birthdate is YYYY-MM-DD"));
    for (claim, says) in [
        ("phone_number_verified=maybe", "the claim phone_number_verified is true or false\n"),
        ("address=Paris", "an address has parts: write address.locality=Paris; there are formatted, "),
        ("email=a@example.org", "email is no claim of the profile; use --email\n"),
        ("roles=clerk", "roles is no claim of the profile; use --role\n"),
    ] {
        let said = set(&["--claim", claim]).bad();
        assert!(said.starts_with(&format!("tokenhouse: {says}")), "{said}");
    }
    assert_eq!(workplace.run(&["user", "set", "eve", "--admin"]).bad(), "tokenhouse: there is no user `eve`\n");
    for both in [
        &["--admin", "--no-admin"][..],
        &["--role", "a", "--no-roles"],
        &["--group", "a", "--no-groups"],
        &["--email", "a@example.org", "--no-email"],
        &["--claim", "name"],
    ] {
        assert_eq!(set(both).code, Some(2), "{both:?}");
    }
}

#[actix_web::test]
async fn what_the_command_line_changes_is_in_the_next_tokens_of_a_running_service() {
    let workplace = Workplace::fresh();
    workplace.run_with_input(&["user", "add", "ada", "--admin", "--password-stdin"], PASSWORD).good();
    let serving = workplace.serve(&[]);
    let http = reqwest::Client::new();
    let obtain = async |scope: Option<&str>| {
        let mut form = vec![("username", "ada"), ("password", PASSWORD)];
        form.extend(scope.map(|scope| ("scope", scope)));
        let answer = http.post(serving.url("/api/token/")).form(&form).send().await.unwrap();
        answer.json::<serde_json::Value>().await.unwrap()["refresh"].as_str().unwrap().to_owned()
    };
    let refresh = async |token: &str| {
        http.post(serving.url("/api/token/refresh/")).form(&[("refresh", token)]).send().await.unwrap()
    };
    let (plain, admin) = (obtain(None).await, obtain(Some("tokenhouse:admin")).await);

    workplace.run(&["user", "set", "ada", "--role", "clerk", "--no-admin"]).good();

    let next = refresh(&plain).await.json::<serde_json::Value>().await.unwrap();
    let said = workplace.run(&["inspect", next["access"].as_str().unwrap()]);
    assert!(said.out.contains("clerk"), "{} {}", said.out, said.err);
    assert_eq!(refresh(&admin).await.status().as_u16(), 401);
}

#[test]
fn what_is_wrong_with_a_user_is_said_in_a_sentence() {
    let workplace = Workplace::fresh();
    workplace.run_with_input(&["user", "add", "ada", "--password-stdin"], PASSWORD).good();

    let taken = workplace.run(&["user", "add", "Ada"]).bad();
    let short = workplace.run_with_input(&["user", "add", "bob", "--password-stdin"], "short").bad();
    let none = workplace.run(&["user", "add", "bob", "--password-stdin"]).bad();
    let mail = workplace.run(&["user", "add", "bob", "--email", "nowhere"]).bad();

    assert_eq!(taken, "tokenhouse: the name is taken\n");
    assert_eq!(short, "tokenhouse: the password needs at least 8 characters\n");
    assert_eq!(none, "tokenhouse: standard input holds no password\n");
    assert_eq!(mail, "tokenhouse: this is not an electronic mail address\n");
    let on_the_command_line = workplace.run(&["user", "passwd", "ada"]);
    assert_eq!(on_the_command_line.code, Some(2));
    assert!(on_the_command_line.err.contains("--password-stdin"));
}

#[actix_web::test]
async fn a_password_is_set_from_standard_input() {
    let workplace = Workplace::fresh();
    let added = workplace.run(&["user", "add", "ada"]).good();
    assert!(added.contains("No password yet") && added.contains("tokenhouse user passwd"), "{added}");
    let serving = workplace.serve(&[]);
    assert_eq!(sign_in(&serving, "ada", PASSWORD).await, 401);

    let set = workplace
        .run_with_input(&["user", "passwd", "ada", "--password-stdin"], &format!("{PASSWORD}\r\nsecond line\n"));

    assert_eq!(set.good(), "Password set; sessions ended everywhere.\n");
    assert_eq!(sign_in(&serving, "ada", PASSWORD).await, 200);
}

#[actix_web::test]
async fn users_are_imported_with_the_hashes_of_other_systems() {
    let workplace = Workplace::fresh();
    let lines = [
        json!({ "username": "argon", "password_hash": ARGON2 }),
        json!({ "username": "bcrypt", "email": "b@example.org", "password_hash": BCRYPT }),
        json!({ "username": "django", "roles": ["clerk"], "password_hash": DJANGO, "email": "d@example.org",
            "email_verified": true, "profile": { "name": "D. Jango", "address": { "country": "US" } } }),
        json!({ "username": "nobody" }),
    ]
    .map(|line| line.to_string());
    let [argon, bcrypt, django, nobody] = &lines;
    let odd = r#"{"username":"odd","profile":{"nick":"x"}}"#;
    let text = format!(
        "{argon}\n\n{bcrypt}\n{{\"username\": \"broken\n{django}\n{argon}\n{nobody}\n{}\n{odd}\n",
        r#"{"username":"md5","password_hash":"5f4dcc3b5aa765d61d8327deb882cf99"}"#
    );
    let file = workplace.write("users.jsonl", &text);

    let imported = workplace.run(&["user", "import", file.to_str().unwrap(), "--json"]);

    assert_eq!(imported.code, Some(1), "what could not be taken is a failure");
    let answer: serde_json::Value = serde_json::from_str(&imported.out).unwrap();
    assert_eq!(answer["added"], 4);
    let problems: Vec<&str> = answer["problems"].as_array().unwrap().iter().map(|it| it.as_str().unwrap()).collect();
    assert_eq!(problems.len(), 4);
    assert!(problems[0].starts_with("line 4: not as expected at column"), "{problems:?}");
    assert_eq!(problems[1], "line 6: the name is taken");
    assert!(problems[2].starts_with("line 8: the password hash is neither"), "{problems:?}");
    assert!(problems[3].starts_with("line 9: there is no claim \"nick\""), "{problems:?}");
    assert!(!imported.out.contains("5f4dcc3b"));
    let django = workplace.run(&["user", "show", "django", "--json"]).json();
    assert_eq!((&django["email_verified"], &django["profile"]["name"]), (&json!(true), &json!("D. Jango")));
    let serving = workplace.serve(&[]);
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
    let again = workplace.run(&["user", "import", "nowhere.jsonl"]).bad();
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
