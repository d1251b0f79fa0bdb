//! A figure over replications: its mean, and how far off that may be (Student's t, 95 %).

use serde::Serialize;

/// Mean and half of the 95 % interval. Without an interval when there was one replication alone.
#[derive(Clone, Copy, PartialEq, Debug, Serialize)]
pub struct Figure {
    pub mean: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plus_minus: Option<f64>,
}

impl Figure {
    /// Of the replications that have the figure; `None` when none has.
    #[must_use]
    pub fn of(values: impl IntoIterator<Item = Option<f64>>) -> Option<Self> {
        let (mut count, mut mean, mut squares) = (0u32, 0.0, 0.0);
        for value in values.into_iter().flatten() {
            count += 1;
            let off = value - mean;
            mean += off / f64::from(count);
            squares += off * (value - mean);
        }
        let freedom = count.checked_sub(1)?;
        let plus_minus =
            (freedom > 0).then(|| student_t(0.05, freedom) * (squares / f64::from(freedom) / f64::from(count)).sqrt());
        Some(Self { mean, plus_minus })
    }

    #[must_use]
    pub fn holds(&self, value: f64) -> bool {
        (value - self.mean).abs() <= self.plus_minus.unwrap_or(0.0)
    }
}

/// The point of Student's t that `both` of the distribution lies outside of, on both sides together (Hill 1970, algorithm
/// 396; exact for 1 and 2 degrees of freedom).
#[must_use]
pub fn student_t(both: f64, freedom: u32) -> f64 {
    use std::f64::consts::{FRAC_PI_2, PI};
    match freedom {
        0 => return f64::INFINITY,
        1 => return 1.0 / (both * PI / 2.0).tan(),
        2 => return (2.0 / (both * (2.0 - both)) - 2.0).sqrt(),
        _ => {}
    }
    let n = f64::from(freedom);
    let a = 1.0 / (n - 0.5);
    let b = 48.0 / (a * a);
    let mut c = ((20_700.0 * a / b - 98.0) * a - 16.0) * a + 96.36;
    let d = ((94.5 / (b + c) - 3.0) / b + 1.0) * (a * FRAC_PI_2).sqrt() * n;
    let mut y = (d * both).powf(2.0 / n);
    if y > 0.05 + a {
        let x = -normal_point(both / 2.0);
        y = x * x;
        if freedom < 5 {
            c += 0.3 * (n - 4.5) * (x + 0.6);
        }
        c += (((0.05 * d * x - 5.0) * x - 7.0) * x - 2.0) * x + b;
        y = (((((0.4 * y + 6.3) * y + 36.0) * y + 94.5) / c - y - 3.0) / b + 1.0) * x;
        y = (a * y * y).exp_m1();
    } else {
        y = ((1.0 / (((n + 6.0) / (n * y) - 0.089 * d - 0.822) * (n + 2.0) * 3.0) + 0.5 / (n + 4.0)) * y - 1.0)
            * (n + 1.0)
            / (n + 2.0)
            + 1.0 / y;
    }
    (n * y).sqrt()
}

/// The normal distribution's upper point (Acklam's rational approximation, good to 1e-9).
fn normal_point(upper: f64) -> f64 {
    const A: [f64; 6] = [
        -3.969_683_028_665_376e1,
        2.209_460_984_245_205e2,
        -2.759_285_104_469_687e2,
        1.383_577_518_672_69e2,
        -3.066_479_806_614_716e1,
        2.506_628_277_459_239,
    ];
    const B: [f64; 5] = [
        -5.447_609_879_822_406e1,
        1.615_858_368_580_409e2,
        -1.556_989_798_598_866e2,
        6.680_131_188_771_972e1,
        -1.328_068_155_288_572e1,
    ];
    const C: [f64; 6] = [
        -7.784_894_002_430_293e-3,
        -3.223_964_580_411_365e-1,
        -2.400_758_277_161_838,
        -2.549_732_539_343_734,
        4.374_664_141_464_968,
        2.938_163_982_698_783,
    ];
    const D: [f64; 4] =
        [7.784_695_709_041_462e-3, 3.224_671_290_700_398e-1, 2.445_134_137_142_996, 3.754_408_661_907_416];
    let along = |terms: &[f64], x: f64| terms.iter().fold(0.0, |sum, term| sum * x + term);
    if upper < 0.024_25 {
        let q = (-2.0 * upper.ln()).sqrt();
        return -(along(&C, q)) / (along(&D, q) * q + 1.0);
    }
    let q = 0.5 - upper;
    let r = q * q;
    along(&A, r) * q / (along(&B, r) * r + 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_points_of_students_t_are_those_of_the_tables() {
        let table = [
            (1, 12.706_2),
            (2, 4.302_65),
            (3, 3.182_45),
            (4, 2.776_45),
            (5, 2.570_58),
            (9, 2.262_16),
            (19, 2.093_02),
            (29, 2.045_23),
            (99, 1.984_22),
            (999, 1.962_34),
        ];
        for (freedom, wanted) in table {
            let got = student_t(0.05, freedom);
            assert!((got - wanted).abs() < 2e-4, "{freedom}: {got}, not {wanted}");
        }
        assert!((student_t(0.01, 9) - 3.249_84).abs() < 2e-4);
    }

    #[test]
    fn a_figure_has_its_mean_and_interval() {
        let figure = Figure::of([Some(1.0), Some(2.0), None, Some(3.0)]).unwrap();
        assert_eq!(figure.mean, 2.0);
        assert!((figure.plus_minus.unwrap() - 4.302_65 / 3f64.sqrt()).abs() < 1e-4);
        assert!(figure.holds(3.0) && !figure.holds(5.0));
        assert_eq!(Figure::of([Some(7.0)]), Some(Figure { mean: 7.0, plus_minus: None }));
        assert_eq!(Figure::of([None]), None);
    }
}
