//! Tokenhouse: an OAuth 2.1 and OpenID Connect token issuing service.
//!
//! The modules, top layer first. A module uses only the modules below it; `tests/layers` keeps that.

pub mod cli; //              the command line: one file a command
pub mod app; //              configuration in, running service out; background jobs; start and stop
pub mod http; //             endpoints and pages: the only module that knows actix-web
pub mod grants; //           the rules of the token endpoint: one file a grant
pub mod event_stream; //     security events to verifiers, as they happen
pub mod token_status; //     what a presented token is worth: introspection, revocation, userinfo
pub mod logout; //           RP-initiated, front-channel and back-channel logout
pub mod authorize; //        authorization requests: checks, the next step, codes, consent
pub mod browser_sessions; // which user is signed in in which browser
pub mod authentication; //   how users prove who they are
pub mod users; //            people: adding, changing and removing them, their passwords
pub mod clients; //          applications: how they authenticate, adding and removing
pub mod sessions; //         refresh rotation; how sessions begin and end
pub mod gate; //             may this client, user and session receive tokens?
pub mod tokens; //           the mint: access, ID, refresh, logout and security event tokens
pub mod ctx; //              what every rule is given: configuration, stores, keys, clock, randomness
pub mod status_lists; //     which access tokens were revoked, as signed lists
pub mod broadcast; //        frames on their way to the subscribers of the event stream
pub mod keys; //             the keyring: generate, seal, rotate, publish, sign
pub mod passwords; //        password hashing on bounded threads; the password policy
pub mod store; //            the database (SQL), the ephemeral store (Redis or SQL), this instance's memory
pub mod outbound; //         requests to other servers
pub mod audit; //            the audit events
pub mod config; //           one file and the environment in, one checked struct out
pub mod model; //            the nouns and their states
pub mod error; //            what a rule fails with: refused, unavailable, or our own mistake
pub mod protocol; //         the words of the standards, as types that only parsing makes
pub mod digest; //           SHA-2 and constant-time comparison
pub mod clock; //            time and randomness
