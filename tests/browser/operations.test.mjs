// Every operation is executed as Swagger UI offers it, on a fresh service, in the order of the page.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { execute, openDocs, signIn, startBrowser, startService } from "./service.mjs";

// Operations that need an id which only the user can know: the page asks for it.
const NEEDS_ID = [
  "end_session", "get_vaccine_request", "update_vaccine_request", "approve_vaccine_request", "reject_vaccine_request",
  "cancel_vaccine_request", "get_contact", "update_contact", "delete_contact", "get_contact_import",
  "undo_contact_import", "get_user", "update_user", "verify_nid", "list_nid_claims", "set_user_email",
  "list_user_sessions", "end_user_sessions", "end_user_session", "export_personal_data_of_user", "delete_user",
  "book_slot", "move_booking", "unbook_slot", "get_patient", "update_patient", "get_centre", "update_centre",
  "list_centre_staff", "add_centre_staff", "remove_centre_staff", "list_slots", "create_slot", "create_calendar",
  "close_day", "get_slot", "update_slot", "close_slot", "reopen_slot", "join_waitlist", "leave_waitlist", "accept_offer",
  "decline_offer", "use_invitation", "get_invitation", "list_invitation_uses",
  "revoke_invitation", "check_in", "administer_dose", "miss_booking", "reopen_booking", "enter_immunization_in_error",
  "list_lots", "create_lot", "get_lot", "update_lot", "recall_lot", "list_doses_of_lot", "list_day", "find_arrival",
  "create_walk_in",
];

// Operations whose example is a secret that was mailed or issued, and the answer to a wrong one; and the feed, which is
// shown before it is created.
const NEEDS_MORE = {
  get_birthday_feed: 404,
  verify_email: 422,
  refresh_token_pair: 401,
  validate_reset_code: 422,
  reset_password: 422,
  confirm_email_change: 422,
};

// Needs a file, which the page asks for; see below.
const NEED_FILES = ["import_contacts", "import_invitations"];

// These sign in as the newcomer, or change what the newcomer signs in with: they come last, in this order.
const LAST = [
  "issue_tokens", "request_email_change", "end_other_sessions", "delete_account", "register_account", "log_in",
  "change_password", "log_out",
];
const NEW_PASSWORD = "a longer sentence";

let service, tab;

before(async () => {
  service = await startService();
  tab = await startBrowser();
});

after(async () => {
  await tab?.browser.close();
  await service?.stop();
});

test("every operation works as it is offered", async () => {
  const { page } = tab;
  await openDocs(page, service.address);
  const shown = await page.locator(".opblock").evaluateAll((blocks) => blocks.map((block) => block.id.split("-").at(-1)));
  const document = await (await fetch(`${service.address}/api-docs/openapi.json`)).json();
  const operations = Object.values(document.paths).flatMap((path) => Object.values(path)).map((o) => o.operationId);
  assert.deepEqual([...shown].sort(), [...operations].sort());
  assert.ok(shown.indexOf("register_account") < shown.indexOf("log_in"));
  assert.ok(shown.indexOf("log_in") < shown.indexOf("request_password_reset"));

  // A newcomer registers with the example, so that the examples of the log-in work. Then an admin signs in.
  assert.equal(await execute(page, "register_account"), 201);
  await signIn(page, "admin@example.org");
  const results = {};
  for (const id of [...shown.filter((id) => !NEED_FILES.includes(id) && !LAST.includes(id)), ...LAST]) {
    results[id] = await execute(page, id);
    // Swagger UI renders all open operations again and again.
    await page.locator(`.opblock[id$="-${id}"] .opblock-summary-control`).click();
  }

  for (const [id, status] of Object.entries(results)) {
    if (NEEDS_ID.includes(id)) {
      assert.equal(status, undefined, `${id} was sent`);
    } else if (id in NEEDS_MORE) {
      assert.equal(status, NEEDS_MORE[id], id);
    } else {
      assert.ok(status >= 200 && status < 300, `${id}: ${status}`);
    }
  }
  assert.equal(Object.keys(results).length, operations.length - NEED_FILES.length);
  assert.deepEqual(tab.faults, []);
});

test("a list shows what was created, because no filter is filled in", async () => {
  const { page } = tab;
  await openDocs(page, service.address);
  await signIn(page, "ada@example.org", NEW_PASSWORD);
  assert.equal(await execute(page, "create_contact"), 201);
  assert.equal(await execute(page, "list_contacts"), 200);
  const body = await page.locator('.opblock[id$="-list_contacts"] .live-responses-table .microlight').first().innerText();
  assert.equal(JSON.parse(body).items.length, 1);
});

test("a file is chosen and imported", async () => {
  const { page } = tab;
  const block = page.locator('.opblock[id$="-import_contacts"]');
  await block.locator(".opblock-summary-control").click();
  const buffer = Buffer.from("first_name,last_name\nRalph,King\n");
  await block.locator('input[type="file"]').setInputFiles({ name: "contacts.csv", mimeType: "text/csv", buffer });
  assert.equal(await execute(page, "import_contacts"), 201);
});

test("each error response shows an example of its own, and an operation fits on a screen", async () => {
  const { page } = tab;
  const block = page.locator('.opblock[id$="-create_contact"]');
  const rows = block.locator(".responses-table:not(.live-responses-table) .response[data-code]");
  const codes = await rows.evaluateAll((all) => all.map((row) => row.dataset.code));
  assert.deepEqual(codes, ["201", "401", "422", "429", "default"]);
  const texts = await rows.allInnerTexts();
  assert.match(texts[2], /"field": "first_name"/);
  assert.match(texts[3], /too-many-requests/);
});
