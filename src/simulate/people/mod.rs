//! Agents, customers, a carrier of messages and an administrator: models that act by dice, remember what they were told, and ask again with the
//! same command id when they were told nothing.

mod admin;
mod agents;
mod carrier;
mod customers;
mod importer;
mod router;

use super::dice::Dice;
use super::notation;
use crate::desk::Desk;
use crate::desk::answer::Answer;
use crate::desk::command::{Ask, Command};
use crate::desk::event::Event;
use crate::desk::ids::{AgentId, CommandId, NodeNumber, SessionId};
use crate::desk::refusal::Refusal;
use crate::engine::route::To;
use crate::engine::turn::Asked;
use agents::AgentModel;
use customers::CustomerModel;
use std::collections::{BTreeMap, VecDeque};

const AGENTS: u32 = 4;
const CUSTOMERS: u128 = 5;

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Who {
    Agent(usize),
    Customer(usize),
    Admin,
    Router,
    Nobody,
}

/// Where a reply goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ReplyTo {
    who: Who,
    serial: u64,
}

impl ReplyTo {
    /// The server's own commands.
    pub const NOBODY: ReplyTo = ReplyTo { who: Who::Nobody, serial: 0 };
}

/// Something that was asked and not answered yet.
#[derive(Clone, Debug)]
struct Request {
    who: Who,
    command: Command,
    in_flight: bool,
    retry_at_ms: u64,
}

#[derive(Debug)]
pub struct People {
    agents: Vec<AgentModel>,
    customers: Vec<CustomerModel>,
    setup: VecDeque<String>,
    /// Changes that the administrator makes at once, so that each day has rules of its own from its beginning.
    own_rules: u64,
    requests: BTreeMap<u64, Request>,
    last_serial: u64,
    last_command: u128,
    last_session: u128,
    /// Where agents connect to: numbers of nodes, none twice.
    nodes: [NodeNumber; 2],
    /// What was done and answered: now and then asked again, or with another body.
    done: VecDeque<Command>,
}

impl People {
    pub fn new(dice: &mut Dice) -> Self {
        Self {
            agents: (0..AGENTS).map(|place| AgentModel::new(AgentId(place))).collect(),
            customers: (1..=CUSTOMERS).map(CustomerModel::new).collect(),
            setup: admin::setup(AGENTS),
            own_rules: dice.below(10),
            requests: BTreeMap::new(),
            last_serial: 0,
            last_command: 0,
            last_session: 0,
            nodes: [NodeNumber(1), NodeNumber(2)],
            done: VecDeque::new(),
        }
    }

    /// From here on everybody does what is good, and the workspace is as it was set up.
    pub fn calm_down(&mut self) {
        self.setup.extend(admin::setup(AGENTS));
        // Whoever a conversation requires can do what it requires.
        self.setup
            .extend((0..AGENTS).map(|agent| format!("admin agent a{agent} skills=french:10 program=no total=100")));
        self.setup.extend((0..AGENTS).map(|agent| format!("admin drains a{agent} no")));
        self.agents.iter_mut().for_each(|agent| agent.gone_until_ms = 0);
    }

    pub fn all_answered(&self) -> bool {
        self.requests.is_empty() && self.setup.is_empty()
    }

    /// What everybody asks now.
    pub fn act(&mut self, dice: &mut Dice, now_ms: u64, calm: bool, desk: &Desk) -> Vec<Asked<ReplyTo>> {
        if self.count(Who::Admin) == 0
            && let Some(line) = self.setup.pop_front()
        {
            self.ask_line(Who::Admin, &line);
        }
        let set_up = self.setup.is_empty();
        if set_up && !calm && self.count(Who::Admin) == 0 && (self.own_rules > 0 || dice.per_mille(40)) {
            let line = if self.own_rules > 0 {
                self.own_rules -= 1;
                admin::change(dice, AGENTS, desk)
            } else {
                admin::act(dice, AGENTS, desk)
            };
            self.ask_line(Who::Admin, &line);
        }
        if set_up
            && self.count(Who::Router) < 2
            && let Some(line) = router::act(dice, AGENTS, calm, desk)
        {
            self.ask_line(Who::Router, &line);
        }
        for place in 0..self.agents.len() {
            let who = Who::Agent(place);
            if (set_up || desk.agents().count() > place) && self.count(who) < 2 {
                let node = self.nodes[(self.last_session % 2) as usize];
                let session = SessionId::on(node, (self.last_session + 1) << 48);
                let deed = self.agents[place].act(dice, now_ms, calm, desk, session);
                for ask in deed {
                    if matches!(ask, Ask::SessionCame { .. }) {
                        self.last_session += 1;
                    }
                    self.ask(who, ask);
                }
            }
        }
        if set_up && !calm && dice.per_mille(5) {
            self.a_node_goes(dice.below(2) as usize);
        }
        if set_up && !calm && dice.per_mille(10) {
            let agent = AgentId(dice.below(u64::from(AGENTS)) as u32);
            self.ask(Who::Nobody, Ask::AgentIsIdle { agent });
        }
        if set_up
            && !calm
            && dice.per_mille(30)
            && let Some(ask) = carrier::act(dice, desk)
        {
            self.ask(Who::Nobody, ask);
        }
        if set_up && !calm && dice.per_mille(15) {
            let command = importer::act(dice, desk);
            self.push(Who::Nobody, command);
        }
        for place in 0..self.customers.len() {
            let who = Who::Customer(place);
            if set_up
                && !calm
                && self.count(who) == 0
                && let Some(ask) = self.customers[place].act(dice, desk)
            {
                self.ask(who, ask);
            }
        }
        if !calm && dice.per_mille(40) {
            self.ask_again(dice);
        }
        self.send(now_ms)
    }

    fn a_node_goes(&mut self, place: usize) {
        let node = self.nodes[place];
        if self.agents.iter().any(|agent| agent.comes_to(node)) {
            return;
        }
        self.agents.iter_mut().for_each(|agent| agent.node_is_gone(node));
        self.nodes[place] = NodeNumber(self.nodes.iter().map(|node| node.0).max().unwrap_or(0) + 1);
        self.ask(Who::Nobody, Ask::NodeGone { node });
    }

    fn count(&self, who: Who) -> usize {
        self.requests.values().filter(|request| request.who == who).count()
    }

    fn ask_line(&mut self, who: Who, line: &str) {
        let ask = notation::command(line).unwrap_or_else(|why| panic!("{line}: {why}")).ask;
        self.ask(who, ask);
    }

    fn ask(&mut self, who: Who, ask: Ask) {
        let principal = notation::principal(&ask);
        let has_id = !matches!(
            ask,
            Ask::SessionCame { .. }
                | Ask::SessionWent { .. }
                | Ask::NodeGone { .. }
                | Ask::Typing { .. }
                | Ask::AgentIsIdle { .. }
        );
        self.last_command += u128::from(has_id);
        let id = has_id.then_some(CommandId(self.last_command));
        let fingerprint = notation::fingerprint(&ask);
        self.push(who, Command { principal, id, fingerprint, ask });
    }

    fn push(&mut self, who: Who, command: Command) {
        self.last_serial += 1;
        self.requests.insert(self.last_serial, Request { who, command, in_flight: false, retry_at_ms: 0 });
    }

    /// A client that is not sure asks again, or (wrongly) takes an old id for something else.
    fn ask_again(&mut self, dice: &mut Dice) {
        let place = dice.below(self.done.len() as u64) as usize;
        let Some(mut command) = self.done.get(place).cloned() else { return };
        // An import's id is made of what it is, so that nobody takes it for something else.
        if dice.per_mille(150) && !matches!(command.ask, Ask::Import(_)) {
            command.fingerprint ^= 1;
        }
        self.push(Who::Nobody, command);
    }

    fn send(&mut self, now_ms: u64) -> Vec<Asked<ReplyTo>> {
        let ready = self.requests.iter_mut().filter(|(_, r)| !r.in_flight && r.retry_at_ms <= now_ms);
        ready
            .map(|(serial, request)| {
                request.in_flight = true;
                let reply_to = ReplyTo { who: request.who, serial: *serial };
                Asked::untraced(request.command.clone(), reply_to)
            })
            .collect()
    }

    pub fn command_of(&self, reply_to: ReplyTo) -> Option<Command> {
        self.requests.get(&reply_to.serial).map(|request| request.command.clone())
    }

    /// Nothing happened: the same again, later. A session that could not come in tries as a new one.
    pub fn unavailable(&mut self, reply_to: ReplyTo, now_ms: u64) {
        let Some(request) = self.requests.get_mut(&reply_to.serial) else { return };
        request.in_flight = false;
        request.retry_at_ms = now_ms + 1_000;
        if let (Ask::SessionCame { session, .. }, Who::Agent(place)) = (&request.command.ask, request.who) {
            self.agents[place].did_not_come_in(*session);
            self.requests.remove(&reply_to.serial);
        }
    }

    /// Every socket broke; who waits for an answer asks again, connections are made anew.
    pub fn server_is_gone(&mut self) {
        self.requests.retain(|_, request| request.command.id.is_some());
        self.requests.values_mut().for_each(|request| request.in_flight = false);
        self.agents.iter_mut().for_each(AgentModel::server_is_gone);
    }

    pub fn hear(&mut self, reply_to: ReplyTo, result: &Result<Answer, Refusal>, desk: &Desk) {
        let Some(request) = self.requests.remove(&reply_to.serial) else { return };
        match request.who {
            Who::Agent(place) => self.agents[place].hear(&request.command.ask, result, desk),
            Who::Customer(place) => self.customers[place].hear(result),
            Who::Admin | Who::Router | Who::Nobody => {}
        }
        if result.is_ok() && request.command.id.is_some() {
            self.done.push_back(request.command);
            if self.done.len() > 200 {
                self.done.pop_front();
            }
        }
    }

    pub fn hear_event(&mut self, to: To, event: &Event, desk: &Desk) {
        if let To::Agent(agent) = to
            && let Some(model) = self.agents.get_mut(agent.0 as usize)
        {
            model.hear_event(event, desk);
        }
    }

    /// The desk holds no session that is nobody's.
    pub fn sessions_are_real(&self, desk: &Desk) -> Result<(), String> {
        for (id, agent) in desk.agents() {
            let Some(model) = self.agents.get(id.0 as usize) else { continue };
            if let Some(session) = agent.sessions.iter().find(|session| !model.knows(**session)) {
                return Err(format!("{id} has the session s{}, which is nobody's", session.0));
            }
        }
        Ok(())
    }
}

pub fn unanswered(people: &People) -> String {
    let lines: Vec<String> = people.requests.values().take(5).map(|r| notation::ask(&r.command.ask)).collect();
    format!("unanswered: {lines:?}")
}
