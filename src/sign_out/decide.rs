//! What becomes of a request to sign out: a pure decision.

/// For whom the application's ID token speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Vouching {
    /// For nobody: there is none, or it is not ours.
    Nobody,
    /// For somebody else than is signed in here.
    Another,
    /// For the browser session of this browser.
    ThisBrowserSession,
}

/// Whether somebody is signed in in this browser.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Here {
    Nobody,
    SomebodyIsSignedIn,
}

/// What is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Decision {
    /// The browser session ends, and the browser goes back to the application, where that has said where to.
    SignOut,
    /// The person is asked. Afterwards the browser stays here.
    Ask,
    /// There is nothing to end; the browser goes back.
    GoBack,
    /// There is nothing to end, and no way back that anybody has vouched for.
    Stay,
}

pub(super) const fn decide(vouching: Vouching, here: Here) -> Decision {
    match (vouching, here) {
        (Vouching::ThisBrowserSession, Here::SomebodyIsSignedIn) => Decision::SignOut,
        (Vouching::Another | Vouching::Nobody, Here::SomebodyIsSignedIn) => Decision::Ask,
        (Vouching::ThisBrowserSession | Vouching::Another, Here::Nobody) => Decision::GoBack,
        (Vouching::Nobody, Here::Nobody) => Decision::Stay,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_signed_out_unasked_but_by_an_id_token_of_their_own() {
        for vouching in [Vouching::Nobody, Vouching::Another] {
            assert_eq!(decide(vouching, Here::SomebodyIsSignedIn), Decision::Ask);
        }
        assert_eq!(decide(Vouching::ThisBrowserSession, Here::SomebodyIsSignedIn), Decision::SignOut);
    }

    #[test]
    fn without_an_id_token_of_ours_the_browser_goes_nowhere() {
        for here in [Here::Nobody, Here::SomebodyIsSignedIn] {
            assert!(matches!(decide(Vouching::Nobody, here), Decision::Ask | Decision::Stay));
        }
    }
}
