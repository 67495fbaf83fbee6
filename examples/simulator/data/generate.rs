//! A workspace from a seed: its conversations and articles, and the order in which everything is drawn.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::names::{CARDS, IBANS};
use super::people::{self, Person};
use super::text::{ARTICLES, INJECTIONS, LANGUAGES, Language, NOTES, PASTED, fill};
use super::{APP, FIN, ME, NOW, TEAMMATES, Teammate, World};
use crate::simulator::rng::Rng;

/// How many conversations there are, the first one from `first.json` included.
const CONVERSATION_COUNT: u64 = 320;
/// How many articles there are, the first one included.
const ARTICLE_COUNT: u64 = 64;
const FIRST_CONVERSATION: u64 = 215_470_000_000_101;
const FIRST_ARTICLE: u64 = 9_100_001;

/// Draws the whole workspace.
pub(super) fn world(seed: u64) -> World {
    let mut rng = Rng::new(seed, 0x0da7a);
    let mut first: BTreeMap<String, Value> =
        serde_json::from_str(include_str!("first.json")).unwrap_or_default();
    let mut take = |name: &str| first.remove(name).unwrap_or_default();
    let companies = people::companies(&mut rng, take("company"));
    let contacts = people::contacts(&mut rng, take("contact"), &companies);
    let persons: Vec<Person> =
        contacts.values().map(|contact| people::person(contact, &companies)).collect();
    let mut conversations = BTreeMap::from([(FIRST_CONVERSATION, take("conversation"))]);
    for n in 1..CONVERSATION_COUNT {
        let person = persons
            .get(usize::try_from(rng.below(persons.len() as u64)).unwrap_or(0))
            .cloned()
            .unwrap_or_default();
        conversations
            .insert(FIRST_CONVERSATION + n, Thread::new(&mut rng, n, &person).conversation());
    }
    let mut articles = BTreeMap::from([(FIRST_ARTICLE, take("article"))]);
    for n in 1..ARTICLE_COUNT {
        let person = persons
            .get(usize::try_from(rng.below(persons.len() as u64)).unwrap_or(0))
            .cloned()
            .unwrap_or_default();
        articles.insert(FIRST_ARTICLE + n, article(&mut rng, n, &person));
    }
    World { conversations, contacts, companies, articles, clock: NOW, revision: 0 }
}

/// One conversation while it is drawn.
struct Thread<'a> {
    rng: &'a mut Rng,
    n: u64,
    person: &'a Person,
    language: Language,
    order: String,
    assignee: Option<Teammate>,
    created: i64,
    clock: i64,
    parts: Vec<Value>,
}

impl<'a> Thread<'a> {
    fn new(rng: &'a mut Rng, n: u64, person: &'a Person) -> Thread<'a> {
        let created = NOW - i64::try_from(rng.below(300 * 86_400)).unwrap_or(0) - 86_400;
        let assignee = rng.chance(80).then(|| rng.pick(&TEAMMATES));
        let order = (10_000 + rng.below(89_999)).to_string();
        let language = rng.pick(&LANGUAGES);
        Thread {
            rng,
            n,
            person,
            language,
            order,
            assignee,
            created,
            clock: created,
            parts: Vec::new(),
        }
    }

    fn conversation(mut self) -> Value {
        let subjects = self.language.subjects;
        let openings = self.language.openings;
        let subject = self.write(subjects);
        let mut body = self.write(openings);
        if self.n % 23 == 11 {
            body.push_str(&self.write(&[PASTED]));
        }
        let ai = self.rng.chance(55);
        self.thread(ai);
        let state = self.rng.pick(&["open", "open", "closed", "closed", "snoozed"]);
        if state != "open" {
            self.part(
                if state == "closed" { "close" } else { "snoozed" },
                None,
                self.staff(),
                None,
            );
        }
        self.object(&subject, &body, state, ai)
    }

    /// The messages after the first.
    fn thread(&mut self, ai: bool) {
        let (answers, follow_ups) = (self.language.answers, self.language.follow_ups);
        if ai {
            let answer = self.write(answers);
            self.part("comment", Some(answer), bot(true), None);
        }
        if let Some(teammate) = self.assignee {
            self.part(
                "assignment",
                None,
                bot(false),
                Some(json!({"type": "admin", "id": teammate.id.to_string()})),
            );
        }
        for _ in 0..self.rng.below(4) {
            let answer = self.write(answers);
            let staff = self.staff();
            self.part("comment", Some(answer), staff, None);
            let reply = self.write(follow_ups);
            let customer = self.customer();
            self.part("comment", Some(reply), customer, None);
        }
        if self.n % 17 == 5 {
            let injection = self.write(INJECTIONS);
            let customer = self.customer();
            self.part("comment", Some(injection), customer, None);
        }
        if self.rng.chance(45) {
            let note = self.write(NOTES);
            let staff = self.staff();
            let kind = self.rng.pick(&["note", "note", "note", "note_and_reopen"]);
            self.part(kind, Some(note), staff, None);
        }
    }

    fn part(
        &mut self,
        kind: &str,
        body: Option<String>,
        author: Value,
        assigned_to: Option<Value>,
    ) {
        self.clock += 60 + i64::try_from(self.rng.below(7200)).unwrap_or(0);
        let attachments = if body.is_some() && self.rng.chance(8) {
            json!([self.attachment()])
        } else {
            json!([])
        };
        let id = self.n * 100 + self.parts.len() as u64 + 1;
        self.parts.push(part(id, kind, body, self.clock, author, assigned_to, attachments));
    }

    fn object(mut self, subject: &str, body: &str, state: &str, ai: bool) -> Value {
        let id = FIRST_CONVERSATION + self.n;
        let tags = self.tags();
        let team = if self.rng.chance(85) {
            json!((7_770_001 + self.rng.below(4)).to_string())
        } else {
            Value::Null
        };
        let source = self.source(subject, body);
        let ticket = if self.n % 40 == 39 {
            json!({"type": "ticket", "id": id.to_string(), "ticket_id": self.n.to_string(), "ticket_attributes": {"_default_title_": subject}})
        } else {
            Value::Null
        };
        let statistics = self.statistics(state);
        let ai_agent = if ai { self.ai_agent() } else { Value::Null };
        let rating = if self.rng.chance(12) {
            json!({"rating": 1 + self.rng.below(5), "remark": format!("{} was fine, thanks. {}", self.person.name, self.person.email), "created_at": self.clock, "contact": {"type": "contact", "id": self.person.id}, "teammate": {"type": "admin", "id": ME.to_string()}})
        } else {
            Value::Null
        };
        let teammates: Vec<Value> = self
            .assignee
            .iter()
            .map(|mate| json!({"type": "admin", "id": mate.id.to_string()}))
            .collect();
        json!({
            "type": "conversation", "id": id.to_string(), "created_at": self.created, "updated_at": self.clock, "waiting_since": if state == "open" { json!(self.clock) } else { Value::Null },
            "snoozed_until": if state == "snoozed" { json!(NOW + 86_400) } else { Value::Null },
            "source": source,
            "contacts": {"type": "contact.list", "contacts": [{"type": "contact", "id": self.person.id, "external_id": self.person.external_id}]},
            "first_contact_reply": {"created_at": self.created, "type": "conversation", "url": null},
            "admin_assignee_id": self.assignee.map(|mate| mate.id), "team_assignee_id": team,
            "open": state == "open", "state": state, "read": self.rng.chance(70), "tags": {"type": "tag.list", "tags": tags},
            "priority": if self.rng.chance(15) { "priority" } else { "not_priority" }, "sla_applied": null, "statistics": statistics,
            "conversation_rating": rating, "teammates": {"type": "admin.list", "teammates": teammates}, "title": null,
            "custom_attributes": {"AI Title": format!("{subject} ({})", self.person.name), "Language": self.language.name, "Has attachments": self.rng.chance(10), "CX Score explanation": format!("{} waited long for an answer", self.person.name)},
            "topics": {}, "ticket": ticket, "linked_objects": {"type": "list", "data": [], "total_count": 0, "has_more": false},
            "ai_agent": ai_agent, "ai_agent_participated": ai,
            "conversation_parts": {"type": "conversation_part.list", "total_count": self.parts.len(), "conversation_parts": self.parts},
        })
    }

    fn source(&mut self, subject: &str, body: &str) -> Value {
        let kind = self.rng.pick(&[
            "conversation",
            "conversation",
            "conversation",
            "email",
            "email",
            "email",
            "whatsapp",
            "facebook",
            "instagram",
            "twitter",
            "sms",
            "phone_call",
            "push",
        ]);
        let attachments = if self.rng.chance(12) { json!([self.attachment()]) } else { json!([]) };
        json!({
            "type": kind, "id": (403_918_330 + self.n).to_string(), "delivered_as": self.rng.pick(&["customer_initiated", "customer_initiated", "automated", "admin_initiated"]),
            "subject": if kind == "email" { json!(format!("<p>{subject}</p>")) } else { json!("") }, "body": body, "author": self.customer(), "attachments": attachments,
            "url": if kind == "conversation" { json!(format!("https://shop.example/help?user={}", self.person.external_id)) } else { Value::Null }, "redacted": false,
        })
    }

    fn statistics(&mut self, state: &str) -> Value {
        let assignment = self.assignee.map(|_| 30 + self.rng.below(900));
        let reply = self.assignee.map(|_| 60 + self.rng.below(20_000));
        let close = (state == "closed").then(|| 3600 + self.rng.below(200_000));
        json!({
            "type": "conversation_statistics", "time_to_assignment": assignment, "time_to_admin_reply": reply, "time_to_first_close": close, "time_to_last_close": close,
            "median_time_to_reply": reply, "first_contact_reply_at": self.created, "first_assignment_at": null, "first_admin_reply_at": null, "first_close_at": null,
            "last_assignment_at": null, "last_assignment_admin_reply_at": null, "last_contact_reply_at": self.clock, "last_admin_reply_at": null, "last_close_at": null,
            "last_closed_by_id": null, "count_reopens": 0, "count_assignments": u8::from(self.assignee.is_some()), "count_conversation_parts": self.parts.len(),
        })
    }

    fn ai_agent(&mut self) -> Value {
        let state = self.rng.pick(&[
            "assumed_resolution",
            "confirmed_resolution",
            "routed_to_team",
            "abandoned",
        ]);
        json!({
            "source_type": "workflow", "source_title": "Intake", "last_answer_type": "ai_answer", "resolution_state": state, "rating": null, "rating_remark": null, "created_at": null, "updated_at": null,
            "content_sources": {"type": "content_source.list", "total_count": 1, "content_sources": [{"content_type": "article", "url": format!("https://app.intercom.com/a/apps/{APP}/articles/1"), "title": "Refund policy", "locale": self.language.code}]},
        })
    }

    fn tags(&mut self) -> Vec<Value> {
        let known = [
            ("5001", "vip"),
            ("5002", "billing"),
            ("5003", "legal"),
            ("5005", "bug"),
            ("5006", "gdpr"),
            ("5007", "hr-complaint"),
        ];
        let (id, name) = if self.n % 12 == 4 { ("5003", "legal") } else { self.rng.pick(&known) };
        let one = json!({"type": "tag", "id": id, "name": name, "applied_at": self.created + 100, "applied_by": {"type": "admin", "id": ME.to_string()}});
        if self.n % 12 == 4 || self.rng.chance(50) { vec![one] } else { Vec::new() }
    }

    fn attachment(&mut self) -> Value {
        let file = self.person.email.split('@').next().unwrap_or_default().replace('.', "_");
        let signature = self.rng.hex(40);
        json!({
            "type": "upload", "name": format!("invoice_{file}.pdf"), "url": format!("https://downloads.files.example/i/o/{APP}/{}/invoice_{file}.pdf?expires={}&signature={signature}", self.n, self.created + 1800),
            "content_type": "application/pdf", "filesize": 1024 + self.rng.below(90_000), "width": null, "height": null,
        })
    }

    fn write(&mut self, templates: &[&str]) -> String {
        let template = self.rng.pick(templates);
        let token = if template.contains("{token}") {
            people::token(self.rng, self.n)
        } else {
            String::new()
        };
        let (card, iban) = (self.rng.pick(&CARDS), self.rng.pick(&IBANS));
        let person = self.person;
        fill(
            template,
            &[
                ("order", &self.order),
                ("name", &person.name),
                ("email", &person.email),
                ("phone", &person.phone),
                ("street", &person.street),
                ("company", &person.company),
                ("card", card),
                ("iban", iban),
                ("token", &token),
            ],
        )
    }

    fn customer(&self) -> Value {
        json!({"type": self.person.role, "id": self.person.id, "name": self.person.name, "email": self.person.email})
    }

    fn staff(&self) -> Value {
        admin(
            self.assignee
                .unwrap_or(Teammate { id: ME, ..TEAMMATES.first().copied().unwrap_or_default() }),
        )
    }
}

/// One part of a thread.
pub(in crate::simulator) fn part(
    id: u64,
    kind: &str,
    body: Option<String>,
    at: i64,
    author: Value,
    assigned_to: Option<Value>,
    attachments: Value,
) -> Value {
    json!({
        "type": "conversation_part", "id": id.to_string(), "part_type": kind, "body": body, "created_at": at, "updated_at": at, "notified_at": at, "assigned_to": assigned_to, "author": author,
        "attachments": attachments, "external_id": null, "redacted": false, "metadata": {}, "email_message_metadata": null, "state": "open", "tags": [], "event_details": null, "app_package_code": null,
    })
}

/// A teammate as the author of a part.
pub(in crate::simulator) fn admin(mate: Teammate) -> Value {
    json!({"type": "admin", "id": mate.id.to_string(), "name": mate.name, "email": mate.email, "from_ai_agent": false, "is_ai_answer": false})
}

fn bot(answer: bool) -> Value {
    json!({"type": "bot", "id": FIN.to_string(), "name": "Fin", "email": "operator+wstest01@intercom.io", "from_ai_agent": answer, "is_ai_answer": answer})
}

fn article(rng: &mut Rng, n: u64, person: &Person) -> Value {
    let id = FIRST_ARTICLE + n;
    let (title, description, body) = ARTICLES
        .get(usize::try_from(n % ARTICLES.len() as u64).unwrap_or(0))
        .copied()
        .unwrap_or_default();
    let body = fill(body, &[("company", &person.company), ("email", &person.email)]);
    let title = format!("{title} ({n})");
    let state = if title.contains("draft") || rng.chance(20) { "draft" } else { "published" };
    let at =
        NOW - 86_400 * i64::try_from(rng.below(500)).unwrap_or(0) - i64::try_from(n).unwrap_or(0);
    let author = rng.pick(&TEAMMATES).id;
    let url = if state == "published" {
        json!(format!("https://help.example/en/articles/{id}"))
    } else {
        Value::Null
    };
    let parent = 140 + rng.below(12);
    let german = json!({"type": "article_content", "title": format!("[de] {title}"), "description": description, "body": body, "author_id": author, "state": state, "created_at": at, "updated_at": at, "url": url});
    json!({
        "id": id.to_string(), "type": "article", "workspace_id": APP, "parent_id": parent, "parent_type": "collection", "parent_ids": [parent], "help_center_id": 1 + n % 2,
        "statistics": {"type": "article_statistics", "views": rng.below(900), "conversations": rng.below(20), "reactions": 0, "happy_reaction_percentage": 0, "neutral_reaction_percentage": 0, "sad_reaction_percentage": 0},
        "tags": {"type": "tag.list", "tags": []}, "title": title, "description": description, "body": body, "author_id": author, "state": state, "created_at": at, "updated_at": at, "url": url,
        "default_locale": "en", "translated_content": {"type": "article_translated_content", "de": german},
    })
}
