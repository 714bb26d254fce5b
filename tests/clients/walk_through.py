"""The walk-through with the generated Python client. Address of the service: CARE4U_URL."""

import datetime
import importlib
import io
import os
import pathlib
import pkgutil
import time

import generated.python as package
from generated.python import AuthenticatedClient, Client
from generated.python import models
from generated.python.api.account import get_current_user, update_current_user
from generated.python.api.auth import log_in, refresh_token_pair, register_account, revoke_token
from generated.python.api.centres import create_centre
from generated.python.api.contacts import export_contacts, import_contacts, list_contacts
from generated.python.api.slots import create_slot
from generated.python.api.vaccine_requests import (
    approve_vaccine_request, book_slot, cancel_vaccine_request, create_vaccine_request,
)
from generated.python.api.vaccines import list_vaccines
from generated.python.types import File

URL, PASSWORD, EMAIL = os.environ["CARE4U_URL"], "a long sentence", "python@example.org"


def log_in_as(email):
    answer = log_in.sync_detailed(client=Client(URL), body=models.LogIn(email=email, password=PASSWORD))
    assert answer.status_code == 200, answer
    return answer.parsed, AuthenticatedClient(URL, token=answer.parsed.access_token)


# Every operation can be imported.
modules = [name for _, name, is_package in pkgutil.walk_packages(package.__path__, "generated.python.") if not is_package]
operations = [name for name in modules if name.startswith("generated.python.api.")]
for name in modules:
    importlib.import_module(name)
assert len(operations) >= 60, len(operations)

new = models.RegisterAccount(name="Ada Lovelace", email=EMAIL, password=PASSWORD)
assert register_account.sync_detailed(client=Client(URL), body=new).status_code == 201
pair, client = log_in_as(EMAIL)

changes = models.UpdateProfile(phone_number="+44 20 7946 0018", birth_date="1985-12-10")
assert str(update_current_user.sync(client=client, body=changes).birth_date) == "1985-12-10"
changed = update_current_user.sync(client=client, body=models.UpdateProfile(birth_date=None))
assert (changed.birth_date, changed.phone_number) == (None, "+44 20 7946 0018"), changed

content = io.BytesIO(b"first_name,last_name\nByron,King\n")
file = models.ContactFile(file=File(payload=content, file_name="contacts.csv", mime_type="text/csv"))
report = import_contacts.sync_detailed(client=client, body=file)
assert (report.status_code, report.parsed.imported) == (201, 1), report
assert [contact.first_name for contact in list_contacts.sync(client=client).items] == ["Byron"]
exported = export_contacts.sync_detailed(client=client)
assert exported.content.startswith(b"first_name,") and b"Byron,King" in exported.content

vaccine = next(vaccine for vaccine in list_vaccines.sync(client=client, limit=100).items if vaccine.code == "MMR")
wanted = models.CreateVaccineRequest(vaccine_id=vaccine.id, note="I am free on Mondays.")
request = create_vaccine_request.sync(client=client, body=wanted)
assert request.status == "pending", request
again = create_vaccine_request.sync_detailed(client=client, body=wanted)
assert (again.status_code, again.parsed.type_) == (409, "urn:problem-type:care4u:request-open"), again

_, admin = log_in_as("admin@example.org")
assert approve_vaccine_request.sync(request.id, client=admin).status == "approved"

# A place is booked and cancelled. Each sends a mail with a calendar, which `run` reads.
zone = "Asia/Kathmandu"
centre = create_centre.sync(client=admin, body=models.CreateCentre(name="Café, 1st floor", address="1 Market Square", time_zone=zone))
starts_at = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0) + datetime.timedelta(days=7)
ends_at = starts_at + datetime.timedelta(minutes=30)
new = models.CreateSlot(vaccine_id=vaccine.id, starts_at=starts_at, ends_at=ends_at, capacity=1)
slot = create_slot.sync(centre.id, client=admin, body=new)
booked = book_slot.sync(request.id, client=client, body=models.BookSlot(slot_id=slot.id))
assert (booked.status, booked.slot.starts_at) == ("booked", starts_at), booked
outbox = pathlib.Path(os.environ["CARE4U_OUTBOX"])
while not any("method=PUBLISH" in mail.read_text() for mail in outbox.glob("*.eml")):
    time.sleep(0.1)
assert cancel_vaccine_request.sync(request.id, client=client).status == "cancelled"
print(starts_at.isoformat(), file=open(os.environ["BOOKED_AT"], "w"))

renewed = refresh_token_pair.sync(client=Client(URL), body=models.Refresh(refresh_token=pair.refresh_token))
revoke_token.sync_detailed(client=Client(URL), body=models.RevocationRequest(token=renewed.refresh_token))
refused = get_current_user.sync_detailed(client=AuthenticatedClient(URL, token=renewed.access_token))
assert refused.status_code == 401, refused
print(f"the generated Python client works, with {len(operations)} operations")
