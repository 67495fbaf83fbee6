//! The kinds of problems: a code that stays, how bad it is, and what to do about it.
//!
//! Codes are for filters and baselines of other tools, so a code is never given to another kind.

/// How bad a problem is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// The bundle is not loaded.
    Error,
    /// The bundle is loaded; `policy check --strict` fails.
    Warning,
}

impl Severity {
    /// The word in reports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

macro_rules! kinds {
    ($($name:ident $code:literal $severity:ident $doc:literal $help:literal;)+) => {
        /// What kind of problem it is.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Kind {
            $(#[doc = $doc] $name,)+
        }

        impl Kind {
            /// Every kind.
            pub const ALL: &[Self] = &[$(Self::$name,)+];

            /// The code, such as `PC012`.
            #[must_use]
            pub const fn code(self) -> &'static str {
                match self { $(Self::$name => $code,)+ }
            }

            /// How bad it is.
            #[must_use]
            pub const fn severity(self) -> Severity {
                match self { $(Self::$name => Severity::$severity,)+ }
            }

            /// What to do, in a sentence.
            #[must_use]
            pub const fn help(self) -> &'static str {
                match self { $(Self::$name => $help,)+ }
            }
        }
    };
}

kinds! {
    Bundle "PC001" Error "The bundle as a whole."
        "look at the bundle's files; `portcullis policy init` writes one that works";
    File "PC002" Error "A file that cannot be taken."
        "a bundle holds `.rego`, `_test.rego`, `.cases.yaml` and `.json` files in UTF-8";
    Syntax "PC003" Error "Text that the engine cannot read or compile."
        "correct the Rego at this place; files begin with `package` and `import rego.v1`";
    Data "PC004" Error "A file of data."
        "data is one JSON object without doubled keys; its members become members of `data`";
    Metadata "PC005" Error "METADATA that cannot be read."
        "METADATA is YAML in comments above a rule: `title`, `description`, `custom.agent_hint`, `custom.internal`";
    Package "PC006" Error "A package that nothing asks."
        "rules belong to `portcullis.rules.admit`, `.disclose`, `.visible` or `.approve`";
    NoPackage "PC007" Error "A question without rules."
        "add a file with this package; a single rule that denies is enough";
    Form "PC008" Error "A rule of a form that says nothing."
        "write `deny contains {\"rule\": \"a_name\", \"text\": \"why\"} if { ... }`";
    Name "PC009" Error "A rule without a literal name."
        "a rule's name is written out, of `a-z`, `0-9` and `_`, so that records can point at it";
    Twice "PC010" Error "A rule's name that is used twice."
        "every rule of a question has its own name";
    With "PC011" Error "`with` outside of tests."
        "a decision must not replace its own input or data";
    Shape "PC023" Error "A form that the engine and OPA understand differently."
        "write it in the way that the message names";
    Builtin "PC012" Error "A forbidden or unknown builtin."
        "`portcullis policy capabilities` lists the builtins that policies may use";
    Unguarded "PC013" Error "`not` over a field that may be missing."
        "name the field in another condition of the same body, or use `object.get` with a default";
    Unused "PC014" Error "A rule that no question reaches."
        "correct its name, use it, or remove it";
    Broad "PC015" Error "A rule that allows everything."
        "give the rule a condition on `input`";
    Trial "PC016" Error "An answer that fails for a sample call."
        "try the call with `portcullis policy eval` and correct the rules that speak there";
    EmptyText "PC017" Error "A reason without words."
        "say in plain words why; the agent reads them";
    Never "PC018" Warning "A condition that is never true."
        "remove the rule, or correct the condition";
    UnknownTool "PC019" Warning "A tool that the catalogue does not know."
        "`portcullis tools list` shows the names; a rule about another name never speaks";
    UnknownInput "PC020" Warning "A path that no input has."
        "`portcullis policy schema` shows the input of each question";
    NoTitle "PC021" Warning "A rule without a title."
        "put `# METADATA` and `# title: ...` above it: agents and approvers read the title";
    UnseenKind "PC024" Error "A kind that is redacted and that no plugin looks for."
        "`portcullis plugin inspect NAME` shows the kinds that a plugin finds; `plugins.without` accepts one that nobody does";
    ForeignKind "PC025" Warning "A kind that none of the plugins that come along finds."
        "correct the kind; if a plugin of yours finds it, check with the configuration that loads it";
    Confirm "PC026" Warning "A hold that the person whom the agent acts for could never confirm."
        "`confirm: requester` needs one person, no other groups for each and no fresh proof; leave it out where others must decide";
    Unasked "PC027" Warning "A hold that may be confirmed, beside rules about its approvers."
        "say in the `hold` rule of `admit` what must hold for a confirmation too, or leave `confirm` out";
    Cases "PC022" Error "A file of cases that cannot be read."
        "a case has `name`, `as`, `tool` and `expect`; see the tutorial in `policies/README.md`";
    TestFailed "PT001" Error "A test that failed."
        "correct the rule or the test; `print(...)` in a test shows values";
    Coverage "PT002" Error "Too few lines are covered."
        "`portcullis policy coverage` shows the lines that no test evaluates";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_and_help_is_a_sentence() {
        let codes: std::collections::BTreeSet<_> = Kind::ALL.iter().map(|it| it.code()).collect();
        assert_eq!(codes.len(), Kind::ALL.len());
        for kind in Kind::ALL {
            assert!(kind.help().len() > 20 && !kind.help().ends_with('.'), "{kind:?}");
        }
    }
}
