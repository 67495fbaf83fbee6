// What the browser is driven against: Portcullis with its page, a simulator of Intercom, people with
// accounts, and an agent whose calls are held. Everything lies in one temporary folder, on free ports.

import { execFileSync, spawn } from "node:child_process";
import { createHmac, randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync, readFileSync, mkdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const START = 60_000;
export const PASSWORD = "four plain random words";

const configuration = ({ data, simulator, policies, expires }) => `
listen: 127.0.0.1:0
environment: test
data: ${data}
upstream: { url: "${simulator}", token: "\${SIM_TOKEN}" }
console: { listen: "127.0.0.1:0" }
principals:
  - { id: writer, roles: [article-editor, knowledge-author, note-writer, support-reader] }
${[0, 1, 2, 3, 4].map((number) => `  - { id: crowd-${number}, roles: [article-editor] }`).join("\n")}
policies: { folder: ${policies} }
holds: { pending_per_principal: 2000 }
limits: { connections: 4000, calls_in_flight: 8000 }
`;

export class Stand {
  constructor(binary) {
    this.binary = resolve(binary);
    this.folder = mkdtempSync(join(tmpdir(), "portcullis-browser-"));
    this.environment = { ...process.env, HOME: this.folder, SIM_TOKEN: randomBytes(16).toString("hex") };
    this.children = [];
    this.waiting = new AbortController();
    this.count = 1;
    this.secrets = new Map();
  }

  async start() {
    const token = this.environment.SIM_TOKEN;
    const [simulator] = await this.serve(["simulate", "--listen", "127.0.0.1:0", "--token", token], [/listening on (http:\/\/\S+\/mcp)\b/]);
    this.simulator = simulator.replace(/\/mcp$/, "");
    const policies = join(this.folder, "policies");
    this.config = join(this.folder, "portcullis.yaml");
    writeFileSync(this.config, configuration({ data: join(this.folder, "data"), simulator, policies }));
    this.run(["policy", "init", policies]);
    this.twoPeopleForNotes(policies);
    this.key = this.run(["principals", "add", "writer"]).trim().split("\n").pop();
    await this.up();
  }

  // Notes take two people; articles one, whose wait can be longer; new ones can be granted.
  twoPeopleForNotes(folder) {
    const file = join(folder, "roles.json");
    const data = JSON.parse(readFileSync(file, "utf8"));
    data.releases ??= {};
    data.releases.tools = {
      ...data.releases.tools,
      add_internal_note: { groups: [], people: 2, expires_seconds: 3600 },
      create_article: { groups: ["kb-editors"], people: 1, expires_seconds: 3600, grantable: true },
      update_article: { groups: [], people: 1, expires_seconds: 3600, extend_seconds: 7200, step_up_minutes: 0 },
    };
    writeFileSync(file, JSON.stringify(data, null, 2));
    // Their tests are of the data that was there.
    for (const test of ["admit_test.rego", "answers_test.rego"]) rmSync(join(folder, test));
  }

  async up() {
    const [agents, page] = await this.serve(
      ["serve", "--config", this.config],
      [/listening on (http:\/\/\S+\/mcp)\b/, /(http:\/\/[\d.:]+)\/? *$|page (?:is )?(?:at|on) (http:\/\/\S+?)\/?$/],
      true,
    );
    this.agents = agents;
    this.session = undefined;
    this.page = page.replace("127.0.0.1", "localhost");
  }

  async restart() {
    await this.stop(this.server);
    await this.up();
  }

  // Starts a server and waits for the lines that tell its addresses.
  serve(command, wanted, isServer = false) {
    const child = spawn(this.binary, command, { cwd: this.folder, env: this.environment, stdio: ["ignore", "pipe", "pipe"] });
    this.children.push(child);
    if (isServer) this.server = child;
    return new Promise((done, failed) => {
      const found = wanted.map(() => null);
      let text = "";
      const timer = setTimeout(() => failed(new Error(`it does not listen:\n${text}`)), START);
      const look = (chunk) => {
        text = (text + chunk).slice(-20_000);
        for (const line of text.split("\n"))
          wanted.forEach((pattern, index) => {
            const match = line.match(pattern);
            if (match && !found[index] && !(index > 0 && line.includes("/mcp"))) found[index] = match.slice(1).find(Boolean);
          });
        if (found.every(Boolean)) {
          clearTimeout(timer);
          done(found);
        }
      };
      child.stdout.on("data", look);
      child.stderr.on("data", look);
      child.on("exit", (code) => failed(new Error(`\`${command[0]}\` ended (${code}):\n${text}`)));
      child.log = () => text;
    });
  }

  run(command, input = "") {
    return execFileSync(this.binary, ["--config", this.config, ...command], { env: this.environment, input, encoding: "utf8", cwd: this.folder, maxBuffer: 64 << 20 });
  }

  person(name, ...more) {
    this.run(["people", "add", name, "--group", "kb-editors", ...more, "--password-stdin"], `${PASSWORD}\n`);
  }

  token(name, ...scopes) {
    return this.run(["people", "token", "add", name, ...scopes.flatMap((scope) => ["--scope", scope])]).trim().split("\n").pop();
  }

  async agent() {
    if (this.session) return;
    const params = { protocolVersion: "2025-06-18", capabilities: {}, clientInfo: { name: this.name ?? "test-agent", version: "1" } };
    const answer = await this.post({ id: 1, method: "initialize", params });
    this.session = answer.headers.get("mcp-session-id");
    await answer.text();
    await this.post({ method: "notifications/initialized" });
  }

  post(message, signal = this.waiting.signal) {
    return fetch(this.agents, {
      method: "POST",
      signal,
      headers: {
        authorization: `Bearer ${this.key}`,
        "content-type": "application/json",
        accept: "application/json, text/event-stream",
        ...(this.session && { "mcp-session-id": this.session, "mcp-protocol-version": "2025-06-18" }),
      },
      body: JSON.stringify({ jsonrpc: "2.0", ...message }),
    });
  }

  // Lets the agent call a tool that is held, and gives the hold's id. Nobody waits for the answer.
  async hold(tool, args) {
    await this.agent();
    const before = new Set(this.pending().map((hold) => hold.id));
    this.count++;
    const answer = this.post({ id: this.count, method: "tools/call", params: { name: tool, arguments: args } }).then((it) => it.text());
    answer.catch(() => {});
    for (let tries = 0; tries < 200; tries++) {
      const found = this.pending().find((hold) => !before.has(hold.id));
      if (found) return { id: found.id, answer };
      await new Promise((next) => setTimeout(next, 50));
    }
    throw new Error(`the call was not held: ${await Promise.race([answer, "no answer"])}`);
  }

  // A call that is not held: its answer.
  async call(tool, args) {
    await this.agent();
    this.count++;
    const text = await (await this.post({ id: this.count, method: "tools/call", params: { name: tool, arguments: args } })).text();
    const line = text.split("\n").filter((line) => line.startsWith("data: ")).pop();
    return JSON.parse(line ? line.slice(6) : text);
  }

  // Many holds, a wave at a time, of several agents: one may not have so many calls that wait. On a busy
  // machine a plugin may take too long, which denies its call, so that one is made again.
  async flood(count, args) {
    const goal = this.pending().length + count;
    for (let waves = 0, missing = count; missing > 0; missing = goal - this.pending().length, waves++) {
      if (waves > 200) throw new Error(`${missing} of ${count} calls were not held`);
      if (waves % 8 === 0) await this.become(`crowd-${(waves / 8) % 5}`);
      const wave = [];
      for (let number = 0; number < Math.min(25, missing); number++) {
        this.count++;
        const params = { name: "update_article", arguments: args(this.count) };
        wave.push(this.post({ id: this.count, method: "tools/call", params }).then((it) => it.text()).catch(() => {}));
      }
      // A call that is held is not answered for long.
      await Promise.race([Promise.all(wave), new Promise((next) => setTimeout(next, 700))]);
    }
  }

  // Calls from now on as another agent.
  async become(name) {
    this.key = this.run(["principals", "add", name]).trim().split("\n").pop();
    this.session = undefined;
    // Keys are read again within two seconds.
    await this.until(async () => {
      await this.agent().catch(() => {});
      return this.session;
    }, "the new agent");
  }

  async until(check, what = "it") {
    for (let tries = 0; tries < 400; tries++) {
      if (await check()) return;
      await new Promise((next) => setTimeout(next, 50));
    }
    throw new Error(`${what} did not happen`);
  }

  pending() {
    return this.holds().filter((hold) => hold.state === "pending");
  }

  holds() {
    return JSON.parse(this.run(["holds", "list", "--all", "--json"]));
  }

  state(id) {
    return this.holds().find((hold) => hold.id === id)?.state;
  }

  // What reached Intercom, of one tool.
  async received(tool) {
    const items = await (await fetch(`${this.simulator}/_sim/received`)).json();
    return items.filter((item) => item.tool === tool).map((item) => item.arguments);
  }

  // How Intercom behaves from now on.
  async simulate(options) {
    const answer = await fetch(`${this.simulator}/_sim/options`, { method: "PATCH", body: JSON.stringify(options) });
    if (!answer.ok) throw new Error(`the simulator refused it: ${await answer.text()}`);
  }

  async stop(child) {
    if (child.exitCode !== null) return;
    child.removeAllListeners("exit");
    const ended = new Promise((done) => child.once("exit", done));
    child.kill("SIGTERM");
    const timer = setTimeout(() => child.kill("SIGKILL"), 8000);
    await ended;
    clearTimeout(timer);
  }

  async end() {
    this.waiting.abort();
    for (const child of this.children.reverse()) await this.stop(child);
    rmSync(this.folder, { recursive: true, force: true });
  }
}

// The code of an app for a secret (RFC 6238, SHA-1, 30 seconds, six digits).
export const code = (secret, at = Date.now()) => {
  let bits = "";
  for (const letter of secret.replace(/[\s=]/g, "").toUpperCase()) bits += "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(letter).toString(2).padStart(5, "0");
  const bytes = Buffer.from(bits.match(/.{8}/g).map((byte) => parseInt(byte, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(at / 30_000)));
  const digest = createHmac("sha1", bytes).update(counter).digest();
  const offset = digest[19] & 15;
  return String((digest.readUInt32BE(offset) & 0x7fffffff) % 1_000_000).padStart(6, "0");
};

export const folder = (path) => mkdirSync(path, { recursive: true });
