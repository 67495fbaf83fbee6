//! The contract of `plugins/wit/plugin.wit` as Rust, made from its text when Portcullis is built.

wasmtime::component::bindgen!({
    path: "plugins/wit",
    world: "plugin",
    // What goes in is lent, not copied; what comes out is owned.
    ownership: Borrowing { duplicate_if_necessary: true },
    imports: { default: trappable },
});
