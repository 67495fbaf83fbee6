//! Shows what is found: each line of the input is a text (`\n` ends a line of it); out goes, for each, a line
//! of `from:to:confidence`, in bytes. `cargo run -p names --example names -- 0.5 < texts`

#![expect(clippy::print_stdout, reason = "it is there to print")]

use std::io::stdin;

fn main() {
    let threshold = std::env::args().nth(1).and_then(|t| t.parse().ok()).unwrap_or(0.5);
    for line in stdin().lines().map_while(Result::ok) {
        let text = line.replace("\\n", "\n");
        let names = names::find(&text, threshold);
        let shown =
            names.iter().map(|n| format!("{}:{}:{:.2}", n.bytes.start, n.bytes.end, n.confidence));
        println!("{}", shown.collect::<Vec<_>>().join(" "));
    }
}
