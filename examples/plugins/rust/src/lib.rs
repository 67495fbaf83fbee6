//! Finds the numbers by which a company knows its customers, such as `KD-4711-0815`.
//!
//! A plugin is asked about the texts of a call, of an answer or of a tool's definition, and says what
//! it sees: spans with a kind. Policy decides what that means, and Portcullis alone edits. What finds
//! is plain Rust and is tested as such (`cargo test`); `component.rs` makes a component of it.

#[cfg(target_arch = "wasm32")]
mod component;

/// What the configuration may say.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// The two letters that a number begins with.
    pub prefix: String,
}

impl Default for Config {
    fn default() -> Self {
        Self { prefix: "KD".to_owned() }
    }
}

/// The schema of the configuration; what does not fit it never comes here.
pub const CONFIG_SCHEMA: &str = r#"{
  "type": "object",
  "properties": {"prefix": {"type": "string", "pattern": "^[A-Z]{2}$"}},
  "additionalProperties": false
}"#;

/// A number in a text, from byte `start` to before byte `end`.
#[derive(Debug, PartialEq)]
pub struct Number {
    pub start: usize,
    pub end: usize,
    /// The number as the company writes it.
    pub plain: String,
}

/// All numbers in a text: the prefix, `-`, and two groups of four digits, which may have a `-`
/// between them. Within a longer run of letters or digits it is something else.
pub fn numbers(text: &str, prefix: &str) -> Vec<Number> {
    let mut found = Vec::new();
    for (start, _) in text.match_indices(prefix) {
        let joined = text[..start].ends_with(|letter: char| letter.is_ascii_alphanumeric());
        let Some(tail) = text[start + prefix.len()..].strip_prefix('-') else { continue };
        let Some((first, tail)) = four_digits(tail) else { continue };
        let Some((second, tail)) = four_digits(tail.strip_prefix('-').unwrap_or(tail)) else {
            continue;
        };
        if !joined && !tail.starts_with(|letter: char| letter.is_ascii_alphanumeric()) {
            let plain = format!("{prefix}-{first}-{second}");
            found.push(Number { start, end: text.len() - tail.len(), plain });
        }
    }
    found
}

fn four_digits(text: &str) -> Option<(&str, &str)> {
    let (digits, tail) = text.split_at_checked(4)?;
    digits.bytes().all(|byte| byte.is_ascii_digit()).then_some((digits, tail))
}

#[cfg(test)]
mod tests {
    use super::numbers;

    fn check(text: &str, expected: &[&str]) {
        let found: Vec<_> =
            numbers(text, "KD").iter().map(|number| &text[number.start..number.end]).collect();
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn numbers_are_found_and_nothing_else() {
        check("mine is KD-4711-0815.", &["KD-4711-0815"]);
        check("größer: KD-47110815, KD-1111-2222", &["KD-47110815", "KD-1111-2222"]);
        check("BKD-4711-0815, KD-4711-08155, KD-4711", &[]);
        check("KD-471é", &[]);
    }
}
