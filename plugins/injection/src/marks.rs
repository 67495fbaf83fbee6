//! Marks that stand around the turns of a conversation with a model, or around orders to it.

use crate::instruct::Signal;

/// What a mark begins with, folded; what it weighs; what it is called.
#[rustfmt::skip]
const MARKS: &[(&str, u8, &str)] = &[
    ("<|im_start|>", 70, "role_mark"), ("<|im_end|>", 65, "role_mark"), ("<|system|>", 70, "role_mark"), ("<|user|>", 60, "role_mark"), ("<|assistant|>", 65, "role_mark"),
    ("<|endoftext|>", 65, "role_mark"), ("<|eot_id|>", 65, "role_mark"), ("<|start_header_id|>", 70, "role_mark"), ("<|begin_of_text|>", 65, "role_mark"), ("<|endofprompt|>", 65, "role_mark"),
    ("<<sys>>", 70, "role_mark"), ("<</sys>>", 65, "role_mark"), ("<start_of_turn>", 65, "role_mark"), ("<end_of_turn>", 60, "role_mark"),
    ("<system>", 45, "order_mark"), ("</system>", 40, "order_mark"), ("<system_prompt", 55, "order_mark"), ("<system-reminder", 60, "order_mark"), ("<system_message", 50, "order_mark"), ("<system_instruction", 55, "order_mark"), ("<instructions>", 40, "order_mark"), ("<instruction>", 40, "order_mark"),
    ("<important>", 45, "order_mark"), ("</important>", 40, "order_mark"), ("<important_instruction", 55, "order_mark"), ("<information>", 25, "order_mark"), ("</information>", 20, "order_mark"), ("<admin>", 40, "order_mark"), ("<override>", 45, "order_mark"), ("<secret>", 25, "order_mark"), ("<hidden>", 25, "order_mark"),
    ("<tool_result", 55, "tool_mark"), ("</tool_result", 55, "tool_mark"), ("<tool_call", 55, "tool_mark"), ("<function_call", 55, "tool_mark"), ("<function_result", 55, "tool_mark"), ("</function_result", 55, "tool_mark"), ("<tool_response", 55, "tool_mark"), ("</tool_response", 55, "tool_mark"), ("<invoke ", 45, "tool_mark"), ("<tool_use", 55, "tool_mark"), ("<assistant>", 40, "role_mark"), ("</assistant>", 35, "role_mark"), ("</user>", 25, "role_mark"), ("</context>", 25, "role_mark"), ("</document>", 15, "role_mark"), ("</untrusted", 40, "role_mark"),
    ("[inst]", 60, "role_mark"), ("[/inst]", 60, "role_mark"), ("[system]", 40, "role_mark"), ("[system ", 30, "role_mark"), ("[system:", 40, "role_mark"), ("[assistant]", 35, "role_mark"), ("[admin]", 25, "role_mark"), ("[important]", 20, "order_mark"), ("[instructions", 30, "order_mark"), ("[ai:", 30, "order_mark"), ("[end of ", 15, "boundary"),
    ("### system", 45, "role_mark"), ("### instruction", 35, "role_mark"), ("###system", 45, "role_mark"), ("### assistant", 40, "role_mark"), ("### human", 40, "role_mark"), ("### response", 25, "role_mark"), ("### new instruction", 50, "role_mark"), ("## system prompt", 45, "role_mark"),
    ("{\"role\": \"system", 60, "role_mark"), ("{\"role\":\"system", 60, "role_mark"), ("{\"role\":", 35, "role_mark"), ("</conversation>", 30, "boundary_mark"), ("</message>", 15, "boundary_mark"), ("</ticket>", 25, "boundary_mark"), ("</email>", 15, "boundary_mark"), ("</data>", 15, "boundary_mark"), ("{\"role\" :", 35, "role_mark"), ("{\"tool\":", 25, "tool_mark"), ("{\"name\": \"update_", 35, "tool_mark"), ("{\"name\":\"update_", 35, "tool_mark"), ("{\"method\":\"tools/call", 60, "tool_mark"), ("{\"jsonrpc\"", 30, "tool_mark"), ("{{#system", 45, "role_mark"),
];

/// Words that begin a line and a turn.
const TURNS: &[(&str, u8, &str)] = &[
    ("system:", 30, "turn"),
    ("system message:", 40, "turn"),
    ("system prompt:", 35, "turn"),
    ("system override", 50, "turn"),
    ("system note:", 40, "turn"),
    ("assistant:", 28, "turn_assistant"),
    ("ai:", 15, "turn"),
    ("human:", 20, "turn_human"),
    ("todo:", 12, "turn"),
    ("instructions for the ", 12, "turn"),
    ("new instruction", 25, "turn"),
    ("end of instructions", 30, "turn"),
    ("begin system", 40, "turn"),
];

/// Finds marks that look like tags.
pub(crate) fn tags(text: &str, signals: &mut Vec<Signal>) {
    let bytes = text.as_bytes();
    let mut place = 0;
    while let Some(next) = text.get(place..).and_then(|rest| rest.find('<')) {
        place += next;
        // What begins `<p`, `<b`, `<d` is HTML nearly always; the marks' own second letters are few.
        if bytes
            .get(place + 1)
            .is_some_and(|second| b"|<ersi/aofhtu".contains(&second.to_ascii_lowercase()))
        {
            at(bytes, place, MARKS, signals);
        }
        place += 1;
    }
}

/// Finds marks.
pub(crate) fn scan(text: &str, signals: &mut Vec<Signal>) {
    let bytes = text.as_bytes();
    turn(bytes, 0, signals);
    let wakes = |byte: &u8| matches!(byte, b'<' | b'[' | b'#' | b'{' | b'\n');
    let mut place = 0;
    while let Some(next) = bytes.get(place..).and_then(|rest| rest.iter().position(wakes)) {
        place += next;
        let byte = bytes.get(place).copied();
        if byte == Some(b'\n') {
            turn(bytes, place + 1, signals);
        } else if place == 0 || bytes.get(place - 1).copied() != byte {
            // Runs of one mark are looked at once.
            at(bytes, place, MARKS, signals);
        }
        place += 1;
    }
}

/// The words at the beginning of a line, behind bullets and signs of quotation.
fn turn(bytes: &[u8], start: usize, signals: &mut Vec<Signal>) {
    let rest = bytes.get(start..).unwrap_or(&[]);
    let lead = rest.iter().take(16).take_while(|byte| {
        matches!(byte, b' ' | b'\t' | b'*' | b'-' | b'_' | b'=' | b'>' | b'#' | b'`')
    });
    at(bytes, start + lead.count(), TURNS, signals);
}

fn at(bytes: &[u8], place: usize, marks: &[(&str, u8, &'static str)], signals: &mut Vec<Signal>) {
    let rest = bytes.get(place..).unwrap_or(&[]);
    // The second letter tells nearly all of them apart from prose and tags.
    let second = rest.get(1).map(u8::to_ascii_lowercase);
    let fits = |mark: &&(&str, u8, &str)| {
        mark.0.as_bytes().get(1).copied() == second
            && rest
                .get(..mark.0.len())
                .is_some_and(|head| head.eq_ignore_ascii_case(mark.0.as_bytes()))
    };
    if let Some((mark, weight, name)) = marks.iter().find(fits) {
        signals.push(Signal { bytes: place..place + mark.len(), weight: *weight, name });
    }
}
