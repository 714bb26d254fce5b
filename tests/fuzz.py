"""Property-based tests of a running service with schemathesis. Called by `.ci/fuzz`.

Random requests are sent as one patient and then as an admin, with ids of another patient's objects among the path
parameters. Besides the checks of schemathesis (no status of 500 or more, only documented statuses, media types and
bodies, no ignored authentication, ...) no response to the patient may have a word that only the other one has stored.
"""

import os
import random
import re
import subprocess
import sys
import tempfile

import requests
import schemathesis

PASSWORD = "a long sentence"
ADMIN = "admin@example.org"
SECRET_WORD = "xanthippe"  # only in the objects of the other user
# Operations that end the session or the account of the user who tests. An admin may do that by id, too.
ENDS_THE_SESSION = ["log_out", "delete_account", "change_password", "end_session", "end_other_sessions", "revoke_token"]


def start(program, folder):
    """Creates an admin, starts the service, and returns the process and its address."""
    env = {
        "CARE4U_ADMIN_PASSWORD": PASSWORD,
        "CARE4U__SERVER__PORT": "0",
        "CARE4U__AUTH__BCRYPT_COST": "4",
        "CARE4U__THROTTLE__ENABLED": "false",
        "CARE4U__AUTH__ACCESS_TTL_SECONDS": "86400",
    }
    log = open(os.path.join(folder, "log"), "w", encoding="utf-8")
    subprocess.run([program, "create-admin", "--email", ADMIN], cwd=folder, env=env, stderr=log, check=True)
    process = subprocess.Popen([program], cwd=folder, env=env, stdout=subprocess.PIPE, stderr=log, text=True)
    line = process.stdout.readline()
    return process, re.search(r"http://[0-9.]+:\d+", line).group()


class User:
    """A user with a token, who is registered first if a name is given."""

    def __init__(self, url, email, name=None):
        self.url, self.email = url, email
        if name:
            self.post("/auth/register", {"name": name, "email": email, "password": PASSWORD}, 201)
        self.log_in()

    def log_in(self):
        self.token = self.post("/auth/login", {"email": self.email, "password": PASSWORD}, 200)["access_token"]

    def post(self, path, body, status):
        headers = {"authorization": f"Bearer {self.token}"} if hasattr(self, "token") else {}
        answer = requests.post(f"{self.url}/api/v1{path}", json=body, headers=headers, timeout=30)
        assert answer.status_code == status, answer.text
        return answer.json()


def objects_of(user, url):
    """Creates objects of a user, whose texts have the secret word. Returns their ids."""
    contact = user.post("/contacts", {"first_name": SECRET_WORD, "last_name": SECRET_WORD, "note": SECRET_WORD}, 201)
    vaccine = requests.get(f"{url}/api/v1/vaccines", timeout=30).json()["items"][0]
    wanted = {"vaccine_id": vaccine["id"], "contact_id": contact["id"], "note": SECRET_WORD}
    request = user.post("/vaccine-requests", wanted, 201)
    headers = {"authorization": f"Bearer {user.token}", "content-type": "text/csv"}
    file = f"first_name,last_name\n{SECRET_WORD},{SECRET_WORD}\n"
    imported = requests.post(f"{url}/api/v1/contacts/imports", data=file, headers=headers, timeout=30).json()
    return [contact["id"], request["id"], imported["id"]]


# The same choices in each run with the same seed.
CHOICES = random.Random(os.environ.get("SEED"))


@schemathesis.hook
def map_path_parameters(_context, path_parameters):
    """Every third id is one of the other user's objects."""
    foreign = os.environ["FOREIGN_IDS"].split(",")
    for name in path_parameters or {}:
        if CHOICES.random() < 1 / 3:
            path_parameters[name] = CHOICES.choice(foreign)
    return path_parameters


@schemathesis.check
def no_data_of_another_user(_context, response, _case):
    """No response to a patient has the word that only the other one has stored."""
    is_allowed = os.environ["MAY_SEE_ALL"] == "yes"
    assert is_allowed or SECRET_WORD not in response.text.lower(), "the response has data of another user"


def fuzz(url, user, foreign, may_see_all, examples, seed):
    """Sends random requests of a user. Returns the exit code."""
    environment = {
        "FOREIGN_IDS": ",".join(foreign),
        "MAY_SEE_ALL": "yes" if may_see_all else "no",
        "PYTHONPATH": os.path.dirname(os.path.abspath(__file__)),
        "SCHEMATHESIS_HOOKS": "fuzz",
        "SEED": seed,
    }
    command = [
        os.path.join(os.path.dirname(sys.executable), "st"),
        "--config-file", os.path.join(os.path.dirname(os.path.abspath(__file__)), "fuzz.toml"),
        "run", f"{url}/api-docs/openapi.json",
        "--max-examples", examples, "--continue-on-failure", "--seed", seed,
        "--header", f"Authorization: Bearer {user.token}",
    ]
    for operation in ENDS_THE_SESSION:
        command += ["--exclude-operation-id", operation]
    print(f"== as {user.email}, seed {seed}", flush=True)
    return subprocess.run(command, env=os.environ | environment, check=False).returncode


def main():
    program, examples = os.path.abspath(sys.argv[1]), sys.argv[2]
    seed = sys.argv[3] if len(sys.argv) > 3 else str(random.randrange(2**32))
    with tempfile.TemporaryDirectory() as folder:
        process, url = start(program, folder)
        try:
            mallory = User(url, "mallory@example.org", "Mallory")
            owner = User(url, f"{SECRET_WORD}@example.org", SECRET_WORD)
            foreign = objects_of(owner, url)
            codes = [
                fuzz(url, mallory, foreign, False, examples, seed),
                fuzz(url, User(url, ADMIN), foreign, True, examples, seed),
            ]
            return max(codes)
        finally:
            process.terminate()
            process.wait()


if __name__ == "__main__":
    sys.exit(main())
