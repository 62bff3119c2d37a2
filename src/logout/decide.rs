//! What becomes of a request to sign out: a pure decision.

/// For whom the application's ID token speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum HintTrust {
    /// For nobody: there is none, or it is not ours.
    None,
    /// For somebody else than is signed in here.
    Another,
    /// For the browser session of this browser.
    ThisBrowserSession,
}

/// Whether somebody is signed in in this browser.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SignInState {
    SignedOut,
    SignedIn,
}

/// What is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Decision {
    /// The browser session ends, and the browser goes back to the application, where that has said where to.
    LogOut,
    /// The person is asked. Afterwards the browser stays here.
    Ask,
    /// There is nothing to end; the browser goes back.
    GoBack,
    /// There is nothing to end, and no way back that anybody has vouched for.
    Stay,
}

pub(super) const fn decide(hint_trust: HintTrust, state: SignInState) -> Decision {
    match (hint_trust, state) {
        (HintTrust::ThisBrowserSession, SignInState::SignedIn) => Decision::LogOut,
        (HintTrust::Another | HintTrust::None, SignInState::SignedIn) => Decision::Ask,
        (HintTrust::ThisBrowserSession | HintTrust::Another, SignInState::SignedOut) => Decision::GoBack,
        (HintTrust::None, SignInState::SignedOut) => Decision::Stay,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_signed_out_unasked_but_by_an_id_token_of_their_own() {
        for hint_trust in [HintTrust::None, HintTrust::Another] {
            assert_eq!(decide(hint_trust, SignInState::SignedIn), Decision::Ask);
        }
        assert_eq!(decide(HintTrust::ThisBrowserSession, SignInState::SignedIn), Decision::LogOut);
    }

    #[test]
    fn without_an_id_token_of_ours_the_browser_goes_nowhere() {
        for here in [SignInState::SignedOut, SignInState::SignedIn] {
            assert!(matches!(decide(HintTrust::None, here), Decision::Ask | Decision::Stay));
        }
    }
}
