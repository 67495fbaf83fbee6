//! What a plugin is, and how it becomes a component.

use crate::{Description, Document, Report};

/// A plugin: says what it is, and what it sees in a document.
pub trait Plugin {
    /// Says what the plugin is. Asked once, when it is loaded.
    fn describe() -> Description;

    /// Looks at a document. `config` is JSON that fits the schema of the description, or empty.
    ///
    /// # Errors
    ///
    /// If it cannot tell. An error denies what was looked at.
    fn inspect(document: &Document, config: &str) -> Result<Report, String>;
}

/// Makes the crate a component that is this [`Plugin`]; does nothing on other targets.
///
/// ```
/// struct Blind;
///
/// impl kit::Plugin for Blind {
///     fn describe() -> kit::Description {
///         kit::Description {
///             name: "blind",
///             version: "1.0.0",
///             summary: "Sees nothing",
///             kinds: &[],
///             labels: &[],
///             phases: &[kit::Phase::Answer],
///             tools: &[],
///             config_schema: "",
///         }
///     }
///
///     fn inspect(_: &kit::Document, _: &str) -> Result<kit::Report, String> {
///         Ok(kit::Report::default())
///     }
/// }
///
/// kit::export!(Blind);
/// ```
#[macro_export]
macro_rules! export {
    ($plugin:ty) => {
        #[cfg(target_arch = "wasm32")]
        #[allow(unsafe_code, reason = "a component's exports are called by raw addresses")]
        const _: () = {
            use bindings::exports::portcullis::plugin::inspector;
            use $crate::component as bindings;

            struct Component;

            impl inspector::Guest for Component {
                fn describe() -> inspector::Description {
                    bindings::describe::<$plugin>()
                }

                fn inspect(
                    document: inspector::Document,
                    config: String,
                ) -> Result<inspector::Report, String> {
                    bindings::inspect::<$plugin>(document, &config)
                }
            }

    bindings::export_component!(Component with_types_in bindings);
        };
    };
}
