"""What a script with requests-oauthlib does, as its documentation shows it. Reads what it needs as JSON from standard
input, and prints what it got, a JSON object a line."""

import json
import sys

import requests_oauthlib
from oauthlib.oauth2 import BackendApplicationClient
from oauthlib.oauth2.rfc6749.errors import InvalidClientError, InvalidScopeError

asked = json.load(sys.stdin)


def session(scope=None):
    client = BackendApplicationClient(client_id=asked["client_id"], scope=scope)
    return requests_oauthlib.OAuth2Session(client=client)


def tell(**facts):
    print(json.dumps(facts))


tell(version=requests_oauthlib.__version__)

# The header, which it does not form-encode; then the form.
for method, options in (("client_secret_basic", {}), ("client_secret_post", {"include_client_id": True})):
    oauth = session(["service:audit-trail"])
    token = oauth.fetch_token(asked["token_url"], client_id=asked["client_id"], client_secret=asked["client_secret"], **options)
    answer = oauth.get(asked["log_url"])
    tell(
        method=method,
        token_type=token["token_type"],
        expires_in=token["expires_in"],
        scope=" ".join(token["scope"]),
        status=answer.status_code,
        bytes=len(answer.content),
        length=int(answer.headers["annals-content-length"]),
    )

try:
    session().fetch_token(asked["token_url"], client_id=asked["client_id"], client_secret="wrong")
except InvalidClientError as error:
    tell(refused=error.error)

try:
    session(["openid"]).fetch_token(asked["token_url"], client_id=asked["client_id"], client_secret=asked["client_secret"])
except InvalidScopeError as error:
    tell(refused=error.error)
