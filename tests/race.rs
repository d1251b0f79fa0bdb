//! Everybody answers at once: one offer, by the offered agent on twenty devices, nineteen other agents, and an administrator who closes;
//! or one conversation that is offered to twenty. Each offer has exactly one end, and each hears an answer that agrees with it.
//!
//! `OFFHOOK_RACE_ROUNDS` makes it long.

mod support;

use offhook::gateway::auth::agent_token::Role;
use serde_json::{Value, json};
use support::http::Http;
use support::scene::{DEMO, refused, server};
use support::{Agent, Customer, Server, command_id, within};

const DEVICES: usize = 20;
const OTHERS: usize = 19;

fn rounds() -> u32 {
    std::env::var("OFFHOOK_RACE_ROUNDS").ok().and_then(|text| text.parse().ok()).unwrap_or(60)
}

struct World {
    server: Server,
    devices: Vec<Agent>,
    others: Vec<Agent>,
    admin: Http,
    admin_key: String,
}

impl World {
    async fn new() -> Self {
        let server = server();
        let settings = |settings: &mut Value| {
            settings["devices_max"] = 100.into();
            settings["missed_in_a_row_max"] = 1_000_000.into();
            settings["cool_downs"] = json!({"rejected_ms": 0, "expired_ms": 0, "undelivered_ms": 0});
        };
        server.change_settings(DEMO, settings).await;
        let mut devices = vec![Agent::available(&server, DEMO, "ada").await];
        while devices.len() < DEVICES {
            devices.push(Agent::connect(&server, DEMO, "ada").await);
        }
        let mut others = Vec::new();
        for number in 0..OTHERS {
            others.push(Agent::connect(&server, DEMO, &format!("other-{number}")).await);
        }
        let admin = Http::connect(server.address).await.unwrap();
        let admin_key = server.admin_key();
        Self { server, devices, others, admin, admin_key }
    }

    async fn close(&mut self, conversation: &str) -> u16 {
        let path = format!("/v1/workspaces/{DEMO}/conversations/{conversation}/close");
        let headers = format!("Authorization: Bearer {}\r\nIdempotency-Key: {}\r\n", self.admin_key, command_id());
        within("an answer", self.admin.ask("POST", &path, &headers, b"")).await.unwrap().status
    }
}

/// Answers of one kind, sent before any reply is waited for.
async fn all_at_once(agents: &mut [Agent], offer: &Value) -> Vec<String> {
    let mut ids = Vec::new();
    for agent in agents {
        ids.push(agent.send(json!({"type": "accept", "offer": offer})).await);
    }
    ids
}

async fn replies(agents: &mut [Agent], ids: &[String]) -> Vec<Value> {
    let mut replies = Vec::new();
    for (agent, id) in agents.iter_mut().zip(ids) {
        let is_it = |frame: &Value| frame["type"] == "reply" && frame["id"] == id.as_str();
        replies.push(agent.until("a reply", is_it).await);
    }
    replies
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_offer_that_everybody_answers_has_one_end() {
    let mut world = World::new().await;
    let (mut accepted, mut withdrawn) = (0, 0);
    for round in 0..rounds() {
        let customer = Customer::start_when_there_is_room(world.server.address, DEMO, "who takes me?").await;
        let conversation = customer.conversation.clone();
        let of_it = |frame: &Value| {
            frame["type"] == "offer" && frame["offer"]["conversation"]["conversation"] == conversation.as_str()
        };
        let offer = world.devices[0].until("the offer", of_it).await["offer"]["offer"].clone();
        let World { devices, others, admin, admin_key, .. } = &mut world;
        let path = format!("/v1/workspaces/{DEMO}/conversations/{conversation}/close");
        let headers = format!("Authorization: Bearer {admin_key}\r\nIdempotency-Key: {}\r\n", command_id());
        let close = async {
            // In most rounds somewhere among the accepts; which comes first is the scheduler's.
            for _ in 0..round % 8 {
                tokio::task::yield_now().await;
            }
            within("an answer", admin.ask("POST", &path, &headers, b"")).await.unwrap().status
        };
        let (closed, device_ids, other_ids) =
            tokio::join!(close, all_at_once(devices, &offer), all_at_once(others, &offer));
        assert_eq!(closed, 204, "an administrator's close is taken whoever owns it");
        let of_devices = replies(devices, &device_ids).await;
        let of_others = replies(others, &other_ids).await;
        for reply in of_others {
            assert_eq!(reply["error"]["code"], "not_your_offer", "{reply}");
        }
        // The winner and its repeats hear the same; losers hear the end.
        let won = of_devices[0]["ok"] == true;
        for reply in &of_devices {
            match won {
                true => assert_eq!(reply["conversation"], conversation.as_str(), "{of_devices:?}"),
                false => {
                    assert_eq!(reply["error"]["code"], "offer_gone", "{of_devices:?}");
                    assert_eq!(reply["error"]["end"], "withdrawn", "{of_devices:?}");
                }
            }
        }
        let wanted = if won { "accepted" } else { "withdrawn" };
        *(if won { &mut accepted } else { &mut withdrawn }) += 1;
        for device in devices.iter_mut() {
            let is_it = |frame: &Value| frame["type"] == "offer_ended" && frame["offer"] == offer;
            assert_eq!(device.until("its end", is_it).await["end"], wanted);
            let again = |frame: &Value| frame["type"] == "offer_ended" && frame["offer"] == offer;
            assert!(!device.take_kept().iter().any(again), "it ended twice");
        }
        // The journal agrees: one end.
        if round % 20 == 0 {
            let path = format!("/v1/workspaces/{DEMO}/conversations/{conversation}/events");
            let events = world.server.admin("GET", &path, None).await.json();
            let events = events["events"].as_array().unwrap();
            let ends = events.iter().filter(|event| event["event"] == "offer_ended");
            let ends: Vec<_> = ends.map(|event| event["data"]["end"].clone()).collect();
            assert_eq!(ends, [json!(wanted)], "round {round}");
        }
        if (round + 1) % 500 == 0 {
            println!("round {}: {accepted} accepted, {withdrawn} withdrawn", round + 1);
        }
    }
    println!("{} offers answered by everybody at once: {accepted} accepted, {withdrawn} withdrawn", rounds());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_twenty_agents_who_accept_one_broadcast_at_once_one_owns_it() {
    let server = server();
    let broadcast = json!({"offering": {"offer_to_at_most": 20}});
    let put = server.admin("PUT", &format!("/v1/workspaces/{DEMO}/queues/support"), Some(&broadcast)).await;
    assert!(put.is_success(), "{}", put.text());
    let mut agents = Vec::new();
    for number in 0..20 {
        agents.push(Agent::available(&server, DEMO, &format!("agent-{number}")).await);
    }
    let mut wins = vec![0_u32; agents.len()];
    for round in 0..rounds() {
        let customer = Customer::start_when_there_is_room(server.address, DEMO, "whoever is first").await;
        let conversation = customer.conversation.clone();
        let mut offers = Vec::new();
        for agent in &mut agents {
            let of_it = |frame: &Value| {
                frame["type"] == "offer" && frame["offer"]["conversation"]["conversation"] == conversation.as_str()
            };
            offers.push(agent.until("its offer", of_it).await["offer"]["offer"].clone());
        }
        // Who is sent first is another one each time.
        let mut ids = vec![String::new(); agents.len()];
        for place in 0..agents.len() {
            let place = (place + round as usize) % agents.len();
            ids[place] = agents[place].send(json!({"type": "accept", "offer": offers[place]})).await;
        }
        let replies = replies(&mut agents, &ids).await;
        let winners: Vec<usize> = (0..agents.len()).filter(|place| replies[*place]["ok"] == true).collect();
        let [winner] = winners[..] else { panic!("round {round}: {replies:?}") };
        assert_eq!(replies[winner]["conversation"], conversation.as_str());
        for (place, reply) in replies.iter().enumerate().filter(|(place, _)| *place != winner) {
            assert_eq!(reply["error"]["code"], "offer_gone", "{reply}");
            assert_eq!(reply["error"]["end"], "rescinded", "{reply}");
            let is_it = |frame: &Value| frame["type"] == "offer_ended" && frame["offer"] == offers[place];
            assert_eq!(agents[place].until("its end", is_it).await["end"], "rescinded");
        }
        agents[winner].must(json!({"type": "close", "conversation": conversation})).await;
        wins[winner] += 1;
        agents.iter_mut().for_each(|agent| drop(agent.take_kept()));
        if (round + 1) % 500 == 0 {
            println!("round {}: wins by agent {wins:?}", round + 1);
        }
    }
    println!("{} broadcasts, {} winners, by agent {wins:?}", rounds(), wins.iter().sum::<u32>());
    assert!(wins.iter().filter(|wins| **wins > 0).count() > 1, "one agent won every time: nobody raced");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn accepts_that_are_late_or_repeated_or_over_a_reconnect_or_a_restart_hear_the_same() {
    let mut world = World::new().await;
    world.others.clear();
    let customer = Customer::start(world.server.address, DEMO, "hello").await;
    let offer = world.devices[0].wait_for("offer").await["offer"]["offer"].clone();
    let accept = json!({"type": "accept", "offer": offer, "id": command_id()});
    // Sent, and the connection broken before an answer could be read.
    let mut lost = world.devices.pop().unwrap();
    lost.send(accept.clone()).await;
    drop(lost);
    let mut back = Agent::connect(&world.server, DEMO, "ada").await;
    assert_eq!(back.must(accept.clone()).await["conversation"], customer.conversation.as_str());
    let another = back.must(json!({"type": "accept", "offer": offer})).await;
    assert_eq!(another["conversation"], customer.conversation.as_str(), "with another id");
    world.server.kill();
    world.server.start_again();
    let mut back = Agent::connect(&world.server, DEMO, "ada").await;
    assert_eq!(back.must(accept.clone()).await["conversation"], customer.conversation.as_str());
    world.admin = Http::connect(world.server.address).await.unwrap();
    assert_eq!(world.close(&customer.conversation).await, 204);
    // Long over: the winner still hears that it had won, others that it was not theirs.
    let late = back.must(json!({"type": "accept", "offer": offer})).await;
    assert_eq!(late["conversation"], customer.conversation.as_str());
    let mut other = Agent::connect_as(&world.server, DEMO, "bob", Role::Supervisor).await;
    assert_eq!(refused(&mut other, json!({"type": "accept", "offer": offer})).await["code"], "not_your_offer");
    let reused = json!({"type": "reject", "offer": offer, "reason": "busy", "id": accept["id"]});
    assert_eq!(refused(&mut back, reused).await["code"], "id_reused");
    let rejected = refused(&mut back, json!({"type": "reject", "offer": offer, "reason": "busy"})).await;
    assert_eq!((&rejected["code"], &rejected["end"]), (&json!("offer_gone"), &json!("accepted")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_accept_sent_into_a_kill_is_settled_by_sending_it_again() {
    let mut server = server();
    server.change_settings(DEMO, |settings| settings["devices_max"] = 100.into()).await;
    for round in 0..4 {
        let mut agent = Agent::available(&server, DEMO, "ada").await;
        let customer = Customer::start(server.address, DEMO, "hello").await;
        let of_it = |frame: &Value| {
            frame["type"] == "offer" && frame["offer"]["conversation"]["conversation"] == customer.conversation.as_str()
        };
        let offer = agent.until("the offer", of_it).await["offer"]["offer"].clone();
        let accept = json!({"type": "accept", "offer": offer, "id": command_id()});
        agent.send(accept.clone()).await;
        for _ in 0..round * 2 {
            tokio::task::yield_now().await;
        }
        server.kill();
        server.start_again();
        let mut agent = Agent::connect(&server, DEMO, "ada").await;
        assert_eq!(agent.must(accept).await["conversation"], customer.conversation.as_str());
        let snapshot = Agent::connect(&server, DEMO, "ada").await.welcome["snapshot"].clone();
        assert_eq!(snapshot["offers"], json!([]));
        agent.must(json!({"type": "close", "conversation": customer.conversation})).await;
    }
}
