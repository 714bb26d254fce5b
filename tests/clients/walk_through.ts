// The walk-through with the generated TypeScript client. Address of the service: CARE4U_URL.
import assert from "node:assert/strict";
import * as api from "./generated/typescript/index.ts";
import { client } from "./generated/typescript/client.gen.ts";

const password = "a long sentence";
const email = "typescript@example.org";
let token = "";
client.setConfig({ baseUrl: process.env.CARE4U_URL, auth: () => token });

const logIn = async (user: string) => {
  const pair = await api.logIn({ body: { email: user, password } });
  assert.equal(pair.response?.status, 200);
  assert(pair.data);
  token = pair.data.access_token;
  return pair.data;
};

const registered = await api.registerAccount({ body: { name: "Ada Lovelace", email, password } });
assert.equal(registered.response?.status, 201);
const pair = await logIn(email);

const named = await api.updateCurrentUser({ body: { phone_number: "+44 20 7946 0018", birth_date: "1985-12-10" } });
assert.equal(named.data?.birth_date, "1985-12-10");
const cleared = await api.updateCurrentUser({ body: { birth_date: null } });
assert.equal(cleared.data?.birth_date, null);
assert.equal(cleared.data?.phone_number, "+44 20 7946 0018");

const file = new File(["first_name,last_name\nByron,King\n"], "contacts.csv", { type: "text/csv" });
const report = await api.importContacts({ body: { file } });
assert.equal(report.response?.status, 201);
assert.equal(report.data?.imported, 1);
const contacts = await api.listContacts();
assert.equal(contacts.data?.items[0]?.first_name, "Byron");
const exported = await api.exportContacts({ parseAs: "text" });
assert.match(String(exported.data), /^first_name,.*\r\nByron,King/s);

const vaccines = await api.listVaccines({ query: { limit: 100 } });
const vaccine = vaccines.data?.items.find((item) => item.code === "MMR");
assert(vaccine);
const requested = await api.createVaccineRequest({ body: { vaccine_id: vaccine.id, note: "I am free on Mondays." } });
assert.equal(requested.data?.status, "pending");
const again = await api.createVaccineRequest({ body: { vaccine_id: vaccine.id } });
assert.equal(again.response?.status, 409);
assert.equal(again.error?.type, "urn:problem-type:care4u:request-open");

await logIn("admin@example.org");
const approved = await api.approveVaccineRequest({ path: { id: requested.data!.id } });
assert.equal(approved.data?.status, "approved");

const renewed = await api.refreshTokenPair({ body: { refresh_token: pair.refresh_token } });
assert.equal(renewed.response?.status, 200);
await api.revokeToken({ body: { token: renewed.data!.refresh_token } });
token = renewed.data!.access_token;
const refused = await api.getCurrentUser();
assert.equal(refused.response?.status, 401);
console.log("the generated TypeScript client works");
