//! The part of the schema about what is kept of questions to policy.

use schemars::JsonSchema;

use super::{Size, Span};

/// What is kept, sealed, of questions to policy, so that `policy impact` can ask them again.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct Replay {
    keep: Option<Keep>,
    /// How long.
    #[schemars(extend("default" = "7d"))]
    age: Option<Span>,
    /// The most bytes of all of it; the oldest goes first.
    #[schemars(extend("default" = "256MiB"))]
    size: Option<Size>,
    /// The longest content of an answer that is kept; a longer one is left out, and only rules that
    /// look into no answer can be asked about it again.
    #[schemars(extend("default" = "64KiB"))]
    answer_size: Option<Size>,
}

/// `calls`: what rules are asked about calls, lists of tools, and what people may do about held calls.
/// `answers`: also about answers, with their content.
#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase", extend("default" = "nothing"))]
enum Keep {
    Nothing,
    Calls,
    Answers,
}
