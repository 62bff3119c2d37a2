//! Tokenhouse: an OAuth 2.1 and OpenID Connect token issuing service.
//!
//! The modules of Tokenhouse, top layer first. A module uses only the modules below it; `tests/layers.rs` keeps that.

pub mod cli; //           the command line: one file a command
pub mod app; //           configuration in, running service out; start and stop
pub mod http; //          the endpoints: the only module that knows actix-web
pub mod grants; //        the rules of the token endpoint: one file a grant
pub mod userinfo; //      what an application may know of a person
pub mod event_stream; //   telling services at once what has been revoked
pub mod introspection; // is this token good right now?
pub mod revocation; //    revoking a token ends its session
pub mod logout; //        asking to be signed out
pub mod authorize; //     what an application asks of a person in a browser
pub mod browser_sessions; //        who is signed in in which browser
pub mod users; //         people: sign-in, passwords, adding and removing
pub mod clients; //       applications: how they authenticate, adding and removing
pub mod sessions; //      refresh rotation, beginning and ending of sessions
pub mod gate; //          may this user, client and session receive tokens?
pub mod tokens; //        the mint: what tokens say
pub mod claims; //        what is told about a person
pub mod ctx; //           what a rule holds in its hands
pub mod status; //        which access tokens were revoked, as signed lists
pub mod broadcast; //     lines for those who listen to security events
pub mod keys; //          the keyring: generate, seal, rotate, publish, sign
pub mod passwords; //     hashing people's passwords on bounded threads
pub mod store; //         the database (SQL) and the ephemeral store (Redis or SQL)
pub mod outbound; //      requests that this server makes
pub mod audit; //         what is worth remembering for years
pub mod config; //        one file in, one checked struct out
pub mod model; //         the nouns and their states
pub mod protocol; //      the words of the standards
pub mod digest; //        SHA-2 and constant-time comparison
pub mod clock; //         time and randomness
