// A care4u service in a temporary folder, and a headless Chromium.
import { spawn, execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

const PROGRAM = process.env.CARE4U ?? fileURLToPath(new URL("../../target/debug/care4u", import.meta.url));
export const PASSWORD = "a long sentence";

/** Starts the service with settings, and creates an admin. */
export async function startService(settings = {}) {
  const folder = mkdtempSync(join(tmpdir(), "care4u-browser-"));
  const env = {
    PATH: process.env.PATH,
    CARE4U__SERVER__PORT: "0",
    CARE4U__AUTH__BCRYPT_COST: "4",
    CARE4U__THROTTLE__ENABLED: "false",
    CARE4U_ADMIN_PASSWORD: PASSWORD,
    ...settings,
  };
  execFileSync(PROGRAM, ["create-admin", "--email", "admin@example.org", "--name", "Grace Hopper"], { cwd: folder, env, stdio: "ignore" });
  const process_ = spawn(PROGRAM, [], { cwd: folder, env, stdio: ["ignore", "pipe", "ignore"] });
  for await (const line of createInterface({ input: process_.stdout })) {
    const address = line.match(/http:\/\/[^\s,]+?(?=\/docs|[\s,]|$)/)?.[0];
    if (address) {
      const stop = () => {
        process_.kill("SIGTERM");
        return new Promise((stopped) => process_.once("exit", () => {
          rmSync(folder, { recursive: true });
          stopped();
        }));
      };
      return { address, folder, stop };
    }
  }
  throw new Error("the service did not start");
}

/** Starts Chromium, and opens a page that collects what goes wrong in it. */
export async function startBrowser(options = {}) {
  const candidates = [process.env.CHROMIUM, "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
  const executablePath = candidates.find((path) => path && existsSync(path));
  const browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-gpu"] });
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  const page = await context.newPage();
  const faults = [];
  page.on("pageerror", (error) => faults.push(`page error: ${error}`));
  page.on("console", (message) => {
    // Chromium logs each response of 400 or more.
    if (message.type() === "error" && !message.text().startsWith("Failed to load resource")) {
      faults.push(`console: ${message.text()}`);
    }
  });
  return { browser, context, page, faults };
}

/** Opens Swagger UI, and waits until it shows the operations. */
export async function openDocs(page, address) {
  await page.goto(`${address}/docs/`);
  await page.waitForSelector(".opblock");
}

/** Signs in with the Authorize dialog. */
export async function signIn(page, email, password = PASSWORD) {
  await page.click(".session-button");
  await page.fill("#oauth_username", email);
  await page.fill("#oauth_password", password);
  await page.click(".modal-ux .auth-container:has(#oauth_username) .authorize");
  await page.click(".modal-ux .btn-done");
  await page.waitForSelector(".session-role");
}

/** The block of an operation, expanded. */
export async function expand(page, id) {
  const block = page.locator(`.opblock[id$="-${id}"]`);
  if (!(await block.locator(".opblock-body").count())) {
    await block.locator(".opblock-summary-control").click();
  }
  await block.locator(".execute").waitFor();
  return block;
}

/** Executes an operation as the page offers it. Returns the status; none if the page asks for a value first. */
export async function execute(page, id) {
  const block = await expand(page, id);
  if (await block.locator(".btn-clear").count()) {
    await block.locator(".btn-clear").click();
  }
  await block.locator(".execute").click();
  const status = block.locator(".live-responses-table .response .response-col_status");
  const invalid = block.locator("input.invalid, select.invalid, textarea.invalid");
  await status.or(invalid).first().waitFor();
  return (await status.count()) ? Number((await status.first().innerText()).match(/\d+/)[0]) : undefined;
}

/** Fills in parameters and members of the example body, executes, and returns the JSON of the response. */
export async function run({ page }, operation, status, parameters = {}, members = {}) {
  const block = await expand(page, operation);
  for (const [name, value] of Object.entries(parameters)) {
    await block.locator(`tr[data-param-name="${name}"] input`).fill(value);
  }
  if (Object.keys(members).length) {
    const body = block.locator("textarea.body-param__text");
    await body.fill(JSON.stringify({ ...JSON.parse(await body.inputValue()), ...members }));
  }
  const actual = await execute(page, operation);
  if (actual !== status) {
    throw new Error(`${operation}: ${actual} instead of ${status}`);
  }
  const text = status === 204 ? "null" : await block.locator(".live-responses-table .microlight").first().innerText();
  await block.locator(".opblock-summary-control").click();
  return JSON.parse(text);
}
