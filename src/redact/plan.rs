//! What becomes of the spans that judges saw, by what rules demand.
//!
//! Of all demands on a span the strictest wins. Spans that overlap are edited as one: the strictest
//! way, and among equals the longer span and the surer judge, say how. Text of others that imitates a
//! pseudonym is made not to.

use std::collections::BTreeMap;

use super::edit::{Edit, New};
use super::operator::{mask, stand_in};
use super::payload::Payload;
use crate::domain::{Form, How, Leaf, Redact, Span, pseudonym};

/// What is to be done to a message.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// The edits.
    pub edits: Vec<Edit>,
    /// The kinds that no message may have; if there are any, it is refused.
    pub blocked: Vec<String>,
    /// For each demand, how many of each kind it was done to.
    pub done: Vec<BTreeMap<String, u64>>,
}

/// Somebody who gives out pseudonyms.
pub trait Mint {
    /// The token for a span of a leaf, whose whole value is the third argument in its plain form;
    /// `None` if there can be none, and then the span is masked.
    fn token(&mut self, span: &Span, leaf: &Leaf, value: &str) -> Option<String>;
}

impl<F: FnMut(&Span, &Leaf, &str) -> Option<String>> Mint for F {
    fn token(&mut self, span: &Span, leaf: &Leaf, value: &str) -> Option<String> {
        self(span, leaf, value)
    }
}

/// A span and what is done to it.
struct Meant<'a> {
    span: &'a Span,
    how: How,
    /// The demand that says so.
    demand: usize,
}

/// Plans the edits of a message.
pub fn plan(payload: &Payload, spans: &[Span], demands: &[&Redact], mint: &mut dyn Mint) -> Plan {
    let mut plan = Plan { done: vec![BTreeMap::new(); demands.len()], ..Plan::default() };
    let mut meant: Vec<Meant<'_>> =
        spans.iter().filter_map(|span| self::meant(payload, span, demands)).collect();
    meant.sort_by_key(|one| (one.span.leaf, one.span.bytes.start));
    plan.edits.extend(imitations(payload));
    let mut rest = meant.as_slice();
    while let Some(first) = rest.first() {
        let mut end = first.span.bytes.end;
        let joined = rest.iter().take_while(|one| {
            let joins = one.span.leaf == first.span.leaf
                && (one.span.bytes.start < end || std::ptr::eq(*one, first));
            if joins {
                end = end.max(one.span.bytes.end);
            }
            joins
        });
        let (cluster, others) = rest.split_at(joined.count());
        rest = others;
        plan.cluster(payload, cluster, end, mint);
    }
    plan
}

/// Edits that make what imitates pseudonyms into something else.
fn imitations(payload: &Payload) -> impl Iterator<Item = Edit> {
    let texts = payload.leaves().iter().enumerate();
    texts.filter(|(_, leaf)| leaf.form != Form::Number).flat_map(|(number, leaf)| {
        let places = pseudonym::imitations(&leaf.text).into_iter();
        places.map(move |at| Edit {
            leaf: number,
            bytes: at..at,
            new: New::Text(pseudonym::mark().to_owned()),
        })
    })
}

/// What is meant for a span; `None` if it stays.
fn meant<'a>(payload: &Payload, span: &'a Span, demands: &[&Redact]) -> Option<Meant<'a>> {
    let leaf = payload.leaves().get(span.leaf)?;
    let wants = |demand: &&Redact| {
        demand.is_about(&span.kind)
            && span.confidence >= demand.least
            && (demand.parties.is_empty() || demand.parties.contains(&span.party))
            && demand.is_at(&leaf.path)
    };
    let wanting = demands.iter().enumerate().filter(|(_, demand)| wants(demand));
    // The first of the strictest.
    let (demand, strictest) = wanting.rev().max_by_key(|(_, demand)| demand.how)?;
    (strictest.how > How::Keep).then_some(Meant { span, how: strictest.how, demand })
}

impl Plan {
    /// One edit for spans that overlap.
    fn cluster(
        &mut self,
        payload: &Payload,
        cluster: &[Meant<'_>],
        end: usize,
        mint: &mut dyn Mint,
    ) {
        let rank = |one: &&Meant<'_>| (one.how, one.span.bytes.len(), one.span.confidence);
        let (Some(first), Some(leader)) = (cluster.first(), cluster.iter().rev().max_by_key(rank))
        else {
            return;
        };
        let bytes = first.span.bytes.start..end;
        let Some(leaf) = payload.leaves().get(leader.span.leaf) else { return };
        let kind = &leader.span.kind;
        if let Some(done) = self.done.get_mut(leader.demand) {
            *done.entry(kind.clone()).or_default() += 1;
        }
        let own = leaf.text.get(leader.span.bytes.clone()).unwrap_or_default();
        let value = leader.span.value.as_deref().unwrap_or(own);
        let new = match leader.how {
            How::Block => {
                if !self.blocked.contains(kind) {
                    self.blocked.push(kind.clone());
                }
                mask(kind)
            }
            How::Pseudonym => {
                mint.token(leader.span, leaf, value).map_or_else(|| mask(kind), New::Text)
            }
            how => stand_in(how, kind, own_or(value, leader.span), leaf.form),
        };
        self.edits.push(Edit { leaf: leader.span.leaf, bytes, new });
    }
}

/// Of a part of a value (a first name) the operators must not show the whole.
fn own_or<'a>(value: &'a str, span: &Span) -> &'a str {
    if span.part.is_some() { "" } else { value }
}
