//! Invented contacts and companies.

use std::collections::BTreeMap;

use base64::Engine as _;
use serde_json::{Value, json};

use super::names::{COMPANIES, PEOPLE, PLACES};
use super::{APP, NOW, TEAMMATES};
use crate::simulator::rng::Rng;

/// How many companies there are, the first one from `first.json` included.
const COMPANY_COUNT: u64 = 44;
/// How many contacts there are, the first one included.
const CONTACT_COUNT: u64 = 160;
const DAY: i64 = 86_400;

/// What other objects need to know about a contact.
#[derive(Debug, Clone, Default)]
pub(super) struct Person {
    pub(super) id: String,
    pub(super) external_id: String,
    pub(super) role: String,
    pub(super) name: String,
    pub(super) email: String,
    pub(super) phone: String,
    pub(super) street: String,
    pub(super) company: String,
}

/// The companies of a workspace, by id.
pub(super) fn companies(rng: &mut Rng, first: Value) -> BTreeMap<String, Value> {
    let mut all = BTreeMap::from([(company_id(0), first)]);
    for n in 1..COMPANY_COUNT {
        let (name, domain, industry) = rng.pick(&COMPANIES);
        let tag = rng.pick(&[("5001", "vip"), ("5003", "legal"), ("5004", "trial")]);
        let segment = rng.pick(&[("seg-1", "Active"), ("seg-2", "Slipping away")]);
        let created = NOW - DAY * (30 + i64::try_from(rng.below(700)).unwrap_or(0));
        let tags = if rng.chance(40) {
            json!([{"type": "tag", "id": tag.0, "name": tag.1}])
        } else {
            json!([])
        };
        let company = json!({
            "type": "company", "company_id": format!("acct-{}", 77 + n), "id": company_id(n), "app_id": APP,
            "name": format!("{name} {n}"), "remote_created_at": created, "created_at": created, "updated_at": created + DAY,
            "last_request_at": created + 20 * DAY, "size": 1 + rng.below(900), "website": format!("https://{domain}.example"),
            "industry": industry, "monthly_spend": rng.below(5000), "session_count": rng.below(2000), "user_count": rng.below(40),
            "tags": {"type": "tag.list", "tags": tags},
            "segments": {"type": "segment.list", "segments": [{"type": "segment", "id": segment.0, "name": segment.1}]},
            "plan": {"type": "plan", "id": "9", "name": rng.pick(&["Team", "Business", "Free"])},
            "custom_attributes": {"billing_contact": format!("accounts@{domain}.example"), "contract_value": rng.below(90_000)},
        });
        all.insert(company_id(n), company);
    }
    all
}

/// The contacts of a workspace, by id.
pub(super) fn contacts(
    rng: &mut Rng,
    first: Value,
    companies: &BTreeMap<String, Value>,
) -> BTreeMap<String, Value> {
    let first_id = super::text_at(&first, "id").to_owned();
    let mut all = BTreeMap::from([(first_id, first)]);
    for n in 1..CONTACT_COUNT {
        let contact = contact(rng, n, companies);
        all.insert(super::text_at(&contact, "id").to_owned(), contact);
    }
    all
}

fn contact(rng: &mut Rng, n: u64, companies: &BTreeMap<String, Value>) -> Value {
    let (given, family, address) = rng.pick(&PEOPLE);
    let place = rng.pick(&PLACES);
    let (label, _) = (rng.pick(&["example.com", "example.org", "mail.test"]), ());
    let company = company_id(rng.below(companies.len() as u64));
    let domain = companies
        .get(&company)
        .map(|company| super::text_at(company, "website").trim_start_matches("https://").to_owned())
        .unwrap_or_default();
    let domain = if rng.chance(50) { domain } else { label.to_owned() };
    let email = format!("{address}{n}@{domain}");
    let phone = format!("{}{:04}", place.4, n);
    let created = NOW
        - DAY * (10 + i64::try_from(rng.below(600)).unwrap_or(0))
        - i64::try_from(n).unwrap_or(0);
    let id = if n % 10 == 9 { uuid_like(rng) } else { contact_id(n) };
    let role = if rng.chance(25) { "lead" } else { "user" };
    let stub = |kind: &str| json!({"type": "list", "data": [], "url": format!("/contacts/{id}/{kind}"), "total_count": 0, "has_more": false});
    let companies = json!({"type": "list", "data": [{"id": company, "type": "company", "url": format!("/companies/{company}")}],
        "url": format!("/contacts/{id}/companies"), "total_count": 1, "has_more": false});
    json!({
        "type": "contact", "id": id, "workspace_id": APP, "external_id": if n % 7 == 3 { email.clone() } else { format!("cust-{}", 1001 + n) },
        "role": role, "email": email, "phone": phone, "name": written_name(given, family), "avatar": avatar(n), "owner_id": rng.pick(&TEAMMATES).id,
        "social_profiles": {"type": "list", "data": []}, "has_hard_bounced": rng.chance(3), "marked_email_as_spam": false,
        "unsubscribed_from_emails": rng.chance(10), "created_at": created, "updated_at": created + 5 * DAY, "signed_up_at": created,
        "last_seen_at": created + 4 * DAY, "last_replied_at": created + 3 * DAY, "last_contacted_at": created + 2 * DAY,
        "last_email_opened_at": null, "last_email_clicked_at": null, "language_override": null,
        "browser": rng.pick(&["firefox", "chrome", "safari"]), "browser_version": "133.0", "browser_language": "en", "os": "Windows 11",
        "location": {"type": "location", "country": place.0, "region": place.1, "city": place.2, "country_code": place.3, "continent_code": "EU"},
        "custom_attributes": custom(rng, n, place.2),
        "tags": stub("tags"), "notes": stub("notes"), "companies": companies,
        "opted_out_subscription_types": stub("subscriptions"), "opted_in_subscription_types": stub("subscriptions"),
        "utm_campaign": null, "utm_content": null, "utm_medium": null, "utm_source": null, "utm_term": null,
        "referrer": if rng.chance(20) { json!(format!("https://shop.example/pricing?email={email}")) } else { Value::Null },
    })
}

fn custom(rng: &mut Rng, n: u64, city: &str) -> Value {
    let mut custom = json!({
        "plan": rng.pick(&["free", "team", "business"]),
        "shipping_address": format!("{} {}, {city}", 1 + rng.below(180), rng.pick(&["Harbour Lane", "Rue de la Paix", "Lindenstraße", "Calle Mayor", "Rua Augusta"])),
        "birth_date": format!("{}-{:02}-{:02}", 1950 + rng.below(55), 1 + rng.below(12), 1 + rng.below(28)),
    });
    if rng.chance(25) {
        super::put(&mut custom, "iban", rng.pick(&super::names::IBANS));
    }
    if rng.chance(6) {
        super::put(&mut custom, "api_token", token(rng, n));
    }
    custom
}

/// What the text of a conversation needs to know about its customer.
pub(super) fn person(contact: &Value, companies: &BTreeMap<String, Value>) -> Person {
    let text = |path: &str| super::text_at(contact, path).to_owned();
    let company = super::at(contact, "companies.data")
        .and_then(Value::as_array)
        .and_then(|list| list.first())
        .map(|stub| super::text_at(stub, "id"));
    Person {
        id: text("id"),
        external_id: text("external_id"),
        role: text("role"),
        name: text("name"),
        email: text("email"),
        phone: text("phone"),
        street: text("custom_attributes.shipping_address"),
        company: company
            .and_then(|id| companies.get(id))
            .map(|company| super::text_at(company, "name").to_owned())
            .unwrap_or_default(),
    }
}

/// Text that looks like an Intercom API token and opens nothing.
pub(super) fn token(rng: &mut Rng, n: u64) -> String {
    base64::engine::general_purpose::STANDARD.encode(format!("tok:{}_example_{n}", rng.hex(16)))
}

fn written_name(given: &str, family: &str) -> String {
    let family_first =
        given.chars().next().is_some_and(|letter| ('\u{3040}'..='\u{d7ff}').contains(&letter));
    if family_first { format!("{family}{given}") } else { format!("{given} {family}") }
}

fn avatar(n: u64) -> Value {
    if n.is_multiple_of(4) {
        json!(format!("https://static.example/avatars/{n}.png"))
    } else {
        Value::Null
    }
}

fn uuid_like(rng: &mut Rng) -> String {
    let hex = rng.hex(32);
    let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default().to_owned();
    format!("{}-{}-4{}-8{}-{}", part(0, 8), part(8, 12), part(13, 16), part(17, 20), part(20, 32))
}

fn contact_id(n: u64) -> String {
    format!("66b0c0de0000000000{:06x}", 0xa01 + n)
}

fn company_id(n: u64) -> String {
    format!("66b0c0de0000000000{:06x}", 0xc01 + n)
}
