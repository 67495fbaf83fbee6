//! Which elements hide their text from readers: instructions for agents like to stand there.
//!
//! Only what an element says of itself is looked at. A class may hide as well, by a style sheet that
//! Portcullis does not know; so what is not marked here is not promised to be seen.

use html5ever::tokenizer::Tag;

/// Whether an element is written so that readers do not see what is in it.
pub(super) fn conceals(tag: &Tag) -> bool {
    tag.attrs.iter().any(|one| match &*one.name.local {
        "hidden" => true,
        "style" => style_conceals(&one.value),
        "color" => is_ground(&one.value.trim().to_ascii_lowercase()),
        _ => false,
    })
}

/// Whether a `style` hides its text: not displayed, without size, transparent, out of sight, or in
/// the colour of the page.
fn style_conceals(style: &str) -> bool {
    let style: String = style.to_ascii_lowercase().chars().filter(|c| !c.is_whitespace()).collect();
    let style = style.replace("!important", "");
    let parts = style.split(';').filter_map(|part| part.split_once(':'));
    let mut on_ground = false;
    let mut has_ground = false;
    for (key, value) in parts {
        let number = || {
            let digits: String = value
                .chars()
                .take_while(|c| c.is_ascii_digit() || matches!(c, '.' | '-'))
                .collect();
            digits.parse::<f64>().ok()
        };
        let hides = match key {
            "display" => value == "none",
            "visibility" => matches!(value, "hidden" | "collapse"),
            "opacity" => number().is_some_and(|it| it < 0.2),
            "font-size" => {
                number().is_some_and(|it| it < 3.0) && !value.contains("em") && !value.contains('%')
                    || number() == Some(0.0)
            }
            "height" | "width" | "max-height" | "max-width" | "line-height" => {
                number() == Some(0.0)
            }
            "text-indent" | "left" | "top" | "right" | "margin-left" | "margin-top" => {
                number().is_some_and(|it| it <= -500.0)
            }
            "clip" | "clip-path" => {
                value.contains("rect(0")
                    || value.contains("inset(100%")
                    || value.contains("inset(50%")
            }
            "transform" => value.contains("scale(0"),
            "color" => {
                on_ground = is_ground(value);
                value == "transparent"
            }
            "background" | "background-color" => {
                has_ground = !is_ground(value);
                false
            }
            _ => false,
        };
        if hides {
            return true;
        }
    }
    on_ground && !has_ground
}

/// The colours of the page's ground.
fn is_ground(colour: &str) -> bool {
    matches!(
        colour,
        "white"
            | "#fff"
            | "#ffff"
            | "#ffffff"
            | "#ffffffff"
            | "#fefefe"
            | "snow"
            | "ivory"
            | "ghostwhite"
            | "floralwhite"
            | "whitesmoke"
            | "transparent"
            | "rgb(255,255,255)"
            | "rgba(255,255,255,1)"
            | "rgba(0,0,0,0)"
            | "hsl(0,0%,100%)"
    )
}
