// Runs the cases; `run` beside it installs what this needs and calls it.

import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";

import { cases } from "./cases.mjs";
import { Stand } from "./stand.mjs";

const { values: options } = parseArgs({
  options: {
    portcullis: { type: "string" },
    only: { type: "string", default: "" },
    modules: { type: "string" },
    pictures: { type: "string" },
    strings: { type: "string", default: process.env.PORTCULLIS_STRINGS ?? "400" },
  },
});
if (!options.portcullis) throw new Error("say which binary: --portcullis PATH");

const require = createRequire(join(options.modules, "package.json"));
const { chromium } = require("playwright-core");
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const browserPath = [process.env.CHROMIUM, "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find((path) => path && existsSync(path));
if (!browserPath) throw new Error("no Chromium; on Debian: apt-get install chromium");

mkdirSync(options.pictures, { recursive: true });
const stand = new Stand(options.portcullis);
const failed = [];
let browser;
try {
  await stand.start();
  browser = await chromium.launch({ executablePath: browserPath, chromiumSandbox: process.getuid?.() !== 0, args: ["--disable-dev-shm-usage"] });
  const world = { stand, browser, axe, pictures: resolve(options.pictures), strings: Number(options.strings) };
  for (const [name, run] of cases(world)) {
    // The first makes the accounts that the others use.
    if (!name.includes(options.only) && !name.startsWith("first")) continue;
    const began = Date.now();
    try {
      await run();
      console.log(`ok    ${name} (${((Date.now() - began) / 1000).toFixed(1)} s)`);
    } catch (error) {
      failed.push(name);
      console.log(`FAIL  ${name}\n${error.stack}`);
      for (const [at, page] of browser.contexts().flatMap((it) => it.pages()).entries()) {
        const words = await page.locator("#news, [role=alert]").allTextContents().catch(() => []);
        console.log(`      ${page.url()} ${words.join(" ").replace(/\s+/g, " ")}`);
        await page.screenshot({ path: join(world.pictures, `failed-${failed.length}-${at}.png`) }).catch(() => {});
      }
      if (name.startsWith("first")) break;
    }
    for (const context of browser.contexts()) await context.close();
  }
} finally {
  await browser?.close();
  if (failed.length) console.log(stand.server?.log?.().split("\n").slice(-30).join("\n"));
  await stand.end();
}
if (failed.length) {
  console.log(`${failed.length} failed: ${failed.join(", ")}`);
  process.exit(1);
}
console.log(`all passed; pictures: ${options.pictures}`);
