//! What stands in the place of a span: the operators that need nothing but the span.

use super::edit::New;
use crate::domain::{Form, How};

/// Digits of which the last four may be shown.
const ENOUGH: usize = 8;

/// What a span becomes. `value` is what it says in its plain form. Not for pseudonyms, which are
/// given out elsewhere, nor for what blocks.
pub(super) fn stand_in(how: How, kind: &str, value: &str, form: Form) -> New {
    match how {
        How::Partial => partial(kind, value).map_or_else(|| mask(kind), New::Text),
        How::Generalise => generalise(kind, value, form).unwrap_or_else(|| mask(kind)),
        How::Drop if form != Form::Key => New::Empty,
        How::Keep | How::Pseudonym | How::Mask | How::Drop | How::Block => mask(kind),
    }
}

/// The name of the kind, in brackets.
pub(super) fn mask(kind: &str) -> New {
    New::Text(format!("[{kind}]"))
}

/// Enough for somebody who knows the value to recognise it.
fn partial(kind: &str, value: &str) -> Option<String> {
    if kind == "email" {
        let (name, domain) = value.rsplit_once('@')?;
        let is_domain = |byte: u8| byte.is_ascii_alphanumeric() || b".-".contains(&byte);
        let first = name.chars().next().filter(char::is_ascii_alphanumeric)?;
        return (!domain.is_empty() && domain.bytes().all(is_domain))
            .then(|| format!("{first}***@{domain}"));
    }
    let last: Vec<char> = value.chars().filter(char::is_ascii_alphanumeric).collect();
    let is_number = last.iter().filter(|letter| letter.is_ascii_digit()).count() * 2 >= last.len();
    if last.len() < ENOUGH || !is_number {
        return None;
    }
    Some(format!("***{}", last.get(last.len() - 4..)?.iter().collect::<String>()))
}

/// Something less exact.
fn generalise(kind: &str, value: &str, form: Form) -> Option<New> {
    if form == Form::Number {
        return rounded(value).map(New::Number);
    }
    let text = match kind {
        "birth_date" | "date" => year(value)?,
        "address" => country(value)?,
        "ip" => network(value)?,
        "email" => format!("[email]@{}", value.rsplit_once('@')?.1),
        "phone" => format!("[phone +{}]", calling_code(value)?),
        "geo" => degrees(value)?,
        _ => return range(value).map(New::Text),
    };
    let is_plain = |letter: char| {
        letter.is_alphanumeric() || letter.is_ascii_whitespace() || "[]@.+-x:,".contains(letter)
    };
    text.chars().all(is_plain).then_some(New::Text(text))
}

/// The first year that a date names.
fn year(value: &str) -> Option<String> {
    let mut groups = value.split(|letter: char| !letter.is_ascii_digit());
    let is_year =
        |group: &&str| group.len() == 4 && (group.starts_with("19") || group.starts_with("20"));
    groups.find(is_year).map(str::to_owned)
}

/// The last part of an address, if it reads like the name of a country: words without digits.
fn country(value: &str) -> Option<String> {
    let (_, last) = value.rsplit_once([',', '\n'])?;
    let last = last.trim().trim_end_matches('.');
    let is_name = (2..=40).contains(&last.len())
        && last.chars().all(|letter| letter.is_alphabetic() || letter == ' ')
        && COUNTRIES.binary_search(&&*last.to_lowercase()).is_ok();
    is_name.then(|| last.to_owned())
}

/// The first half of an address of the fourth version.
fn network(value: &str) -> Option<String> {
    let ip: std::net::Ipv4Addr = value.trim().parse().ok()?;
    let [first, second, ..] = ip.octets();
    Some(format!("{first}.{second}.x.x"))
}

/// The calling code of a number that says it: the first digits, as many as can be told.
fn calling_code(value: &str) -> Option<String> {
    let digits = value.trim().strip_prefix('+').or_else(|| value.trim().strip_prefix("00"))?;
    let digits: String = digits.chars().filter(char::is_ascii_digit).take(2).collect();
    match digits.as_bytes() {
        [b'1' | b'7', ..] => digits.get(..1).map(str::to_owned),
        [_, _] => Some(digits),
        _ => None,
    }
}

/// Coordinates without their fractions.
fn degrees(value: &str) -> Option<String> {
    let parts = value.split([',', ' ']).filter(|part| !part.is_empty());
    let whole = parts.map(|part| {
        let number: f64 = part.trim().parse().ok()?;
        number.is_finite().then(|| format!("{:.0}", number.round()))
    });
    let whole: Vec<String> = whole.collect::<Option<_>>()?;
    (!whole.is_empty()).then(|| whole.join(", "))
}

/// A whole number that keeps its first digit or two.
fn rounded(value: &str) -> Option<u64> {
    let whole: u64 = value.trim_start_matches('-').split('.').next()?.parse().ok()?;
    let step =
        10_u64.checked_pow(u32::try_from(whole.to_string().len()).ok()?.saturating_sub(2))?;
    Some(whole / step * step)
}

/// The range that a number lies in.
fn range(value: &str) -> Option<String> {
    let number: u64 = value.trim().parse().ok()?;
    let digits = u32::try_from(number.to_string().len()).ok()?;
    let step = 10_u64.checked_pow(digits.saturating_sub(1))?;
    let first = number / step * step;
    Some(format!("{first}-{}", first.checked_add(step)? - 1))
}

/// Countries by their names in English and their own, as addresses end with them.
static COUNTRIES: [&str; 89] = [
    "argentina",
    "australia",
    "austria",
    "belgique",
    "belgium",
    "brasil",
    "brazil",
    "bulgaria",
    "canada",
    "chile",
    "china",
    "colombia",
    "croatia",
    "cyprus",
    "czech republic",
    "czechia",
    "danmark",
    "denmark",
    "deutschland",
    "egypt",
    "england",
    "españa",
    "estonia",
    "finland",
    "france",
    "germany",
    "greece",
    "hong kong",
    "hungary",
    "iceland",
    "india",
    "indonesia",
    "ireland",
    "israel",
    "italia",
    "italy",
    "japan",
    "kenya",
    "latvia",
    "lithuania",
    "luxembourg",
    "malaysia",
    "malta",
    "mexico",
    "méxico",
    "nederland",
    "netherlands",
    "new zealand",
    "nigeria",
    "norge",
    "northern ireland",
    "norway",
    "pakistan",
    "peru",
    "perú",
    "philippines",
    "poland",
    "polska",
    "portugal",
    "romania",
    "saudi arabia",
    "schweiz",
    "scotland",
    "serbia",
    "singapore",
    "slovakia",
    "slovenia",
    "south africa",
    "south korea",
    "spain",
    "suisse",
    "suomi",
    "sverige",
    "sweden",
    "switzerland",
    "thailand",
    "turkey",
    "türkiye",
    "uk",
    "ukraine",
    "united arab emirates",
    "united kingdom",
    "united states",
    "united states of america",
    "uruguay",
    "usa",
    "vietnam",
    "wales",
    "österreich",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_operator_on_each_kind() {
        use How::{Drop, Generalise, Mask, Partial};
        let rows = [
            (Partial, "email", "jane@acme.com", "j***@acme.com"),
            (Partial, "email", "jane", "[email]"),
            (Partial, "card", "4111 1111 1111 1111", "***1111"),
            (Partial, "phone", "+49 30 1234567", "***4567"),
            (Partial, "phone", "1234567", "[phone]"),
            (Partial, "person", "Jane Alexandra Doe", "[person]"),
            (Partial, "iban", "DE89 3704 0044 0532 0130 00", "***3000"),
            (Generalise, "birth_date", "12 July 1982", "1982"),
            (Generalise, "birth_date", "12.7.", "[birth_date]"),
            (Generalise, "address", "1 High St, Leeds, United Kingdom", "United Kingdom"),
            (Generalise, "address", "1 High St, Leeds", "[address]"),
            (Generalise, "ip", "203.51.37.21", "203.51.x.x"),
            (Generalise, "ip", "::1", "[ip]"),
            (Generalise, "geo", "52.5200, 13.4050", "53, 13"),
            (Generalise, "phone", "+49 30 1234567", "[phone +49]"),
            (Generalise, "email", "jane@acme.com", "[email]@acme.com"),
            (Generalise, "person", "Jane", "[person]"),
            (Generalise, "customer_number", "48213", "40000-49999"),
            (Mask, "secret", "sk_live_x", "[secret]"),
        ];
        for (how, kind, value, expected) in rows {
            let new = stand_in(how, kind, value, Form::Text);
            assert_eq!(new, New::Text(expected.to_owned()), "{how:?} {kind} {value}");
        }
        let number = stand_in(Generalise, "phone", "49301234567", Form::Number);
        assert_eq!(number, New::Number(49_000_000_000));
        assert_eq!(stand_in(Drop, "email", "x", Form::Text), New::Empty);
        assert_eq!(stand_in(Drop, "email", "x", Form::Key), New::Text("[email]".to_owned()));
        assert!(COUNTRIES.is_sorted());
    }
}
