//! Ratings: by whom, of what, until when, on which scale.

use super::script::check;

#[test]
fn a_customer_rates_what_is_over_and_may_change_its_mind_for_a_time() {
    check(
        r#"
given 1 agents
admin settings {"rating":{"within_ms":60000}}
  -> done
  settings changed
admin queue support wrap_up_ms=10000
  -> put q1
  q1 put as support
u1 opens chat in support
  -> opened c1 u1
  c1 opened u1 q1
  o1 made c1 a0 ends 30s deliver 5s
u1 rates c1 5
  -> refused wrong_state field=conversation: the conversation c1 is offered
a0 accepts o1
  -> accepted c1
  o1 accepted c1 a0
u1 rates c1 5
  -> refused wrong_state field=conversation: the conversation c1 is active
a0 closes c1
  -> done
  c1 ended a0 wrap_up=10s
u2 rates c1 1
  -> refused no_such_conversation field=conversation: there is no conversation c1
#7 u1 rates c1 2 so slow
  -> done
  c1 rated 2 comment=so slow
restart
#7 u1 rates c1 2 so slow
  -> done
+10s
  c1 wrap_up over a0 time_over
u2 rates c1 1
  -> refused no_such_conversation field=conversation: there is no conversation c1
u1 rates c1 4
  -> done
  c1 rated 4 before=2 loaded
restart
u1 rates c1 5 better now
  -> done
  c1 rated 5 before=4 loaded comment=better now
u1 rates c1 6
  -> refused bad_setting field=score: score: 1 to 5
+51s
u1 rates c1 1
  -> refused rating_over field=conversation: c1 cannot be rated any more, or no rating is asked for
u1 rates c9 1
  -> refused no_such_conversation field=conversation: there is no conversation c9
"#,
    );
}

#[test]
fn a_rating_outlives_a_reopening_and_what_ends_again_is_rated_again() {
    check(
        r#"
given 1 agents
u1 opens chat in support
  -> opened c1 u1
  c1 opened u1 q1
  o1 made c1 a0 ends 30s deliver 5s
u1 closes c1
  -> done
  o1 withdrawn c1 a0
  c1 ended u1
u1 rates c1 3
  -> done
  c1 rated 3 loaded
u1 posts c1 and yet
  -> posted c1 1
  c1 reopened q1 loaded
  c1 message 1 u1 and yet
  o2 made c1 a0 ends 30s deliver 5s
u1 rates c1 4
  -> refused wrong_state field=conversation: the conversation c1 is offered
u1 closes c1
  -> done
  o2 withdrawn c1 a0
  c1 ended u1
u1 rates c1 4
  -> done
  c1 rated 4 before=3 loaded
"#,
    );
}

#[test]
fn on_two_steps_there_is_bad_and_good_and_without_a_scale_nothing() {
    check(
        r#"
given 1 agents
u1 opens email in support
  -> opened c1 u1
  c1 opened u1 q1
  o1 made c1 a0 ends 120s deliver 5s
u1 closes c1
  -> done
  o1 withdrawn c1 a0
  c1 ended u1
admin settings {"rating":{"scale":"two"}}
  -> done
  settings changed
u1 rates c1 4
  -> refused bad_setting field=score: score: 1 (bad) or 5 (good)
u1 rates c1 1
  -> done
  c1 rated 1 loaded
admin settings {"rating":{"scale":"none"}}
  -> done
  settings changed
u1 rates c1 5
  -> refused rating_over field=conversation: c1 cannot be rated any more, or no rating is asked for
admin settings {"rating":{"within_ms":999}}
  -> refused bad_setting field=rating.within_ms: rating.within_ms: 1000 to 7776000000 (90 days)
"#,
    );
}

#[test]
fn each_change_is_an_event_so_there_is_a_most_of_them() {
    let mut desk = super::script::desk_of(1, "admin queue support");
    super::script::does(&mut desk, 1, "u1 opens chat in support");
    super::script::does(&mut desk, 2, "a0 accepts o1");
    super::script::does(&mut desk, 3, "admin queue support wrap_up_ms=3600000");
    super::script::does(&mut desk, 4, "a0 closes c1");
    let rated = (0..25).filter(|_| !super::script::does(&mut desk, 5, "u1 rates c1 3").is_empty()).count();
    assert_eq!(rated, usize::from(crate::desk::ratings::RATED_TIMES_MAX));
}
