// The day at a centre in Swagger UI: a booking is found by its code, the patient is checked in, the dose is given, undone and
// given again, and is in the record of the patient. Then somebody comes without a booking, and the lot is recalled.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { openDocs, run, signIn, startBrowser, startService } from "./service.mjs";

let service, ada, staff, centre, lot;

before(async () => {
  service = await startService();
  [ada, staff] = await Promise.all([startBrowser(), startBrowser()]);
});

after(async () => {
  for (const tab of [ada, staff]) {
    await tab?.browser.close();
  }
  await service?.stop();
});

test("a booking becomes a dose in the record", async () => {
  for (const tab of [ada, staff]) {
    await openDocs(tab.page, service.address);
  }
  await run(ada, "register_account", 201);
  await signIn(ada.page, "ada@example.org");
  await signIn(staff.page, "admin@example.org");
  centre = { id: (await run(staff, "create_centre", 201)).id };
  const slot = await run(staff, "create_slot", 201, centre, { capacity: 1 });
  const request = await run(ada, "create_vaccine_request", 201);
  const id = { id: request.id };
  await run(staff, "approve_vaccine_request", 200, id);
  const booked = await run(ada, "book_slot", 200, id, { slot_id: slot.id });
  lot = { id: (await run(staff, "create_lot", 201, centre)).id };

  const date = slot.local_start.slice(0, 10);
  const [item] = (await run(staff, "list_day", 200, { ...centre, date })).items;
  assert.deepEqual([item.request_id, item.status, item.superseded], [request.id, "booked", false]);
  const arrival = await run(staff, "find_arrival", 200, { ...centre, code: booked.code.toLowerCase() });
  assert.deepEqual([arrival.id, arrival.questions], [request.id, []]);
  assert.equal((await run(staff, "check_in", 200, id)).identified_by, "passport");
  const expired = await run(staff, "create_lot", 201, centre, { lot_number: "OLD", expires_on: "2020-01-31" });
  const refused = await run(staff, "administer_dose", 409, id, { lot_id: expired.id });
  assert.deepEqual([refused.type, refused.reason], ["urn:problem-type:care4u:lot-refused", "expired"]);

  const given = await run(staff, "administer_dose", 200, id, { lot_id: lot.id });
  assert.deepEqual([given.status, given.immunization.counts, given.next_dose.dose_number], ["administered", true, 2]);
  const undone = await run(staff, "enter_immunization_in_error", 200, { id: given.immunization.id });
  assert.deepEqual([undone.status, undone.counts], ["entered_in_error", false]);
  const again = await run(staff, "administer_dose", 200, id, { lot_id: lot.id });
  const recorded = await run(staff, "administer_dose", 409, id, { lot_id: lot.id });
  assert.equal(recorded.type, "urn:problem-type:care4u:dose-recorded");
  const left = await run(staff, "get_lot", 200, lot);
  assert.deepEqual([left.used, left.left], [1, left.received - 1]);

  const record = (await run(ada, "list_immunizations", 200)).items;
  assert.deepEqual(record.map((dose) => dose.status).sort(), ["completed", "entered_in_error"]);
  assert.equal(record[0].id, again.immunization.id);
  const answer = await run(ada, "check_eligibility", 200, {}, { dose_number: 2 });
  assert.deepEqual([answer.verdict, answer.history.length], ["not_eligible", 1]);
  assert.deepEqual([...ada.faults, ...staff.faults], []);
});

test("somebody comes without a booking, and the lot is recalled", async () => {
  const request = await run(staff, "create_walk_in", 201, centre);
  const id = { id: request.id };
  assert.deepEqual([request.status, request.patient.relation], ["approved", "walk_in"]);
  const given = await run(staff, "administer_dose", 200, id, { lot_id: lot.id });
  const recalled = await run(staff, "recall_lot", 200, lot);
  assert.equal(recalled.doses.at(-1).id, given.immunization.id);
  const other = await run(staff, "create_walk_in", 201, centre);
  const refused = await run(staff, "administer_dose", 409, { id: other.id }, { lot_id: lot.id });
  assert.equal(refused.reason, "recalled");
  const counted = await run(staff, "check_invariants", 200);
  assert.deepEqual([counted.violations, counted.lots], [[], 2]);
});
