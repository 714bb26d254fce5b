"""OAuth 2.0 libraries for Python: log in, refresh, revoke. Address of the service: CARE4U_URL."""

import os

import requests
from authlib.integrations.requests_client import OAuth2Session as AuthlibSession
from oauthlib.oauth2 import LegacyApplicationClient
from requests_oauthlib import OAuth2Session

os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = "1"  # the service of the test has no TLS
URL, USER, PASSWORD = os.environ["CARE4U_URL"], "admin@example.org", "a long sentence"
TOKEN, REVOKE, ME = f"{URL}/api/v1/auth/token", f"{URL}/api/v1/auth/revoke", f"{URL}/api/v1/users/me"


def assert_ended(token):
    answer = requests.get(ME, headers={"authorization": f"Bearer {token['access_token']}"}, timeout=10)
    assert answer.status_code == 401, answer


authlib = AuthlibSession(token_endpoint=TOKEN, token_endpoint_auth_method="none", revocation_endpoint_auth_method="none")
first = authlib.fetch_token(username=USER, password=PASSWORD)
assert authlib.get(ME).json()["email"] == USER
second = authlib.refresh_token(TOKEN, refresh_token=first["refresh_token"])
assert second["access_token"] != first["access_token"]
assert authlib.get(ME).status_code == 200
assert authlib.revoke_token(REVOKE, token=second["refresh_token"], token_type_hint="refresh_token").status_code == 200
assert_ended(second)
print("Authlib works")

oauthlib = OAuth2Session(client=LegacyApplicationClient(client_id="any"))
first = oauthlib.fetch_token(TOKEN, username=USER, password=PASSWORD, include_client_id=False)
second = oauthlib.refresh_token(TOKEN, refresh_token=first["refresh_token"])
assert oauthlib.get(ME).json()["email"] == USER
url, headers, body = oauthlib._client.prepare_token_revocation_request(  # no public method
    REVOKE.replace("http:", "https:"), second["refresh_token"], "refresh_token"
)
assert requests.post(url.replace("https:", "http:"), data=body, headers=headers, timeout=10).status_code == 200
assert_ended(second)
print("requests-oauthlib works")
