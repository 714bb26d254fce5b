// Calendar of a mail about a booking, read by ical.js.
// Usage: node appointment.mjs MAIL.eml METHOD START, such as `PUBLISH 2026-12-01T09:00:00Z`.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import ICAL from "ical.js";

const [path, method, start] = process.argv.slice(2);
const mail = readFileSync(path, "latin1");
const [, part] = mail.split("Content-Type: text/calendar;");
const [head, ...body] = part.split("\r\n\r\n");
assert.match(head, new RegExp(`method=${method}\\b`));
assert.match(head, /Content-Transfer-Encoding: base64/);
const source = Buffer.from(body.join("\r\n\r\n").split("\r\n--")[0], "base64").toString("utf8");

const calendar = new ICAL.Component(ICAL.parse(source));
assert.equal(calendar.getFirstPropertyValue("version"), "2.0");
assert.equal(calendar.getFirstPropertyValue("method"), method);
const events = calendar.getAllSubcomponents("vevent");
assert.equal(events.length, 1);
const event = new ICAL.Event(events[0]);
assert.match(event.uid, /@care4u$/);
assert.ok(Number.isInteger(event.sequence) && event.sequence >= 0, String(event.sequence));
assert.ok(event.summary && event.location && event.organizer.startsWith("mailto:"));
assert.equal(events[0].getFirstPropertyValue("status"), method === "CANCEL" ? "CANCELLED" : "CONFIRMED");
assert.equal(event.startDate.toJSDate().getTime(), Date.parse(start));
assert.ok(event.startDate.compare(event.endDate) < 0);
console.log("ical.js works");
