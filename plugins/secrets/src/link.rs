//! Secrets in links: a name and a password before the host, a signature or a token behind `?`, a
//! token in the path of an invitation, the address of a webhook.

use crate::Hit;
use crate::bytes::{before, part, within};
use crate::config::Config;
use crate::measure::{Make, holds, placeholder};

/// A link, taken apart by byte offsets of the text.
struct Link<'t> {
    text: &'t str,
    /// The host, without name, password and port.
    host: &'t str,
    path: usize,
    query: usize,
    end: usize,
}

/// What the name of a parameter says about its value.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sort {
    Signature,
    Secret,
    Perhaps,
    Password,
}

/// Names of parameters, folded and sorted.
const NAMES: &[(&str, Sort)] = &[
    ("access_key", Sort::Secret),
    ("access_token", Sort::Secret),
    ("api-key", Sort::Secret),
    ("api_key", Sort::Secret),
    ("apikey", Sort::Secret),
    ("assertion", Sort::Perhaps),
    ("auth", Sort::Perhaps),
    ("authkey", Sort::Secret),
    ("client_secret", Sort::Secret),
    ("code", Sort::Perhaps),
    ("confirmation", Sort::Perhaps),
    ("hash", Sort::Perhaps),
    ("hmac", Sort::Signature),
    ("id_token", Sort::Secret),
    ("invite", Sort::Perhaps),
    ("jwt", Sort::Secret),
    ("k", Sort::Perhaps),
    ("key", Sort::Perhaps),
    ("magic", Sort::Perhaps),
    ("otp", Sort::Perhaps),
    ("pass", Sort::Password),
    ("passwd", Sort::Password),
    ("password", Sort::Password),
    ("pw", Sort::Password),
    ("pwd", Sort::Password),
    ("refresh_token", Sort::Secret),
    ("samlresponse", Sort::Perhaps),
    ("secret", Sort::Secret),
    ("session", Sort::Perhaps),
    ("session_id", Sort::Perhaps),
    ("sessionid", Sort::Perhaps),
    ("sid", Sort::Perhaps),
    ("sig", Sort::Signature),
    ("sign", Sort::Signature),
    ("signature", Sort::Signature),
    ("st", Sort::Perhaps),
    ("subscription-key", Sort::Secret),
    ("t", Sort::Perhaps),
    ("ticket", Sort::Perhaps),
    ("tk", Sort::Perhaps),
    ("tok", Sort::Perhaps),
    ("token", Sort::Secret),
    ("x-amz-security-token", Sort::Secret),
    ("x-amz-signature", Sort::Signature),
    ("x-goog-signature", Sort::Signature),
    ("x-oss-signature", Sort::Signature),
];

/// Addresses whose path is a secret: the end of the host, and the beginning of the path.
const HOOKS: &[(&str, &str)] = &[
    ("hooks.slack.com", "/services/"),
    ("hooks.slack.com", "/workflows/"),
    ("hooks.slack.com", "/triggers/"),
    ("discord.com", "/api/webhooks/"),
    ("discordapp.com", "/api/webhooks/"),
    ("webhook.office.com", "/webhookb2/"),
    ("hooks.zapier.com", "/hooks/catch/"),
    ("hook.eu1.make.com", "/"),
    ("hook.us1.make.com", "/"),
    ("api.telegram.org", "/bot"),
    ("chat.googleapis.com", "/v1/spaces/"),
    ("outlook.office365.com", "/owa/calendar/"),
    ("calendar.google.com", "/calendar/ical/"),
];

/// Words of a path behind which a token stands.
const DOORS: &[&str] = &[
    "accept",
    "activate",
    "confirm",
    "confirmation",
    "invitation",
    "invitations",
    "invite",
    "invites",
    "login",
    "magic",
    "magic-link",
    "magiclink",
    "passwords",
    "password",
    "password-reset",
    "recover",
    "reset",
    "reset-password",
    "reset_password",
    "sso",
    "token",
    "unlock",
    "verification",
    "verify",
];

/// Hosts of Intercom's own attachments.
const ATTACHMENTS: &[&str] = &[
    "intercomcdn.com",
    "intercom-attachments.com",
    "intercomcdn.eu",
    "intercom-attachments.eu",
    "intercom.io",
];

/// The longest link that is read.
const LONGEST: usize = 8192;

/// Finds the secrets of a link whose host begins at a place. Says where the link ends.
pub(crate) fn scan(text: &str, host: usize, config: &Config, hits: &mut Vec<Hit>) -> usize {
    let rest = within(text, host, LONGEST);
    let close = |c: char| {
        c.is_whitespace()
            || matches!(c, '"' | ')' | '<' | '>' | '`' | '\u{1a}' | '|' | '\\' | '“' | '”')
    };
    let end = host + rest.find(close).unwrap_or(rest.len());
    let end =
        host + part(text, host, end).trim_end_matches(['.', ',', ')', ';', '\'', ']', '!']).len();
    let path = host + part(text, host, end).find(['/', '?', '#']).unwrap_or(end - host);
    let bare = userinfo(text, host, path, end, hits);
    let query = path + part(text, path, end).find(['?', '#']).unwrap_or(end - path);
    let name = part(text, host + bare, path);
    let link = Link { text, host: name.split(':').next().unwrap_or(""), path, query, end };
    parameters(&link, config, hits);
    doors(&link, hits);
    end
}

/// `name:password@`. Says where in the authority the host begins.
fn userinfo(text: &str, host: usize, path: usize, end: usize, hits: &mut Vec<Hit>) -> usize {
    // A password may hold a stroke that was not written as `%2F`; then the last `@` lies behind it.
    let authority = part(text, host, path);
    let (authority, at) = match authority.rfind('@') {
        Some(at) => (authority, at),
        None => {
            let all = part(text, host, end);
            let colon = authority.contains(':')
                && !authority
                    .rsplit(':')
                    .next()
                    .is_some_and(|port| port.bytes().all(|b| b.is_ascii_digit()));
            match all.find('@').filter(|_| colon) {
                Some(at) => (all, at),
                None => return 0,
            }
        }
    };
    if let Some((name, password)) = authority.get(..at).and_then(|info| info.split_once(':')) {
        let start = host + name.len() + 1;
        let stand_in = password.is_empty()
            || password.contains(['*', '{', '[', '$', '('])
            || password.contains('\u{1a}');
        if !stand_in {
            hits.push(Hit::password(start..host + at, 94, "link_user"));
        }
    } else if at >= 16 && Make::of(authority.get(..at).unwrap_or("")).random() {
        hits.push(Hit::secret(host..host + at, 85, "link_user"));
    }
    at + 1
}

/// Behind `?` and `#`.
fn parameters(link: &Link<'_>, config: &Config, hits: &mut Vec<Hit>) {
    let mut place = link.query + 1;
    let own = ATTACHMENTS.iter().any(|host| host_is(link.host, host));
    for pair in part(link.text, place, link.end).split(['&', '#', ';', '?']) {
        if let Some((name, value)) = pair.split_once('=') {
            let start = place + name.len() + 1;
            if let Some(hit) = parameter(name, value, start, own, config) {
                hits.push(hit);
            }
        }
        place += pair.len() + 1;
    }
}

fn parameter(name: &str, value: &str, start: usize, own: bool, config: &Config) -> Option<Hit> {
    let sort = sort(name)?;
    let make = Make::of(value);
    let bytes = start..start + value.len();
    if value.is_empty() || value.contains('\u{1a}') || value.contains(['{', '*', '$']) {
        return None;
    }
    match sort {
        Sort::Signature if own => (config.attachments && value.len() >= 6)
            .then(|| Hit::secret(bytes, 60, "signed_attachment")),
        Sort::Signature => (value.len() >= 16 && !placeholder(value))
            .then(|| Hit::secret(bytes, 92, "signed_link")),
        Sort::Secret => {
            let letters = make.lower + make.upper > 0;
            let fits = value.len() >= 8 && make.digit > 0 && (letters || value.len() >= 10)
                || make.random();
            (fits && !placeholder(value)).then(|| Hit::secret(bytes, 92, "link_token"))
        }
        Sort::Password => (value.len() >= 4).then(|| Hit::password(bytes, 90, "link_token")),
        Sort::Perhaps => (make.random() && value.len() >= 20 && !crate::measure::uuid(value))
            .then(|| Hit::secret(bytes, 75, "link_token")),
    }
}

fn sort(name: &str) -> Option<Sort> {
    if name.len() > 64 {
        return None;
    }
    let mut folded = [0u8; 64];
    for (to, from) in folded.iter_mut().zip(name.bytes()) {
        *to = from.to_ascii_lowercase();
    }
    let name = std::str::from_utf8(folded.get(..name.len())?).ok()?.trim_start_matches("amp;");
    if let Ok(found) = NAMES.binary_search_by(|(known, _)| (*known).cmp(name)) {
        return NAMES.get(found).map(|(_, sort)| *sort);
    }
    let endings = [
        ("token", Sort::Secret),
        ("secret", Sort::Secret),
        ("signature", Sort::Signature),
        ("apikey", Sort::Secret),
        ("api_key", Sort::Secret),
        ("password", Sort::Password),
    ];
    // Tokens of pages open nothing.
    let harmless = name.contains("page")
        || name.contains("csrf")
        || name.contains("next")
        || name.contains("continuation");
    endings.iter().find(|(ending, _)| name.ends_with(ending) && !harmless).map(|(_, sort)| *sort)
}

/// Behind certain words of the path, and the paths of webhooks.
fn doors(link: &Link<'_>, hits: &mut Vec<Hit>) {
    let path = part(link.text, link.path, link.query);
    for (host, beginning) in HOOKS {
        if host_is(link.host, host)
            && path.starts_with(beginning)
            && path.len() > beginning.len() + 8
        {
            hits.push(Hit::secret(link.path + beginning.len()..link.query, 93, "webhook"));
            return;
        }
    }
    let mut place = link.path;
    let mut door = false;
    for name in path.split('/') {
        let make = Make::of(name);
        let object_id = make.hex && make.length == 24;
        if door
            && name.len() >= 20
            && make.random()
            && !object_id
            && !crate::measure::uuid(name)
            && !name.contains('.')
        {
            hits.push(Hit::secret(place..place + name.len(), 78, "link_token"));
        }
        door = DOORS.iter().any(|known| known.eq_ignore_ascii_case(name));
        place += name.len() + 1;
    }
}

/// Whether a host is another, or below it.
fn host_is(host: &str, domain: &str) -> bool {
    host.len() >= domain.len()
        && holds(host.get(host.len() - domain.len()..).unwrap_or(""), domain)
        && { host.len() == domain.len() || before(host, host.len() - domain.len()) == b'.' }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_are_sorted() {
        assert!(NAMES.is_sorted_by_key(|(name, _)| name));
    }

    #[test]
    fn a_host_is_compared_from_its_end() {
        assert!(host_is("downloads.intercomcdn.com", "intercomcdn.com"));
        assert!(host_is("intercomcdn.com", "intercomcdn.com"));
        assert!(!host_is("evilintercomcdn.com", "intercomcdn.com"));
    }
}
