//! One evaluation: the bytecode of a bundle, a fresh machine, a budget, and a net under it.
//!
//! A machine is made for each evaluation and thrown away, so no input can outlive its question.
//! Whatever goes wrong inside becomes a [`Failure`]; its text never holds a value of the input,
//! because the engine's own messages may, and they would end in records.

use std::num::NonZeroU32;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use regorus::Value;
use regorus::rvm::vm::VmError;
use regorus::rvm::{Program, RegoVM};
use regorus::utils::limits::ExecutionTimerConfig;

use crate::domain::{Fault, Question};

/// What one evaluation may spend.
#[derive(Debug, Clone, Copy)]
pub(super) struct Budget {
    /// Instructions of the machine. Each is short, so this bounds the evaluation even where no
    /// clock is asked.
    pub(super) instructions: usize,
    /// Wall-clock time, asked for between instructions.
    pub(super) time: Duration,
}

impl Budget {
    /// A shipped answer takes a few hundred instructions.
    pub(super) const DEFAULT: Self =
        Self { instructions: 100_000, time: Duration::from_millis(40) };
}

/// How many instructions pass between two looks at the clock.
const CLOCK_EVERY: NonZeroU32 = NonZeroU32::MIN.saturating_add(63);

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Failure {
    pub(super) fault: Fault,
    /// Where in the bundle, if known.
    pub(super) at: Option<String>,
    /// Without any value of the input.
    pub(super) text: String,
}

impl Failure {
    pub(super) fn new(fault: Fault, text: impl Into<String>) -> Self {
        Self { fault, at: None, text: text.into() }
    }
}

/// A bundle's bytecode and data, shared by all evaluations.
#[derive(Clone)]
pub(super) struct Prepared {
    pub(super) program: Arc<Program>,
    pub(super) data: Value,
}

/// The entry point of a question in Rego.
pub(super) const fn entry_point(question: Question) -> &'static str {
    match question {
        Question::Visible => "data.portcullis.visible.answer",
        Question::Admit => "data.portcullis.admit.answer",
        Question::Disclose => "data.portcullis.disclose.answer",
        Question::Approve => "data.portcullis.approve.answer",
    }
}

impl Prepared {
    /// Asks one question. `Value::Undefined` is an answer here; the contract refuses it.
    pub(super) fn ask(
        &self,
        question: Question,
        input: Value,
        budget: Budget,
    ) -> Result<Value, Failure> {
        // Nothing of a machine that panicked is used again.
        let outcome = catch_unwind(AssertUnwindSafe(|| self.run(question, input, budget)));
        match outcome {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(error)) => Err(self.failure(&error)),
            Err(_) => Err(Failure::new(Fault::PolicyPanic, "the policy engine panicked")),
        }
    }

    fn run(&self, question: Question, input: Value, budget: Budget) -> Result<Value, VmError> {
        let mut machine = RegoVM::new();
        machine.set_strict_builtin_errors(true);
        machine.set_max_instructions(budget.instructions);
        machine.set_execution_timer_config(Some(ExecutionTimerConfig {
            limit: budget.time,
            check_interval: CLOCK_EVERY,
        }));
        machine.load_program(Arc::clone(&self.program));
        machine.set_data(self.data.clone())?;
        machine.set_input(input);
        machine.execute_entry_point_by_name(entry_point(question))
    }

    fn failure(&self, error: &VmError) -> Failure {
        let (fault, text) = match error {
            VmError::InstructionLimitExceeded { .. } => {
                (Fault::PolicyTimeout, "the policy used up its instructions")
            }
            VmError::TimeLimitExceeded { .. } => {
                (Fault::PolicyTimeout, "the policy used up its time")
            }
            _ => (Fault::PolicyError, "the policy ended in an error"),
        };
        Failure { at: self.place(error), ..Failure::new(fault, text) }
    }

    /// The line of the instruction that failed: every message of the machine ends in its number.
    fn place(&self, error: &VmError) -> Option<String> {
        let message = error.to_string();
        let (_, tail) = message.rsplit_once("pc=")?;
        let digits: String = tail.chars().take_while(char::is_ascii_digit).collect();
        let span = self.program.get_instruction_span(digits.parse().ok()?)?;
        let file = self.program.get_source_name(span.source_index)?;
        Some(format!("{file}:{}", span.line))
    }
}
