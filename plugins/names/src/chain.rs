//! The sequence model: how probable it is that each token of a run is part of a name, given all of the run.
//!
//! A linear chain of three labels: outside, begin, inside. Everything beside a run of candidates is
//! outside. Forward and backward sums give each token's probability, which is what `threshold` is held to.

use crate::context::Context;
use crate::feature::{Line, each};
use crate::table::Model;

/// Outside, begin of a name, inside of a name.
pub const LABELS: usize = 3;
/// Where a run starts from.
pub const START: usize = 0;

/// What weighs on going from one label to another, as a factor.
pub type Factors = [[f32; LABELS]; LABELS];

/// The probabilities of begin and inside for each token of a run.
#[must_use]
pub fn marginals(scores: &[[f32; LABELS]], factors: &Factors) -> Vec<[f32; 2]> {
    let forward = forward(scores, factors);
    let mut out = vec![[0.0; 2]; scores.len()];
    let mut beta = [0.0_f32; LABELS];
    for (label, slot) in beta.iter_mut().enumerate() {
        *slot = factor(factors, label, START);
    }
    for ((alpha, score), place) in forward.iter().zip(scores).zip(out.iter_mut()).rev() {
        let joint = pointwise(alpha, &beta);
        let sum: f32 = joint.iter().sum();
        let [_, begin, inside] = joint;
        *place = if sum > 0.0 { [begin / sum, inside / sum] } else { [0.0; 2] };
        let weighed = pointwise(&beta, &score.map(f32::exp));
        let mut before = [0.0; LABELS];
        for (from, slot) in before.iter_mut().enumerate() {
            *slot = weighed.iter().enumerate().map(|(to, w)| factor(factors, from, to) * w).sum();
        }
        beta = normal(before);
    }
    out
}

/// Forward sums, each made to add up to one.
#[must_use]
pub fn forward(scores: &[[f32; LABELS]], factors: &Factors) -> Vec<[f32; LABELS]> {
    let mut alpha = [1.0, 0.0, 0.0];
    let mut out = Vec::with_capacity(scores.len());
    for score in scores {
        let mut next = [0.0; LABELS];
        for (to, (slot, s)) in next.iter_mut().zip(score).enumerate() {
            let sum: f32 =
                alpha.iter().enumerate().map(|(from, a)| a * factor(factors, from, to)).sum();
            *slot = sum * s.exp();
        }
        alpha = normal(next);
        out.push(alpha);
    }
    out
}

fn factor(factors: &Factors, from: usize, to: usize) -> f32 {
    factors.get(from).and_then(|row| row.get(to)).copied().unwrap_or(0.0)
}

fn pointwise(a: &[f32; LABELS], b: &[f32; LABELS]) -> [f32; LABELS] {
    let ([a0, a1, a2], [b0, b1, b2]) = (a, b);
    [a0 * b0, a1 * b1, a2 * b2]
}

fn normal(values: [f32; LABELS]) -> [f32; LABELS] {
    let sum: f32 = values.iter().sum();
    if sum > 0.0 { values.map(|v| v / sum) } else { [1.0, 0.0, 0.0] }
}

/// The probabilities of begin and inside for each token of a text.
#[must_use]
pub fn label(context: &Context<'_>, model: &Model<'_>) -> Vec<[f32; 2]> {
    let mut out = vec![[0.0; 2]; context.tokens.len()];
    let mut factors = [[0.0; LABELS]; LABELS];
    for (from, row) in factors.iter_mut().enumerate() {
        for (to, slot) in row.iter_mut().enumerate() {
            *slot = model.transition(from, to).exp();
        }
    }
    let (mut at, mut line, mut line_end) = (0, Line::default(), 0);
    while let Some(step) =
        context.candidates.get(at..).and_then(|rest| rest.iter().position(|c| *c))
    {
        let from = at + step;
        let length = context
            .candidates
            .get(from..)
            .map_or(0, |rest| rest.iter().take_while(|c| **c).count());
        if from >= line_end {
            (line, line_end) = Line::around(context, from);
        }
        let scores: Vec<_> =
            (from..from + length).map(|i| score(context, i, model, line)).collect();
        for (slot, p) in out.iter_mut().skip(from).zip(marginals(&scores, &factors)) {
            *slot = p;
        }
        at = from + length;
    }
    out
}

/// The sum of a candidate's weights, for each label.
fn score(context: &Context<'_>, at: usize, model: &Model<'_>, line: Line) -> [f32; LABELS] {
    let (mut begin, mut inside) = (0_i32, 0_i32);
    each(context, at, model, line, &mut |feature| {
        if let Some([b, i]) = model.weights(feature) {
            begin += i32::from(b);
            inside += i32::from(i);
        }
    });
    [
        0.0,
        (begin as f32 * model.scale).clamp(-30.0, 30.0),
        (inside as f32 * model.scale).clamp(-30.0, 30.0),
    ]
}
