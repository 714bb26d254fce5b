"""Calendar of a mail about a booking, read by icalendar.

Usage: python appointment.py MAIL.eml METHOD START, such as `PUBLISH 2026-12-01T09:00:00Z`.
"""

import datetime
import email
import email.policy
import sys

import icalendar

mail, method, start = sys.argv[1:]
with open(mail, "rb") as file:
    message = email.message_from_binary_file(file, policy=email.policy.default)
assert message.get_content_type() == "multipart/mixed", message.get_content_type()
body, attachment = message.iter_parts()
assert body.get_content_type() == "multipart/alternative", body.get_content_type()
assert [part.get_content_type() for part in body.iter_parts()] == ["text/plain", "text/html"]
assert attachment.get_content_type() == "text/calendar", attachment.get_content_type()
assert attachment.get_param("method") == method, attachment["Content-Type"]
assert attachment.get_content_charset() == "utf-8", attachment["Content-Type"]
assert attachment.get_filename() == "appointment.ics" and attachment.is_attachment()

source = attachment.get_payload(decode=True)
assert source.endswith(b"\r\n") and all(len(line) <= 75 for line in source.split(b"\r\n"))
assert b"\n" not in source.replace(b"\r\n", b"")
calendar = icalendar.Calendar.from_ical(source)
assert calendar["VERSION"] == "2.0" and calendar["PRODID"] and calendar["METHOD"] == method
(event,) = calendar.walk("VEVENT")
assert not event.errors, event.errors
assert event["UID"].endswith("@care4u") and isinstance(event["SEQUENCE"], int) and event["SEQUENCE"] >= 0
assert event["STATUS"] == {"PUBLISH": "CONFIRMED", "CANCEL": "CANCELLED"}[method]
assert event["ORGANIZER"].startswith("mailto:") and event["SUMMARY"] and event["LOCATION"] and event["DTSTAMP"]
assert event["DTSTART"].dt == datetime.datetime.fromisoformat(start.replace("Z", "+00:00")), event["DTSTART"].dt
assert event["DTSTART"].dt < event["DTEND"].dt
print("icalendar works")
