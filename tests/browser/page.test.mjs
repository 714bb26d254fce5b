// The page on a phone, in dark mode, and behind a proxy with a path prefix.
import assert from "node:assert/strict";
import http from "node:http";
import { after, before, test } from "node:test";
import { PASSWORD, execute, openDocs, signIn, startBrowser, startService } from "./service.mjs";

const PREFIX = "/care";
let service, proxy, proxied;

before(async () => {
  service = await startService();
  // A proxy that removes the prefix, as nginx does with `location /care/ { proxy_pass http://care4u/; }`.
  proxy = http.createServer((request, response) => {
    if (!request.url.startsWith(`${PREFIX}/`)) {
      response.writeHead(418).end();
      return;
    }
    const options = { method: request.method, path: request.url.slice(PREFIX.length), headers: request.headers };
    const forwarded = http.request(service.address, options, (answer) => {
      response.writeHead(answer.statusCode, answer.headers);
      answer.pipe(response);
    });
    request.pipe(forwarded);
  });
  await new Promise((listening) => proxy.listen(0, "127.0.0.1", listening));
  proxied = `http://127.0.0.1:${proxy.address().port}${PREFIX}`;
});

after(async () => {
  proxy?.close();
  proxy?.closeAllConnections();
  await service?.stop();
});

test("it works behind a path prefix", async () => {
  const { browser, page, faults } = await startBrowser();
  await page.goto(`${proxied}/docs`);
  await page.waitForSelector(".opblock");
  assert.equal(page.url(), `${proxied}/docs/`);
  await signIn(page, "admin@example.org");
  assert.equal(await execute(page, "get_current_user"), 200);
  await page.click(".session-title");
  await page.waitForSelector("text=Vaccine registration and identity");
  assert.equal(page.url(), `${proxied}/`);
  await page.click("text=Problem types");
  await page.waitForSelector("text=request-timeout");
  await page.goto(`${proxied}/no/where`);
  await page.click("text=Start page");
  assert.equal(page.url(), `${proxied}/`);
  assert.deepEqual(faults, []);
  await browser.close();
});

test("it fits on a phone", async () => {
  const phone = { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true };
  const { browser, page, faults } = await startBrowser(phone);
  await openDocs(page, service.address);
  await signIn(page, "admin@example.org");
  assert.equal(await execute(page, "list_vaccines"), 200);
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  assert.ok(overflow <= 0, `the page is ${overflow} pixels too wide`);
  assert.deepEqual(faults, []);
  await browser.close();
});

test("it follows the colour scheme of the system", async () => {
  const { browser, page, faults } = await startBrowser({ colorScheme: "dark" });
  await openDocs(page, service.address);
  const isDark = (expected) => page.waitForFunction((dark) => {
    const parts = getComputedStyle(document.body).backgroundColor.match(/\d+/g).slice(0, 3).map(Number);
    return parts[0] + parts[1] + parts[2] < 200 === dark;
  }, expected);
  await isDark(true);
  await page.emulateMedia({ colorScheme: "light" });
  await isDark(false);
  assert.deepEqual(faults, []);
  await browser.close();
});

test("it cannot be framed, and no script of another origin runs", async () => {
  const { browser, page } = await startBrowser();
  const response = await page.goto(`${service.address}/docs/`);
  const policy = response.headers()["content-security-policy"];
  assert.match(policy, /script-src 'self';/);
  assert.match(policy, /frame-ancestors 'none'/);
  assert.equal(await page.evaluate(() => {
    const script = document.createElement("script");
    script.textContent = "window.injected = true";
    document.body.append(script);
    return window.injected;
  }), undefined);
  await browser.close();
});
