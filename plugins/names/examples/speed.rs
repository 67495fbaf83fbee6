//! What a text costs: `cargo run --release -p names --example speed [FILE]`.

#![expect(clippy::print_stdout, reason = "it is there to print")]

use std::hint::black_box;
use std::time::Instant;

const PROSE: &str = "Hello Rebecca,\nthe export of yesterday arrived without its headers, and the totals in the second column \
differ from those on the dashboard. We would like to know whether the filter for closed tickets was applied, and how the \
numbers of the previous month can be compared. Our accountant, Magdalena Kowalczyk, needs the figures by Friday. She tried \
Safari and Chrome on two machines, and the page stays blank after she signs in. Is there anything else that we can do on \
our side, or should we wait for the next release?\nKind regards,\nPatrick O'Leary\n";

fn main() {
    let given = std::env::args().nth(1).and_then(|path| std::fs::read_to_string(path).ok());
    let text =
        given.unwrap_or_else(|| PROSE.repeat(8192 / PROSE.len() + 1).chars().take(8192).collect());
    let mut times: Vec<u128> = Vec::new();
    for _ in 0..2000 {
        let start = Instant::now();
        black_box(names::find(black_box(&text), 0.5));
        times.push(start.elapsed().as_nanos());
    }
    times.sort_unstable();
    let median = times.get(times.len() / 2).copied().unwrap_or(0) as f64 / 1000.0;
    println!(
        "{} bytes: {median:.1} us, {:.1} us for 8 KB",
        text.len(),
        median * 8192.0 / text.len().max(1) as f64
    );
}
