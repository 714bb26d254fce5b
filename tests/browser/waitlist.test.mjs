// Two people and one place in Swagger UI: one books it, the other one waits, is offered the place, and accepts. Then an
// invitation opens a slot. Each person has a browser.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { openDocs, run, signIn, startBrowser, startService } from "./service.mjs";

let service, ada, byron, admin;

before(async () => {
  service = await startService();
  [ada, byron, admin] = await Promise.all([startBrowser(), startBrowser(), startBrowser()]);
});

after(async () => {
  for (const tab of [ada, byron, admin]) {
    await tab?.browser.close();
  }
  await service?.stop();
});

/** Waits for a mail with this subject, and returns it. */
async function mail(subject) {
  const folder = join(service.folder, "data", "outbox");
  for (;;) {
    const mails = readdirSync(folder).filter((name) => name.endsWith(".eml"));
    const found = mails.map((name) => readFileSync(join(folder, name), "utf8")).find((text) => text.includes(`Subject: ${subject}`));
    if (found) {
      return found;
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

test("two people want one place", async () => {
  for (const tab of [ada, byron, admin]) {
    await openDocs(tab.page, service.address);
  }
  await run(ada, "register_account", 201);
  await run(byron, "register_account", 201, {}, { name: "Byron King", email: "byron@example.org" });
  await signIn(ada.page, "ada@example.org");
  await signIn(byron.page, "byron@example.org");
  await signIn(admin.page, "admin@example.org");

  const centre = await run(admin, "create_centre", 201);
  const slot = await run(admin, "create_slot", 201, { id: centre.id }, { capacity: 1 });
  const ids = [];
  for (const tab of [ada, byron]) {
    const request = await run(tab, "create_vaccine_request", 201);
    await run(admin, "approve_vaccine_request", 200, { id: request.id });
    ids.push({ id: request.id });
  }
  const [ofAda, ofByron] = ids;
  assert.equal((await run(ada, "book_slot", 200, ofAda, { slot_id: slot.id })).status, "booked");
  assert.match(await mail("Your vaccination is booked"), /text\/calendar/);

  const full = await run(byron, "book_slot", 409, ofByron, { slot_id: slot.id });
  assert.equal(full.type, "urn:problem-type:care4u:slot-full");
  const waiting = await run(byron, "join_waitlist", 201, ofByron);
  assert.deepEqual([waiting.waitlist.status, waiting.waitlist.ahead], ["waiting", 0]);
  assert.equal((await run(ada, "cancel_vaccine_request", 200, ofAda)).status, "cancelled");
  assert.equal((await run(ada, "get_slot", 200, { id: slot.id })).free, 0);
  const offered = await run(byron, "get_vaccine_request", 200, ofByron);
  assert.deepEqual([offered.waitlist.status, offered.waitlist.offer.slot.id], ["offered", slot.id]);
  await mail("A place for your vaccination is free");
  const accepted = await run(byron, "accept_offer", 200, ofByron);
  assert.deepEqual([accepted.status, accepted.waitlist.status], ["booked", "accepted"]);

  const found = await run(ada, "search_slots", 200, { course_id: accepted.course_id, from: slot.local_start.slice(0, 10) });
  assert.ok(Array.isArray(found.items));
  assert.deepEqual([...ada.faults, ...byron.faults, ...admin.faults], []);
});

test("an invitation opens a slot", async () => {
  const centre = await run(admin, "create_centre", 201);
  const slot = await run(admin, "create_slot", 201, { id: centre.id }, { capacity: 1, invited_only: true });
  const request = await run(ada, "create_vaccine_request", 201);
  const id = { id: request.id };
  await run(admin, "approve_vaccine_request", 200, id);
  const refused = await run(ada, "book_slot", 409, id, { slot_id: slot.id });
  assert.equal(refused.type, "urn:problem-type:care4u:invitation-required");
  const in30Days = new Date(Date.now() + 30 * 86400000).toISOString();
  const invitation = await run(admin, "create_invitation", 201, {}, { valid_until: in30Days });
  await run(ada, "use_invitation", 200, id, { invitation_code: invitation.code });
  assert.equal((await run(ada, "book_slot", 200, id, { slot_id: slot.id })).status, "booked");
  const listed = await run(admin, "list_invitations", 200);
  assert.deepEqual([listed.items[0].used, listed.items[0].uses[0].request_id], [1, request.id]);
  await run(admin, "revoke_invitation", 204, { id: invitation.id });
});
