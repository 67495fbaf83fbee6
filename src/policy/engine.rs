//! One evaluation: bytecode or interpreter, a fresh machine, a budget, and a net under it.
//!
//! Bytecode decides for bundles that are sound on it ([`super::sound`]), the interpreter for all
//! others. A machine is made for each evaluation and thrown away, so no input can outlive its
//! question.
//!
//! Whatever goes wrong inside becomes a [`Failure`]; its text never holds a value of the input,
//! because the engine's own messages may, and they would end in records.

use std::num::NonZeroU32;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use regorus::rvm::vm::VmError;
use regorus::rvm::{Program, RegoVM};
use regorus::utils::limits::ExecutionTimerConfig;
use regorus::{Engine, LimitError, Value};

use super::looks::Looks;
use super::problem::Problem;
use super::redacting::Redacting;
use super::wants::Wants;
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
    /// On the road. A shipped answer takes a few hundred instructions; the time is for a machine
    /// that is not overloaded, and a caller still has its answer within 100 ms.
    pub(super) const DEFAULT: Self = Self { instructions: 50_000, time: Duration::from_millis(80) };
    /// At load, where nobody waits.
    pub(super) const TRIAL: Self = Self { instructions: 50_000, time: Duration::from_secs(2) };

    /// So much time, and instructions without end.
    pub(super) const fn of_time(time: Duration) -> Self {
        Self { instructions: usize::MAX, time }
    }

    pub(super) const fn timer(self) -> ExecutionTimerConfig {
        ExecutionTimerConfig { limit: self.time, check_interval: CLOCK_EVERY }
    }
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

/// A bundle, ready for evaluation and shared by all of them.
#[derive(Clone)]
pub(super) struct Prepared {
    pub(super) program: Arc<Program>,
    pub(super) data: Value,
    /// Cloned for each evaluation; its parts are shared.
    pub(super) interpreter: Arc<Engine>,
    /// Why bytecode may not decide; `None` if it may.
    pub(super) obstacle: Option<Arc<str>>,
    /// What of the input the rules refer to.
    pub(super) wants: Arc<Wants>,
    /// Whether a rule may demand a reason of the agent.
    pub(super) asks_why: bool,
    /// What the rules about answers look at.
    pub(super) looks: Looks,
    /// What they redact, as far as their text tells.
    pub(super) redacting: Arc<[Redacting]>,
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
        if self.obstacle.is_some() {
            return self.interpret(question, input, budget);
        }
        match caught(|| self.run(question, input.clone(), budget)) {
            Ok(Err(VmError::InstructionLimitExceeded { .. })) => Err(out_of_instructions()),
            Ok(Err(VmError::TimeLimitExceeded { .. })) => Err(out_of_time()),
            Ok(Err(_)) => Err(self.located(question, input, budget)),
            Ok(Ok(value)) => Ok(value),
            Err(failure) => Err(failure),
        }
    }

    /// Asks the interpreter, whatever the bundle.
    pub(super) fn interpret(
        &self,
        question: Question,
        input: Value,
        budget: Budget,
    ) -> Result<Value, Failure> {
        let evaluated = caught(|| {
            let mut engine = Engine::clone(&self.interpreter);
            engine.set_execution_timer_config(budget.timer());
            engine.set_input(input);
            engine.eval_rule(entry_point(question).to_owned())
        })?;
        evaluated.map_err(|error| match error.downcast_ref::<LimitError>() {
            Some(LimitError::TimeLimitExceeded { .. }) => out_of_time(),
            _ => {
                let place = Problem::of_engine("", &error.to_string());
                let at = (place.line > 0).then(|| format!("{}:{}", place.file, place.line));
                Failure { at, ..error_in_rules() }
            }
        })
    }

    fn run(&self, question: Question, input: Value, budget: Budget) -> Result<Value, VmError> {
        let mut machine = RegoVM::new();
        // Strictness of the machine makes comparisons of different types fail in silence; its
        // builtins are strict by themselves.
        machine.set_strict_builtin_errors(false);
        machine.set_max_instructions(budget.instructions);
        machine.set_execution_timer_config(Some(budget.timer()));
        machine.load_program(Arc::clone(&self.program));
        machine.set_data(self.data.clone())?;
        machine.set_input(input);
        machine.execute_entry_point_by_name(entry_point(question))
    }

    /// The error that the machine ended in, with its line, which only the interpreter knows.
    fn located(&self, question: Question, input: Value, budget: Budget) -> Failure {
        let again = self.interpret(question, input, budget);
        again.err().unwrap_or_else(error_in_rules)
    }
}

/// Nothing of a machine that panicked is used again.
pub(super) fn caught<T>(evaluate: impl FnOnce() -> T) -> Result<T, Failure> {
    catch_unwind(AssertUnwindSafe(evaluate))
        .map_err(|_| Failure::new(Fault::PolicyPanic, "the policy engine panicked"))
}

fn out_of_time() -> Failure {
    Failure::new(Fault::PolicyTimeout, "the policy used up its time")
}

/// What rules end in that never end by themselves, on a fast machine long before any clock says so.
pub(super) fn out_of_instructions() -> Failure {
    Failure::new(Fault::PolicyTimeout, "the policy used up its instructions")
}

fn error_in_rules() -> Failure {
    Failure::new(Fault::PolicyError, "the policy ended in an error")
}
