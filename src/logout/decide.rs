//! Decides a logout request; a pure function.

/// The user for whom the client's ID token speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum HintTrust {
    /// There is no ID token, or it is not of this issuer.
    None,
    /// It is of this issuer, but not for this browser's session.
    Another,
    /// It is for this browser's session.
    ThisBrowserSession,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SignInState {
    SignedOut,
    SignedIn,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Decision {
    /// The browser session ends, and the browser returns to the client if the request says where to.
    LogOut,
    /// The user has to confirm. Afterwards the browser stays on this server.
    Ask,
    /// There is nothing to end; the browser returns to the client.
    GoBack,
    /// There is nothing to end, and no ID token vouches for an address to return to.
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
