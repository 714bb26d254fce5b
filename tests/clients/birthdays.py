"""Birthday calendars, read by icalendar and vobject; and exported vCards, read by vobject.

Usage: python birthdays.py FOLDER. Writes the calendars there, as `empty.ics` and `birthdays.ics`.
"""

import datetime
import json
import os
import pathlib
import sys
import urllib.request

import icalendar
import vobject

folder = pathlib.Path(sys.argv[1])
api = os.environ["CARE4U_URL"] + "/api/v1"
token = None


def call(method, path, body=None):
    headers = {"content-type": "application/json"}
    if token:
        headers["authorization"] = f"Bearer {token}"
    data = json.dumps(body).encode() if body is not None else b""
    request = urllib.request.Request(api + path, data if method != "GET" else None, headers, method=method)
    with urllib.request.urlopen(request) as response:
        return response.read()


credentials = {"email": "admin@example.org", "password": "a long sentence"}
token = json.loads(call("POST", "/auth/login", credentials))["access_token"]
feed = json.loads(call("PUT", "/contacts/birthdays/feed"))["url"]


def read_feed():
    with urllib.request.urlopen(feed) as response:
        assert response.headers.get_content_type() == "text/calendar"
        return response.read()


empty = read_feed()
assert icalendar.Calendar.from_ical(empty).walk("VEVENT") == []
assert [part.name for part in vobject.readOne(empty.decode()).getChildren() if part.name == "VTIMEZONE"] == ["VTIMEZONE"]
(folder / "empty.ics").write_bytes(empty)

people = [
    {"first_name": "Byron", "last_name": "King, Esq.; \\ \"x\"", "birth_month": 5, "birth_day": 12, "birth_year": 2019},
    {"first_name": "Ünï" * 30, "birth_month": 2, "birth_day": 29},
    {"organization": "Acme; Sales, Ltd", "birth_month": 12, "birth_day": 31},
]
for person in people:
    call("POST", "/contacts", person)
names = {" ".join(filter(None, [p.get("first_name"), p.get("last_name")])) or p["organization"] for p in people}

source = read_feed()
assert source == read_feed(), "the same data has the same bytes"
(folder / "birthdays.ics").write_bytes(source)
assert all(len(line) <= 75 for line in source.split(b"\r\n"))
calendar = icalendar.Calendar.from_ical(source)
events = calendar.walk("VEVENT")
today = datetime.date.today()
months = [today - datetime.timedelta(31), datetime.date(today.year + 2, 12, 31)]
for event in events:
    assert not event.errors, event.errors
    start, end = event["DTSTART"].dt, event["DTEND"].dt
    assert type(start) is datetime.date and end - start == datetime.timedelta(1), event
    assert any(str(event["SUMMARY"]).startswith(name) for name in names), event["SUMMARY"]
uids = [event["UID"] for event in events]
assert len(set(uids)) == len(uids) and len(events) >= 2 * len(people)
assert max(event["DTSTART"].dt for event in events) == months[1]
print("icalendar works")

calendar = vobject.readOne(source.decode())
assert sorted(event.uid.value for event in calendar.vevent_list) == sorted(uids)
cards = list(vobject.readComponents(call("GET", "/contacts/export?format=vcard&version=3.0").decode()))
assert {card.fn.value for card in cards} == names, [card.fn.value for card in cards]
assert {card.version.value for card in cards} == {"3.0"} and len({card.uid.value for card in cards}) == len(people)
print("vobject works")
