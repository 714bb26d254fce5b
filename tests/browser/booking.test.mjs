// From an account to a booked place in Swagger UI: register, ask, approve, book, move, cancel. Ada has one browser, and an
// admin another one.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { execute, openDocs, run, signIn, startBrowser, startService } from "./service.mjs";

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
  // Not the dates of the example: lists of slots end 400 days ahead.
  const [from, to] = [7, 37].map((days) => new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10));
  const calendar = await run(admin, "create_calendar", 200, { id: centre.id }, { dry_run: false, from, to });
  assert.ok(calendar.created > 1, JSON.stringify(calendar));
  const firstDay = calendar.first.slice(0, 10);
  const [first, second] = (await run(ada, "list_slots", 200, { id: centre.id, from: firstDay })).items;

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
