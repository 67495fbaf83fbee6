//! The commands of `portcullis`.
//!
//! Output for people goes to standard output, errors and the log to standard error. Commands that
//! list have `--json`. Exit status: 0 done, 1 failed, 2 wrong usage, 75 the data folder is in use.
#![expect(clippy::print_stdout, reason = "this is where output for people is written")]

mod audit;
mod config;
mod demo;
mod holds;
mod keys;
mod people;
mod plugin;
mod policy;
mod principals;
mod report;
mod serve;
mod simulate;
mod tools;

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{CommandFactory as _, Parser, Subcommand};

use crate::config::Config;
use crate::domain::is_hidden;

/// A policy-enforcing MCP firewall in front of Intercom.
#[derive(Debug, Parser)]
#[command(name = "portcullis", version, about, max_term_width = 100)]
struct Cli {
    /// The configuration file.
    #[arg(
        long,
        short,
        global = true,
        env = "PORTCULLIS_CONFIG",
        default_value = "portcullis.yaml"
    )]
    config: PathBuf,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Show what Portcullis does: simulator, proxy and a short agent session, all in one process.
    Demo(demo::Args),
    /// Stand in front of Intercom.
    Serve,
    /// Run the simulator of Intercom's MCP server.
    Simulate(Box<simulate::Args>),
    /// Check the configuration, or print its schema for editors.
    #[command(subcommand)]
    Config(config::Command),
    /// Principals, the agents that call: their keys, and whether they may call at the moment.
    #[command(subcommand)]
    Principals(principals::Command),
    /// People who read and release held calls: accounts, rights, keys and tokens.
    #[command(subcommand)]
    People(people::Command),
    /// Held calls: list, show, approve, reject.
    #[command(subcommand)]
    Holds(holds::Command),
    /// Intercom's tools and their pinned definitions.
    #[command(subcommand)]
    Tools(tools::Command),
    /// The log of decisions: tail, verify.
    #[command(subcommand)]
    Audit(audit::Command),
    /// The policies: write, check, test, explain, roll out.
    #[command(subcommand)]
    Policy(policy::Command),
    /// Plugins: write, check, test and run them, and say which Portcullis asks.
    #[command(subcommand)]
    Plugin(plugin::Command),
    /// Print completions for a shell.
    Completions {
        /// Which shell.
        shell: clap_complete::Shell,
    },
}

/// Runs the command line of this process.
#[must_use]
pub fn main() -> ExitCode {
    std::panic::set_hook(Box::new(panicked));
    let cli = Cli::parse();
    match run(cli) {
        Ok(code) => code,
        Err(error) => {
            // A reader that closed the pipe (`| head`) is no error of ours.
            if !is_broken_pipe(&error) {
                eprintln_chain(&error);
            }
            let code = error.downcast_ref().map_or(1, crate::app::AppError::exit_code);
            ExitCode::from(code)
        }
    }
}

fn run(cli: Cli) -> anyhow::Result<ExitCode> {
    let path = cli.config.clone();
    let there = || {
        anyhow::ensure!(
            path.exists(),
            "there is no configuration `{}`; name one with `--config FILE`, or copy \
             `examples/portcullis.yaml`",
            path.display()
        );
        Ok(&path)
    };
    // These ask the server or read the data folder: they need no credential of Intercom's.
    let look = || -> anyhow::Result<Config> { Ok(Config::load_to_look(there()?)?) };
    match cli.command {
        Command::Demo(args) => runtime(args.threads())?.block_on(demo::run(args)),
        Command::Serve => serve::run(Config::load(there()?)?),
        Command::Simulate(args) => runtime(2)?.block_on(simulate::run(*args)),
        Command::Config(command) => config::run(&path, &command),
        Command::Principals(command) => principals::run(&look()?, command),
        Command::People(command) => people::run(&look()?, command),
        Command::Holds(command) => runtime(1)?.block_on(holds::run(&look()?, command)),
        Command::Tools(command) => runtime(1)?.block_on(tools::run(&look()?, command)),
        Command::Audit(command) => audit::run(&look()?, command),
        Command::Policy(command) => runtime(1)?.block_on(policy::run(&path, command)),
        Command::Plugin(command) => runtime(1)?.block_on(plugin::run(&path, &command)),
        Command::Completions { shell } => {
            clap_complete::generate(
                shell,
                &mut Cli::command(),
                "portcullis",
                &mut std::io::stdout(),
            );
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// An async runtime of so many workers.
fn runtime(threads: usize) -> anyhow::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(threads)
        .enable_all()
        .build()
        .context("cannot start the async runtime")
}

/// Says where a fault of ours happened, never its message, which may quote what was being read.
fn panicked(panic: &std::panic::PanicHookInfo<'_>) {
    if !tracing::dispatcher::has_been_set() {
        unwritten(panic);
    }
    let place = panic.location().map_or_else(|| "an unknown place".to_owned(), ToString::to_string);
    if tracing::dispatcher::has_been_set() {
        tracing::error!(%place, "internal fault");
    } else {
        // Nothing can be done if standard error is closed.
        let _ = writeln!(std::io::stderr(), "internal fault at {place}");
    }
}

/// Prints an error and its causes on one line, each once.
fn eprintln_chain(error: &anyhow::Error) {
    let mut text = error.to_string();
    for cause in error.chain().skip(1) {
        let cause = cause.to_string();
        if !text.contains(&cause) {
            text.push_str(": ");
            text.push_str(&cause);
        }
    }
    // Nothing can be done if standard error is closed.
    let _ = writeln!(std::io::stderr(), "error: {text}");
}

/// Ends a command whose output cannot be written: `println!` knows no other way to say so. A reader
/// that has read enough (`| head`) is no fault at all.
fn unwritten(panic: &std::panic::PanicHookInfo<'_>) {
    let text = panic.payload_as_str().unwrap_or_default();
    let Some(why) = text.strip_prefix("failed printing to stdout: ") else { return };
    if why.contains("Broken pipe") {
        std::process::exit(EXIT_BROKEN_PIPE);
    }
    // Nothing can be done if standard error is closed as well.
    let _ = writeln!(std::io::stderr(), "error: standard output cannot be written: {why}");
    std::process::exit(1);
}

/// What a shell sees of a command that a closed pipe ended.
const EXIT_BROKEN_PIPE: i32 = 141;

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error
        .downcast_ref::<std::io::Error>()
        .is_some_and(|error| error.kind() == std::io::ErrorKind::BrokenPipe)
}

/// Makes a folder for something new; one that holds something is left alone.
fn fresh_folder(folder: &Path) -> anyhow::Result<()> {
    let shown = folder.display();
    fs::create_dir_all(folder).with_context(|| format!("cannot make the folder `{shown}`"))?;
    let mut entries =
        fs::read_dir(folder).with_context(|| format!("cannot read the folder `{shown}`"))?;
    if entries.next().is_some() {
        anyhow::bail!(
            "the folder `{shown}` is not empty, and nothing in it is overwritten; name another"
        );
    }
    Ok(())
}

/// Writes a new file, never over another.
fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    fs::File::create_new(path)?.write_all(bytes)
}

/// Replaces a file whole: whoever reads it meanwhile has the old one or the new one.
fn replace(path: &Path, bytes: &[u8], mode: u32) -> anyhow::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let cannot = || format!("cannot write `{}`", path.display());
    let mut file = tempfile::Builder::new()
        .permissions(fs::Permissions::from_mode(mode))
        .tempfile_in(folder.unwrap_or(Path::new(".")))
        .with_context(cannot)?;
    file.write_all(bytes).with_context(cannot)?;
    file.persist(path).with_context(cannot)?;
    Ok(())
}

/// A path as it can be put into a shell.
fn shell(path: &Path) -> String {
    let text = path.to_string_lossy();
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "/._-+,:@%".contains(letter);
    if text.chars().all(plain) && !text.starts_with('-') {
        return text.into_owned();
    }
    let text = text.strip_prefix('-').map_or_else(|| text.to_string(), |_| format!("./{text}"));
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// Text that came from outside, safe for a terminal: control and formatting characters are shown
/// as escapes.
fn shown(text: &str) -> String {
    text.chars()
        .map(|letter| {
            if is_hidden(letter) { letter.escape_unicode().to_string() } else { letter.to_string() }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The words of the commands in the code of a text, each up to what a shell takes over: behind
    /// `portcullis`, and in a sentence also the command alone, such as `policy test`.
    fn commands(text: &str) -> Vec<Vec<String>> {
        let cli = Cli::command();
        let is_group =
            |word: &str| cli.find_subcommand(word).is_some_and(clap::Command::has_subcommands);
        let mut all = Vec::new();
        for (number, part) in text.split("```").enumerate() {
            let is_block = number % 2 == 1;
            let pieces: Vec<&str> = if is_block {
                part.lines().collect()
            } else {
                part.split('`').skip(1).step_by(2).collect()
            };
            for words in pieces.into_iter().flat_map(of_shell) {
                let words = match words.as_slice() {
                    ["cargo", "run", rest @ ..] => {
                        let behind = rest.iter().skip_while(|word| **word != "--");
                        Some(behind.skip(1).copied().collect())
                    }
                    ["portcullis", rest @ ..] => Some(rest.to_vec()),
                    // A word alone may be the name of something else.
                    [first, _, ..] if !is_block && is_group(first) => Some(words),
                    _ => None,
                };
                all.extend(words.map(|words| words.into_iter().map(str::to_owned).collect()));
            }
        }
        all
    }

    /// The words of each command of a line: the first one, and those behind a pipe, behind what ends
    /// another, and in `$(...)`; without the variables that are set for them.
    fn of_shell(line: &str) -> Vec<Vec<&str>> {
        let mut all: Vec<Vec<&str>> = vec![Vec::new()];
        for mut word in line.split_whitespace().take_while(|word| !word.starts_with('#')) {
            if let Some((_, inner)) = word.split_once("$(") {
                all.push(Vec::new());
                word = inner.trim_end_matches(')');
            }
            let ends = word.ends_with(';') || ["|", "||", "&&", "&"].contains(&word);
            let is_variable = word.split_once('=').is_some_and(|(name, _)| {
                name.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_')
            });
            if let Some(words) = all.last_mut()
                && !(is_variable && words.is_empty())
            {
                words.extend(
                    Some(word.trim_end_matches(['|', '&', ';'])).filter(|it| !it.is_empty()),
                );
            }
            if ends {
                all.push(Vec::new());
            }
        }
        all
    }

    /// What the command line does not know of a command's words; else how many commands they name.
    fn known(words: &[String]) -> Result<usize, String> {
        let mut command = Cli::command();
        command.build();
        // A part that may be left out is written in brackets.
        let mut words = words.iter().map(|word| word.trim_start_matches('['));
        let mut named = 0;
        while let Some(word) = words.next() {
            // `-` alone is a file.
            if word.starts_with('-') && word != "-" {
                let takes_value = option(&command, word)?;
                if command.has_subcommands() && takes_value && !word.contains('=') {
                    words.next();
                }
            } else if let Some(next) = command.find_subcommand(word) {
                command = next.clone();
                named += 1;
            } else if command.has_subcommands() {
                break;
            }
        }
        if command.has_subcommands() {
            return Err(format!("`{}` has no such command", command.get_name()));
        }
        Ok(named)
    }

    /// Whether a written option takes a value, if the command has it.
    fn option(command: &clap::Command, word: &str) -> Result<bool, String> {
        let is_mark = |letter: char| !letter.is_ascii_alphanumeric() && letter != '-';
        let written = word.split(is_mark).next().unwrap_or_default();
        let found = match written.strip_prefix("--") {
            Some(long) => command.get_arguments().find(|it| it.get_long() == Some(long)),
            None => {
                let of_letter =
                    |letter| command.get_arguments().find(|it| it.get_short() == Some(letter));
                let letters = written.strip_prefix('-').unwrap_or_default().chars();
                letters
                    .map(of_letter)
                    .collect::<Option<Vec<_>>>()
                    .and_then(|all| all.last().copied())
            }
        };
        let found = found.ok_or_else(|| format!("`{}` has no `{written}`", command.get_name()))?;
        Ok(found.get_action().takes_values())
    }

    /// What a text tells people to type is what the command line knows.
    #[test]
    fn documents_name_commands_and_options_that_there_are() {
        let mut seen = 0;
        for (name, text) in [
            ("README.md", include_str!("../../README.md")),
            ("policies/README.md", include_str!("../../policies/README.md")),
            ("plugins/README.md", include_str!("../../plugins/README.md")),
            ("simulator/README.md", include_str!("../../examples/simulator/README.md")),
            ("clients/README.md", include_str!("../../examples/clients/README.md")),
            ("portcullis.yaml", include_str!("../../examples/portcullis.yaml")),
        ] {
            for words in commands(text) {
                seen += known(&words).unwrap_or_else(|why| panic!("{name}: {why}: {words:?}"));
            }
        }
        assert!(seen > 130, "commands are no longer found: {seen}");
    }

    #[test]
    fn what_the_command_line_does_not_know_is_found_in_every_form() {
        for (text, wrong) in [
            ("```sh\nportcullis policy status --format json\n```", None),
            ("```sh\nportcullis policy state\n```", Some("`policy` has no such command")),
            ("```text\npolicy state:\n```", None),
            ("as `policy\ntest DIR` says", None),
            ("as `policy\nattest DIR` says", Some("`policy` has no such command")),
            ("the key `policies: x`, or `policy`", None),
            ("`policy status [--format json]`", None),
            ("`policy status [--formats json]`", Some("`status` has no `--formats`")),
            ("`audit tail --type=hold -f | head -1`", None),
            ("`audit tail --kind=hold`", Some("`tail` has no `--kind`")),
            ("`portcullis policy test -vr x`", None),
            ("`portcullis policy test -vz x`", Some("`test` has no `-vz`")),
            ("`portcullis policy test [-z]`", Some("`test` has no `-z`")),
            ("```sh\necho x | portcullis plugin ran -\n```", Some("`plugin` has no such command")),
            (
                "```sh\ncat x; KEY=y portcullis policy state\n```",
                Some("`policy` has no such command"),
            ),
            ("```sh\nKEY=$(portcullis people mend ann)\n```", Some("`people` has no such command")),
            ("```sh\ncargo run --release -- dema\n```", Some("`portcullis` has no such command")),
            ("```sh\nother add portcullis http://x --y\n```", None),
            ("```sh\nportcullis policy status # | portcullis x\n```", None),
            ("`audit tail -f | audit tall`", Some("`audit` has no such command")),
            ("`portcullis --config x policy status -c y`", None),
            ("`portcullis --config x policy state`", Some("`policy` has no such command")),
            ("`portcullis --confog x policy status`", Some("`portcullis` has no `--confog`")),
            ("`portcullis -c x`", Some("`portcullis` has no such command")),
        ] {
            let found = commands(text).iter().find_map(|words| known(words).err());
            assert_eq!(found.as_deref(), wrong, "{text}");
        }
    }

    #[test]
    fn records_are_chosen_by_a_type_that_there_is() {
        let read =
            |kind: &str| Cli::try_parse_from(["portcullis", "audit", "tail", "--type", kind]);
        // The types as the log reads them, so that none is forgotten here.
        let error = serde_json::from_str::<crate::domain::Event>(r#"{"type": "?"}"#).unwrap_err();
        let error = error.to_string();
        let kinds: Vec<&str> = error.split('`').skip(3).step_by(2).collect();
        assert!(kinds.contains(&"refused"), "{error}");
        for kind in kinds {
            assert!(read(kind).is_ok(), "{kind}");
        }
        let wrong = read("acount").unwrap_err().to_string();
        assert!(wrong.contains("account") && wrong.contains("principal"), "{wrong}");
    }
}
