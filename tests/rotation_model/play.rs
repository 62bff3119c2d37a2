//! The parties and what may happen to them.

use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::strategy::Union;
use tokenhouse::sessions::rotation::PresentedRefresh;

use crate::check::{Event, Journal, Party};
use crate::protocol::Protocol;
use crate::request::{Answer, Request};
use crate::world::{Fault, Setting, World};

/// One line of a history.
#[derive(Debug, Clone)]
pub enum Action {
    Wait(Duration),
    /// A party presents the token that it holds, once for each copy.
    Refresh(Party, Vec<Copy>),
    /// A request under way goes on for so many steps.
    Resume(usize, usize),
    /// The thief reads the token that the honest client holds.
    Steal,
    Suffer(Fault),
    /// The session is ended: the database's row.
    End,
    /// The session is ended: tombstone and memory of this instance, and the answer.
    Acknowledge(usize),
}

/// How one of several copies of a request fares.
#[derive(Debug, Clone, Copy)]
pub struct Copy {
    pub instance: usize,
    /// Its answer gets lost.
    pub lost: bool,
    /// It is served so many steps at once; what is left of it stays under way.
    pub steps: usize,
}

/// Enough steps for any request.
pub const ALL: usize = 40;

impl Copy {
    pub const PLAIN: Self = Self { instance: 0, lost: false, steps: ALL };
    pub const LOST: Self = Self { lost: true, ..Self::PLAIN };
}

/// Plays a history and returns what was seen.
pub fn play(protocol: Protocol, setting: Setting, actions: &[Action]) -> Journal {
    let (world, first) = World::begin(protocol, setting);
    let mut game = Game { world, honest: first, thief: None, under_way: Vec::new() };
    for action in actions {
        game.act(action);
    }
    game.world.journal
}

struct Game {
    world: World,
    /// The newest token that the honest client has received.
    honest: PresentedRefresh,
    /// The same of the thief, once there is one.
    thief: Option<PresentedRefresh>,
    under_way: Vec<Request>,
}

impl Game {
    fn act(&mut self, action: &Action) {
        match action {
            Action::Wait(time) => self.world.wait(*time),
            Action::Refresh(party, copies) => self.refresh(*party, copies),
            Action::Resume(which, steps) => {
                if !self.under_way.is_empty() {
                    let request = self.under_way.remove(which % self.under_way.len());
                    self.serve(request, *steps);
                }
            }
            Action::Steal => {
                self.thief = Some(self.honest);
                self.world.journal.add(Event::Stolen);
            }
            Action::Suffer(fault) => self.suffer(*fault),
            Action::End => self.world.write_the_end(),
            Action::Acknowledge(instance) => {
                if self.world.ended_at.is_some() {
                    self.world.bury(*instance);
                    self.world.journal.add(Event::EndAcknowledged { at: self.world.now() });
                }
            }
        }
    }

    /// What is under way while the ephemeral store moves to a machine with another clock is lost: windows are not
    /// comparable.
    fn suffer(&mut self, fault: Fault) {
        if matches!(fault, Fault::RolledBack { slower, .. } if slower > Duration::ZERO) {
            self.under_way.clear();
        }
        self.world.suffer(fault);
    }

    fn held(&self, party: Party) -> Option<PresentedRefresh> {
        match party {
            Party::Honest => Some(self.honest),
            Party::Thief => self.thief,
        }
    }

    fn refresh(&mut self, party: Party, copies: &[Copy]) {
        let Some(token) = self.held(party) else { return };
        for copy in copies {
            let mut request = Request::new(party, token, copy.instance, self.world.now());
            request.lost = copy.lost;
            self.serve(request, copy.steps);
        }
    }

    fn serve(&mut self, mut request: Request, steps: usize) {
        for _ in 0..steps {
            if self.has_faded(&request) {
                return;
            }
            if let Some(answer) = request.step(&mut self.world) {
                self.receive(&request, answer);
                return;
            }
        }
        self.under_way.push(request);
    }

    /// A party keeps the answer to the token that it holds; an answer that comes after its retry was answered is
    /// dropped.
    fn receive(&mut self, request: &Request, answer: Answer) {
        let Answer::Token(token) = answer else { return };
        if request.lost || self.held(request.by) != Some(request.token) {
            return;
        }
        match request.by {
            Party::Honest => self.honest = token,
            Party::Thief => self.thief = Some(token),
        }
        self.world.journal.add(Event::Received { by: request.by, token });
    }

    /// Whether a request has been under way for longer than the design allows for: servers and clients give up, and a
    /// duplicate of a request that was answered meanwhile comes within the retry window, or never.
    fn has_faded(&self, request: &Request) -> bool {
        let window = self.world.rules.retry_window;
        let now = self.world.now();
        let under_way = now.since(request.sent_at);
        if under_way > Duration::ZERO && under_way >= window {
            return true;
        }
        if request.by == Party::Thief || request.token == self.honest {
            return false;
        }
        let rotated = self.world.rotated.get(&request.token.generation);
        let rotations_since = self.world.furthest.number.saturating_sub(request.token.generation.number);
        rotated.is_some_and(|at| now.since(*at) >= window) || rotations_since > 4
    }
}

// --- histories ---------------------------------------------------------------------------------------------------------

/// What may happen in a history.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::struct_excessive_bools, reason = "each of the four may be there or not, and they read well as a list")]
pub struct Cast {
    pub thief: bool,
    pub faults: bool,
    pub ends: bool,
    /// Lost answers, copies, requests that stay under way.
    pub bad_network: bool,
}

pub fn history(cast: Cast, length: usize) -> impl Strategy<Value = Vec<Action>> {
    vec(action(cast), 1..length)
}

fn action(cast: Cast) -> Union<BoxedStrategy<Action>> {
    let mut actions: Vec<(u32, BoxedStrategy<Action>)> = vec![
        (30, pause().prop_map(Action::Wait).boxed()),
        (30, copies(cast).prop_map(|copies| Action::Refresh(Party::Honest, copies)).boxed()),
    ];
    if cast.bad_network {
        let resume = (0..4_usize, steps()).prop_map(|(which, steps)| Action::Resume(which, steps));
        actions.push((15, resume.boxed()));
    }
    if cast.thief {
        actions.push((4, Just(Action::Steal).boxed()));
        actions.push((25, copies(cast).prop_map(|copies| Action::Refresh(Party::Thief, copies)).boxed()));
    }
    if cast.faults {
        let rolled_back = (1..8_usize, prop_oneof![Just(0), 0..90_u64])
            .prop_map(|(writes, slower)| Fault::RolledBack { writes, slower: Duration::from_secs(slower) });
        let fault = prop_oneof![Just(Fault::Emptied), rolled_back];
        actions.push((5, fault.prop_map(Action::Suffer).boxed()));
    }
    if cast.ends {
        actions.push((2, Just(Action::End).boxed()));
        actions.push((3, (0..2_usize).prop_map(Action::Acknowledge).boxed()));
    }
    Union::new_weighted(actions)
}

/// From the blink of an eye to a night, and often just about the retry window.
fn pause() -> impl Strategy<Value = Duration> {
    prop_oneof![
        3 => 1..2_000_u64,
        3 => 2_000..29_000_u64,
        3 => 29_000..31_000_u64,
        1 => Just(30_000_u64),
        2 => 31_000..600_000_u64,
        2 => 600_000..20_000_000_u64,
    ]
    .prop_map(Duration::from_millis)
}

fn copies(cast: Cast) -> BoxedStrategy<Vec<Copy>> {
    if !cast.bad_network {
        return (0..2_usize).prop_map(|instance| vec![Copy { instance, ..Copy::PLAIN }]).boxed();
    }
    let copy = (0..2_usize, proptest::bool::weighted(0.3), steps()).prop_map(|(instance, lost, steps)| Copy {
        instance,
        lost,
        steps,
    });
    vec(copy, 1..4).boxed()
}

fn steps() -> impl Strategy<Value = usize> {
    prop_oneof![3 => Just(ALL), 1 => 0..6_usize]
}
