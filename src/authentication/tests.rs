//! The next step, as a table over a second method that only these tests have, and its consequences.

use std::collections::BTreeSet;
use std::time::Duration;

use super::method::acr_of;
use super::*;
use crate::clock::Timestamp;
use crate::model::{Acr, Profile, User, UserId, UserState};

const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);
const USUAL: Policy = Policy { minimum: Acr::Password, second_factor: SecondFactor::WhenSetUp };
const ON_REQUEST: Policy = Policy { minimum: Acr::Password, second_factor: SecondFactor::WhenRequired };
const STRICT: Policy = Policy { minimum: Acr::MultiFactor, second_factor: SecondFactor::WhenRequired };
const NOTHING: &[Method] = &[];
const PASSWORD: &[Method] = &[Method::Password];
const CODE: &[Method] = &[Method::Code];
const BOTH: &[Method] = &[Method::Password, Method::Code];

#[test]
fn the_next_step_follows_from_what_is_set_up_proven_required_and_asked_for() {
    use Acr::{MultiFactor, Password};
    let out_of_reach = || Step::Refuse(Refusal::NotSetUp);
    for (policy, set_up, proven, requested, expected) in [
        // The user has a password alone.
        (USUAL, PASSWORD, NOTHING, None, prove(PASSWORD)),
        (USUAL, PASSWORD, PASSWORD, None, Step::Done),
        (USUAL, PASSWORD, PASSWORD, Some(Password), Step::Done),
        (USUAL, PASSWORD, NOTHING, Some(MultiFactor), out_of_reach()),
        (USUAL, PASSWORD, PASSWORD, Some(MultiFactor), out_of_reach()),
        (STRICT, PASSWORD, PASSWORD, None, out_of_reach()),
        // The user has set up a second factor: the password alone is not enough, and neither is the second.
        (USUAL, BOTH, NOTHING, None, prove(BOTH)),
        (USUAL, BOTH, PASSWORD, None, prove(CODE)),
        (USUAL, BOTH, CODE, None, prove(PASSWORD)),
        (USUAL, BOTH, BOTH, None, Step::Done),
        (STRICT, BOTH, PASSWORD, None, prove(CODE)),
        (STRICT, BOTH, BOTH, None, Step::Done),
        // A second factor is demanded only where a client requests it.
        (ON_REQUEST, BOTH, PASSWORD, None, Step::Done),
        (ON_REQUEST, BOTH, PASSWORD, Some(Password), Step::Done),
        (ON_REQUEST, BOTH, PASSWORD, Some(MultiFactor), prove(CODE)),
        (ON_REQUEST, BOTH, BOTH, Some(MultiFactor), Step::Done),
        // A client that requests less than the policy does not get it.
        (STRICT, BOTH, PASSWORD, Some(Password), prove(CODE)),
        // Nothing is set up, or no longer; proven methods count.
        (USUAL, NOTHING, NOTHING, None, out_of_reach()),
        (USUAL, NOTHING, PASSWORD, None, Step::Done),
    ] {
        let step = next_step(policy, &set(set_up), &set(proven), requested);

        assert_eq!(step, expected, "{policy:?} {set_up:?} {proven:?} {requested:?}");
    }
}

#[test]
fn every_method_that_is_asked_for_leads_on_until_enough_is_proven() {
    let subsets = [NOTHING, PASSWORD, CODE, BOTH].map(set);
    for policy in [USUAL, ON_REQUEST, STRICT] {
        for (set_up, proven) in subsets.iter().flat_map(|set_up| subsets.iter().map(move |proven| (set_up, proven))) {
            for requested in [None, Some(Acr::Password), Some(Acr::MultiFactor)] {
                follow(policy, set_up, proven, requested);
            }
        }
    }
}

/// Follows every method that is demanded. Each raises the class or is the first, and none ends in a refusal.
fn follow(policy: Policy, set_up: &BTreeSet<Method>, proven: &BTreeSet<Method>, requested: Option<Acr>) {
    let Step::Prove(methods) = next_step(policy, set_up, proven, requested) else { return };
    assert!(!methods.is_empty() && methods.is_disjoint(proven) && methods.is_subset(set_up));
    for method in methods {
        let further = proven | &BTreeSet::from([method]);
        assert!(acr_of(&further) > acr_of(proven), "{method:?} adds nothing to {proven:?}");
        let next = next_step(policy, set_up, &further, requested);
        assert!(!matches!(next, Step::Refuse(_)), "{set_up:?} {further:?} {requested:?}");
        follow(policy, set_up, &further, requested);
    }
}

#[test]
fn the_password_alone_authenticates_no_user_with_a_second_factor() {
    let password = Evidence::of(user(1, true), NOW, Method::Password);

    assert_eq!(Authenticated::accept(USUAL, &password, None).unwrap_err(), prove(CODE));
}

#[test]
fn both_methods_in_either_order_are_both_in_amr() {
    let password = || Evidence::of(user(1, true), NOW, Method::Password);
    let code = || Evidence::of(user(1, true), NOW.plus(Duration::from_secs(9)), Method::Code);
    for evidence in [password().and(code()), code().and(password())] {
        let authenticated = Authenticated::accept(USUAL, &evidence.unwrap(), None).unwrap();

        assert_eq!(authenticated.amr(), ["pwd", "otp"]);
        assert_eq!(authenticated.acr(), Acr::MultiFactor);
        assert_eq!(authenticated.at(), NOW, "what was taken from the user since the first proof counts");
    }
}

#[test]
fn one_method_twice_is_one_factor() {
    let password = || Evidence::of(user(1, true), NOW, Method::Password);

    let twice = password().and(password()).unwrap();

    assert_eq!(Authenticated::accept(USUAL, &twice, None).unwrap_err(), prove(CODE));
}

#[test]
fn proofs_of_two_users_are_no_proof_of_either() {
    let password = Evidence::of(user(1, true), NOW, Method::Password);
    let code = Evidence::of(user(2, true), NOW, Method::Code);

    assert!(password.and(code).is_none());
}

#[test]
fn what_an_application_asks_for_is_out_of_reach_without_a_second_factor() {
    let password = Evidence::of(user(1, false), NOW, Method::Password);

    let refused = Authenticated::accept(USUAL, &password, Some(Acr::MultiFactor)).unwrap_err();
    let usual = Authenticated::accept(USUAL, &password, None).unwrap();

    assert_eq!(refused, Step::Refuse(Refusal::NotSetUp));
    assert_eq!((usual.amr(), usual.acr()), (vec!["pwd".to_owned()], Acr::Password));
}

#[test]
fn no_two_methods_have_the_same_name_in_amr() {
    let names: BTreeSet<&str> = Method::ALL.iter().map(|method| method.amr()).collect();

    assert_eq!(names.len(), Method::ALL.len());
}

fn prove(methods: &[Method]) -> Step {
    Step::Prove(set(methods))
}

fn set(methods: &[Method]) -> BTreeSet<Method> {
    methods.iter().copied().collect()
}

fn user(number: u128, with_code: bool) -> User {
    User {
        id: UserId(uuid::Uuid::from_u128(number)),
        username: "ada".to_owned(),
        email: None,
        email_verified: false,
        state: UserState::Active,
        admin: false,
        roles: Vec::new(),
        groups: if with_code { vec![Method::CODE_GROUP.to_owned()] } else { Vec::new() },
        profile: Profile::default(),
        not_before: Timestamp::default(),
        created_at: NOW,
        password_changed_at: Some(NOW),
        last_login_at: None,
    }
}
