//! Beginnings, ends and roles, with and without a restart.

use super::*;

const NOW_S: i64 = 1_700_000_000;

fn signin(id: u128, agent: &str, role: Role) -> Signin {
    let by = By::Provider { issuer: "https://id".into(), subject: agent.into(), sid: Some(format!("s{id}").into()) };
    let began_at_s = NOW_S + id as i64;
    let (workspace, agent) = ("acme".into(), agent.into());
    Signin { id, workspace, agent, role, by, began_at_s, expires_at_s: NOW_S + 10_000 }
}

#[tokio::test]
async fn what_ended_stays_ended_after_a_restart_and_what_did_not_is_there() {
    let dir = tempfile::tempdir().unwrap();
    {
        let signins = Signins::open(dir.path(), NOW_S).unwrap();
        for id in 1..=3 {
            signins.begin(signin(id, "ann", Role::Supervisor), Some(format!("t{id}")), NOW_S).await.unwrap();
        }
        let (ended, token) = signins.end(|held| held.id == 2, NOW_S).await;
        assert_eq!((ended.len(), token.unwrap().as_deref()), (1, Some("t2")));
        assert_eq!(signins.role_of(2, "acme", "ann"), None);
        signins.set_role("acme", "ann", Some(Role::Admin), NOW_S).await.unwrap();
    }
    let again = Signins::open(dir.path(), NOW_S).unwrap();
    let role = |id| again.role_of(id, "acme", "ann");
    assert_eq!([role(1), role(2), role(3)], [Some(Role::Admin), None, Some(Role::Admin)]);
    assert_eq!(*again.live(1, NOW_S).unwrap(), signin(1, "ann", Role::Supervisor));
    assert!(again.live(1, NOW_S + 10_000).is_none());
    assert_eq!(again.role_of(1, "acme", "eve"), None);
    assert_eq!(again.role_of(1, "other", "ann"), None);
    drop(again);
    assert!(Signins::open(dir.path(), NOW_S + 10_000).unwrap().list("acme", None, 9, NOW_S).is_empty());
}

#[tokio::test]
async fn the_role_that_was_said_last_counts_for_all_of_an_agents_sign_ins() {
    let signins = Signins::in_memory();
    signins.begin(signin(1, "ann", Role::Admin), None, NOW_S).await.unwrap();
    signins.begin(signin(2, "eve", Role::Admin), None, NOW_S).await.unwrap();
    signins.begin(Signin { by: By::Token, ..signin(3, "ann", Role::Admin) }, None, NOW_S).await.unwrap();
    let begun = signins.begin(signin(4, "ann", Role::Agent), None, NOW_S).await.unwrap();
    assert_eq!(begun, Changed { roles: vec![1], has_begun: true, ..Changed::default() });
    let role = |id, agent| signins.role_of(id, "acme", agent);
    assert_eq!([role(1, "ann"), role(4, "ann")], [Some(Role::Agent); 2]);
    assert_eq!([role(2, "eve"), role(3, "ann")], [Some(Role::Admin); 2]);
    // What was set here goes before it, but not before a token that was signed.
    let set = async |role| signins.set_role("acme", "ann", role, NOW_S).await.unwrap().roles;
    assert_eq!(set(Some(Role::Supervisor)).await, [1, 4]);
    assert_eq!([role(1, "ann"), role(3, "ann")], [Some(Role::Supervisor), Some(Role::Admin)]);
    let begun = signins.begin(signin(5, "ann", Role::Admin), None, NOW_S).await.unwrap();
    assert_eq!(begun, Changed { has_begun: true, ..Changed::default() });
    assert_eq!((set(None).await, role(1, "ann")), (vec![1, 4, 5], Some(Role::Admin)));
    assert_eq!(set(None).await, [0; 0], "it is so already");
}

#[tokio::test]
async fn an_agents_oldest_sign_in_makes_room_and_those_that_are_over_count_no_more() {
    let signins = Signins::in_memory();
    for id in 1..=super::super::of_agent::OF_AGENT_MAX as u128 {
        let begun = signins.begin(signin(id, "ann", Role::Agent), None, NOW_S).await.unwrap();
        assert_eq!((begun.ended, begun.has_begun), (Vec::new(), true));
    }
    let begun = signins.begin(signin(99, "ann", Role::Agent), None, NOW_S).await.unwrap();
    assert_eq!(begun.ended.iter().map(|signin| signin.id).collect::<Vec<_>>(), [1]);
    assert!(signins.live(1, NOW_S).is_none() && signins.live(2, NOW_S).is_some());
    let late = Signin { expires_at_s: NOW_S + 30_000, ..signin(100, "ann", Role::Agent) };
    assert_eq!(signins.begin(late, None, NOW_S + 20_000).await.unwrap().ended, []);
    assert_eq!(signins.list("acme", None, 50, 0).len(), 1);
}
