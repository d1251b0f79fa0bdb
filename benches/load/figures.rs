//! Figures: one line each on standard output, for people and for whoever compares them.

/// `figure NAME VALUE UNIT`
pub fn figure(name: &str, value: f64, unit: &str) {
    let value = if value >= 100.0 { format!("{value:.0}") } else { format!("{value:.3}") };
    println!("figure {name} {value} {unit}");
}

/// Of a sorted list; 0 when it is empty.
pub fn percentile(sorted: &[u32], percent: f64) -> u32 {
    if sorted.is_empty() {
        return 0;
    }
    let at = ((sorted.len() as f64 * percent / 100.0).ceil() as usize).clamp(1, sorted.len());
    sorted[at - 1]
}

/// `NAME_p50_ms` and `NAME_p99_ms` of times in microseconds; gives both back, in milliseconds.
pub fn percentiles(name: &str, mut times_us: Vec<u32>) -> (f64, f64) {
    times_us.sort_unstable();
    let ms = |percent| f64::from(percentile(&times_us, percent)) / 1_000.0;
    eprintln!(
        "{name}: {} times, p50 {:.3} p90 {:.3} p99 {:.3} p99.9 {:.3} most {:.3} ms",
        times_us.len(),
        ms(50.0),
        ms(90.0),
        ms(99.0),
        ms(99.9),
        ms(100.0)
    );
    figure(&format!("{name}_p50_ms"), ms(50.0), "ms");
    figure(&format!("{name}_p99_ms"), ms(99.0), "ms");
    (ms(50.0), ms(99.0))
}

pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(0.0)
}
