//! Whether a bundle may be decided by bytecode.
//!
//! The engine's bytecode machine is four times faster than its interpreter, but it treats most
//! errors inside a rule as "this rule does not apply": a type error in a `deny` would let the call
//! pass, and two definitions that differ would count as none. The interpreter stops at both. So
//! bytecode decides only where no such error can happen unseen: builtins are wrapped so that their
//! errors stop the machine ([`super::builtins`]), and the instructions and rules that can fail in
//! silence are refused here. What is refused is decided by the interpreter: slower, never looser.

use regorus::rvm::Program;
use regorus::rvm::instructions::{Instruction, LiteralOrRegister, LoopMode};
use regorus::rvm::program::RuleInfo;
use regorus::unstable::{Expr, Literal, Ref, Rule, RuleAssign, RuleHead};
use regorus::{CompiledPolicy, Value};

use super::syntax::{Visit, each};
use super::{assigned, builtins};

/// Why bytecode must not decide; `None` if nothing in the program can fail unseen.
pub(super) fn obstacle(policy: &CompiledPolicy, program: &Program) -> Option<String> {
    let builtin = program.builtin_info_table.iter().find(|one| !builtins::is_quick(&one.name));
    if let Some(builtin) = builtin {
        return Some(format!("`{}` may take long", builtin.name));
    }
    let risky = program.instructions.iter().position(|one| !cannot_fail(program, one));
    if let Some(index) = risky {
        let what = match program.instructions.get(index) {
            Some(Instruction::VirtualDataDocumentLookup { .. }) => {
                "names a package as a whole; write `data.package.rule` in full instead of an import"
            }
            _ => "uses an operator that may fail on other types than it expects",
        };
        let rule = rule_of(program, index).unwrap_or("of a question");
        return Some(format!("the rule `{rule}` {what}"));
    }
    let rule = program.rule_infos.iter().find(|rule| !has_one_value(policy, program, rule));
    if let Some(rule) = rule {
        return Some(format!("the rule `{}` may have two different values", rule.name));
    }
    policy.get_rules().iter().find_map(|(name, rules)| {
        if rules.iter().any(|rule| has_key(rule)) {
            let what = "looks for a key and a value at once (`k, v in ...`)";
            return Some(format!("the rule `{name}` {what}"));
        }
        if rules.iter().any(|rule| ignores(rule)) {
            let what = "has an argument `_`, which may be missing; give it a name";
            return Some(format!("the function `{name}` {what}"));
        }
        let span = rules.iter().find_map(|rule| assigned::unguarded(rule))?;
        let place = format!("{}:{}", span.source.get_path(), span.line);
        Some(format!(
            "the rule `{name}` assigns what may be missing and never looks at it ({place})"
        ))
    })
}

/// Whether a rule has `some k, v in coll` or `k, v in coll`, where bytecode gives wrong values.
fn has_key(rule: &Rule) -> bool {
    let mut found = false;
    each(rule, &mut |visit| {
        found |= matches!(
            visit,
            Visit::Literal(Literal::SomeIn { key: Some(_), .. })
                | Visit::Expr(Expr::Membership { key: Some(_), .. })
        );
    });
    found
}

/// Whether a function ignores an argument: bytecode then calls it without a value.
fn ignores(rule: &Rule) -> bool {
    let Rule::Spec { head: RuleHead::Func { args, .. }, .. } = rule else { return false };
    args.iter().any(|arg| matches!(&**arg, Expr::Var { span, .. } if span.text() == "_"))
}

/// The name of the rule that an instruction belongs to.
fn rule_of(program: &Program, index: usize) -> Option<&str> {
    let before = program.instructions.get(..=index)?;
    let rule = before.iter().rev().find_map(|instruction| match instruction {
        Instruction::RuleInit { rule_index, .. } => Some(usize::from(*rule_index)),
        _ => None,
    })?;
    Some(program.rule_infos.get(rule)?.name.as_str())
}

/// Instructions that never end in an error of the policy's making. Arithmetic and the logical
/// operators fail on other types than theirs; objects made member by member hide conflicts.
fn cannot_fail(program: &Program, instruction: &Instruction) -> bool {
    use Instruction as I;
    match instruction {
        I::ComprehensionYield { key_reg, .. } => key_reg.is_none(),
        I::VirtualDataDocumentLookup { params_index } => looks_at_data(program, *params_index),
        I::Load { .. }
        | I::LoadTrue { .. }
        | I::LoadFalse { .. }
        | I::LoadNull { .. }
        | I::LoadBool { .. }
        | I::LoadData { .. }
        | I::LoadInput { .. }
        | I::Move { .. }
        | I::Eq { .. }
        | I::Ne { .. }
        | I::Lt { .. }
        | I::Le { .. }
        | I::Gt { .. }
        | I::Ge { .. }
        | I::Not { .. }
        | I::BuiltinCall { .. }
        | I::FunctionCall { .. }
        | I::Return { .. }
        | I::ObjectCreate { .. }
        | I::Index { .. }
        | I::IndexLiteral { .. }
        | I::ChainedIndex { .. }
        | I::ArrayNew { .. }
        | I::ArrayPush { .. }
        | I::ArrayPushDefined { .. }
        | I::ArrayCreate { .. }
        | I::SetNew { .. }
        | I::SetAdd { .. }
        | I::SetCreate { .. }
        | I::Contains { .. }
        | I::AssertEq { .. }
        | I::Guard { .. }
        | I::ReturnUndefinedIfNotTrue { .. }
        | I::LoopStart { .. }
        | I::LoopNext { .. }
        | I::CallRule { .. }
        | I::RuleInit { .. }
        | I::DestructuringSuccess {}
        | I::RuleReturn {}
        | I::Halt {}
        | I::ComprehensionBegin { .. }
        | I::ComprehensionEnd {} => true,
        _ => false,
    }
}

/// Whether a reference into `data` leaves the tree of rules by literal names, so that it only
/// reads the bundle's JSON.
fn looks_at_data(program: &Program, params_index: u16) -> bool {
    let lookups = &program.instruction_data.virtual_data_document_lookup_params;
    let Some(params) = lookups.get(usize::from(params_index)) else { return false };
    let mut node = &program.rule_tree["data"];
    for component in &params.path_components {
        let LiteralOrRegister::Literal(index) = component else { return false };
        let Some(name) = program.literals.get(usize::from(*index)) else { return false };
        node = &node[name];
        if *node == Value::Undefined {
            return true;
        }
    }
    false
}

/// Whether a rule cannot have two different values: it is a set, or its value is the same literal
/// everywhere, or it has one definition that does not iterate.
fn has_one_value(policy: &CompiledPolicy, program: &Program, info: &RuleInfo) -> bool {
    let Some(rules) = policy.get_rules().get(&info.name) else { return false };
    if rules.iter().all(|rule| is_set(rule)) {
        return true;
    }
    let mut values = rules.iter().flat_map(assigned);
    let first = values.next();
    let same = first.as_ref().is_some_and(Option::is_some) && values.all(|one| Some(one) == first);
    same || (rules.len() == 1 && !iterates(program, info))
}

fn is_set(rule: &Rule) -> bool {
    matches!(rule, Rule::Spec { head: RuleHead::Set { .. }, .. })
}

/// The literal values that a rule assigns, as written; `None` for computed ones.
fn assigned(rule: &Ref<Rule>) -> Vec<Option<String>> {
    let Rule::Spec { head, bodies, .. } = &**rule else { return vec![None] };
    let of_head = match head {
        RuleHead::Compr { assign, .. } | RuleHead::Func { assign, .. } => assign.as_ref(),
        RuleHead::Set { .. } => return vec![None],
    };
    let mut values = vec![literal(of_head)];
    // The first body belongs to the head; the others are its `else` branches.
    values.extend(bodies.iter().skip(1).map(|body| literal(body.assign.as_ref())));
    values
}

fn literal(assign: Option<&RuleAssign>) -> Option<String> {
    let Some(assign) = assign else { return Some(String::from("true")) };
    match &*assign.value {
        Expr::String { span, .. }
        | Expr::RawString { span, .. }
        | Expr::Number { span, .. }
        | Expr::Bool { span, .. }
        | Expr::Null { span, .. } => Some(span.text().to_owned()),
        _ => None,
    }
}

/// Whether a body of the rule loops outside of comprehensions and `every`.
fn iterates(program: &Program, info: &RuleInfo) -> bool {
    info.definitions.iter().flatten().any(|entry| {
        let Ok(entry) = usize::try_from(*entry) else { return true };
        let mut depth = 0_usize;
        for instruction in program.instructions.iter().skip(entry) {
            match instruction {
                Instruction::RuleReturn {} => return false,
                Instruction::ComprehensionBegin { .. } => depth += 1,
                Instruction::ComprehensionEnd {} => depth = depth.saturating_sub(1),
                Instruction::LoopStart { params_index } if depth == 0 => {
                    let params = program.instruction_data.get_loop_params(*params_index);
                    if !params.is_some_and(|params| matches!(params.mode, LoopMode::Every)) {
                        return true;
                    }
                }
                _ => {}
            }
        }
        true
    })
}
