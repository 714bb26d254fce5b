// Birthday calendars, read by ical.js. Usage: node birthdays.mjs FOLDER, into which birthdays.py has written them.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import ICAL from "ical.js";

const read = (name) => new ICAL.Component(ICAL.parse(readFileSync(`${process.argv[2]}/${name}`, "utf8")));
const empty = read("empty.ics");
assert.equal(empty.getAllSubcomponents("vevent").length, 0);
assert.equal(empty.getAllSubcomponents("vtimezone").length, 1);
const events = read("birthdays.ics").getAllSubcomponents("vevent").map((part) => new ICAL.Event(part));
assert.ok(events.length >= 6);
for (const event of events) {
  assert.ok(event.startDate.isDate && event.uid.endsWith("@care4u") && event.summary);
  assert.equal(event.duration.toSeconds(), 24 * 60 * 60);
}
assert.equal(new Set(events.map((event) => event.uid)).size, events.length);
console.log("ical.js works");
