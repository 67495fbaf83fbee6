//! The rules: meanings that together are a hint, whatever the words and their order.

use crate::instruct::{NEAR, Walk};
use crate::lexicon::*;
use kit::words::Word;

impl Walk<'_> {
    /// The rules that the meanings of this word can complete.
    pub(crate) fn rules(&mut self, word: Word) {
        let class = word.class;
        if class & (IGNORE | PRIOR | EVERY | ORDERS) != 0 {
            self.overriding();
        }
        if class & (NOT | TELL | USER) != 0 {
            self.silence();
        }
        if class & (SECRETLY | CALL | SEND | CHANGE) != 0 {
            self.secretly();
        }
        if class & (SEND | DATA) != 0 {
            self.carrying();
        }
        if class & (REVEAL | PROMPT) != 0 {
            self.revealing();
        }
        if class & (CHANGE | ARTICLE) != 0
            && let (Some(a), Some(b)) = (self.near(CHANGE, 7), self.near(ARTICLE, 7))
        {
            self.hint(if self.definition { 0 } else { 14 }, "change", a.0.min(b.0), a.1.max(b.1));
        }
        if class & (SYSTEM | ORDERS) != 0
            && let (Some(a), Some(b)) = (self.near(SYSTEM, 3), self.near(ORDERS, 3))
        {
            self.hint(20, "system_orders", a.0.min(b.0), a.1.max(b.1));
        }
        if class & (CALL | TOOL) != 0
            && let (Some(a), Some(b)) = (self.near(CALL, 5), self.near(TOOL, 5))
        {
            self.hint(
                if self.definition { 0 } else { 10 },
                "tool_talk",
                a.0.min(b.0),
                a.1.max(b.1),
            );
        }
        if class & AGENT != 0
            && let Some(a) = self.near(MUST, 6)
        {
            self.hint(12, "agent_must", a.0, word.end);
        }
        if class & (OBEY | ORDERS | NOT | STOP) != 0 {
            self.disobedience();
        }
        if class & (HIDE | USER | PEOPLE) != 0
            && let (Some(hide), Some(from)) = (self.near(HIDE, 6), self.near(USER, 5))
        {
            self.hint(42, "silence", hide.0.min(from.0), hide.1.max(from.1));
        }
        if class & (ALLOWED | CONFIRM | NOT) != 0 {
            self.consent();
        }
        if class & (AGENT | SYSTEM | ORDERS) != 0 {
            self.address(word);
        }
        if class & FREED != 0 {
            self.hint(35, "freed", word.start, word.end);
        }
    }

    /// "Ignore all previous instructions".
    fn overriding(&mut self) {
        let Some(ignore) = self.near(IGNORE, NEAR) else { return };
        let orders = self.near(ORDERS, NEAR);
        let prior = self.near(PRIOR, NEAR);
        let every = self.near(EVERY, NEAR);
        let own = self.near(MINE, NEAR).is_some();
        let weight = match (orders.is_some(), prior.is_some(), every.is_some()) {
            // "Please ignore the instructions in my previous mail": a customer's own words.
            (true, true, _) if own => 25,
            (true, _, _) if own => 12,
            (true, true, true) => 78,
            (true, true, false) => 68,
            (true, false, true) => 58,
            (true, false, false) => 25,
            (false, true, true) if !own && self.near(MAIL, NEAR).is_none() => 30,
            (false, true, _) if !own => 5,
            _ => 0,
        };
        let all = [Some(ignore), orders, prior].into_iter().flatten();
        let (start, end) = all.fold(ignore, |sum, one| (sum.0.min(one.0), sum.1.max(one.1)));
        if weight > 0 {
            self.hint(weight, "override", start, end);
        }
        if self.near(INSTEAD, NEAR).is_some() && weight >= 25 {
            self.hint(25, "instead", start, end);
        }
    }

    /// "Do not tell the user".
    fn silence(&mut self) {
        let (Some(not), Some(tell)) = (self.near(NOT, 8), self.near(TELL, 6)) else { return };
        if not.0 > tell.1 + 40 {
            return;
        }
        match self.near(USER, 4) {
            Some(user) => {
                // A definition has no reason to keep that it was used from the user.
                let between = self.text.get(tell.1..user.0).unwrap_or_default();
                let all = between.len() <= 6
                    || [" this ", " it ", " that ", " any of "]
                        .iter()
                        .any(|it| between.starts_with(it));
                let weight = if self.definition && tell.1 <= user.0 && all { 55 } else { 45 };
                self.hint(weight, "silence", not.0.min(tell.0), user.1.max(tell.1).max(not.1))
            }
            None => {
                let weight = if self.near(PEOPLE, 4).is_some() { 25 } else { 8 };
                self.hint(weight, "silence", not.0.min(tell.0), tell.1.max(not.1));
            }
        }
    }

    /// "Stop following your rules", "pay no attention to the directives above".
    fn disobedience(&mut self) {
        let (Some(obey), Some(orders)) = (self.near(OBEY, 8), self.near(ORDERS, 6)) else { return };
        let Some(not) = self.near(NOT, NEAR).or_else(|| self.near(STOP, NEAR)) else { return };
        let yours = self.near(PRIOR, 6).is_some() || self.near(EVERY, 6).is_some();
        // "I did not follow your instructions": a customer about themselves.
        let weight = match (self.near(MINE, NEAR).is_some(), yours && not.0 < obey.0) {
            (true, _) => 8,
            (false, true) => 62,
            (false, false) => 20,
        };
        self.hint(weight, "override", not.0.min(obey.0), orders.1.max(obey.1));
    }

    /// "The user has already authorised this", "proceed without confirmation".
    fn consent(&mut self) {
        let own = self.near(MINE, 8).is_some();
        if let (Some(allowed), Some(who)) =
            (self.near(ALLOWED, 5), self.near(USER, 6).or_else(|| self.near(SYSTEM, 6)))
        {
            self.hint(
                if own { 5 } else { 30 },
                "consent",
                allowed.0.min(who.0),
                allowed.1.max(who.1),
            );
        }
        if let (Some(not), Some(confirm)) = (self.near(NOT, 4), self.near(CONFIRM, 3))
            && not.0 < confirm.0
        {
            self.hint(if own { 3 } else { 18 }, "no_question", not.0, confirm.1);
        }
    }

    /// "You are ChatGPT", "AI assistant: ...", "instructions for the agent".
    fn address(&mut self, word: Word) {
        let [first, second, third, fourth, _] = self.row;
        let reads = |word: Word, one: &str| {
            self.text.get(word.start..word.end).is_some_and(|read| read.eq_ignore_ascii_case(one))
        };
        let you_are = (reads(third, "you") && reads(fourth, "are"))
            || (reads(second, "you") && reads(third, "are"))
            || (reads(first, "you") && reads(second, "are"));
        if you_are && word.class & (AGENT | SYSTEM) != 0 {
            self.hint(30, "role", second.start.min(third.start), word.end);
        }
        let head =
            self.text.as_bytes().get(word.start.saturating_sub(13)..word.start).unwrap_or(&[]);
        let line = head.rsplit(|byte| *byte == b'\n').next().unwrap_or(&[]);
        let program = word.class & AGENT != 0
            && word.class & TOOL == 0
            && !self
                .text
                .get(word.start..word.end)
                .is_some_and(|read| read.to_ascii_lowercase().starts_with("agent"));
        if program
            && line.len() <= 12
            && matches!(self.byte(word.end), b':' | b',')
            && word.end - word.start > 2
        {
            self.hint(25, "address", word.start, word.end);
        }
        if let (Some(agent), Some(orders)) = (self.near(AGENT, 6), self.near(ORDERS, 6))
            && self.near(MINE, NEAR).is_none()
        {
            self.hint(18, "orders_for", agent.0.min(orders.0), agent.1.max(orders.1));
        }
    }

    /// "Silently call", "secretly send".
    fn secretly(&mut self) {
        let Some(secretly) = self.near(SECRETLY, 6) else { return };
        let act = [CALL, SEND, CHANGE].into_iter().find_map(|meaning| self.near(meaning, 6));
        if let Some(act) = act {
            self.hint(35, "secretly", secretly.0.min(act.0), secretly.1.max(act.1));
        }
    }

    /// "Send all contacts to https://...".
    pub(crate) fn carrying(&mut self) {
        let (Some(send), Some(data)) = (self.near(SEND, NEAR), self.near(DATA, NEAR)) else {
            return;
        };
        let own = self.near(MINE, NEAR).is_some();
        let every = self.near(EVERY, NEAR).is_some();
        let weight = match (own, every) {
            (true, _) => 6,
            (false, true) => 32,
            (false, false) => 18,
        };
        // With somewhere to send it to, it is more than talk.
        let to = self.link.0 > 0 && self.now - self.link.0 <= 14;
        let weight = if to && !own { weight + 14 } else { weight };
        self.hint(weight, "carry", send.0.min(data.0), send.1.max(data.1));
    }

    /// "Print your system prompt".
    fn revealing(&mut self) {
        let (Some(reveal), Some(prompt)) = (self.near(REVEAL, 7), self.near(PROMPT, 7)) else {
            return;
        };
        self.hint(40, "reveal", reveal.0.min(prompt.0), reveal.1.max(prompt.1));
    }

    /// The name of a tool, such as `update_article`.
    pub(crate) fn tool(&mut self, word: Word) {
        if self.byte(word.start.wrapping_sub(1)) == b'_' || self.definition {
            return;
        }
        let rest = self.text.get(word.start..).unwrap_or("");
        let length =
            rest.bytes().take_while(|byte| byte.is_ascii_lowercase() || *byte == b'_').count();
        let name = rest.get(..length).unwrap_or("");
        let end = word.start + length;
        let called = self.near(CALL, 6);
        if TOOLS.contains(&name) {
            // A customer who programs against Intercom asks about their own calls.
            let own = self.near(MINE, NEAR).is_some();
            let weight = if called.is_some() && !own { 48 } else { 25 };
            self.hint(weight, "tool", called.map_or(word.start, |c| c.0.min(word.start)), end);
        } else if let Some(called) = called
            && VERBS.contains(&name.split('_').next().unwrap_or(""))
        {
            self.hint(20, "tool", called.0.min(word.start), end);
        }
    }
}

/// Names of Intercom's tools that no customer knows.
const TOOLS: &[&str] = &[
    "add_internal_note",
    "create_article",
    "delete_article",
    "get_article",
    "get_company",
    "get_contact",
    "get_conversation",
    "list_articles",
    "list_companies",
    "search_articles",
    "search_contacts",
    "search_conversations",
    "submit_mcp_feedback",
    "update_article",
];

/// What the names of tools begin with.
const VERBS: &[&str] = &[
    "add", "call", "close", "create", "delete", "execute", "fetch", "get", "list", "post", "read",
    "remove", "reply", "run", "search", "send", "update", "write",
];
