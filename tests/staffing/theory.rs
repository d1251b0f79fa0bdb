//! Queues whose answers are known: M/M/c (Erlang C) and M/M/c+M (Erlang A, with customers who lose patience), by recursions
//! that neither overflow nor cancel.

/// What is known of a queue. Times in seconds.
#[derive(Clone, Copy, Debug)]
pub struct Known {
    /// The share that finds every agent busy.
    pub delayed: f64,
    /// Of all customers, those who gave up too.
    pub wait_mean_s: f64,
    pub abandoned: f64,
    pub occupancy: f64,
}

/// Poisson arrivals, exponential handling, `agents` of them; nobody gives up. `per_s` and `served_per_s` are rates.
pub fn erlang_c(per_s: f64, served_per_s: f64, agents: u32) -> Known {
    let offered = per_s / served_per_s;
    let load = offered / f64::from(agents);
    assert!(load < 1.0, "it grows for ever");
    let blocked = (1..=agents).fold(1.0, |blocked, agents| offered * blocked / (f64::from(agents) + offered * blocked));
    let delayed = blocked / (1.0 - load * (1.0 - blocked));
    let wait_mean_s = delayed / (f64::from(agents) * served_per_s - per_s);
    Known { delayed, wait_mean_s, abandoned: 0.0, occupancy: load }
}

/// The same, where each customer who waits gives up at the rate `leaves_per_s`.
pub fn erlang_a(per_s: f64, served_per_s: f64, leaves_per_s: f64, agents: u32) -> Known {
    let c = f64::from(agents);
    // Probabilities relative to that of `agents` customers being there, which is near the largest: down, then up.
    let (mut below, mut weight, mut busy) = (0.0, 1.0, 0.0);
    for here in (0..agents).rev() {
        weight *= f64::from(here + 1) * served_per_s / per_s;
        below += weight;
        busy += weight * f64::from(here);
    }
    let (mut above, mut queued, mut weight, mut waiting) = (1.0, 0.0, 1.0, 0.0);
    loop {
        waiting += 1.0;
        weight *= per_s / (c * served_per_s + waiting * leaves_per_s);
        above += weight;
        queued += weight * waiting;
        if weight * waiting < 1e-15 * (1.0 + queued) && waiting > per_s / leaves_per_s - c * served_per_s / leaves_per_s
        {
            break;
        }
    }
    let all = below + above;
    let waiting_mean = queued / all;
    Known {
        delayed: above / all,
        wait_mean_s: waiting_mean / per_s,
        abandoned: leaves_per_s * waiting_mean / per_s,
        occupancy: (busy + above * c) / all / c,
    }
}

#[test]
fn the_formulas_give_what_the_tables_have() {
    let near = |got: f64, wanted: f64| assert!((got / wanted - 1.0).abs() < 1e-4, "{got}, not {wanted}");
    // M/M/1: the share delayed is the load, and the mean wait load over what is left.
    near(erlang_c(0.8, 1.0, 1).delayed, 0.8);
    near(erlang_c(0.8, 1.0, 1).wait_mean_s, 4.0);
    // Two agents at a load of a half: 1/3.
    near(erlang_c(1.0, 1.0, 2).delayed, 1.0 / 3.0);
    // Five hundred agents do not overflow; the heavy-traffic answer (Halfin and Whitt) is near.
    let many = erlang_c(500.0 - 500f64.sqrt(), 1.0, 500);
    assert!((many.delayed - 0.2234).abs() < 0.01, "{many:?}");
    // When they leave as fast as they are served, it is a queue with an agent for everybody: Poisson of mean 10.
    let alike = erlang_a(10.0, 1.0, 1.0, 10);
    near(alike.delayed, 0.542_07);
    let rate_out: f64 = (0..60).map(|n| poisson(10.0, n) * (f64::from(n) - 10.0).max(0.0)).sum();
    near(alike.abandoned, rate_out / 10.0);
    // Whoever comes is served or leaves.
    let flow = erlang_a(13.0, 1.0, 0.5, 10);
    near(flow.occupancy * 10.0 + 13.0 * flow.abandoned, 13.0);
    // With endless patience it is Erlang C.
    near(erlang_a(8.0, 1.0, 1e-9, 10).delayed, erlang_c(8.0, 1.0, 10).delayed);
}

fn poisson(mean: f64, n: i32) -> f64 {
    (1..=n).fold((-mean).exp(), |share, n| share * mean / f64::from(n))
}
