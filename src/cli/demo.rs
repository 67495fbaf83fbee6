//! `portcullis demo`: everything in one process, on loopback, with invented data, to be looked at.

use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;

use super::shown;
use crate::app::App;
use crate::audit::{self, Filter, Follow, From};
use crate::clock;
use crate::config::{Config, Console, Secret, Upstream, private};
use crate::control::{self, Answer, Question};
use crate::domain::{Approver, JsonText, Principal, PrincipalKind, Role, Verdict};
use crate::identity::{Accounts, ApproverKeys, PrincipalKeys};
use crate::mcp::json::{self, Object};
use crate::simulator::{Options, Simulator};
use crate::upstream::Agent;

/// Arguments of `demo`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Where agents connect; if it is taken, a free port is used.
    #[arg(long, default_value = "127.0.0.1:8787")]
    listen: SocketAddr,
    /// Where people decide; if it is taken, a free port is used.
    #[arg(long, default_value = "127.0.0.1:8788")]
    console: SocketAddr,
    /// End after the scripted session instead of running on.
    #[arg(long)]
    once: bool,
}

impl Args {
    pub(super) fn threads(&self) -> usize {
        std::thread::available_parallelism().map_or(2, usize::from)
    }
}

pub(super) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    for address in [args.listen, args.console] {
        anyhow::ensure!(
            address.ip().is_loopback(),
            "the demo listens on loopback only, not on {address}: it speaks plain HTTP and prints its \
             keys; for other machines, run `portcullis serve` behind a TLS proxy"
        );
    }
    // A name that nobody can know and take before us; removed at the end.
    let folder = tempfile::Builder::new()
        .prefix("portcullis-demo-")
        .permissions(std::fs::Permissions::from_mode(0o700))
        .tempdir()
        .context("cannot make the demo's folder")?;
    let simulator = Simulator::start(([127, 0, 0, 1], 0).into(), Options::default()).await?;
    let config = configuration(folder.path(), &args, &simulator)?;
    let now = clock::now();
    private::make_folder(&config.data)?;
    let agent_key = PrincipalKeys::of(&config.data).add(&config, "demo-agent", now, None)?.key;
    let approver_key = ApproverKeys::of(&config.data).add(&config, "you", now, None)?.key;
    private::write(&folder.path().join("approver.key"), approver_key.expose().as_bytes())?;
    let accounts = Accounts::of(&config.data);
    accounts.add(&config, "you", &[], &[Role::Admin, Role::Approver], now)?;
    let link = accounts.open_setup("you", now)?;
    let app = start(config.clone()).await?;
    let url = format!("http://{}{}", app.address(), crate::proxy::PATH);
    let page = app.console_address();
    write_configuration(folder.path(), app.address(), &simulator)?;
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let serving = tokio::spawn(app.serve(async move {
        // A dropped sender stops as well.
        let _ = stopped.await;
    }));
    println!(
        "Portcullis demo: an agent, the firewall, and a simulated Intercom (all data invented)\n"
    );
    let story = Story { config: &config, simulator: &simulator, url: &url };
    story.play(agent_key.clone()).await?;
    connect_help(&url, &agent_key);
    if let Some(page) = page {
        println!(
            "Decide on the held call in a browser; this link sets a password for `you`, once:"
        );
        println!("  http://{page}/setup#{}\n", link.expose());
    }
    release_help(folder.path());
    if args.once {
        println!("that was once: the demo ends and removes its data; without `--once` it goes on");
    } else {
        println!("listening on {url}   (Ctrl-C ends the demo and removes its data)");
        super::serve::stop_signal()?.await;
    }
    drop(stop);
    serving.await.context("the demo's server ended badly")??;
    simulator.stop().await;
    Ok(ExitCode::SUCCESS)
}

/// Starts the app, on a free port if the wanted one is taken.
async fn start(mut config: Config) -> anyhow::Result<App> {
    if tokio::net::TcpListener::bind(config.listen).await.is_err() {
        config.listen.set_port(0);
    }
    if let Some(console) = &mut config.console
        && tokio::net::TcpListener::bind(console.listen).await.is_err()
    {
        console.listen.set_port(0);
    }
    Ok(App::start(&config).await?)
}

fn configuration(folder: &Path, args: &Args, simulator: &Simulator) -> anyhow::Result<Config> {
    let token = Secret::new(simulator.token().to_owned());
    let url = simulator.url().parse().context("the simulator's address")?;
    let mut config = Config::in_code(folder.join("data"), url, token);
    config.listen = args.listen;
    config.console = Some(Console::at(args.console));
    "demo".clone_into(&mut config.environment);
    config.principals = vec![Arc::new(Principal {
        id: "demo-agent".parse()?,
        kind: PrincipalKind::Agent,
        roles: vec!["article-editor".to_owned()],
        groups: Vec::new(),
        attributes: std::collections::BTreeMap::default(),
        on_behalf_of: None,
    })];
    config.approvers =
        vec![Arc::new(Approver { id: "you".parse()?, groups: vec!["kb-editors".to_owned()] })];
    // The demo's agent shall not wait long before it goes on with its script.
    config.holds.wait = Duration::from_millis(500);
    Ok(config)
}

/// Writes the configuration as a file, so that the other commands work on the demo.
fn write_configuration(
    folder: &Path,
    address: SocketAddr,
    simulator: &Simulator,
) -> anyhow::Result<()> {
    let text = format!(
        "# The demo's configuration; it is removed when the demo ends.\n\
         listen: {address}\n\
         data: {}\n\
         environment: demo\n\
         upstream:\n  url: {}\n  token: \"{}\"\n\
         principals:\n  - id: demo-agent\n    roles: [article-editor]\n\
         approvers:\n  - id: you\n    groups: [kb-editors]\n",
        folder.join("data").display(),
        simulator.url(),
        simulator.token(),
    );
    private::write(&folder.join("portcullis.yaml"), text.as_bytes())?;
    Ok(())
}

/// The scripted session.
struct Story<'a> {
    config: &'a Config,
    simulator: &'a Simulator,
    url: &'a str,
}

impl Story<'_> {
    async fn play(&self, key: Secret) -> anyhow::Result<()> {
        let endpoint = Upstream { url: self.url.parse()?, ..self.config.upstream.clone() };
        let mut agent = Agent::connect(&endpoint, key, "demo-agent").await?;
        self.list(&mut agent).await?;
        self.read(&mut agent).await?;
        self.denied(&mut agent).await?;
        self.held(&mut agent).await?;
        let writes = self
            .simulator
            .received()
            .iter()
            .filter(|it| it.tool.as_deref() == Some("update_article"))
            .count();
        println!("   What reached Intercom of changes so far: {writes} calls.\n");
        Ok(())
    }

    async fn list(&self, agent: &mut Agent) -> anyhow::Result<()> {
        println!("1. The agent lists tools. Intercom offers 14; policy shows those of its role:");
        let result = agent.request("tools/list", Object::default()).await?;
        let tools = result.get("tools").and_then(json::elements).unwrap_or_default();
        let names: Vec<String> = tools
            .iter()
            .filter_map(|tool| Some(Object::parse(tool)?.str("name")?.into_owned()))
            .collect();
        println!("   {} tools: {}\n", names.len(), names.join(", "));
        Ok(())
    }

    async fn read(&self, agent: &mut Agent) -> anyhow::Result<()> {
        println!(
            "2. It reads a conversation. Policy allows reads of its role; plugins see whose data is in \
             the answer,\n   and the agent gets pseudonyms that it can use in later calls:"
        );
        let arguments = arguments(&[("id", "conversation_215470000000101")]);
        let text = text_of(&agent.call("get_conversation", arguments).await?);
        println!("   -> {}\n", cut(from(&text, "\"source\""), 420));
        Ok(())
    }

    async fn denied(&self, agent: &mut Agent) -> anyhow::Result<()> {
        println!(
            "3. It tries a tool outside its role. Policy denies; the agent learns what to do:"
        );
        let mut call = Object::default();
        call.set("title", json::quote("Our new refund policy"));
        call.set("author_id", JsonText::of(&7_000_001));
        let text = text_of(&agent.call("create_article", call.to_text()).await?);
        println!("   -> {}", cut(&text, 400));
        println!("   The log tells the operator the rule and its place:");
        let denied = Filter { verdict: Some(Verdict::Deny), ..Filter::default() };
        for entry in audit::tail(&self.config.data, denied, From::Last(1), Follow::No)? {
            println!("   {}\n", super::audit::line(&entry?));
        }
        Ok(())
    }

    async fn held(&self, agent: &mut Agent) -> anyhow::Result<()> {
        println!("4. It updates a Help Center article. Every write waits for a person:");
        let call = arguments(&[("id", "9100001"), ("title", "Refunds: how long they take")]);
        let text = text_of(&agent.call("update_article", call).await?);
        println!("   -> {}\n", cut(&text, 460));
        let holds = control::ask(&self.config.data, &Question::Holds { all: false }).await?;
        if let Answer::Holds { holds } = holds {
            for hold in holds {
                println!("   Waiting: {} ({} by {})", hold.id, hold.tool, hold.principal);
            }
        }
        Ok(())
    }
}

fn connect_help(url: &str, key: &Secret) {
    let key = key.expose();
    println!("Connect your own agent (same principal, this key):");
    println!(
        "  Claude Code   claude mcp add --transport http intercom {url} --header \"Authorization: Bearer {key}\""
    );
    println!(
        "  Cursor        ~/.cursor/mcp.json:  {{\"mcpServers\":{{\"intercom\":{{\"url\":\"{url}\",\"headers\":{{\"Authorization\":\"Bearer {key}\"}}}}}}}}"
    );
    println!(
        "  VS Code       .vscode/mcp.json:    {{\"servers\":{{\"intercom\":{{\"type\":\"http\",\"url\":\"{url}\",\"headers\":{{\"Authorization\":\"Bearer {key}\"}}}}}}}}"
    );
    println!("  mcp-remote    npx mcp-remote {url} --header \"Authorization: Bearer {key}\"\n");
}

fn release_help(folder: &Path) {
    let program = std::env::current_exe()
        .map_or_else(|_| "portcullis".to_owned(), |path| path.display().to_string());
    let base = format!("{program} --config {}", folder.join("portcullis.yaml").display());
    let key = folder.join("approver.key");
    println!("Or decide in another terminal:");
    println!("  {base} holds list");
    println!("  {base} holds show ID --key-file {}", key.display());
    println!("  {base} holds approve ID --key-file {}", key.display());
    println!("  {base} holds reject ID REASON --key-file {}", key.display());
    println!("See and check every decision:");
    println!("  {base} audit tail");
    println!("  {base} audit verify\n");
}

fn arguments(pairs: &[(&str, &str)]) -> JsonText {
    let mut object = Object::default();
    for (key, value) in pairs {
        object.set(key, json::quote(value));
    }
    object.to_text()
}

/// The text of a tool's result.
fn text_of(result: &Object) -> String {
    let blocks = result.get("content").and_then(json::elements).unwrap_or_default();
    let texts: Vec<String> = blocks
        .iter()
        .filter_map(|block| Some(Object::parse(block)?.str("text")?.into_owned()))
        .collect();
    texts.join(" ")
}

/// The text from a word on, or all of it.
fn from<'a>(text: &'a str, word: &str) -> &'a str {
    text.find(word).and_then(|at| text.get(at..)).unwrap_or(text)
}

fn cut(text: &str, letters: usize) -> String {
    let mut short: String = text.chars().take(letters).collect();
    if short.len() < text.len() {
        short.push_str(" ...");
    }
    shown(&short)
}
