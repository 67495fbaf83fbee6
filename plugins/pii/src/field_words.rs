//! The words of fields' names.

/// Fields of Intercom that hold ids, states, times and settings: sorted.
#[rustfmt::skip]
pub(crate) const NOT_SCANNED: &[&str] = &[
    "admin_assignee_id", "app_id", "app_package_code", "browser", "browser_language",
    "browser_version", "category", "company_id", "content_type", "continent_code", "country",
    "country_code", "created_at", "default_locale", "delivered_as", "direction", "field",
    "filesize", "id", "industry", "internal_label", "language", "language_override", "locale",
    "message_id", "object", "operator", "os", "parent_type", "part_type", "priority", "rating",
    "region", "role", "sla_status", "state", "status", "team_assignee_id", "ticket_id",
    "timezone", "type", "utm_campaign", "utm_content", "utm_medium", "utm_source", "utm_term",
    "workspace_id",
];

/// Last words of a name that make it something about the thing, and not the thing. Sorted.
#[rustfmt::skip]
pub(crate) const ABOUT: &[&str] = &[
    "active", "allowed", "at", "attempts", "bounced", "brand", "campaign", "category", "changed",
    "channel", "class", "clicked", "code", "complete", "confirmed", "consent", "count", "country",
    "currency", "date", "domain", "enabled", "expired", "expires", "flag", "format", "frequency",
    "group", "hash", "id", "ids", "in", "index", "kind", "label", "lang", "language", "length",
    "level", "limit", "locale", "method", "mode", "model", "notification", "notifications",
    "opened", "opt", "optin", "optout", "out", "plan", "policy", "preference", "preferences",
    "prefix", "present", "priority", "provider", "quality", "reminder", "reminders", "required",
    "role", "score", "sent", "set", "setting", "settings", "size", "source", "stage", "state",
    "status", "strength", "subject", "subscribed", "subscription", "suffix", "support",
    "supported", "template", "tier", "time", "total", "ts", "type", "uri", "url", "valid",
    "validated", "verified", "version", "visible",
];

/// First words that ask yes or no, or count.
#[rustfmt::skip]
pub(crate) const ASKS: &[&str] = &[
    "allow", "can", "count", "enable", "has", "is", "num", "show", "total", "use",
];

/// Words for a name: alone they may be anything's.
#[rustfmt::skip]
pub(crate) const NAMES: &[&str] = &[
    "imie", "naam", "name", "namen", "namn", "navn", "nazev", "nev", "nimi", "nom", "nombre",
    "nome",
];

/// Words for a person's name, or for what makes a name a person's.
#[rustfmt::skip]
pub(crate) const OF_PERSON: &[&str] = &[
    "achternaam", "alumno", "ansprechpartner", "ansprechpartnerin", "apellido", "apellidos",
    "attendee", "billing", "child", "coach", "cognome", "complet", "completa", "completo",
    "contact", "contacto", "contatto", "customer", "display", "efternamn", "efternavn", "eleve",
    "enfant", "etternavn", "etunimi", "family", "first", "firstname", "forename", "fornamn",
    "fornavn", "full", "fullname", "gast", "given", "guest", "hija", "hijo", "huesped", "imie",
    "inhaber", "invite", "jmeno", "keresztnev", "kin", "kind", "kindes", "kontaktperson",
    "kundenname", "last", "lastname", "legal", "maiden", "member", "middle", "mitglied",
    "nachname", "nazwisko", "nickname", "participant", "passenger", "person", "persona",
    "persoon", "preferred", "prenom", "prijmeni", "pupil", "real", "recipient", "rep",
    "responsabile", "responsable", "rufname", "shipping", "signer", "sobrenome", "student",
    "sukunimi", "surname", "teacher", "teilnehmer", "titulaire", "titular", "traveler",
    "traveller", "tutor", "verantwortlicher", "vezeteknev", "voornaam", "vorname",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lists_are_sorted() {
        for list in [NOT_SCANNED, ABOUT, ASKS, NAMES, OF_PERSON] {
            assert!(list.is_sorted(), "{list:?}");
        }
    }
}
