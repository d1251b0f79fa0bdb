//! The morning, act by act: calm, memory running short, the mass drop, the bad update. The reckoning is in reckoning.rs.

use super::agent;
use super::customer;
use super::floor::{Floor, Hands, jitter, now};
use super::load::{self, Stopped, Thrown};
use super::outcome::{Cap, DropAct, MemoryAct, Outcome, Trouble, UpdateAct};
use super::page::Page;
use super::stage::Stage;
use super::{CommandError, Sizes};
use crate::cli::apply;
use crate::client::{Call, Client};
use crate::clock;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;

const WORKSPACE: &str = include_str!("workspace.toml");
/// What should come within seconds: after this, it is said that it did not.
pub(super) const PATIENCE: Duration = Duration::from_secs(180);
const LOAD_LONGER_BY: Duration = Duration::from_secs(60);
const LOOK_AGAIN: Duration = Duration::from_millis(500);
const LOOK_EVERY: Duration = Duration::from_millis(50);
const SAY_EVERY: Duration = Duration::from_secs(2);
/// Passes every check, and then never serves.
const BAD_UPDATE: &str = "#!/bin/sh
case \" $* \" in
*' --version '*) echo offhook 9.9.9; exit 0;;
*' check '*) exit 0;;
esac
exec sleep 100000
";

pub(super) struct Morning<'a> {
    pub(super) stage: &'a mut Stage,
    pub(super) sizes: Sizes,
    pub(super) floor: Arc<Floor>,
    pub(super) page: Page,
    pub(super) people: JoinSet<()>,
    /// Customers who talk; they end by themselves when it is over.
    pub(super) talks: JoinSet<()>,
    pub(super) over: watch::Sender<bool>,
    pub(super) began: clock::Stopwatch,
    said: Instant,
    pub(super) held_bytes: Option<u64>,
    pub(super) outcome: Outcome,
}

impl<'a> Morning<'a> {
    pub fn new(stage: &'a mut Stage, sizes: Sizes) -> Self {
        let floor = Arc::new(Floor::new(stage.address.clone(), sizes.agents, sizes.act / 4));
        let page = Page::watch(stage.operators.clone());
        let cap = stage.cap.as_ref();
        let outcome = Outcome {
            day: super::DAY.to_owned(),
            agents: sizes.agents,
            customers: sizes.customers,
            cap: Cap {
                mib: sizes.cap_mib,
                is_hard: cap.is_some(),
                group: cap.map(super::cap::Cap::name).unwrap_or_default(),
                supervisor_inside: cap.is_some_and(|cap| cap.holds(stage.supervisor())),
                ..Cap::default()
            },
            processes: vec![stage.supervisor().cast_signed()],
            ..Outcome::default()
        };
        Self {
            stage,
            sizes,
            floor,
            page,
            people: JoinSet::new(),
            talks: JoinSet::new(),
            over: watch::Sender::new(false),
            began: clock::stopwatch(),
            said: now(),
            held_bytes: None,
            outcome,
        }
    }

    pub async fn play(mut self) -> Result<Outcome, CommandError> {
        self.calm().await?;
        self.memory().await?;
        self.mass_drop().await?;
        self.bad_update().await?;
        self.reckoning().await;
        Ok(self.outcome.judged())
    }

    async fn calm(&mut self) -> Result<(), CommandError> {
        let Sizes { agents, customers, act, .. } = self.sizes;
        self.title("calm: everybody is at work");
        self.note_server();
        let mut workspace = WORKSPACE.to_owned();
        for number in 0..load::readers(self.sizes.cap_mib) {
            let name = load::reader_name(number);
            let _ = write!(
                workspace,
                "\n[[agents]]\nname = \"{name}\"\nqueues = [\"unread\"]\ncapacity = {{ chat = 1 }}\n"
            );
        }
        apply::make(self.stage.address.clone(), &self.stage.key, &workspace).await?;
        for number in 0..agents {
            let name = format!("agent{number:05}");
            let token = self.stage.token(&name)?;
            let player = agent::Player { number, name, token, floor: self.floor.clone() };
            self.people.spawn(player.play(jitter(0, act.as_millis() as u64 / 4)));
        }
        let floor = self.floor.clone();
        self.until("all agents to be here", || floor.notes().available >= agents).await?;
        for number in 0..customers {
            self.talks.spawn(customer::talk(self.floor.clone(), number, self.over.subscribe()));
        }
        let all_talk = || floor.notes().talking >= customers && floor.notes().offers.open() == 0;
        self.until("all customers to talk with somebody", all_talk).await?;
        self.go_on(act / 2).await;
        let seen = self.page.teller();
        self.until("a server that is well", seen).await
    }

    /// 10:52.
    async fn memory(&mut self) -> Result<(), CommandError> {
        self.title("10:52, memory: readers stop, and visitors come many times faster than they are let in");
        let readers = load::readers(self.sizes.cap_mib);
        let names = (0..readers).map(load::reader_name);
        let tokens = names.map(|name| self.stage.token(&name)).collect::<Result<Vec<_>, _>>()?;
        let thrown = Arc::new(Thrown::default());
        self.floor.notes().heard = Default::default();
        self.floor.notes().accepts = Default::default();
        let key = self.stage.key.clone();
        let stopped = Stopped { floor: self.floor.clone(), tokens, key, thrown: thrown.clone() };
        let coming = tokio::spawn(stopped.play());
        self.until("all readers to have a conversation", || coming.is_finished()).await?;
        let mut load = coming.await.map_err(CommandError::of)?;
        self.page.trouble_begins();
        let begun = clock::stopwatch();
        self.go_on(self.sizes.act).await;
        // On a slow machine it takes longer until the load tells.
        let most = now() + LOAD_LONGER_BY;
        while self.shed().await.is_empty() && now() < most {
            self.go_on(LOOK_AGAIN).await;
        }
        load.shutdown().await;
        let load_s = begun.seconds();
        let ended = now();
        let noticed = self.page.noticed();
        let (busy, accepts) = {
            let notes = self.floor.notes();
            (notes.heard.busy.clone(), notes.accepts.clone())
        };
        self.outcome.memory = MemoryAct {
            load_s,
            readers_stopped: readers,
            written_mib: thrown.written_bytes.load(Relaxed) >> 20,
            unread_mib: thrown.unread_bytes.load(Relaxed) >> 20,
            starts: thrown.starts.load(Relaxed),
            starts_refused: thrown.starts_refused.load(Relaxed),
            shed: self.shed().await,
            busy,
            accepts,
            trouble: Trouble::default(),
        };
        self.outcome.memory.trouble = self.trouble(noticed, ended).await;
        Ok(())
    }

    /// 11:00.
    async fn mass_drop(&mut self) -> Result<(), CommandError> {
        self.title("11:00, everybody drops: kill -9 of the server while offers wait for their answers");
        let Sizes { agents, .. } = self.sizes;
        let floor = self.floor.clone();
        floor.hands.send_replace(Hands::Hold);
        let wanted = self.sizes.held();
        let shown_before: BTreeSet<String> = floor.notes().shown.clone();
        for number in 0..wanted {
            let floor = self.floor.clone();
            self.people.spawn(async move {
                let mut client = Client::new(floor.address.clone());
                customer::start(&floor, &mut client, "/held", &format!("held{number}.0 Is anybody there?")).await;
            });
        }
        let shown = || floor.notes().shown.difference(&shown_before).cloned().collect::<BTreeSet<String>>();
        self.until("offers on agents' screens", || shown().len() >= wanted).await?;
        let held = shown();

        floor.notes().heard = Default::default();
        floor.all_drop();
        self.page.trouble_begins();
        let began = now();
        let killed = self.stage.kill_server()?;
        // Those who do not come back in time are counted, not waited for.
        let all_back = || floor.notes().back.back_in_all() >= agents && floor.here() >= agents;
        self.comes("all agents to be back", all_back).await;
        self.note_server();
        floor.hands.send_replace(Hands::Accept);
        self.comes("the offers to be accepted", || floor.notes().offers.open() == 0).await;
        let trouble = self.trouble(None, began).await;
        let notes = floor.notes();
        self.outcome.drop = DropAct {
            killed,
            dropped: notes.back.dropped_in_all(),
            back_99_s: notes.back.share_back_s(agents, 99),
            back_all_s: notes.back.share_back_s(agents, 100),
            told_to_wait: notes.heard.told_to_wait,
            offers_held: held.len(),
            offers_held_lost: notes.offers.lost_of(&held),
            trouble,
        };
        Ok(())
    }

    /// 11:35.
    async fn bad_update(&mut self) -> Result<(), CommandError> {
        self.title("11:35, a bad update: a version that passes every check, and never serves");
        let floor = self.floor.clone();
        let agents = self.sizes.agents;
        let path = self.stage.directory().join("bad-update");
        let made = std::fs::write(&path, BAD_UPDATE)
            .and_then(|()| std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)));
        made.map_err(CommandError::of)?;
        let mut upgrade = tokio::process::Command::new(std::env::current_exe().map_err(CommandError::of)?);
        upgrade.arg("upgrade").arg(&path).arg("--set");
        upgrade.arg(format!("server.data_dir={}", self.stage.data_dir().display())).kill_on_drop(true);
        floor.all_drop();
        self.page.trouble_begins();
        let (began, begun) = (now(), clock::stopwatch());
        let upgrade = tokio::spawn(async move { upgrade.output().await });
        self.until("the update to have ended, in whichever way", || upgrade.is_finished()).await?;
        let output = upgrade.await.map_err(CommandError::of)?.map_err(CommandError::of)?;
        let said = String::from_utf8_lossy(&output.stdout).lines().last().unwrap_or_default().to_owned();
        let operators = self.stage.operators.clone();
        let serves = async {
            loop {
                let asked = Client::new(operators.clone()).ask_once(&Call::anonymous("/status")).await;
                if asked.is_ok_and(|page| page.body["answered_by"] == "server") {
                    return begun.seconds();
                }
                // Asked again as whoever waits for it would.
                tokio::time::sleep(LOOK_EVERY).await;
            }
        };
        let served_again_s = tokio::time::timeout(PATIENCE, serves).await.ok();
        self.note_server();
        let all_back = || floor.notes().back.back_in_all() >= agents && floor.here() >= agents;
        self.comes("all agents to be back", all_back).await;
        let trouble = self.trouble(None, began).await;
        let facts = self.stage.facts().await;
        let notes = floor.notes();
        self.outcome.update = UpdateAct {
            rolled_back: output.status.code() == Some(1) && facts["upgrades"]["rolled_back"] == 1,
            said,
            served_again_s,
            dropped: notes.back.dropped_in_all(),
            back_all_s: notes.back.share_back_s(agents, 100),
            trouble,
        };
        Ok(())
    }

    /// When the page said so, and when all was well again, from `since`.
    async fn trouble(&mut self, noticed: Option<(f64, String)>, since: Instant) -> Trouble {
        let recovered_after_s = self.well_again(since).await;
        let noticed = noticed.or_else(|| self.page.noticed());
        let (after_s, page_said) = noticed.unzip();
        Trouble { noticed_after_s: after_s, page_said: page_said.unwrap_or_default(), recovered_after_s }
    }

    /// All agents here, no offer open, and every component operational; in seconds from `since`.
    async fn well_again(&mut self, since: Instant) -> Option<f64> {
        let floor = self.floor.clone();
        let agents = self.sizes.agents;
        let seen = self.page.teller();
        let is_well = || seen() && floor.here() >= agents && floor.notes().offers.open() == 0;
        self.comes("all to be well again", is_well).await.then(|| (now() - since).as_secs_f64())
    }

    /// By rung, as the server counted it since it began.
    async fn shed(&self) -> BTreeMap<String, u64> {
        let text = super::metrics::page(&self.stage.operators).await.unwrap_or_default();
        super::metrics::by_label(&text, "offhook_shed_total", "rung")
    }

    fn note_server(&mut self) {
        self.outcome.processes.extend(self.stage.server());
    }

    pub(super) fn title(&mut self, title: &str) {
        eprintln!("[{:5.1} s] {title}", self.began.seconds());
        self.said = now();
    }

    /// Weighs the server, and says how things are every few seconds.
    pub(super) fn look(&mut self) {
        let held = self.stage.cap.as_ref().and_then(super::cap::Cap::held_bytes);
        self.held_bytes = self.held_bytes.max(held);
        if now() - self.said < SAY_EVERY {
            return;
        }
        self.said = now();
        let here = self.floor.here();
        let notes = self.floor.notes();
        let (messages, accepted) = (notes.ledger.len(), notes.accepts.done);
        let (put_off, open) = (notes.heard.busy_in_all() + notes.heard.unavailable, notes.offers.open());
        drop(notes);
        let held =
            held.map(|bytes| format!(", {} of {} MiB held", bytes >> 20, self.sizes.cap_mib)).unwrap_or_default();
        eprintln!(
            "[{:5.1} s]   {here} agents here, {open} offers open, {accepted} accepted, {messages} messages acknowledged, \
             {put_off} answers put clients off{held}",
            self.began.seconds()
        );
    }

    async fn go_on(&mut self, for_so_long: Duration) {
        let end = now() + for_so_long;
        while now() < end {
            // The act's length is what was asked for.
            tokio::time::sleep(LOOK_EVERY).await;
            self.look();
        }
    }

    /// For what the drill cannot go on without.
    async fn until(&mut self, what: &str, is_so: impl Fn() -> bool) -> Result<(), CommandError> {
        if self.comes(what, is_so).await {
            return Ok(());
        }
        let (faults, log) = (self.floor.notes().faults.join("\n"), self.stage.log_tail());
        Err(CommandError(format!("the drill cannot go on without {what}\n{faults}\nthe server's log ends:\n{log}")))
    }

    /// Waits for it; whether it came.
    pub(super) async fn comes(&mut self, what: &str, is_so: impl Fn() -> bool) -> bool {
        let end = now() + PATIENCE;
        while !is_so() {
            if now() >= end {
                eprintln!("[{:5.1} s]   {what}: not within {} s", self.began.seconds(), PATIENCE.as_secs());
                return false;
            }
            // What many players do together tells nobody when it is done.
            tokio::time::sleep(LOOK_EVERY).await;
            self.look();
        }
        true
    }
}
