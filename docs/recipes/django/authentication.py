"""SimpleJWT's authentication for tokens of another server, and what it leaves out: `typ`, and whether it was revoked."""

import jwt
from django.conf import settings
from rest_framework.exceptions import APIException
from rest_framework_simplejwt.authentication import JWTStatelessUserAuthentication
from rest_framework_simplejwt.exceptions import InvalidToken
from status_lists import StatusLists, Unavailable

keys = jwt.PyJWKClient(settings.SIMPLE_JWT["JWK_URL"], lifespan=300, cooldown_duration=30, timeout=2)
status_lists = StatusLists(keys)

REQUIRED = {"sub", "client_id", "iat", "status"}  # beside what SimpleJWT asks for


class CannotTell(APIException):
    """This service has not heard from Tokenhouse for as long as a status list is good."""

    status_code = 503
    default_code = "service_unavailable"
    default_detail = "The token cannot be checked now."
    wait = 2  # seconds, which Django REST framework sends as `Retry-After`


class RevocableUserAuthentication(JWTStatelessUserAuthentication):
    """Accepts an access token until it has expired or was revoked, whichever is earlier."""

    def get_validated_token(self, raw_token):
        try:
            token = super().get_validated_token(raw_token)  # signature, algorithm, `iss`, `aud`, `exp`, `token_type`
        except TypeError as error:  # SimpleJWT 5.5 stumbles over a token that names the key of another algorithm
            raise InvalidToken("Token is invalid") from error
        if jwt.get_unverified_header(raw_token).get("typ") != "at+jwt" or not REQUIRED <= token.payload.keys():
            raise InvalidToken("Token is not an access token by RFC 9068 with a status")
        try:
            revoked = status_lists.revoked(token)
        except Unavailable as error:
            raise CannotTell from error
        if revoked:
            raise InvalidToken("Token was revoked")
        return token
