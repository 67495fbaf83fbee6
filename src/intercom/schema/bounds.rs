//! How expensive a schema can become, found before it is compiled.
//!
//! The schema is read as a graph: its subschemas, and two kinds of edges. An edge *in place*
//! (`allOf`, `$ref`, `if`, ...) applies another subschema to the same value; an edge *into* the
//! value (`properties`, `items`, ...) applies it to a part. A cycle of edges in place never ends.
//! All others end with the value's depth, but may double the work at each level, which short
//! schemas can do on purpose. So the number of evaluations along one path into the value is
//! computed for every depth, once, and multiplied with the size of the arguments on each call.

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::SchemaError;
use crate::intercom::text::shown;

/// Deepest nesting of a schema.
const MAX_DEPTH: usize = 40;
/// Most subschemas of a schema.
const MAX_SUBSCHEMAS: usize = 4_000;
/// Most patterns of a schema; each is a compiled automaton.
const MAX_PATTERNS: usize = 200;
/// Deepest arguments; the strict reader refuses deeper ones.
const MAX_ARGUMENT_DEPTH: usize = 64;
/// Longest chain of subschemas, each applied inside the one before, over all levels of the
/// arguments: what the checker's recursion costs in stack.
const MAX_CHAIN: u64 = 400;
/// Most evaluations along one path into arguments of ordinary depth.
const MAX_PATH: u64 = 20_000;
/// What is ordinary depth.
const ORDINARY_DEPTH: usize = 6;

/// What was found.
pub(super) struct Measured {
    pub(super) cost: Cost,
    /// Pointer of the subschema, and its `pattern`.
    pub(super) patterns: Vec<(String, String)>,
    /// Patterns of `patternProperties`.
    pub(super) name_patterns: Vec<String>,
}

/// Evaluations along one path, by the depth of the arguments.
#[derive(Debug)]
pub(super) struct Cost(Vec<u64>);

impl Cost {
    /// An upper bound of the evaluations that checking `arguments` takes.
    pub(super) fn of(&self, arguments: &Value) -> u64 {
        let (mut nodes, mut deepest) = (0, 0);
        size(arguments, 0, &mut nodes, &mut deepest);
        self.0.get(deepest).map_or(u64::MAX, |path| path.saturating_mul(nodes))
    }
}

fn size(value: &Value, depth: usize, nodes: &mut u64, deepest: &mut usize) {
    *nodes += 1;
    *deepest = depth.max(*deepest);
    match value {
        Value::Array(items) => items.iter().for_each(|v| size(v, depth + 1, nodes, deepest)),
        Value::Object(members) => members.values().for_each(|v| size(v, depth + 1, nodes, deepest)),
        _ => {}
    }
}

/// Reads `schema` as a graph and bounds it.
pub(super) fn measure(schema: &Value) -> Result<Measured, SchemaError> {
    let mut graph = Graph::new(schema);
    graph.add(String::new(), schema, 0)?;
    graph.resolve()?;
    let order = graph.in_place_order()?;
    let cost = graph.cost(&order)?;
    Ok(Measured { cost, patterns: graph.patterns, name_patterns: graph.name_patterns })
}

#[derive(Default)]
struct Node {
    /// Subschemas applied to the same value.
    in_place: Vec<usize>,
    /// Subschemas applied to members of any name, or of names that a pattern selects.
    any_name: Vec<usize>,
    /// Subschemas applied to one named member each.
    named: Vec<usize>,
    /// Subschemas applied to items of a list.
    items: Vec<usize>,
}

struct Graph<'a> {
    root: &'a Value,
    nodes: Vec<Node>,
    by_pointer: HashMap<String, usize>,
    anchors: HashMap<&'a str, Vec<usize>>,
    references: Vec<(usize, &'a str)>,
    patterns: Vec<(String, String)>,
    name_patterns: Vec<String>,
}

impl<'a> Graph<'a> {
    fn new(root: &'a Value) -> Self {
        Self {
            root,
            nodes: Vec::new(),
            by_pointer: HashMap::new(),
            anchors: HashMap::new(),
            references: Vec::new(),
            patterns: Vec::new(),
            name_patterns: Vec::new(),
        }
    }

    /// Adds the subschema at `pointer` and everything below it.
    fn add(
        &mut self,
        pointer: String,
        schema: &'a Value,
        depth: usize,
    ) -> Result<usize, SchemaError> {
        if let Some(known) = self.by_pointer.get(&pointer) {
            return Ok(*known);
        }
        if depth > MAX_DEPTH {
            return Err(SchemaError::Depth(MAX_DEPTH));
        }
        if self.nodes.len() >= MAX_SUBSCHEMAS {
            return Err(SchemaError::Count(MAX_SUBSCHEMAS));
        }
        let index = self.nodes.len();
        self.nodes.push(Node::default());
        self.by_pointer.insert(pointer.clone(), index);
        if let Value::Object(members) = schema {
            self.identify(index, &pointer, members)?;
            let node = self.edges(&pointer, members, depth + 1)?;
            if let Some(slot) = self.nodes.get_mut(index) {
                *slot = node;
            }
        }
        Ok(index)
    }

    /// Notes anchors, references and patterns of one subschema.
    fn identify(
        &mut self,
        index: usize,
        pointer: &str,
        members: &'a Map<String, Value>,
    ) -> Result<(), SchemaError> {
        let text = |key: &str| members.get(key).and_then(Value::as_str);
        if index > 0 && members.contains_key("$id") {
            return Err(SchemaError::Unsupported("$id"));
        }
        if members.contains_key("$recursiveRef") {
            return Err(SchemaError::Unsupported("$recursiveRef"));
        }
        for anchor in ["$anchor", "$dynamicAnchor"].into_iter().filter_map(text) {
            self.anchors.entry(anchor).or_default().push(index);
        }
        for reference in ["$ref", "$dynamicRef"].into_iter().filter_map(text) {
            self.references.push((index, reference));
        }
        if let Some(pattern) = text("pattern") {
            self.patterns.push((pointer.to_owned(), pattern.to_owned()));
        }
        if let Some(Value::Object(names)) = members.get("patternProperties") {
            self.name_patterns.extend(names.keys().cloned());
        }
        if self.patterns.len() + self.name_patterns.len() > MAX_PATTERNS {
            return Err(SchemaError::Patterns(MAX_PATTERNS));
        }
        Ok(())
    }

    /// Follows the keywords that hold subschemas.
    fn edges(
        &mut self,
        pointer: &str,
        members: &'a Map<String, Value>,
        depth: usize,
    ) -> Result<Node, SchemaError> {
        let mut node = Node::default();
        for (keyword, value) in members {
            let at = format!("{pointer}/{}", escaped(keyword));
            match keyword.as_str() {
                "allOf" | "anyOf" | "oneOf" | "not" | "if" | "then" | "else"
                | "dependentSchemas" | "dependencies" => {
                    node.in_place.extend(self.below(&at, value, depth)?)
                }
                "properties" => node.named = self.below_named(&at, value, depth)?,
                "patternProperties" => node.any_name.extend(self.below_named(&at, value, depth)?),
                "additionalProperties" | "unevaluatedProperties" | "propertyNames" => {
                    node.any_name.push(self.add(at, value, depth)?);
                }
                "items" | "prefixItems" | "additionalItems" | "unevaluatedItems" | "contains" => {
                    node.items.extend(self.below(&at, value, depth)?);
                }
                // Only references lead there, but anchors inside must be known.
                "$defs" | "definitions" => {
                    self.below_named(&at, value, depth)?;
                }
                _ => {}
            }
        }
        Ok(node)
    }

    /// A schema, a list of schemas, or (for the `dependent` keywords) schemas by name.
    fn below(
        &mut self,
        at: &str,
        value: &'a Value,
        depth: usize,
    ) -> Result<Vec<usize>, SchemaError> {
        match value {
            Value::Array(list) => list
                .iter()
                .enumerate()
                .map(|(index, schema)| self.add(format!("{at}/{index}"), schema, depth))
                .collect(),
            Value::Object(_)
                if at.ends_with("/dependentSchemas") || at.ends_with("/dependencies") =>
            {
                self.below_named(at, value, depth)
            }
            _ => Ok(vec![self.add(at.to_owned(), value, depth)?]),
        }
    }

    fn below_named(
        &mut self,
        at: &str,
        value: &'a Value,
        depth: usize,
    ) -> Result<Vec<usize>, SchemaError> {
        let Value::Object(schemas) = value else { return Ok(Vec::new()) };
        schemas
            .iter()
            .map(|(name, schema)| self.add(format!("{at}/{}", escaped(name)), schema, depth))
            .collect()
    }

    /// Turns references into edges in place. Their targets may hold further references.
    fn resolve(&mut self) -> Result<(), SchemaError> {
        let own = self.root.get("$id").and_then(Value::as_str);
        let own = own.map(|id| id.split('#').next().unwrap_or_default()).unwrap_or_default();
        while let Some((from, reference)) = self.references.pop() {
            let dangling = || SchemaError::Dangling(shown(reference, 60));
            let local = match reference.split_once('#') {
                Some((base, fragment)) if base.is_empty() || base == own => fragment,
                None if !own.is_empty() && reference == own => "",
                _ => return Err(SchemaError::Outside(shown(reference, 60))),
            };
            let targets = if local.is_empty() {
                vec![0]
            } else if local.starts_with('/') {
                // Percent-encoded pointers have two spellings; no generator writes them.
                let schema = self.root.pointer(local).filter(|_| !local.contains('%'));
                vec![self.add(local.to_owned(), schema.ok_or_else(dangling)?, 1)?]
            } else {
                self.anchors.get(local).cloned().ok_or_else(dangling)?
            };
            if let Some(node) = self.nodes.get_mut(from) {
                node.in_place.extend(targets);
            }
        }
        Ok(())
    }

    /// All nodes, each after those that it applies in place.
    fn in_place_order(&self) -> Result<Vec<usize>, SchemaError> {
        #[derive(Clone, Copy, PartialEq)]
        enum Mark {
            New,
            Open,
            Done,
        }
        let mut marks = vec![Mark::New; self.nodes.len()];
        let mut order = Vec::with_capacity(self.nodes.len());
        // A stack of our own: a chain of references may be as long as the schema.
        let mut stack: Vec<(usize, usize)> = Vec::new();
        for start in 0..self.nodes.len() {
            stack.push((start, 0));
            while let Some((node, step)) = stack.pop() {
                let Some(mark) = marks.get_mut(node) else { continue };
                match (*mark, step) {
                    (Mark::Done, _) => continue,
                    (Mark::Open, 0) => return Err(SchemaError::Loop(self.name(node))),
                    _ => *mark = Mark::Open,
                }
                match self.nodes.get(node).and_then(|one| one.in_place.get(step)) {
                    Some(next) => stack.extend([(node, step + 1), (*next, 0)]),
                    None => {
                        *mark = Mark::Done;
                        order.push(node);
                    }
                }
            }
        }
        Ok(order)
    }

    fn name(&self, node: usize) -> String {
        let pointer = self.by_pointer.iter().find(|(_, index)| **index == node);
        pointer.map(|(pointer, _)| shown(&format!("#{pointer}"), 80)).unwrap_or_default()
    }

    /// For each depth of the arguments: evaluations along the worst path, and the longest chain.
    fn cost(&self, order: &[usize]) -> Result<Cost, SchemaError> {
        let mut before: Vec<(u64, u64)> = vec![(0, 0); self.nodes.len()];
        let mut by_depth = Vec::with_capacity(MAX_ARGUMENT_DEPTH + 1);
        for depth in 0..=MAX_ARGUMENT_DEPTH {
            let mut now: Vec<(u64, u64)> = vec![(0, 0); self.nodes.len()];
            for index in order {
                let Some(node) = self.nodes.get(*index) else { continue };
                let same = sum(&node.in_place, &now);
                let (any, items) = (sum(&node.any_name, &before), sum(&node.items, &before));
                let named = node.named.iter().filter_map(|one| before.get(*one));
                let named = named.fold((0, 0), |a, b| (a.0.max(b.0), a.1.max(b.1)));
                let part =
                    (any.0.saturating_add(named.0).max(items.0), any.1.max(named.1).max(items.1));
                if let Some(slot) = now.get_mut(*index) {
                    *slot = (
                        same.0.saturating_add(part.0).saturating_add(1),
                        same.1.max(part.1).saturating_add(1),
                    );
                }
            }
            let (path, chain) = now.first().copied().unwrap_or_default();
            if depth == ORDINARY_DEPTH && path > MAX_PATH {
                return Err(SchemaError::Branches);
            }
            if chain > MAX_CHAIN {
                if depth <= ORDINARY_DEPTH {
                    return Err(SchemaError::Branches);
                }
                break;
            }
            by_depth.push(path);
            before = now;
        }
        Ok(Cost(by_depth))
    }
}

/// Evaluations of all of `group` together, and the longest chain among them.
fn sum(group: &[usize], of: &[(u64, u64)]) -> (u64, u64) {
    let known = group.iter().filter_map(|one| of.get(*one));
    known.fold((0, 0), |sum, one| (sum.0.saturating_add(one.0), sum.1.max(one.1)))
}

/// A name as a segment of a JSON Pointer.
fn escaped(name: &str) -> std::borrow::Cow<'_, str> {
    if name.contains(['~', '/']) {
        name.replace('~', "~0").replace('/', "~1").into()
    } else {
        name.into()
    }
}
