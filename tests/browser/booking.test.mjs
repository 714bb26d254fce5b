// From an account to a booked place in Swagger UI: register, ask, approve, book, move, cancel. Ada has one browser, and an
// admin another one.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { execute, expand, openDocs, signIn, startBrowser, startService } from "./service.mjs";

let service, ada, admin;

before(async () => {
  service = await startService();
  [ada, admin] = await Promise.all([startBrowser(), startBrowser()]);
});

after(async () => {
  await ada?.browser.close();
  await admin?.browser.close();
  await service?.stop();
});

/** Fills in parameters and members of the example body, executes, and returns the JSON of the response. */
async function run({ page }, operation, status, parameters = {}, members = {}) {
  const block = await expand(page, operation);
  for (const [name, value] of Object.entries(parameters)) {
    await block.locator(`tr[data-param-name="${name}"] input`).fill(value);
  }
  if (Object.keys(members).length) {
    const body = block.locator("textarea.body-param__text");
    await body.fill(JSON.stringify({ ...JSON.parse(await body.inputValue()), ...members }));
  }
  assert.equal(await execute(page, operation), status, operation);
  const text = await block.locator(".live-responses-table .microlight").first().innerText();
  await block.locator(".opblock-summary-control").click();
  return JSON.parse(text);
}

test("a place is requested, approved, booked, moved and cancelled", async () => {
  await openDocs(ada.page, service.address);
  await openDocs(admin.page, service.address);
  assert.equal(await execute(ada.page, "register_account"), 201);
  await signIn(ada.page, "ada@example.org");
  await signIn(admin.page, "admin@example.org");

  const request = await run(ada, "create_vaccine_request", 201);
  assert.equal(request.status, "pending");
  const id = { id: request.id };
  const approved = await run(admin, "approve_vaccine_request", 200, id);
  assert.equal(approved.patient.name, "Ada Lovelace");

  const centre = await run(admin, "create_centre", 201);
  const calendar = await run(admin, "create_calendar", 200, { id: centre.id }, { dry_run: false });
  assert.ok(calendar.created > 1, JSON.stringify(calendar));
  const from = calendar.first.slice(0, 10);
  const [first, second] = (await run(ada, "list_slots", 200, { id: centre.id, from })).items;

  const booked = await run(ada, "book_slot", 200, id, { slot_id: first.id });
  assert.equal(booked.status, "booked");
  assert.match(booked.code, /^[0-9A-Z]{8}$/);
  const moved = await run(ada, "move_booking", 200, id, { slot_id: second.id });
  assert.deepEqual([moved.slot.id, moved.moves, moved.code], [second.id, 1, booked.code]);
  assert.equal((await run(ada, "get_slot", 200, { id: first.id })).free, first.capacity);
  const cancelled = await run(ada, "cancel_vaccine_request", 200, id);
  assert.deepEqual([cancelled.status, cancelled.slot], ["cancelled", null]);
  assert.equal((await run(ada, "get_slot", 200, { id: second.id })).free, second.capacity);

  assert.deepEqual([...ada.faults, ...admin.faults], []);
});
