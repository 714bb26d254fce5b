// simple-oauth2: log in, refresh, revoke. Address of the service: CARE4U_URL.
import assert from "node:assert/strict";
import { ResourceOwnerPassword } from "simple-oauth2";

const tokenHost = process.env.CARE4U_URL;
const client = new ResourceOwnerPassword({
  client: { id: "any", secret: "any" },
  auth: { tokenHost, tokenPath: "/api/v1/auth/token", revokePath: "/api/v1/auth/revoke" },
  options: { authorizationMethod: "body" },
});
const status = async (token) => {
  const headers = { authorization: `Bearer ${token.token.access_token}` };
  return (await fetch(`${tokenHost}/api/v1/users/me`, { headers })).status;
};

const first = await client.getToken({ username: "admin@example.org", password: "a long sentence" });
assert.equal(await status(first), 200);
const second = await first.refresh();
assert.notEqual(second.token.access_token, first.token.access_token);
assert.equal(await status(second), 200);
await second.revokeAll();
assert.equal(await status(second), 401);
console.log("simple-oauth2 works");
