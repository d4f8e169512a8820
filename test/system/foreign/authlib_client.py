"""What a script with Authlib does, as its documentation shows it. Reads what it needs as JSON from standard input, and
prints what it got, a JSON object a line."""

import json
import sys

import authlib
import requests
from authlib.integrations.base_client import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from authlib.jose import JsonWebKey, jwt

asked = json.load(sys.stdin)


def session(method, secret=asked["client_secret"]):
    return OAuth2Session(asked["client_id"], secret, token_endpoint_auth_method=method, scope="service:audit-trail")


def tell(**facts):
    print(json.dumps(facts))


tell(version=authlib.__version__)
metadata = requests.get(asked["metadata_url"]).json()
keys = JsonWebKey.import_key_set(requests.get(metadata["jwks_uri"]).json())

for method in ("client_secret_basic", "client_secret_post"):
    oauth = session(method)
    token = oauth.fetch_token(metadata["token_endpoint"], grant_type="client_credentials")
    answer = oauth.get(asked["log_url"])
    claims = jwt.decode(
        token["access_token"],
        keys,
        claims_options={
            "iss": {"essential": True, "value": metadata["issuer"]},
            "aud": {"essential": True, "value": asked["audience"]},
        },
    )
    claims.validate()
    before = oauth.introspect_token(metadata["introspection_endpoint"], token=token["access_token"]).json()
    revoked = oauth.revoke_token(metadata["revocation_endpoint"], token=token["access_token"])
    after = oauth.introspect_token(metadata["introspection_endpoint"], token=token["access_token"]).json()
    tell(
        method=method,
        token_type=token["token_type"],
        expires_in=token["expires_in"],
        scope=token["scope"],
        status=answer.status_code,
        bytes=len(answer.content),
        length=int(answer.headers["annals-content-length"]),
        subject=claims["sub"],
        active=before["active"],
        revoked=revoked.status_code,
        active_after=after["active"],
        status_after=oauth.get(asked["log_url"]).status_code,
    )

try:
    session("client_secret_basic", "wrong").fetch_token(metadata["token_endpoint"], grant_type="client_credentials")
except OAuthError as error:
    tell(refused=error.error)
