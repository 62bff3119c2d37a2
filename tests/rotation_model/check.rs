//! What was seen in a history, and what must be true of it. Each checker reads the journal alone.

use std::time::Duration;

use tokenhouse::clock::Timestamp;
use tokenhouse::model::{Generation, RotationRecord};
use tokenhouse::sessions::Rules;
use tokenhouse::sessions::rotation::{Decision, PresentedRefresh, Why};

use crate::protocol::Rule;
use crate::world::{POLL, minted};

/// Who holds a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Party {
    Honest,
    Thief,
}

/// Why a token was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    Expired,
    Over,
    Reuse,
}

/// Something that was seen.
#[derive(Debug, Clone)]
#[expect(clippy::large_enum_variant, reason = "a journal of a few hundred entries in a test")]
pub enum Event {
    /// A record was written.
    Wrote {
        by: Party,
        record: RotationRecord,
    },
    /// A request was answered with a token. `arrived` says where in the journal it came in.
    Answered {
        at: Timestamp,
        arrived: usize,
        arrived_at: Timestamp,
        decided_by_store: Timestamp,
        presented: PresentedRefresh,
        token: PresentedRefresh,
    },
    /// A party received the answer and keeps it.
    Received {
        by: Party,
        token: PresentedRefresh,
    },
    Refused {
        at: Timestamp,
        by: Party,
        presented: PresentedRefresh,
        why: Refusal,
    },
    /// `refresh_repeated` went to the audit.
    Reported,
    Stolen,
    Fault,
    EndAcknowledged {
        at: Timestamp,
    },
}

/// All that was seen, in order.
#[derive(Debug)]
pub struct Journal {
    first: RotationRecord,
    events: Vec<Event>,
}

/// What is wrong with a history.
pub type Verdict = Result<(), String>;

/// By how much two clocks may differ.
const CLOCKS: Duration = Duration::from_mins(5);

/// An expired token is still taken for so long.
const LEEWAY: Duration = Duration::from_mins(1);

impl Journal {
    pub fn new(first: &RotationRecord) -> Self {
        Self { first: first.clone(), events: Vec::new() }
    }

    pub fn add(&mut self, event: Event) {
        self.events.push(event);
    }

    pub fn len(&self) -> usize {
        self.events.len()
    }

    /// Whether any event is such.
    pub fn has(&self, such: impl Fn(&Event) -> bool) -> bool {
        self.events.iter().any(such)
    }

    /// How many events are such.
    pub fn count(&self, such: impl Fn(&Event) -> bool) -> usize {
        self.events.iter().filter(|event| such(event)).count()
    }
}

/// What must be true of every history, with a thief or without.
pub fn always(journal: &Journal, decide: Rule, rules: Rules) -> Verdict {
    one_token_is_live(journal, decide, rules)?;
    nothing_goes_back(journal)?;
    the_end_is_the_end(journal)?;
    expiry_holds(journal)
}

/// No honest request is refused before its token or its session is over, give or take the clocks; no reuse is seen.
pub fn the_honest_client_stays_signed_in(journal: &Journal) -> Verdict {
    for event in &journal.events {
        let Event::Refused { at, by: Party::Honest, presented, why } = event else { continue };
        let its_time_has_come = match why {
            Refusal::Expired => at.plus(CLOCKS) >= presented.expires_at.plus(LEEWAY),
            Refusal::Over => at.plus(CLOCKS) >= journal.first.ends_at,
            Refusal::Reuse => false,
        };
        if !its_time_has_come {
            return Err(format!("the honest client was refused at {at:?}: {why:?}, {presented:?}"));
        }
    }
    Ok(())
}

/// At most one token of the session can be rotated. After a fault there may be others, which the record has not
/// reached, and a rotation that was lost may be repeated.
fn one_token_is_live(journal: &Journal, decide: Rule, rules: Rules) -> Verdict {
    let mut tokens = vec![minted(&journal.first)];
    let mut faultless = true;
    for event in &journal.events {
        match event {
            Event::Fault => faultless = false,
            Event::Wrote { record, .. } => {
                let token = minted(record);
                match tokens.iter().find(|other| other.generation == token.generation) {
                    Some(other) if faultless && *other != token => return Err(format!("{token:?} was issued twice")),
                    Some(_) => {}
                    None => tokens.push(token),
                }
                let live = tokens
                    .iter()
                    .filter(|token| faultless || token.generation <= record.current)
                    .filter(|token| is_live(&decide(record, **token, rules, record.issued_at)));
                let live: Vec<_> = live.map(|token| token.generation).collect();
                if live.len() > 1 {
                    return Err(format!("more than one token is live: {live:?} of {record:?}"));
                }
            }
            _ => {}
        }
    }
    Ok(())
}

fn is_live(decision: &Decision) -> bool {
    matches!(decision, Decision::Step(_, Why::Rotated | Why::RolledForward))
}

/// Between faults, a record never returns to an earlier token, and the session's end never moves.
fn nothing_goes_back(journal: &Journal) -> Verdict {
    let mut furthest = journal.first.current;
    for event in &journal.events {
        match event {
            Event::Fault => furthest = Generation::default(),
            Event::Wrote { record, .. } => {
                if record.current < furthest {
                    return Err(format!("from {furthest:?} back to {:?}", record.current));
                }
                if record.ends_at != journal.first.ends_at || record.expires_at > record.ends_at {
                    return Err(format!("the end moved: {record:?}"));
                }
                furthest = record.current;
            }
            _ => {}
        }
    }
    Ok(())
}

/// What comes in after an end was acknowledged is not answered. (An instance that has not read the feed since may be
/// fooled by an ephemeral store that silently came back from before the end: for one poll.)
fn the_end_is_the_end(journal: &Journal) -> Verdict {
    let mut acknowledged = None;
    let mut fooled_until = None;
    for (position, event) in journal.events.iter().enumerate() {
        match event {
            Event::EndAcknowledged { at } => {
                acknowledged.get_or_insert((position, *at));
            }
            Event::Fault => {
                fooled_until = acknowledged.map(|(_, at)| at.plus(POLL));
            }
            Event::Answered { at, arrived, token, .. } => {
                let ended = acknowledged.is_some_and(|(end, _)| *arrived > end);
                if ended && fooled_until.is_none_or(|until| *at >= until) {
                    return Err(format!("an ended session was answered at {at:?} with {token:?}"));
                }
            }
            _ => {}
        }
    }
    Ok(())
}

/// Nothing is decided in favour of a client after the absolute end, nothing is asked for with a token that expired
/// longer ago than the leeway, and no token outlives the session.
fn expiry_holds(journal: &Journal) -> Verdict {
    for event in &journal.events {
        let Event::Answered { arrived_at, decided_by_store, presented, token, .. } = event else { continue };
        let ends_at = journal.first.ends_at;
        let late = *decided_by_store >= ends_at || *arrived_at >= presented.expires_at.plus(LEEWAY);
        if late || token.expires_at > ends_at {
            return Err(format!("answered to what came in at {arrived_at:?}: {presented:?} with {token:?}"));
        }
    }
    Ok(())
}

/// How a history with a thief may go.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// So often may the two take turns before one is found.
    pub turns: u32,
    /// The same after the ephemeral store lost something: the two may have to catch up with each other first.
    pub turns_after_a_fault: u32,
}

/// The theft is found before the two have taken more turns than allowed, unless one keeps within the retry window of
/// the other: and that is reported from the third time on.
///
/// A turn is taken by who receives a token and did not receive the last one. They start afresh when both hold the same.
pub fn the_thief_is_found(journal: &Journal, patience: Patience) -> Verdict {
    let mut watch =
        Watch { honest: minted(&journal.first), thief: None, allowed: patience.turns, count: Count::default() };
    let mut makers: Vec<(PresentedRefresh, Party)> = Vec::new();
    for event in &journal.events {
        match event {
            Event::Stolen => {
                watch.thief = Some(watch.honest);
                watch.count = Count::default();
            }
            Event::Fault => {
                watch.allowed = patience.turns_after_a_fault;
                watch.count = Count::default();
                makers.clear();
            }
            Event::Wrote { by, record } if !makers.iter().any(|(token, _)| *token == minted(record)) => {
                makers.push((minted(record), *by));
            }
            Event::Reported => watch.count.reports += 1,
            Event::Received { by, token } => {
                let maker = makers.iter().find(|(made, _)| made == token).map_or(*by, |(_, maker)| *maker);
                watch.receive(*by, *token, maker);
                watch.count.judge(watch.allowed)?;
            }
            _ => {}
        }
    }
    Ok(())
}

struct Watch {
    honest: PresentedRefresh,
    thief: Option<PresentedRefresh>,
    allowed: u32,
    count: Count,
}

impl Watch {
    fn receive(&mut self, by: Party, token: PresentedRefresh, maker: Party) {
        match by {
            Party::Honest => self.honest = token,
            Party::Thief => self.thief = Some(token),
        }
        let Some(thief) = self.thief else { return };
        if maker != by {
            self.count.shares += 1;
        }
        if maker != by || thief.generation == self.honest.generation {
            self.count.turns = 0;
            self.count.last = None;
        } else if self.count.last != Some(by) {
            self.count.turns += 1;
            self.count.last = Some(by);
        }
    }
}

/// Since the theft or the last fault.
#[derive(Default)]
struct Count {
    turns: u32,
    /// Whose turn was the last.
    last: Option<Party>,
    /// How often one of the two received the token that the other had made.
    shares: u32,
    reports: u32,
}

impl Count {
    fn judge(&self, allowed: u32) -> Verdict {
        if self.turns > allowed {
            return Err(format!("{} turns, and the thief was not found", self.turns));
        }
        if self.shares > self.reports + 2 {
            return Err(format!("shared {} times and reported {} times", self.shares, self.reports));
        }
        Ok(())
    }
}
