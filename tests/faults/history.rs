//! What clients asked, what they were answered, and when: the record that the checks read.

use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokenhouse::clock::Stopwatch;

use crate::server::claims;

/// Which token, as its claims say it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mark {
    pub session: String,
    pub number: u64,
    pub branch: u64,
}

impl Mark {
    /// Of a refresh token.
    pub fn of(token: &str) -> Self {
        let claims = claims(token);
        Self {
            session: claims["sid"].as_str().unwrap().to_owned(),
            number: claims["gen"].as_u64().unwrap(),
            branch: claims["branch"].as_u64().unwrap(),
        }
    }

    /// Its position among the tokens of its session.
    pub fn position(&self) -> (u64, u64) {
        (self.number, self.branch)
    }
}

/// What was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Call {
    /// A sign-in.
    SignIn,
    /// An honest client exchanges its refresh token.
    Refresh(String),
    /// Somebody shows a refresh token that was replaced long ago.
    Theft(String),
    /// Is the token good?
    Look(String),
    /// A session is to end.
    End(String),
}

/// What was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// A refresh token (and an access token with it).
    Issued(String),
    /// Done; or, of a token, good.
    Good,
    /// Done; not known everywhere yet (202).
    Pending,
    /// The token is not good: clients sign their user out on it.
    Refused,
    /// 503, with the seconds of `Retry-After`.
    Away(Option<u64>),
    /// No answer: the connection broke, or none could be made.
    Silent,
    /// Anything else.
    Strange(u16, String),
}

/// A call and its answer.
#[derive(Debug, Clone)]
pub struct Event {
    pub call: Call,
    pub answer: Answer,
    pub asked: Duration,
    pub answered: Duration,
}

impl Event {
    /// The session that it is about.
    pub fn session(&self) -> Option<String> {
        match (&self.call, &self.answer) {
            (Call::Refresh(token) | Call::Theft(token) | Call::Look(token), _) => {
                claims(token)["sid"].as_str().map(str::to_owned)
            }
            (Call::End(session), _) => Some(session.clone()),
            (Call::SignIn, Answer::Issued(token)) => Some(Mark::of(token).session),
            (Call::SignIn, _) => None,
        }
    }

    /// Whether a token did what it is for.
    pub fn is_success(&self) -> bool {
        matches!(
            (&self.call, &self.answer),
            (Call::Refresh(_) | Call::Theft(_), Answer::Issued(_)) | (Call::Look(_), Answer::Good)
        )
    }
}

/// In one line, without the tokens themselves.
impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let position = |token: &str| match (claims(token)["gen"].as_u64(), claims(token)["branch"].as_u64()) {
            (Some(number), Some(branch)) => format!("({number}, {branch})"),
            _ => "(access)".to_owned(),
        };
        let session = self.session().unwrap_or_default();
        match &self.call {
            Call::SignIn => write!(f, "sign-in {session}"),
            Call::Refresh(token) => write!(f, "refresh {session} {}", position(token)),
            Call::Theft(token) => write!(f, "theft {session} {}", position(token)),
            Call::Look(token) => write!(f, "look {session} {}", position(token)),
            Call::End(_) => write!(f, "end {session}"),
        }?;
        match &self.answer {
            Answer::Issued(token) => write!(f, " → issued {}", position(token)),
            other => write!(f, " → {other:?}"),
        }?;
        write!(f, " [{:?} … {:?}]", self.asked, self.answered)
    }
}

/// Everything that happened in one run, in the order of the answers.
#[derive(Debug, Clone)]
pub struct History {
    began: Stopwatch,
    events: Arc<Mutex<Vec<Event>>>,
}

impl Default for History {
    fn default() -> Self {
        Self { began: Stopwatch::start(), events: Arc::default() }
    }
}

impl History {
    pub fn now(&self) -> Duration {
        self.began.elapsed()
    }

    /// Records the answer that `asking` gives.
    pub async fn record(&self, call: Call, asking: impl Future<Output = Answer>) -> Answer {
        let asked = self.now();
        let answer = asking.await;
        self.add(Event { call, answer: answer.clone(), asked, answered: self.now() });
        answer
    }

    pub fn add(&self, event: Event) {
        self.events.lock().unwrap().push(event);
    }

    pub fn events(&self) -> Vec<Event> {
        self.events.lock().unwrap().clone()
    }

    /// How many events there are so far; `since` takes it.
    pub fn mark(&self) -> usize {
        self.events.lock().unwrap().len()
    }

    /// The events after a mark.
    pub fn since(&self, mark: usize) -> Vec<Event> {
        self.events.lock().unwrap()[mark..].to_vec()
    }

    /// How many calls had such an answer.
    pub fn count(&self, is_such: impl Fn(&Event) -> bool) -> usize {
        self.events.lock().unwrap().iter().filter(|event| is_such(event)).count()
    }
}
