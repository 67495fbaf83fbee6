//! The plugins that Portcullis brings along: built from `plugins/`, committed in `plugins/dist`.

/// One of them.
#[derive(Debug, Clone, Copy)]
pub struct Shipped {
    /// The name by which configuration has it: `builtin: NAME`.
    pub name: &'static str,
    /// The component.
    pub bytes: &'static [u8],
    /// What it finds, in answers too, as its description says. Here, so that commands which only ask
    /// for this need no compiler.
    pub kinds: &'static [&'static str],
}

/// All of them, in the order in which they look.
pub const SHIPPED: &[Shipped] = &[
    Shipped {
        name: "pii",
        bytes: include_bytes!("../../plugins/dist/pii.wasm"),
        kinds: &[
            "person",
            "email",
            "phone",
            "address",
            "username",
            "password",
            "secret",
            "card",
            "card_security",
            "iban",
            "bank_account",
            "national_id",
            "passport",
            "driver_licence",
            "vehicle",
            "tax_id",
            "birth_date",
            "ip",
            "mac",
            "device_id",
            "geo",
            "crypto",
            "medical_id",
            "url",
        ],
    },
    Shipped {
        name: "secrets",
        bytes: include_bytes!("../../plugins/dist/secrets.wasm"),
        kinds: &["secret", "password"],
    },
    Shipped {
        name: "injection",
        bytes: include_bytes!("../../plugins/dist/injection.wasm"),
        kinds: &["injection", "hidden_text", "encoded_data", "data_in_url"],
    },
];

/// The component that comes along by this name.
#[must_use]
pub fn shipped(name: &str) -> Option<&'static [u8]> {
    SHIPPED.iter().find(|it| it.name == name).map(|it| it.bytes)
}
