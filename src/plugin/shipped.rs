//! The plugins that Portcullis brings along: built from `plugins/`, committed in `plugins/dist`.

/// One of them.
#[derive(Debug, Clone, Copy)]
pub struct Shipped {
    /// The name by which configuration has it: `builtin: NAME`.
    pub name: &'static str,
    /// The component.
    pub bytes: &'static [u8],
}

/// All of them, in the order in which they look.
pub const SHIPPED: &[Shipped] = &[
    Shipped { name: "pii", bytes: include_bytes!("../../plugins/dist/pii.wasm") },
    Shipped { name: "secrets", bytes: include_bytes!("../../plugins/dist/secrets.wasm") },
    Shipped { name: "injection", bytes: include_bytes!("../../plugins/dist/injection.wasm") },
];

/// The component that comes along by this name.
#[must_use]
pub fn shipped(name: &str) -> Option<&'static [u8]> {
    SHIPPED.iter().find(|it| it.name == name).map(|it| it.bytes)
}
