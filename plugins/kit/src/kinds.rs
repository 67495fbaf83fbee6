//! The kinds of things that Portcullis' own plugins find. Policy names them, so they stay.

/// The name of a natural person, or a part of it.
pub const PERSON: &str = "person";
/// An e-mail address.
pub const EMAIL: &str = "email";
/// A telephone number.
pub const PHONE: &str = "phone";
/// A postal address, or a part that leads to a door.
pub const ADDRESS: &str = "address";
/// A name that somebody goes by in some system, with or without `@`.
pub const USERNAME: &str = "username";
/// A password or a pass phrase.
pub const PASSWORD: &str = "password";
/// A token, a key, or anything else whose possession gives access.
pub const SECRET: &str = "secret";
/// The number of a payment card.
pub const CARD: &str = "card";
/// A payment card's security code or last month.
pub const CARD_SECURITY: &str = "card_security";
/// An international bank account number.
pub const IBAN: &str = "iban";
/// A national bank account number, a sort code or a routing number.
pub const BANK_ACCOUNT: &str = "bank_account";
/// A number by which a state knows a person.
pub const NATIONAL_ID: &str = "national_id";
/// The number of a passport.
pub const PASSPORT: &str = "passport";
/// The number of a driving licence.
pub const DRIVER_LICENCE: &str = "driver_licence";
/// A number plate or a vehicle's identification number.
pub const VEHICLE: &str = "vehicle";
/// A number by which a tax office knows a person or a trader.
pub const TAX_ID: &str = "tax_id";
/// A date of birth.
pub const BIRTH_DATE: &str = "birth_date";
/// An address in the internet.
pub const IP: &str = "ip";
/// A network card's address.
pub const MAC: &str = "mac";
/// A device's own number, such as an IMEI.
pub const DEVICE_ID: &str = "device_id";
/// A place on the map, as coordinates.
pub const GEO: &str = "geo";
/// A wallet of a crypto currency.
pub const CRYPTO: &str = "crypto";
/// A number by which a clinic or an insurer knows a patient.
pub const MEDICAL_ID: &str = "medical_id";
/// A link that leads to a person, such as a profile or an avatar.
pub const URL: &str = "url";

/// Text that gives orders to an agent.
pub const INJECTION: &str = "injection";
/// Text that people do not see.
pub const HIDDEN_TEXT: &str = "hidden_text";
/// Text in a spelling that people do not read.
pub const ENCODED_DATA: &str = "encoded_data";
/// Data in the address of a link or picture.
pub const DATA_IN_URL: &str = "data_in_url";

/// What the `pii` plugin finds.
pub const PERSONAL: &[&str] = &[
    PERSON,
    EMAIL,
    PHONE,
    ADDRESS,
    USERNAME,
    PASSWORD,
    SECRET,
    CARD,
    CARD_SECURITY,
    IBAN,
    BANK_ACCOUNT,
    NATIONAL_ID,
    PASSPORT,
    DRIVER_LICENCE,
    VEHICLE,
    TAX_ID,
    BIRTH_DATE,
    IP,
    MAC,
    DEVICE_ID,
    GEO,
    CRYPTO,
    MEDICAL_ID,
    URL,
];

/// The constant that spells a kind, if it is one of [`PERSONAL`].
#[must_use]
pub fn named(kind: &str) -> Option<&'static str> {
    PERSONAL.iter().find(|k| **k == kind).copied()
}
