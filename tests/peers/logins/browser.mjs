// A person with a browser: opens the page, logs in, consents, and goes where that leads. For `BROWSER`: the address comes last.
//
// node browser.mjs NODE_MODULES OUT NAME PASSWORD WAY URL. Every page that was shown is a line of JSON in the file OUT; the last line says that
// it is over. WAY: `consent`; `cancel`; or `iss=TEXT`, an attacker who changes who the answer seems to come from.

import { appendFileSync, mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";

const [modules, out, name, password, way, url] = process.argv.slice(2);
const { chromium } = createRequire(join(modules, "none.js"))("playwright-core");

const home = mkdtempSync(join(tmpdir(), "mcpmux-browser-"));
const note = (line) => appendFileSync(out, `${JSON.stringify(line)}\n`);
let browser;
try {
  browser = await chromium.launchPersistentContext(join(home, "profile"), {
    executablePath: "/usr/bin/chromium",
    headless: true,
    chromiumSandbox: false,
    env: { ...process.env, HOME: home },
    args: [
      "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync",
      "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1 , EXCLUDE localhost",
    ],
  });
  const page = browser.pages()[0] ?? (await browser.newPage());
  if (way.startsWith("iss=")) {
    // Where a redirect leads is seen only below what `page.route` sees.
    const session = await browser.newCDPSession(page);
    session.on("Fetch.requestPaused", ({ requestId, request }) => {
      const there = new URL(request.url);
      if (there.searchParams.get("iss") === way.slice(4)) return session.send("Fetch.continueRequest", { requestId });
      there.searchParams.set("iss", way.slice(4));
      return session.send("Fetch.fulfillRequest", { requestId, responseCode: 302, responseHeaders: [{ name: "location", value: there.href }] });
    });
    await session.send("Fetch.enable", { patterns: [{ urlPattern: "*/callback?*" }] });
  }
  const follow = (what) => Promise.all([page.waitForNavigation({ waitUntil: "domcontentloaded" }), what.click()]);
  await page.goto(url, { waitUntil: "domcontentloaded" });
  // A login, a consent and what leads from one to the other; more would be going in circles.
  for (let steps = 0; steps < 8; steps++) {
    const text = await page.locator("body").innerText();
    note({ url: page.url(), text });
    if (page.url().includes("/callback") || (await page.locator("form").count()) === 0) break;
    if (way === "cancel") await follow(page.getByText("Cancel"));
    else {
      if (await page.locator("input[name=login]").count()) {
        await page.fill("input[name=login]", name);
        await page.fill("input[name=password]", password);
      }
      await follow(page.locator("button[type=submit]").first());
    }
  }
} catch (error) {
  note({ failed: String(error) });
} finally {
  await browser?.close();
  rmSync(home, { recursive: true, force: true });
  note({ over: true });
}
