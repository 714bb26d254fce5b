// Swagger UI keeps its user signed in: log-in, refresh before expiry, reload, sign-out.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { PASSWORD, execute, openDocs, signIn, startBrowser, startService } from "./service.mjs";

const ACCESS_SECONDS = 6;
let service, tab;

before(async () => {
  service = await startService({ CARE4U__AUTH__ACCESS_TTL_SECONDS: String(ACCESS_SECONDS) });
  tab = await startBrowser();
  const body = JSON.stringify({ name: "Ada Lovelace", email: "ada@example.org", password: PASSWORD });
  const headers = { "content-type": "application/json" };
  const registered = await fetch(`${service.address}/api/v1/auth/register`, { method: "POST", headers, body });
  assert.equal(registered.status, 201);
});

after(async () => {
  await tab?.browser.close();
  await service?.stop();
});

const KEY = () => `care4u.session ${service.address}`;
const stored = (page) => page.evaluate((key) => JSON.parse(sessionStorage.getItem(key)), KEY());
const status = async (token) => {
  const response = await fetch(`${service.address}/api/v1/users/me`, { headers: { authorization: `Bearer ${token}` } });
  return response.status;
};
// Waits until the service refuses a token.
const expired = async (token) => {
  while ((await status(token)) !== 401) await new Promise((resolve) => setTimeout(resolve, 200));
};

test("one log-in is kept over expiry and reload, and ends with both tokens", async () => {
  const { page } = tab;
  await openDocs(page, service.address);
  assert.equal(await page.title(), "care4u API");
  assert.match(await page.innerText(".session-bar"), /Not signed in/);
  assert.equal(await execute(page, "get_current_user"), 401);

  await page.click(".session-button");
  assert.equal(await page.evaluate(() => document.activeElement.id), "oauth_username");
  assert.ok(await page.locator("#oauth_username").isVisible());
  await page.click(".modal-ux .close-modal");
  await signIn(page, "ada@example.org");
  assert.match(await page.innerText(".session-bar"), /Signed in as Ada Lovelace ada@example\.org\s*patient until /);
  assert.equal(await execute(page, "get_current_user"), 200);

  const first = await stored(page);
  await expired(first.accessToken);
  assert.equal(await execute(page, "get_current_user"), 200);
  assert.notEqual((await stored(page)).accessToken, first.accessToken);

  await page.reload();
  await page.waitForSelector(".session-role");
  assert.equal(await execute(page, "get_current_user"), 200);
  assert.equal(await page.evaluate(() => localStorage.length), 0);

  const last = await stored(page);
  await page.click(".session-button");
  await page.waitForSelector("text=Not signed in");
  assert.equal(await execute(page, "get_current_user"), 401);
  assert.equal(await stored(page), null);
  assert.equal(await status(last.accessToken), 401);
  const headers = { "content-type": "application/json" };
  const body = JSON.stringify({ refresh_token: last.refreshToken });
  const refreshed = await fetch(`${service.address}/api/v1/auth/refresh`, { method: "POST", headers, body });
  assert.equal(refreshed.status, 401);
  assert.deepEqual(tab.faults, []);
});

test("a log-in that is tried out signs in, and a log-out signs out", async () => {
  const { page } = tab;
  await openDocs(page, service.address);
  assert.equal(await execute(page, "log_in"), 200);
  await page.waitForSelector(".session-role");
  assert.equal(await execute(page, "get_current_user"), 200);
  assert.equal(await execute(page, "log_out"), 204);
  await page.waitForSelector("text=Not signed in");
  assert.equal(await execute(page, "get_current_user"), 401);
});

test("a duplicated tab shares the session, and each tab gets the new token pair", async () => {
  const { page, context } = tab;
  await openDocs(page, service.address);
  await signIn(page, "ada@example.org");
  const first = await stored(page);
  const copy = await context.newPage();
  await copy.addInitScript(([key, session]) => {
    sessionStorage.getItem(key) ?? sessionStorage.setItem(key, session);
  }, [KEY(), JSON.stringify(first)]);
  await openDocs(copy, service.address);
  for (let generation = 0; generation < 2; generation += 1) {
    await expired((await stored(page)).accessToken);
    assert.equal(await execute(page, "get_current_user"), 200);
    assert.equal(await execute(copy, "get_current_user"), 200);
  }
  await copy.click(".session-button");
  await page.waitForSelector("text=Not signed in");
  await copy.close();
});

test("a session that was ended elsewhere is noticed", async () => {
  const { page } = tab;
  await openDocs(page, service.address);
  await signIn(page, "ada@example.org");
  const token = (await stored(page)).refreshToken;
  await fetch(`${service.address}/api/v1/auth/revoke`, { method: "POST", body: new URLSearchParams({ token }) });
  assert.equal(await execute(page, "get_current_user"), 401);
  await page.waitForSelector("text=Your session has ended. Sign in again.");
});

test("an answer that arrives after signing out changes nothing", async () => {
  const { page } = tab;
  await openDocs(page, service.address);
  await signIn(page, "ada@example.org");
  const { accessToken } = await stored(page);
  let release;
  const held = new Promise((resolve) => (release = resolve));
  await page.route("**/auth/refresh", async (route) => {
    const answer = await route.fetch();
    await held;
    await route.fulfill({ response: answer });
  });
  await page.waitForRequest("**/auth/refresh", { timeout: 30_000 });
  await page.click(".session-button");
  await page.waitForSelector("text=Not signed in");
  release();
  await page.waitForResponse("**/auth/refresh").catch(() => {});
  await page.unroute("**/auth/refresh");
  await expired(accessToken);
  assert.equal(await stored(page), null);
  assert.match(await page.innerText(".session-bar"), /Not signed in/);
});

test("a sign-out that the service does not confirm is tried again, and does not touch the next session", async () => {
  const { page } = tab;
  await openDocs(page, service.address);
  await signIn(page, "ada@example.org");
  const { accessToken } = await stored(page);
  let failures = 0;
  await page.route("**/auth/revoke", (route) => (failures++ < 1 ? route.fulfill({ status: 503 }) : route.continue()));
  await page.click(".session-button");
  await page.waitForSelector("text=did not confirm");
  await signIn(page, "admin@example.org");
  await page.waitForFunction(() => document.querySelector(".session-notice").textContent === "");
  assert.equal(await status(accessToken), 401);
  assert.equal(await execute(page, "get_current_user"), 200);
  await page.unroute("**/auth/revoke");
});

test("a log-in as somebody else ends the session before", async () => {
  const { page } = tab;
  await openDocs(page, service.address);
  await page.waitForSelector(".session-role");
  const { accessToken } = await stored(page);
  assert.equal(await execute(page, "log_in"), 200);
  await page.waitForSelector("text=Ada Lovelace");
  while ((await status(accessToken)) !== 401) await new Promise((resolve) => setTimeout(resolve, 100));
});
