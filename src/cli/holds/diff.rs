//! `portcullis holds show --diff`: what a call would change, on a terminal.
//!
//! The same review as on the page. Added and removed text is told by signs, and by colour only on a
//! terminal whose user did not switch it off.

use std::io::IsTerminal as _;

use super::super::shown;
use crate::desk::{Detail, Object, Present};
use crate::review::{BlockChange, Change, DiffBlock, Part, Severity, destination, folded};

/// Prints a hold with its change.
pub(super) fn show(detail: &Detail, json: bool) -> anyhow::Result<()> {
    let review = detail.review();
    if json {
        println!("{}", serde_json::to_string_pretty(&review)?);
        return Ok(());
    }
    let paint = Paint::of_this_terminal();
    println!("{}", paint.bold(&shown(&review.headline.text())));
    println!("{} by {}, {}", detail.hold.id, detail.hold.principal, detail.hold.state);
    if let Object::Unread { why } = &detail.object {
        println!("{}", paint.removed(&format!("! not compared: {}", shown(why))));
    }
    for warning in &review.warnings {
        let sign = match warning.severity {
            Severity::Danger => "!!",
            Severity::Caution => "! ",
            Severity::Note => "- ",
        };
        let details = warning.details.iter().map(|it| shown(it)).collect::<Vec<_>>().join(", ");
        let details = if details.is_empty() { details } else { format!(": {details}") };
        println!("{sign} {}{details}", shown(&warning.text));
    }
    for field in review.fields.iter().filter(|field| field.is_changed() && field.name != "body") {
        let side = |value: &Option<String>| value.as_deref().map(shown);
        println!("{}:", shown(&field.label));
        if let Some(old) = side(&field.old) {
            println!("{}", paint.removed(&format!("- {old}")));
        }
        if let Some(new) = side(&field.new) {
            println!("{}", paint.added(&format!("+ {new}")));
        }
    }
    if let Some(body) = &review.body {
        println!(
            "{}",
            if body.compared { "text, beside the article as it is now:" } else { "text:" }
        );
        blocks(&body.rendered, &paint);
    }
    similar(detail);
    println!("binding    {}", detail.binding);
    println!(
        "to release: portcullis holds approve {} --binding {}",
        detail.hold.id, detail.binding
    );
    Ok(())
}

fn similar(detail: &Detail) {
    match &detail.present {
        Present::NotAsked => {}
        Present::Unread { why } => {
            println!("it is not known whether such an article is there already: {}", shown(why));
        }
        Present::Read { count, similar } if similar.is_empty() => {
            println!("none of the {count} articles that a search found is like it");
        }
        Present::Read { similar, .. } => {
            println!("similar articles:");
            for one in similar {
                let url =
                    one.url.as_deref().map(|url| format!(" {}", shown(url))).unwrap_or_default();
                println!("  {:>3} %  {} ({}){url}", one.percent, shown(&one.title), shown(&one.id));
            }
        }
    }
}

/// The red-line, what stays folded to a line.
fn blocks(blocks: &[DiffBlock], paint: &Paint) {
    let is_changed = |at: usize| blocks.get(at).is_some_and(|it| it.change != BlockChange::Same);
    let any = (0..blocks.len()).any(is_changed);
    for stretch in folded(blocks.len(), 1, is_changed) {
        if stretch.folded && any {
            println!("  ... {} blocks that stay", stretch.range.len());
            continue;
        }
        for block in blocks.get(stretch.range).unwrap_or_default() {
            print_block(block, paint);
        }
    }
}

fn print_block(block: &DiffBlock, paint: &Paint) {
    let line = |side: Change| {
        let parts = block.parts.iter().filter(|it| it.change == side || it.change == Change::Same);
        parts.map(|it| words(&it.part)).collect::<String>()
    };
    match block.change {
        BlockChange::Same => println!("  {}", line(Change::Same)),
        BlockChange::Added => println!("{}", paint.added(&format!("+ {}", line(Change::Added)))),
        BlockChange::Removed => {
            println!("{}", paint.removed(&format!("- {}", line(Change::Removed))));
        }
        BlockChange::Changed => {
            println!("{}", paint.removed(&format!("- {}", line(Change::Removed))));
            println!("{}", paint.added(&format!("+ {}", line(Change::Added))));
        }
    }
}

/// A part as plain text, with hosts of links and what readers do not see.
fn words(part: &Part) -> String {
    match part {
        Part::Text { text, link: None, .. } => shown(text),
        Part::Text { text, link: Some(link), .. } => {
            format!("{} [\u{2192} {}]", shown(text), shown(&destination(link)))
        }
        Part::Image { alt, from } => {
            format!("[picture: {} \u{2192} {}]", shown(alt), shown(&destination(from)))
        }
        Part::Embedded { what, from } => {
            format!("[{} \u{2192} {}]", shown(what), shown(&destination(from)))
        }
        Part::Removed { what, text } => {
            format!("[{}, readers do not see: {}]", shown(what), shown(text))
        }
        Part::Break => " / ".to_owned(),
        Part::Cell => " | ".to_owned(),
    }
}

/// Colours, where somebody sees them and wants them.
struct Paint(bool);

impl Paint {
    fn of_this_terminal() -> Self {
        let switched_off = std::env::var_os("NO_COLOR").is_some_and(|it| !it.is_empty());
        Self(std::io::stdout().is_terminal() && !switched_off)
    }

    fn added(&self, text: &str) -> String {
        self.with("32", text)
    }

    fn removed(&self, text: &str) -> String {
        self.with("31", text)
    }

    fn bold(&self, text: &str) -> String {
        self.with("1", text)
    }

    fn with(&self, code: &str, text: &str) -> String {
        if self.0 { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }
}
