//! `portcullis people`: accounts of those who read and release held calls.
//!
//! What a new person needs is one line: `add` prints a link that works once and for a day, on which
//! they choose their own password; nobody else ever knows it. Keys are for this command line, tokens
//! for scripts. Everything here takes effect within two seconds, without a restart.

use std::io::{BufRead as _, IsTerminal as _};
use std::process::ExitCode;

use anyhow::Context as _;

use super::keys;
use crate::clock;
use crate::config::{Config, Secret, private};
use crate::domain::{Role, Timestamp};
use crate::identity::{Account, Accounts, People, SETUP_VALID, Scope};

/// Commands about people.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Make an account, and print the link by which its owner sets a password.
    Add {
        /// The name in records and rules, such as `jane@example.com`.
        name: String,
        /// A group, for rules such as "from `kb-editors`". May be given several times.
        #[arg(long = "group")]
        groups: Vec<String>,
        /// What they may do with Portcullis. May be given several times. Without it, `approver`.
        #[arg(long = "role", value_name = "admin|approver|auditor")]
        roles: Vec<Role>,
        /// Read the password from the first line of standard input instead of printing a link.
        #[arg(long)]
        password_stdin: bool,
    },
    /// List the people.
    List {
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Take an account away, with its sessions and tokens. Keys: `people key revoke NAME`.
    Remove {
        /// The name.
        name: String,
    },
    /// Print a new link by which somebody sets a password; the old one is good until then.
    Passwd {
        /// The name.
        name: String,
        /// Read the password from the first line of standard input instead.
        #[arg(long)]
        password_stdin: bool,
    },
    /// Give somebody these groups and no others.
    Group {
        /// The name.
        name: String,
        /// The groups; none takes all away.
        groups: Vec<String>,
    },
    /// Give somebody these roles and no others.
    Role {
        /// The name.
        name: String,
        /// The roles; none takes all away.
        #[arg(value_name = "admin|approver|auditor")]
        roles: Vec<Role>,
    },
    /// Take somebody's second factor away, so that they can set up a new one.
    TotpReset {
        /// The name.
        name: String,
    },
    /// Keys for this command line.
    #[command(subcommand)]
    Key(keys::Command),
    /// Tokens for scripts that use the API.
    #[command(subcommand)]
    Token(TokenCommand),
}

/// Commands about API tokens.
#[derive(Debug, clap::Subcommand)]
pub(super) enum TokenCommand {
    /// Make a token. It is printed once and kept nowhere.
    Add {
        /// Whose.
        name: String,
        /// What it may be used for. May be given several times.
        #[arg(long = "scope", required = true, value_name = "holds:read|holds:decide")]
        scopes: Vec<Scope>,
        /// Days until the token ends by itself.
        #[arg(long, value_parser = keys::days())]
        days: Option<u32>,
    },
    /// List somebody's tokens; says nothing of the tokens themselves.
    List {
        /// Whose.
        name: String,
    },
    /// End a token.
    Revoke {
        /// Whose.
        name: String,
        /// Its id from `list`.
        id: String,
    },
}

pub(super) fn run(config: &Config, command: Command) -> anyhow::Result<ExitCode> {
    private::make_folder(&config.data)?;
    let accounts = Accounts::of(&config.data);
    let now = clock::now();
    match command {
        Command::Key(command) => return keys::approvers(config, command),
        Command::Token(command) => tokens(&accounts, command, now)?,
        Command::Add { name, groups, roles, password_stdin } => {
            let password = password_stdin.then(password).transpose()?;
            check_groups(&groups)?;
            let account = accounts.add(config, &name, &groups, &roles, now)?;
            println!("{} is added: {}", account.name, rights(config, &account));
            if let Err(error) = give_password(config, &accounts, &name, password, now) {
                // An account that nobody can use is not left behind.
                accounts.remove(&name)?;
                return Err(error);
            }
        }
        Command::List { json } => list(config, json)?,
        Command::Remove { name } => {
            let account = accounts.remove(&name)?;
            println!("{} is removed, with all sessions and tokens", account.name);
            if config.approver(&name).is_some() {
                println!("`approvers` in the configuration still lists the name");
            }
        }
        Command::Passwd { name, password_stdin } => {
            let password = password_stdin.then(password).transpose()?;
            give_password(config, &accounts, &name, password, now)?;
        }
        Command::Group { name, groups } => {
            check_groups(&groups)?;
            let account = accounts.set_groups(config, &name, &groups)?;
            println!("{}: {}", account.name, rights(config, &account));
        }
        Command::Role { name, roles } => {
            let account = accounts.set_roles(&name, &roles)?;
            println!("{}: {}", account.name, rights(config, &account));
        }
        Command::TotpReset { name } => {
            let what = if accounts.reset_totp(&name)? { "is taken away" } else { "was not set" };
            println!("the second factor of {name} {what}");
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Sets the password that was given, or opens a link for it.
fn give_password(
    config: &Config,
    accounts: &Accounts,
    name: &str,
    password: Option<Secret>,
    now: Timestamp,
) -> anyhow::Result<()> {
    if let Some(password) = password {
        accounts.set_password(name, &password, now)?;
        println!("the password of {name} is set; open sessions are over");
        return Ok(());
    }
    let link = accounts.open_setup(name, now)?;
    let hours = SETUP_VALID.as_secs() / 3600;
    match page(config) {
        Some(page) => {
            println!("Give {name} this link; it sets a password, once, within {hours} hours:");
            println!("{page}/setup#{}", link.expose());
        }
        None => {
            println!(
                "The approvers' page is not switched on (`console: {{ listen: 127.0.0.1:8788 }}`). \
                 When it is, {name} opens `/setup` there and gives this code, once, within {hours} \
                 hours:"
            );
            println!("{}", link.expose());
        }
    }
    Ok(())
}

/// Where browsers find the page.
fn page(config: &Config) -> Option<String> {
    let console = config.console.as_ref()?;
    Some(console.url.clone().unwrap_or_else(|| format!("http://{}", console.listen)))
}

/// The first line of standard input.
fn password() -> anyhow::Result<Secret> {
    let input = std::io::stdin();
    if input.is_terminal() {
        anyhow::bail!(
            "a password typed here would be seen; pipe it in, or leave `--password-stdin` out for \
             a link"
        );
    }
    let mut line = zeroize::Zeroizing::new(String::new());
    input.lock().read_line(&mut line).context("no password could be read")?;
    let password = line.trim_end_matches(['\r', '\n']);
    Ok(Secret::new(password.to_owned()))
}

fn check_groups(groups: &[String]) -> anyhow::Result<()> {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"._@:/-".contains(&b);
    let good = |group: &&String| (1..=128).contains(&group.len()) && group.bytes().all(allowed);
    if let Some(bad) = groups.iter().find(|group| !good(group)) {
        anyhow::bail!("`{}` is no group's name; use `A-Z a-z 0-9 . _ @ : / -`", super::shown(bad));
    }
    Ok(())
}

fn rights(config: &Config, account: &Account) -> String {
    let configured = config.approver(account.name.as_str());
    let groups = configured.map_or(&account.groups, |approver| &approver.groups);
    words(&account.roles, groups)
}

fn words(roles: &[Role], groups: &[String]) -> String {
    let roles: Vec<&str> = roles.iter().map(|role| role.as_str()).collect();
    let or = |list: String, none: &str| if list.is_empty() { none.to_owned() } else { list };
    format!("{}; groups: {}", or(roles.join(", "), "no role"), or(groups.join(", "), "none"))
}

fn list(config: &Config, json: bool) -> anyhow::Result<()> {
    let everybody = People::open(config)?.everybody();
    if json {
        println!("{}", serde_json::to_string_pretty(&everybody)?);
        return Ok(());
    }
    if everybody.is_empty() {
        println!("nobody yet; `portcullis people add NAME --group GROUP` makes the first account");
    }
    for one in everybody {
        let state = match (one.password, one.second_factor, one.setup_until) {
            (true, true, _) => "password and second factor".to_owned(),
            (true, false, _) => "password".to_owned(),
            (false, _, Some(until)) => format!("link open until {until}"),
            (false, _, None) => "no password".to_owned(),
        };
        let from = if one.configured { " (groups from the configuration)" } else { "" };
        println!("{:<28} {state:<28} {}{from}", one.name, words(&one.roles, &one.groups));
    }
    Ok(())
}

fn tokens(accounts: &Accounts, command: TokenCommand, now: Timestamp) -> anyhow::Result<()> {
    match command {
        TokenCommand::Add { name, scopes, days } => {
            let ends = days.map(|days| keys::end_after(now, days));
            let (token, secret) = accounts.add_token(&name, &scopes, now, ends)?;
            println!("token {} of {name}; keep it, it is not shown again:", token.id);
            println!("{}", secret.expose());
        }
        TokenCommand::List { name } => {
            let accounts = accounts.list()?;
            let account = accounts.iter().find(|account| account.name.as_str() == name);
            let account = account.with_context(|| format!("there is no account `{name}`"))?;
            for token in &account.tokens {
                let state = match (token.revoked_at, token.expires_at) {
                    (Some(at), _) => format!("revoked {at}"),
                    (None, Some(at)) if at <= now => format!("expired {at}"),
                    (None, Some(at)) => format!("ends {at}"),
                    (None, None) => "good".to_owned(),
                };
                let scopes: Vec<&str> = token.scopes.iter().map(|scope| scope.as_str()).collect();
                println!(
                    "{:<12} {:<26} made {}  {state}",
                    token.id,
                    scopes.join(" "),
                    token.created_at
                );
            }
        }
        TokenCommand::Revoke { name, id } => {
            let token = accounts.revoke_token(&name, &id, now)?;
            println!("token {} of {name} is revoked", token.id);
        }
    }
    Ok(())
}
