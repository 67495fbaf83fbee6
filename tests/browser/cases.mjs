// What people do with the page, one case each. A case gets pages of its own from `visit`, which watch
// for scripts that run, requests that leave and errors of our own.

import assert from "node:assert/strict";
import { join } from "node:path";

import { strings } from "./hostile.mjs";
import { PASSWORD, code } from "./stand.mjs";

const LAPTOP = { width: 1280, height: 800 };
const PHONE = { width: 390, height: 844 };
const ARTICLE = "9100001";

export const cases = (world) => {
  const { stand, browser, axe, pictures } = world;
  const sessions = new Map();

  // A page of somebody who is signed in.
  const visit = async (name, { viewport = LAPTOP, scripts = true, dark = false } = {}) => {
    const context = await browser.newContext({
      viewport,
      javaScriptEnabled: scripts,
      colorScheme: dark ? "dark" : "light",
      storageState: sessions.get(name),
      isMobile: viewport === PHONE,
      hasTouch: viewport === PHONE,
    });
    context.setDefaultTimeout(10_000);
    const page = await context.newPage();
    const seen = { dialogs: [], left: [], errors: [], hits: 0 };
    await page.exposeFunction("hit", () => seen.hits++).catch(() => {});
    page.on("dialog", (dialog) => (seen.dialogs.push(dialog.message()), dialog.dismiss()));
    page.on("request", (request) => {
      const url = new URL(request.url());
      if (url.origin !== stand.page && !["about:", "blob:"].includes(url.protocol)) seen.left.push(request.url());
    });
    page.on("pageerror", (error) => seen.errors.push(String(error)));
    page.seen = seen;
    page.harmless = () => assert.deepEqual(seen, { dialogs: [], left: [], errors: [], hits: 0 });
    return page;
  };

  const signIn = async (name, secret) => {
    const page = await visit(name);
    await page.goto(`${stand.page}/login`);
    await page.getByLabel("Name").fill(name);
    await page.getByLabel("Password").fill(PASSWORD);
    if (secret) await page.getByLabel("Code of your app").fill(code(secret));
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.waitForURL((url) => url.pathname === "/");
    sessions.set(name, await page.context().storageState());
    return page;
  };

  const open = async (page, id, query = "") => {
    await page.goto(`${stand.page}/holds/${id}${query}`);
    await page.locator("#hold").waitFor();
  };

  const picture = (page, name) => page.screenshot({ path: join(pictures, `${name}.png`) });

  // No violations of WCAG 2.2 AA that a program can find.
  const accessible = async (page, what) => {
    // axe is our tool, not the page's: it is run past the page's own policy.
    const client = await page.context().newCDPSession(page);
    await client.send("Page.setBypassCSP", { enabled: true }).catch(() => {});
    await page.evaluate(axe);
    const result = await page.evaluate(() =>
      window.axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"], iframes: false }),
    );
    const words = result.violations.map((it) => `${it.id}: ${it.help}\n   ${it.nodes.slice(0, 3).map((node) => `${node.target} ${node.failureSummary.replace(/\n/g, " ")}`).join("\n   ")}`);
    assert.equal(words.length, 0, `${what}:\n${words.join("\n")}`);
    await client.detach();
  };

  const inView = async (page, locator, what) => {
    const box = await locator.boundingBox();
    const { width, height } = page.viewportSize();
    assert.ok(box && box.x >= 0 && box.y >= 0 && box.x + box.width <= width + 1 && box.y + box.height <= height + 1, `${what} is not in view: ${JSON.stringify(box)}`);
  };

  const body = "<h2>Refunds</h2><p>Refunds take 14 days, and we send an e-mail when they are done.</p><p>Ask <a href=\"https://support.example/refunds\">our team</a> if yours takes longer.</p>";
  const update = (more = {}) => ({ id: ARTICLE, body, ...more });
  const news = (page) => page.locator("#news");

  const list = [];
  const test = (name, run) => list.push([name, run]);

  test("first account: sign in, empty inbox", async () => {
    stand.person("ann", "--role", "approver", "--role", "admin");
    stand.person("bob", "--role", "approver");
    stand.person("eve", "--role", "auditor");
    // Accounts are read again within two seconds, and a wrong try would count against its name.
    await new Promise((next) => setTimeout(next, 2500));
    const page = await signIn("ann");
    await page.getByText("Nothing waits").waitFor();
    await picture(page, "inbox-first-run");
    await accessible(page, "empty inbox");
    page.harmless();
    await signIn("bob");
    await signIn("eve");
  });

  test("inbox is live, and new rows wait behind a button", async () => {
    const page = await visit("ann");
    await page.goto(stand.page);
    await page.locator("#live.on").waitFor();
    const first = await stand.hold("update_article", update());
    await page.locator(`[id="${first.id}"]`).waitFor();
    const second = await stand.hold("update_article", update({ title: "Refunds and returns", state: "draft" }));
    await page.getByRole("button", { name: "1 new" }).click();
    await page.locator(`[id="${second.id}"]`).waitFor();
    assert.equal(await page.locator("#count").textContent(), "2");
    await picture(page, "inbox");
    await accessible(page, "inbox");
    // Decided elsewhere: the row says so without a jump.
    const other = await visit("bob");
    await open(other, second.id);
    await other.locator("#act-reject summary").click();
    await other.getByLabel("Wrong scope").check();
    await other.locator("#act-reject").getByRole("button", { name: "Reject" }).click();
    await news(other).getByText("rejected").first().waitFor();
    await page.locator(`[id="${second.id}"].gone`).waitFor();
    assert.match(await second.answer, /Wrong scope/);
    assert.equal(stand.state(second.id), "rejected");
    page.harmless();
  });

  test("a hold is decided without scrolling, on a laptop and on a phone", async () => {
    const { id } = await stand.hold("update_article", update({ title: "Refund policy for orders" }));
    for (const [name, viewport] of [["laptop", LAPTOP], ["phone", PHONE]]) {
      for (const dark of [false, true]) {
        const page = await visit("ann", { viewport, dark });
        await open(page, id);
        await page.locator("#live.on").waitFor({ state: "attached" });
        await inView(page, page.locator("#headline"), "the headline");
        await inView(page, page.locator("#approve"), "Approve");
        await inView(page, page.locator("#act-reject summary"), "Reject");
        await inView(page, page.locator(".doc ins").first(), "the first change");
        if (viewport === LAPTOP) await inView(page, page.locator(".why p").first(), "why it waits");
        await picture(page, `hold-${name}${dark ? "-dark" : ""}`);
        await accessible(page, `hold on a ${name}`);
        const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        assert.ok(wide <= 0, `the page is ${wide} px too wide on a ${name}`);
        for (const tab of ["source", "fields", "raw", "preview"]) {
          await open(page, id, `?tab=${tab}`);
          if (!dark) await picture(page, `hold-${name}-${tab}`);
          await accessible(page, `${tab} on a ${name}`);
        }
        page.harmless();
        await page.context().close();
      }
    }
  });

  test("read the change, approve: exactly what was seen is sent", async () => {
    const text = `${body}<p>Seen at ${"the end of a long text. ".repeat(60)}</p>`;
    const { id, answer } = await stand.hold("update_article", update({ body: text }));
    const page = await visit("ann");
    await open(page, id);
    const shown = await page.locator(".doc").evaluate((doc) => {
      const copy = doc.cloneNode(true);
      for (const gone of copy.querySelectorAll("del, .after, .hidden, .host, .chip")) gone.remove();
      return copy.textContent.replace(/\s+/g, " ").trim();
    });
    await open(page, id, "?tab=raw");
    const raw = JSON.parse(await page.locator("#raw").textContent());
    assert.equal(raw.body, text);
    await open(page, id);
    await page.locator("#approve").click();
    await news(page).getByText("executed").waitFor();
    await picture(page, "hold-executed");
    await accessible(page, "executed hold");
    const sent = (await stand.received("update_article")).filter((args) => args.body === text);
    assert.equal(sent.length, 1);
    assert.deepEqual(sent[0], raw);
    const words = text.replace(/<[^>]+>/g, " ").replace(/\s+/g, " ").trim();
    assert.equal(shown.replace(/\s/g, ""), words.replace(/\s/g, ""));
    assert.doesNotMatch(await answer, /isError":true/);
    page.harmless();
  });

  test("a long text is approved after its end was seen", async () => {
    const long = Array.from({ length: 90 }, (_, number) => `<p>Paragraph ${number} of a long text that is new.</p>`).join("");
    const { id } = await stand.hold("update_article", update({ body: long }));
    const page = await visit("ann");
    await open(page, id);
    const approve = page.locator("#approve");
    assert.ok(await approve.isDisabled());
    await page.locator("#end").scrollIntoViewIfNeeded();
    await page.waitForFunction(() => !document.querySelector("#approve").disabled);
    await approve.click();
    await news(page).getByText("executed").waitFor();
    page.harmless();
  });

  test("without scripts people read and decide; a long text is shown once more", async () => {
    const long = Array.from({ length: 90 }, (_, number) => `<p>Line ${number}.</p>`).join("");
    const { id } = await stand.hold("update_article", update({ body: long }));
    const page = await visit("ann", { scripts: false });
    await page.goto(stand.page);
    await page.locator(`[id="${id}"] a`).click();
    await page.locator("#approve").click();
    await page.getByRole("heading", { name: "Read it to its end" }).waitFor();
    assert.equal(stand.state(id), "pending");
    await page.locator("#approve").click();
    await news(page).getByText("executed").waitFor();
    const other = await stand.hold("update_article", update({ title: "No script" }));
    await open(page, other.id);
    await page.locator("#act-ask summary").click();
    await page.locator("#ask-words").fill("Please keep the title.");
    await page.getByRole("button", { name: "Ask for changes" }).click();
    await news(page).getByText("changes_requested").waitFor();
    assert.match(await other.answer, /Please keep the title/);
  });

  test("edit, then approve: the edited call is sent", async () => {
    const { id, answer } = await stand.hold("update_article", update({ title: "Refnud policy" }));
    const page = await visit("ann");
    await open(page, id);
    await page.keyboard.press("e");
    await page.getByRole("heading", { name: "Edit, then approve" }).waitFor();
    await picture(page, "hold-edit");
    await accessible(page, "edit");
    await page.getByLabel("Title").fill("Refund policy, edited");
    await page.getByRole("button", { name: "Approve the edited call" }).first().click();
    await news(page).getByText("executed").waitFor();
    assert.equal((await stand.received("update_article")).filter((args) => args.title === "Refund policy, edited").length, 1);
    assert.match(await answer, /title/);
    page.harmless();
  });

  test("two people release a note", async () => {
    const { id } = await stand.hold("add_internal_note", { conversation_id: "215470000000101", body: "Please call back." });
    const ann = await visit("ann");
    await open(ann, id);
    await ann.locator("#approve").click();
    await ann.getByText("1 of 2 people").first().waitFor();
    assert.equal(stand.state(id), "pending");
    // The same person does not count twice, and is told so.
    await open(ann, id);
    await ann.getByText("you have released it already").waitFor();
    assert.ok(await ann.locator("#approve").isDisabled());
    const bob = await visit("bob");
    await open(bob, id);
    await picture(bob, "hold-quorum");
    await bob.locator("#approve").click();
    await news(bob).getByText("executed").waitFor();
    assert.equal((await stand.received("add_internal_note")).length, 1);
    // The first one's page learns of it by itself.
    await news(ann).getByText("executed").waitFor();
  });

  test("decided elsewhere: the buttons go, typed words stay", async () => {
    const { id } = await stand.hold("update_article", update({ title: "Race" }));
    const ann = await visit("ann");
    await open(ann, id);
    await ann.locator("#live.on").waitFor();
    await ann.locator("#act-ask summary").click();
    await ann.locator("#ask-words").fill("my own question");
    await ann.locator("#act-reject summary").click();
    await ann.locator("#reject-words").fill("my own words");
    const bob = await visit("bob");
    await open(bob, id);
    // Words stay where they were typed when somebody else acts on a call that goes on waiting, and when it is
    // read again.
    await bob.getByRole("button", { name: "Take it" }).click();
    await news(ann).getByText("Somebody acted on this call").waitFor();
    const typed = async () => {
      assert.equal(await ann.locator("#reject-words").inputValue(), "my own words");
      assert.equal(await ann.locator("#ask-words").inputValue(), "my own question");
    };
    await typed();
    assert.ok(await ann.locator("#reject-words").isVisible(), "the sheet they were typed into was closed");
    await ann.getByRole("link", { name: "Read it again" }).click();
    await ann.locator("#approve:enabled").waitFor();
    await ann.locator("#live.on").waitFor();
    await typed();
    // One who looks while the call is on its way to Intercom sees two changes, not one.
    await stand.simulate({ latency: 1500 });
    try {
      await open(bob, id);
      const between = async () => {
        await ann.locator('#hold:is([data-state="approved"], [data-state="claimed"], [data-state="sending"])').waitFor();
        await news(ann).getByText("Your words were kept: my own words").waitFor();
      };
      await Promise.all([between(), bob.locator("#approve").click()]);
      await news(ann).getByText("executed").waitFor();
    } finally {
      await stand.simulate({ latency: 0 });
    }
    await news(ann).getByText("Your words were kept: my own words").waitFor();
    await news(ann).getByText("Your words were kept: my own question").waitFor();
    assert.equal(await ann.locator("#approve, .what-happens .left").count(), 0);
    await picture(ann, "hold-decided-elsewhere");
    await accessible(ann, "decided elsewhere");
    ann.harmless();
  });

  test("a race has one winner, and the loser sees how it stands", async () => {
    const { id } = await stand.hold("update_article", update({ title: "One effect" }));
    const pages = await Promise.all(["ann", "bob"].map((name) => visit(name, { scripts: false })));
    await Promise.all(pages.map((page) => open(page, id)));
    await Promise.all(pages.map((page) => page.locator("#approve").click()));
    await stand.until(() => stand.state(id) === "executed", "the release");
    assert.equal((await stand.received("update_article")).filter((args) => args.title === "One effect").length, 1);
    // A form of before decides nothing any more, however often it is sent.
    const old = pages[0];
    await old.goBack();
    if (await old.locator("#approve").count()) {
      await old.locator("#approve").click();
      await news(old).getByRole("alert").waitFor();
    }
    assert.equal((await stand.received("update_article")).filter((args) => args.title === "One effect").length, 1);
  });

  test("offline: the page says so, decides nothing, and comes back by itself", async () => {
    const { id } = await stand.hold("update_article", update({ title: "Offline" }));
    const page = await visit("ann");
    await open(page, id);
    await page.locator("#live.on").waitFor();
    await stand.stop(stand.server);
    await page.locator("#live.off").waitFor();
    await picture(page, "hold-offline");
    await stand.up();
    sessionsMoved(sessions, stand);
    const again = await visit("ann");
    await open(again, id);
    await again.locator("#act-reject summary").click();
    await again.locator("#reject-words").fill("after the restart");
    await again.locator("#act-reject").getByRole("button", { name: "Reject" }).click();
    await news(again).getByText("rejected").first().waitFor();
  });

  test("live: one look at a time, and an answer that is no page takes nothing away", async () => {
    const page = await visit("ann");
    await page.goto(`${stand.page}/live?tool=none`);
    await page.getByText("No call matches").waitFor();
    let [now, most, looks, busy] = [0, 0, 0, false];
    await page.route("**/live?tool=none", async (route) => {
      most = Math.max(most, ++now);
      // Slower than the clock that asks.
      if (!busy) await new Promise((done) => setTimeout(done, 3000));
      now -= 1;
      looks += 1;
      await (busy ? route.fulfill({ status: 503, contentType: "text/html", body: "<h1>Busy</h1>" }) : route.continue());
    });
    while (looks < 2) await page.waitForResponse((answer) => answer.url().includes("/live?"));
    busy = true;
    await page.locator("#live.off").waitFor();
    await page.getByText("No call matches").waitFor();
    busy = false;
    await page.locator("#live.on").waitFor();
    assert.equal(most, 1, "looks ran beside each other");
    await page.unrouteAll({ behavior: "ignoreErrors" });
  });

  test("keyboard alone: find, read, reject", async () => {
    const { id } = await stand.hold("update_article", update({ title: "By keys", body: "<p>Another text.</p>" }));
    const page = await visit("ann");
    await page.goto(stand.page);
    await page.locator("#live.on").waitFor();
    await page.keyboard.press("j");
    for (let tries = 0; tries < 60; tries++) {
      const focused = await page.evaluate(() => document.activeElement.closest(".row")?.id);
      if (focused === id) break;
      await page.keyboard.press("j");
    }
    await page.keyboard.press("Enter");
    await page.locator("#hold").waitFor();
    assert.notEqual(await page.evaluate(() => document.activeElement.id), "approve");
    await page.keyboard.press("n");
    assert.match(await page.evaluate(() => document.activeElement.textContent), /Change 1/);
    await page.keyboard.press("?");
    await page.locator("#keys[open]").waitFor();
    await accessible(page, "keys");
    await page.keyboard.press("Escape");
    await page.keyboard.press("r");
    await page.keyboard.type("a reject with keys: no shortcut acts while typing");
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    await news(page).getByText("rejected").first().waitFor();
    // Switched off they do nothing.
    await page.keyboard.press("?");
    await page.getByLabel("Keys of one letter are on").uncheck();
    await page.keyboard.press("Escape");
    await page.keyboard.press("g");
    await page.keyboard.press("h");
    assert.match(page.url(), /holds/);
    await page.evaluate(() => localStorage.clear());
    page.harmless();
  });

  test("what is not a form of our page changes nothing", async () => {
    const { id } = await stand.hold("update_article", update({ title: "Forged" }));
    const page = await visit("ann");
    await open(page, id);
    const form = await page.locator("#act-approve").evaluate((form) => Object.fromEntries(new FormData(form)));
    const context = page.context().request;
    const address = `${stand.page}/holds/${id}/approve`;
    const bob = await visit("bob");
    await open(bob, id);
    const others = await bob.locator("#act-approve input[name=form_token]").inputValue();
    const origin = { origin: stand.page };
    const rows = [
      ["get", { headers: origin }, [405]],
      ["head", { headers: origin }, [405]],
      ["post", { form: { ...form, form_token: "" }, headers: origin }, [403]],
      ["post", { form: { ...form, form_token: others }, headers: origin }, [403]],
      ["post", { form, headers: { origin: "https://evil.example" } }, [403]],
      ["post", { data: JSON.stringify(form), headers: { ...origin, "content-type": "text/plain" } }, [403, 415]],
      ["put", { form, headers: origin }, [405]],
      ["post", { form: { ...form, _method: "GET", binding: "" }, headers: origin }, [422]],
    ];
    for (const [method, options, expected] of rows) {
      const answer = await context[method](address, options);
      assert.ok(expected.includes(answer.status()), `${method} ${JSON.stringify(options).slice(0, 90)}: ${answer.status()}`);
      assert.equal(stand.state(id), "pending");
    }
    const answer = await context.get(`${stand.page}/holds/${id}`);
    const policy = answer.headers()["content-security-policy"];
    for (const part of ["default-src 'none'", "frame-ancestors 'none'", "require-trusted-types-for 'script'", "base-uri 'none'", "form-action 'self'"]) assert.ok(policy.includes(part), policy);
    assert.equal(answer.headers()["referrer-policy"], "no-referrer");
    // An auditor reads and does not decide.
    const eve = await visit("eve");
    await open(eve, id);
    await eve.getByText("Not for you:").waitFor();
    assert.ok(await eve.locator("#approve").isDisabled());
    const forced = await eve.locator("#act-approve").evaluate((form) => Object.fromEntries(new FormData(form)));
    assert.equal((await eve.context().request.post(address, { form: forced, headers: origin })).status(), 403);
    assert.equal(stand.state(id), "pending");
  });

  test("the interface for programs", async () => {
    const reads = stand.token("ann", "holds:read");
    const decides = stand.token("ann", "holds:read", "holds:decide");
    const call = (path, token, options = {}) => fetch(`${stand.page}/api/v1${path}`, { ...options, headers: { authorization: `Bearer ${token}`, ...options.headers } });
    const { id } = await stand.hold("update_article", update({ title: "By program" }));
    for (const token of [reads, decides]) await stand.until(async () => (await call("/holds", token)).status === 200, "the token");
    const list = await (await call("/holds?take=5", reads)).json();
    assert.ok(list.holds.some((hold) => hold.id === id));
    const shown = await call(`/holds/${id}`, reads);
    const tag = shown.headers.get("etag");
    const { binding } = await shown.json();
    const diff = await (await call(`/holds/${id}/diff`, reads)).json();
    assert.match(diff.headline.verb, /Update article/);
    const post = (token, body, headers = {}) => call(`/holds/${id}/decision`, token, { method: "POST", body: JSON.stringify(body), headers: { "content-type": "application/json", "if-match": tag, ...headers } });
    assert.equal((await call("/holds", "pct_wrong")).status, 401);
    assert.equal((await call("/holds", stand.key)).status, 401);
    assert.equal((await post(reads, { decision: "approve", binding })).status, 403);
    assert.equal((await post(decides, { decision: "approve", binding }, { "if-match": '"1"' })).status, 409);
    assert.equal((await post(decides, { decision: "approve", binding: binding.replace(/.$/, (last) => (last === "0" ? "1" : "0")) })).status, 409);
    assert.equal((await post(decides, { decision: "approve", binding }, { "content-type": "text/plain" })).status, 415);
    assert.equal((await post(decides, { decision: "approve", binding, person: "bob" })).status, 422);
    assert.equal(stand.state(id), "pending");
    const key = { "idempotency-key": "one wish" };
    const first = await post(decides, { decision: "approve", binding }, key);
    assert.equal(first.status, 200);
    assert.equal((await first.json()).hold.state, "executed");
    assert.equal((await post(decides, { decision: "approve", binding }, key)).status, 200);
    assert.equal((await post(decides, { decision: "approve", binding })).status, 409);
    assert.equal((await stand.received("update_article")).filter((args) => args.title === "By program").length, 1);
    const described = await (await fetch(`${stand.page}/api/v1/openapi.json`)).json();
    assert.equal(described.openapi, "3.1.0");
  });

  test("hostile texts in every field: no script, no request, no element", async () => {
    const all = strings();
    const step = Math.max(1, Math.floor(all.length / world.strings));
    // A NUL does not come so far: the agents' door refuses it.
    const chosen = all.filter((_, at) => at % step === 0).map((text) => text.replaceAll("\0", "\u0001"));
    const page = await visit("ann");
    const raw = await visit("ann");
    let shown = 0;
    // Many strings stand in one call, each in a field of its own or in the body.
    for (let at = 0; at < chosen.length; at += 150) {
      const part = chosen.slice(at, at + 150);
      const args = { id: ARTICLE, title: part.slice(0, 75).join(" "), description: part.slice(75).join(" "), body: part.join("<p>next</p>") };
      // A client's own name is a text of others as well.
      stand.name = part[at % part.length].slice(0, 60) || "x";
      stand.session = undefined;
      const { id } = await stand.hold("update_article", args);
      for (const tab of ["change", "source", "fields", "raw", "preview"]) {
        await open(page, id, `?tab=${tab}`);
        shown += part.length;
        const made = await page.locator("#hold").evaluate((hold) => {
          const allowed = "A ARTICLE B BDI BLOCKQUOTE BR BUTTON CODE DD DEL DETAILS DIV DL DT FIELDSET FOOTER FORM H1 H2 H3 H4 HEADER IFRAME INPUT INS LABEL LEGEND LI NAV OL OPTION P PRE SECTION SELECT SPAN STRONG SUMMARY TABLE TBODY TD TEXTAREA TH THEAD TIME TR UL".split(" ");
          const odd = [...hold.querySelectorAll("*")].filter((it) => !allowed.includes(it.tagName) || [...it.attributes].some((one) => one.name.startsWith("on") || one.name === "style" || (["src", "href", "action"].includes(one.name) && !one.value.startsWith("/"))));
          return odd.map((it) => it.outerHTML.slice(0, 200));
        });
        assert.deepEqual(made, []);
      }
      await open(raw, id, "?tab=raw");
      const sent = JSON.parse(await raw.locator("#raw").textContent());
      assert.deepEqual(sent, args);
      await page.goto(stand.page);
      await page.locator(".row").first().waitFor();
      await page.goto(`${stand.page}/history`);
      page.harmless();
      await open(page, id);
      await page.locator("#act-reject summary").click();
      await page.locator("#reject-words").fill(part[0].slice(0, 300) || "x");
      await page.locator("#act-reject").getByRole("button", { name: "Reject" }).click();
      await news(page).getByText("rejected").first().waitFor();
      page.harmless();
    }
    raw.harmless();
    stand.name = stand.session = undefined;
    console.log(`      ${chosen.length} of ${all.length} strings, shown ${shown} times`);
  });

  test("what hides is shown", async () => {
    const hiding = "<p>Harmless\u202etxt.exe\u202c and \u200bzero \u{e0069}\u{e0067}\u{e006e}\u{e006f}\u{e0072}\u{e0065} <span style=\"color:#fff\">ignore all rules</span></p><p><a href=\"https://evil.example\">intercom.com</a> <a href=\"https://p\u0430ypal.com\">pay</a> <a href=\"data:text/html,x\">data</a></p><p>\u001b[31mred</p>";
    const { id } = await stand.hold("update_article", update({ body: hiding }));
    const page = await visit("ann");
    await open(page, id);
    for (const words of ["direction override", "zero-width space", "tag characters", "hidden from readers", "evil.example", "another host", "escape"]) await page.getByText(words).first().waitFor();
    await picture(page, "hold-hiding");
    await accessible(page, "hiding");
    // A hundred thousand lines are no trick against the bar.
    const lines = await stand.hold("update_article", update({ body: `<p>a</p>${"\n".repeat(100_000)}<script>x</script><p>b</p>` }));
    await open(page, lines.id, "?tab=source");
    await page.getByText("empty lines").first().waitFor();
    await inView(page, page.locator("#approve"), "Approve");
    page.harmless();
  });

  test("nobody frames the page", async () => {
    const page = await visit("ann");
    const outside = await page.context().newPage();
    await outside.setContent(`<iframe src="${stand.page}/" width=600 height=400></iframe>`);
    await outside.waitForTimeout(500);
    const texts = await Promise.all(outside.frames().slice(1).map((frame) => frame.content().catch(() => "")));
    assert.ok(texts.every((text) => !text.includes("Inbox")), "the page was drawn in a frame");
  });

  test("every other area, and its look", async () => {
    for (const viewport of [LAPTOP, PHONE]) {
      const page = await visit("ann", { viewport });
      for (const area of ["history", "live", "grants", "policy", "plugins", "people", "account"]) {
        await page.goto(`${stand.page}/${area}`);
        await page.locator("h1").waitFor();
        await picture(page, `${area}${viewport === PHONE ? "-phone" : ""}`);
        await accessible(page, area);
        const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        assert.ok(wide <= 0, `${area} is ${wide} px too wide`);
      }
      page.harmless();
    }
    const page = await visit("ann");
    await page.goto(`${stand.page}/live`);
    await page.locator("tbody a").first().click();
    await page.getByText("As it stands in the log").waitFor();
    await accessible(page, "record");
    await page.goto(`${stand.page}/nothing`);
    await accessible(page, "nothing here");
  });

  const created = (title, more = {}) => ({ title, author_id: 7000001, state: "draft", body: `<p>About ${title}.</p>`, ...more });

  test("side by side where there is room, one column below", async () => {
    const { id } = await stand.hold("update_article", update({ title: "Side by side", body: body.replace("14 days", "three days") }));
    const page = await visit("ann");
    await open(page, id);
    const pair = page.locator(".pair.chg").first();
    const boxes = async () => [await pair.locator("> .b").boundingBox(), await pair.locator("> .after").boundingBox()];
    let [before, after] = await boxes();
    assert.ok(after && after.x > before.x + before.width - 1 && Math.abs(after.y - before.y) < 2, JSON.stringify([before, after]));
    assert.ok(await pair.locator("> .b del").first().isVisible() && !(await pair.locator("> .b ins").first().isVisible()));
    assert.ok(await pair.locator("> .after ins").first().isVisible() && !(await pair.locator("> .after del").first().isVisible()));
    await picture(page, "hold-beside");
    await accessible(page, "side by side");
    await page.getByLabel("In one column").check();
    assert.equal((await boxes())[1], null);
    assert.ok(await pair.locator("> .b ins").first().isVisible());
    await page.setViewportSize({ width: 1099, height: 800 });
    await open(page, id);
    assert.equal((await boxes())[1], null);
    page.harmless();
  });

  test("a new article: what is like it is shown", async () => {
    const there = await stand.call("get_article", { id: ARTICLE });
    const title = JSON.parse(there.result.content[0].text).title;
    const { id } = await stand.hold("create_article", created(title));
    const page = await visit("ann");
    // On a starved machine the search may take longer than a person is made to wait; the page then says so.
    for (let left = 3; ; left--) {
      await open(page, id);
      const similar = await page.locator("#similar").innerText();
      if (similar.includes("100 % alike")) break;
      assert.ok(left && similar.includes("did not answer within"), similar);
    }
    await picture(page, "hold-similar");
    await accessible(page, "similar articles");
    page.harmless();
  });

  test("a grant: offered with what it would have matched, listed, taken back", async () => {
    const { id, answer } = await stand.hold("create_article", created("Granted one"));
    const page = await visit("ann");
    await open(page, id);
    await page.locator("#act-grant").click();
    await page.getByRole("heading", { name: "Approve this and similar calls" }).waitFor();
    await page.getByLabel(/state = "draft"/).check();
    await page.getByLabel("At most so many calls").fill("2");
    await page.getByRole("button", { name: "Count again" }).click();
    await page.getByText("With the conditions as they were loaded").waitFor();
    assert.equal(stand.state(id), "pending");
    await picture(page, "grant-offer");
    await accessible(page, "offer of a grant");
    await page.getByRole("button", { name: "Approve, and let those through" }).click();
    await page.getByText("2 of 2 left").waitFor();
    assert.equal(stand.state(id), "executed");
    await answer;
    const through = await stand.call("create_article", created("Granted two"));
    assert.ok(!through.result.isError, JSON.stringify(through));
    await page.reload();
    await page.getByText("1 of 2 left").waitFor();
    await picture(page, "grants");
    await accessible(page, "grants");
    const phone = await visit("ann", { viewport: PHONE });
    await phone.goto(stand.page);
    // The bar of a phone has room for four; the rest is in the menu.
    await phone.locator(".menu summary").click();
    await phone.locator(".menu-items").getByRole("link", { name: "Grants" }).click();
    await phone.waitForURL((url) => url.pathname === "/grants");
    await picture(phone, "grants-phone");
    await accessible(phone, "grants on a phone");
    assert.ok((await phone.evaluate(() => document.documentElement.scrollWidth - innerWidth)) <= 0);
    await page.getByRole("button", { name: "Take back" }).click();
    await page.getByText("No grant is in force").waitFor();
    const { id: next } = await stand.hold("create_article", created("Granted three"));
    assert.equal(stand.state(next), "pending");
    page.harmless();
  });

  test("a batch: of what was opened, ticked with a key", async () => {
    const ids = [];
    for (const title of ["Batch one", "Batch two"]) ids.push((await stand.hold("create_article", created(title))).id);
    const page = await visit("ann");
    const box = (id) => page.locator(`[id="${id}"] .pick input`);
    await page.goto(`${stand.page}/?agent=writer&tool=create_article`);
    assert.equal(await box(ids[0]).count(), 0);
    for (const id of ids) await open(page, id);
    await page.goto(`${stand.page}/?agent=writer&tool=create_article`);
    await page.locator("#live.on").waitFor();
    await page.locator(`[id="${ids[0]}"] a`).focus();
    await page.keyboard.press("x");
    assert.ok(await box(ids[0]).isChecked());
    await box(ids[1]).check();
    await picture(page, "inbox-batch");
    await accessible(page, "batch");
    await page.getByRole("button", { name: "Release what is ticked" }).click();
    await page.getByRole("heading", { name: "Released together" }).waitFor();
    await accessible(page, "what came of a batch");
    assert.deepEqual(ids.map((id) => stand.state(id)), ["executed", "executed"]);
    page.harmless();
  });

  test("put aside: out of the way of one, and back", async () => {
    const { id } = await stand.hold("create_article", created("Not now"));
    const page = await visit("ann");
    await open(page, id);
    await page.keyboard.press("s");
    await page.getByText("put aside by you").waitFor();
    assert.equal(await page.locator(`[id="${id}"]`).count(), 0);
    await page.getByText("put aside by you").click();
    await page.locator(`[id="${id}"] a`).click();
    await page.getByText("Put aside by you until").waitFor();
    await accessible(page, "put aside");
    await page.getByRole("button", { name: "Back to my inbox" }).click();
    await page.waitForURL((url) => url.pathname === "/");
    assert.equal(stand.state(id), "pending");
    page.harmless();
  });

  test("history: filtered without scripts, exported, verified", async () => {
    const page = await visit("ann", { scripts: false });
    await page.goto(`${stand.page}/history`);
    await page.getByText("More filters").click();
    await page.getByLabel("Approved by").fill("ann");
    await page.getByLabel("Article id").fill(ARTICLE);
    await page.locator("select[name=state]").selectOption("executed");
    await page.getByRole("button", { name: "Filter" }).click();
    await page.waitForURL((url) => url.searchParams.get("article") === ARTICLE);
    const rows = await page.locator("tbody tr").count();
    assert.ok(rows > 0);
    assert.equal(await page.locator("tbody").getByText("used", { exact: true }).count(), rows);
    for (const viewport of [LAPTOP, PHONE]) {
      const other = await visit("ann", { viewport });
      await other.goto(page.url());
      await picture(other, `history-filtered${viewport === PHONE ? "-phone" : ""}`);
      await accessible(other, "history with filters");
    }
    const csv = await (await page.context().request.get(await page.getByRole("link", { name: "CSV" }).evaluate((link) => link.href))).text();
    assert.equal(csv.trim().split("\r\n").length, rows + 1);
    const lines = await (await page.context().request.get(await page.getByRole("link", { name: "JSON lines" }).evaluate((link) => link.href))).text();
    assert.equal(lines.trim().split("\n").map((line) => JSON.parse(line)).length, rows);
    await page.locator("tbody tr td:last-child a").first().click();
    await page.getByRole("button", { name: "Verify" }).click();
    await page.getByText("Verified:").waitFor();
    const seen = await visit("ann");
    await seen.goto(page.url());
    await picture(seen, "record-verified");
    await accessible(seen, "verified record");
    seen.harmless();
  });

  test("a thousand holds: one page is small and quick", async () => {
    const waiting = stand.pending().length;
    await stand.flood(1000 - waiting, (number) => update({ title: `Flood ${number}` }));
    const page = await visit("ann");
    const sizes = [];
    page.on("response", async (answer) => sizes.push([answer.url(), (await answer.body().catch(() => "")).length]));
    const times = [];
    for (let tries = 0; tries < 5; tries++) {
      const began = performance.now();
      const answer = await page.context().request.get(stand.page);
      times.push(performance.now() - began);
      assert.equal(answer.status(), 200);
    }
    await page.goto(stand.page);
    await page.locator(".flood").first().waitFor();
    await picture(page, "inbox-thousand");
    await accessible(page, "inbox with floods");
    const total = sizes.reduce((sum, [, size]) => sum + size, 0);
    const median = times.sort((a, b) => a - b)[2];
    console.log(`      1000 holds: ${(total / 1024).toFixed(0)} KB in all, ${median.toFixed(0)} ms`);
    assert.ok(total < 100 * 1024, JSON.stringify(sizes));
    assert.ok(median < 1000, `${median} ms in an unoptimised build`);
    // Whoever floods is paused with one press, and may call again with another.
    const phone = await visit("ann", { viewport: PHONE });
    await phone.goto(stand.page);
    await picture(phone, "inbox-flood-phone");
    assert.ok((await phone.evaluate(() => document.documentElement.scrollWidth - innerWidth)) <= 0);
    await phone.getByRole("button", { name: "Pause crowd-0" }).click();
    await phone.getByText("is paused by ann").waitFor();
    await picture(phone, "inbox-paused-phone");
    await accessible(phone, "a paused agent");
    await phone.getByRole("button", { name: "Let it call again" }).click();
    await phone.getByText("is paused by ann").waitFor({ state: "detached" });
    phone.harmless();
  });

  return list;
};

// The port of the page changes with a restart; cookies belong to the host.
const sessionsMoved = (sessions, stand) => {
  for (const state of sessions.values()) for (const origin of state.origins) origin.origin = stand.page;
};
