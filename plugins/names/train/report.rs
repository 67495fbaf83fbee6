//! Measures a model on texts that it did not learn from.

use names::find_with;
use names::table::Model;

use crate::Sample;
use crate::learn::candidates;

const THRESHOLDS: [f32; 6] = [0.1, 0.2, 0.35, 0.5, 0.7, 0.9];

/// Precision and recall, of whole names and of letters, for each threshold.
pub(crate) fn report(title: &str, samples: &[Sample], model: &Model<'_>) {
    let letters: usize =
        samples.iter().map(|s| s.text.chars().filter(|c| c.is_alphanumeric()).count()).sum();
    let names: usize = samples.iter().map(|s| s.names.len()).sum();
    println!("\n{title}: {} texts, {names} names, {:?}", samples.len(), candidates(samples, model));
    println!("threshold  name missed %  precision of names  other letters taken %");
    for threshold in THRESHOLDS {
        let (mut found, mut hits, mut missed, mut taken, mut inside) = (0, 0, 0, 0, 0);
        for sample in samples {
            let spans: Vec<_> =
                find_with(&sample.text, threshold, model).into_iter().map(|n| n.bytes).collect();
            found += spans.len();
            hits += spans
                .iter()
                .filter(|s| sample.names.iter().any(|(from, to)| s.start < *to && *from < s.end))
                .count();
            missed +=
                sample.names.iter().filter(|name| leaks(&sample.text, **name, &spans)).count();
            for (at, c) in sample.text.char_indices().filter(|(_, c)| c.is_alphanumeric()) {
                let named = sample.names.iter().any(|(from, to)| (*from..*to).contains(&at));
                inside += usize::from(named);
                taken += usize::from(
                    !named && spans.iter().any(|s| s.contains(&at)) && c.is_alphanumeric(),
                );
            }
        }
        println!(
            "{threshold:9.2}  {:12.2}  {:18.2}  {:21.3}",
            100.0 * missed as f64 / names.max(1) as f64,
            100.0 * hits as f64 / found.max(1) as f64,
            100.0 * taken as f64 / (letters - inside).max(1) as f64,
        );
    }
}

/// Whether two letters or more of a part of the name stay. Small parts such as `van` and `de` may.
fn leaks(text: &str, (from, to): (usize, usize), spans: &[std::ops::Range<usize>]) -> bool {
    let name = text.get(from..to).unwrap_or("");
    let mut at = from;
    name.split(|c: char| !c.is_alphanumeric()).any(|word| {
        let here = at;
        at += word.len()
            + text
                .get(here + word.len()..to)
                .and_then(|r| r.chars().next())
                .map_or(0, char::len_utf8);
        let small = matches!(
            word.to_lowercase().as_str(),
            "van"
                | "de"
                | "der"
                | "den"
                | "la"
                | "le"
                | "da"
                | "dos"
                | "di"
                | "del"
                | "bin"
                | "el"
                | "al"
                | "von"
                | "ten"
                | "o"
        );
        word.chars().count() >= 2
            && !small
            && !spans.iter().any(|s| s.start <= here && here + word.len() <= s.end)
    })
}

/// Prints what was missed and what was taken, with what stands around it.
pub(crate) fn list_errors(samples: &[Sample], model: &Model<'_>, threshold: f32) {
    for sample in samples {
        let found = find_with(&sample.text, threshold, model);
        let spans: Vec<_> = found.iter().map(|n| n.bytes.clone()).collect();
        let show = |from: usize, to: usize| {
            let before: String = sample.text[..from]
                .chars()
                .rev()
                .take(30)
                .collect::<Vec<_>>()
                .into_iter()
                .rev()
                .collect();
            let behind: String = sample.text[to..].chars().take(25).collect();
            format!("{before}[[{}]]{behind}", &sample.text[from..to]).replace('\n', "\\n")
        };
        for name in sample.names.iter().filter(|n| leaks(&sample.text, **n, &spans)) {
            println!("MISSED {}", show(name.0, name.1));
        }
        for span in found {
            if !sample
                .names
                .iter()
                .any(|(from, to)| span.bytes.start < *to && *from < span.bytes.end)
            {
                println!("TAKEN {:.2} {}", span.confidence, show(span.bytes.start, span.bytes.end));
            }
        }
    }
}
