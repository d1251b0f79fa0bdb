//! A straight line through what was measured, and how sure it is.

/// Per second, and the half-width of its 95 % interval.
#[derive(Debug, Clone, Copy)]
pub struct Slope {
    pub per_s: f64,
    pub ci: f64,
}

/// Least squares through values that were taken each second, each `None` left out.
///
/// What is measured at one second is much as it was the second before, so that its many values say less than as many independent
/// ones. So each value of the fit is the mean of a block of them, and the standard error is widened by what one block's distance
/// from the line still says of the next one's (as of an autoregression of first order: √((1 + r) / (1 − r))).
pub fn slope(values: &[f64]) -> Slope {
    let block = (values.len() / 60).max(1);
    let (at, means): (Vec<f64>, Vec<f64>) = values
        .chunks_exact(block)
        .enumerate()
        .map(|(number, chunk)| {
            let middle = (number * block) as f64 + (block - 1) as f64 / 2.0;
            (middle, chunk.iter().sum::<f64>() / block as f64)
        })
        .unzip();
    let count = at.len() as f64;
    if at.len() < 3 {
        return Slope { per_s: f64::NAN, ci: f64::NAN };
    }
    let mean = |values: &[f64]| values.iter().sum::<f64>() / count;
    let (middle, level) = (mean(&at), mean(&means));
    let spread: f64 = at.iter().map(|at| (at - middle).powi(2)).sum();
    let per_s = at.iter().zip(&means).map(|(at, value)| (at - middle) * (value - level)).sum::<f64>() / spread;
    let off: Vec<f64> = at.iter().zip(&means).map(|(at, value)| value - level - per_s * (at - middle)).collect();
    let squares: f64 = off.iter().map(|off| off * off).sum();
    let after: f64 = off.windows(2).map(|two| two[0] * two[1]).sum();
    let repeats = if squares > 0.0 { (after / squares).clamp(0.0, 0.95) } else { 0.0 };
    let error = (squares / (count - 2.0) / spread).sqrt() * ((1.0 + repeats) / (1.0 - repeats)).sqrt();
    Slope { per_s, ci: 1.96 * error }
}

/// A line that is known, with noise that is known: a bench has no tests, so this is looked at when it begins.
pub fn holds() {
    let noisy = |per_s: f64| -> Vec<f64> {
        (0..600)
            .map(|second| 1e6 + per_s * f64::from(second) + if second / 10 % 2 == 0 { 50.0 } else { -50.0 })
            .collect()
    };
    let (flat, steep) = (slope(&noisy(0.0)), slope(&noisy(10.0)));
    assert!(flat.per_s.abs() <= flat.ci && flat.ci < 1.0, "{flat:?}");
    assert!((steep.per_s - 10.0).abs() <= steep.ci && steep.ci < 1.0, "{steep:?}");
}
