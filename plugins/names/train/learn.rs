//! Learns the weights: the likelihood of the labels by follow-the-regularised-leader steps, which keep most
//! weights at nothing.

use std::collections::{BTreeMap, HashMap};

use names::chain::{Factors, LABELS, START, forward, marginals};
use names::context::Context;
use names::feature::{Line, each};
use names::table::{Code, Model};
use names::token;

use crate::Sample;
use crate::pack::{Feature, LARGEST};
use crate::people::Lot;

const ROUNDS: usize = 6;
/// A feature that was seen less often is not learned.
const LEAST: u32 = 6;
/// How many features the file may hold.
const MOST: usize = 25_000;
const RATE: f32 = 0.12;
const SPARSE: f32 = 1.6;
const SMOOTH: f32 = 0.4;

pub(crate) struct Learned {
    pub(crate) features: Vec<Feature>,
    pub(crate) transitions: [[f32; LABELS]; LABELS],
}

/// A run of candidates: the features of each, and its label.
struct Run {
    features: Vec<Vec<u32>>,
    labels: Vec<usize>,
}

pub(crate) fn learn(samples: &[Sample], known: &Model<'_>) -> Learned {
    let mut numbers = HashMap::<u64, (u32, u32)>::new();
    let mut lot = Lot(7);
    let raw: Vec<_> = samples.iter().flat_map(|s| runs(s, known, &mut lot)).collect();
    for (features, _) in raw.iter().flatten() {
        for feature in features {
            numbers.entry(*feature).or_default().1 += 1;
        }
    }
    let mut hashes: Vec<u64> =
        numbers.iter().filter(|(_, n)| n.1 >= LEAST).map(|(h, _)| *h).collect();
    hashes.sort_unstable();
    let numbers: HashMap<u64, u32> =
        hashes.iter().enumerate().map(|(n, h)| (*h, n as u32)).collect();
    let number =
        |features: &[u64]| features.iter().filter_map(|f| numbers.get(f).copied()).collect();
    let runs: Vec<Run> = raw
        .iter()
        .map(|run| Run {
            features: run.iter().map(|(f, _)| number(f)).collect(),
            labels: run.iter().map(|(_, l)| *l).collect(),
        })
        .collect();
    drop(raw);
    println!("{} runs, {} features seen often enough", runs.len(), hashes.len());

    let mut leader = Leader::new(hashes.len());
    leader.rounds(&runs, ROUNDS, &mut lot);
    leader.prune(MOST);
    leader.rounds(&runs, 3, &mut lot);
    let features = hashes
        .iter()
        .zip(&leader.weights)
        .filter(|(_, w)| w.iter().any(|w| w.abs() > LARGEST / 254.0));
    Learned { features: features.map(|(h, w)| (*h, *w)).collect(), transitions: leader.transitions }
}

/// The runs of candidates of a text. In some texts part of what is known is forgotten, so that the model
/// learns to live with strangers.
fn runs(sample: &Sample, known: &Model<'_>, lot: &mut Lot) -> Vec<Vec<(Vec<u64>, usize)>> {
    let plain = Context::new(&sample.text, known);
    let mut codes = plain.codes;
    if lot.percent(40) {
        let salt = lot.next();
        for (code, token) in codes.iter_mut().zip(&plain.tokens) {
            let share = match code.word() {
                0 => 55,
                1 => 25,
                _ => 6,
            };
            if !code.is_cue() && token::finish(token.hash ^ salt) % 100 < share {
                *code = Code::UNKNOWN;
            }
        }
    }
    let context = Context::with_codes(&sample.text, codes, plain.tokens, known);
    let labels = labels(sample, &context);
    let mut out: Vec<Vec<(Vec<u64>, usize)>> = Vec::new();
    let mut open = false;
    for at in 0..context.tokens.len() {
        if !context.candidates[at] {
            open = false;
            continue;
        }
        let mut features = Vec::with_capacity(36);
        let (line, _) = Line::around(&context, at);
        each(&context, at, known, line, &mut |f| features.push(f));
        if !open {
            out.push(Vec::new());
        }
        open = true;
        if let Some(run) = out.last_mut() {
            let begins = run.is_empty() && labels[at] == 2;
            run.push((features, if begins { 1 } else { labels[at] }));
        }
    }
    out
}

/// Outside, begin or inside, for each token.
fn labels(sample: &Sample, context: &Context<'_>) -> Vec<usize> {
    let mut names = sample.names.iter().peekable();
    let mut begun = false;
    let mut out = Vec::with_capacity(context.tokens.len());
    for token in &context.tokens {
        while names.peek().is_some_and(|(_, to)| *to <= token.start as usize) {
            names.next();
            begun = false;
        }
        let inside = names.peek().is_some_and(|(from, _)| token.end as usize > *from);
        out.push(if !inside {
            0
        } else if begun {
            2
        } else {
            1
        });
        begun |= inside;
    }
    out
}

/// Follow the regularised leader, one coordinate at a time.
struct Leader {
    sums: Vec<[f32; 2]>,
    squares: Vec<[f32; 2]>,
    weights: Vec<[f32; 2]>,
    pruned: Vec<bool>,
    transitions: [[f32; LABELS]; LABELS],
    steps: [[f32; LABELS]; LABELS],
}

impl Leader {
    fn new(count: usize) -> Self {
        let zero = vec![[0.0; 2]; count];
        let mut transitions = [[0.0; LABELS]; LABELS];
        transitions[0][2] = -20.0;
        let (sums, squares, weights) = (zero.clone(), zero.clone(), zero);
        Self {
            sums,
            squares,
            weights,
            pruned: vec![false; count],
            transitions,
            steps: [[1.0; LABELS]; LABELS],
        }
    }

    fn rounds(&mut self, runs: &[Run], count: usize, lot: &mut Lot) {
        let mut order: Vec<usize> = (0..runs.len()).collect();
        for round in 0..count {
            for n in (1..order.len()).rev() {
                order.swap(n, lot.below(n + 1));
            }
            let loss: f64 = order.iter().map(|n| f64::from(self.step(&runs[*n]))).sum();
            let live = self.weights.iter().filter(|w| w[0] != 0.0 || w[1] != 0.0).count();
            println!("round {round}: loss {:.5}, {live} features live", loss / runs.len() as f64);
        }
    }

    /// One run: its share of the loss, about.
    fn step(&mut self, run: &Run) -> f32 {
        let scores: Vec<[f32; LABELS]> = run.features.iter().map(|f| self.score(f)).collect();
        let factors = self.transitions.map(|row| row.map(f32::exp));
        let marginals = marginals(&scores, &factors);
        let mut loss = 0.0;
        for ((features, label), p) in run.features.iter().zip(&run.labels).zip(&marginals) {
            let gradient =
                [p[0] - f32::from(u8::from(*label == 1)), p[1] - f32::from(u8::from(*label == 2))];
            let right = [1.0 - p[0] - p[1], p[0], p[1]][*label];
            loss -= right.max(1e-6).ln();
            features.iter().for_each(|f| self.update(*f as usize, gradient));
        }
        self.step_transitions(run, &scores, &factors);
        loss
    }

    fn score(&self, features: &[u32]) -> [f32; LABELS] {
        let (mut begin, mut inside) = (0.0, 0.0);
        for feature in features {
            let [b, i] = self.weights[*feature as usize];
            begin += b;
            inside += i;
        }
        [0.0, begin.clamp(-30.0, 30.0), inside.clamp(-30.0, 30.0)]
    }

    fn update(&mut self, feature: usize, gradient: [f32; 2]) {
        if self.pruned[feature] {
            return;
        }
        for side in 0..2 {
            let g = gradient[side];
            let (n, w) = (self.squares[feature][side], self.weights[feature][side]);
            let sigma = ((n + g * g).sqrt() - n.sqrt()) / RATE;
            self.sums[feature][side] += g - sigma * w;
            self.squares[feature][side] = n + g * g;
            let z = self.sums[feature][side];
            self.weights[feature][side] = if z.abs() <= SPARSE {
                0.0
            } else {
                let step = (1.0 + (n + g * g).sqrt()) / RATE + SMOOTH;
                (-(z - z.signum() * SPARSE) / step).clamp(-LARGEST, LARGEST)
            };
        }
    }

    /// Expected less seen transitions, by the forward sums and the backward sums of the run.
    fn step_transitions(&mut self, run: &Run, scores: &[[f32; LABELS]], factors: &Factors) {
        let alphas = forward(scores, factors);
        let mut gradient = [[0.0_f32; LABELS]; LABELS];
        let mut beta: [f32; LABELS] = std::array::from_fn(|l| factors[l][START]);
        for at in (0..scores.len()).rev() {
            let before = if at == 0 { [1.0, 0.0, 0.0] } else { alphas[at - 1] };
            let mut joint = [[0.0_f32; LABELS]; LABELS];
            let mut sum = 0.0;
            let mut next = [0.0_f32; LABELS];
            for from in 0..LABELS {
                for to in 0..LABELS {
                    let edge = factors[from][to] * scores[at][to].exp() * beta[to];
                    joint[from][to] = before[from] * edge;
                    next[from] += edge;
                    sum += joint[from][to];
                }
            }
            for from in 0..LABELS {
                for to in 0..LABELS {
                    gradient[from][to] += if sum > 0.0 { joint[from][to] / sum } else { 0.0 };
                }
            }
            let total: f32 = next.iter().sum();
            beta = next.map(|b| b / total.max(1e-30));
            let from = if at == 0 { START } else { run.labels[at - 1] };
            gradient[from][run.labels[at]] -= 1.0;
        }
        for from in 0..LABELS {
            for to in 0..LABELS {
                if (from, to) == (0, 2) {
                    continue;
                }
                let g = gradient[from][to];
                self.steps[from][to] += g * g;
                let w = &mut self.transitions[from][to];
                *w = (*w - 0.1 * g / self.steps[from][to].sqrt()).clamp(-6.0, 6.0);
            }
        }
    }

    /// Keeps the features that weigh most.
    fn prune(&mut self, most: usize) {
        let weight = |w: &[f32; 2]| w[0].abs().max(w[1].abs());
        let mut weights: Vec<f32> = self.weights.iter().map(weight).filter(|w| *w > 0.0).collect();
        weights.sort_by(f32::total_cmp);
        let cut =
            weights.len().checked_sub(most).and_then(|n| weights.get(n)).copied().unwrap_or(0.0);
        for (pruned, w) in self.pruned.iter_mut().zip(&mut self.weights) {
            if weight(w) < cut || weight(w) == 0.0 {
                *pruned = true;
                *w = [0.0; 2];
            }
        }
    }
}

/// Texts by how much of them is asked about; for the report.
pub(crate) fn candidates(samples: &[Sample], model: &Model<'_>) -> BTreeMap<&'static str, usize> {
    let mut out = BTreeMap::new();
    for sample in samples {
        let context = Context::new(&sample.text, model);
        *out.entry("tokens").or_default() += context.tokens.len();
        *out.entry("candidates").or_default() += context.candidates.iter().filter(|c| **c).count();
    }
    out
}
