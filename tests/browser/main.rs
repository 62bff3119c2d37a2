//! People at a real browser: Chromium, driven by Playwright, at the two applications of the demo. What happens in each
//! scenario is told in `scenarios.mjs`; every page on the way is looked at by axe.

#![allow(unreachable_pub, clippy::unwrap_used, clippy::missing_panics_doc, reason = "tests")]

mod scene;

#[path = "../../examples/two_apps/apps/mod.rs"]
mod apps;

use scene::play;

#[test]
fn one_sign_in_serves_both_applications_and_one_sign_out_ends_both() {
    play("both");
}

#[test]
fn consent_is_asked_for_once() {
    play("consent_once");
}

#[test]
fn a_denied_consent_leads_back_to_the_application_and_is_asked_for_again() {
    play("denied");
}

#[test]
fn a_wrong_password_is_said_to_be_wrong_and_the_right_one_still_works() {
    play("wrong_password");
}

#[test]
fn too_many_tries_are_told_to_wait() {
    play("too_many_tries");
}

#[test]
fn a_sign_in_that_waited_too_long_can_be_begun_again() {
    play("expired");
}

#[test]
fn going_back_after_a_sign_in_does_no_harm() {
    play("back_button");
}

#[test]
fn two_tabs_that_sign_in_at_once_both_arrive() {
    play("two_tabs");
}

#[test]
fn a_sign_in_needs_no_mouse_and_no_script() {
    play("keyboard");
}

#[test]
fn a_password_changed_at_the_account_page_is_the_only_one_that_works() {
    play("change_password");
}

#[test]
fn the_account_page_ends_sessions_elsewhere() {
    play("end_others");
}

#[test]
fn a_sign_out_without_a_hint_asks_first() {
    play("logout_page");
}

#[test]
fn a_wrong_request_ends_on_a_page_that_says_what_is_wrong() {
    play("error_page");
}
