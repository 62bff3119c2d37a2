"""A Django REST framework service that accepts Tokenhouse access tokens: one file, one view, no database.

Run it with `python notes.py runserver 127.0.0.1:8000 --noreload`. ISSUER and AUDIENCE come from the environment.
"""

import os
import sys

from django.conf import settings
from django.core.management import execute_from_command_line
from django.core.wsgi import get_wsgi_application
from django.urls import path

ISSUER = os.environ.get("ISSUER", "http://127.0.0.1:8080")
AUDIENCE = os.environ.get("AUDIENCE", ISSUER)
ALGORITHM = os.environ.get("ALGORITHM", "ES256")

settings.configure(
    ALLOWED_HOSTS=["127.0.0.1", "localhost"],
    SECRET_KEY=os.environ.get("DJANGO_SECRET_KEY", os.urandom(32).hex()),
    ROOT_URLCONF=__name__,
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "rest_framework", "rest_framework_simplejwt"],
    REST_FRAMEWORK={
        # The token says who the user is; nobody is looked up in a database of this service.
        "DEFAULT_AUTHENTICATION_CLASSES": ["authentication.RevocableUserAuthentication"],
        "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
        "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    },
    SIMPLE_JWT={
        "ALGORITHM": ALGORITHM,
        "JWK_URL": f"{ISSUER}/.well-known/jwks.json",
        "ISSUER": ISSUER,
        "AUDIENCE": AUDIENCE,
        "USER_ID_CLAIM": "user_id",
        "JTI_CLAIM": "jti",
        "TOKEN_TYPE_CLAIM": "token_type",
        # SimpleJWT would otherwise take its own SECRET_KEY for a key to sign with. This service signs nothing.
        "SIGNING_KEY": "",
    },
)

application = get_wsgi_application()

# Only now: these read the settings when they are imported.
from rest_framework.decorators import api_view  # noqa: E402
from rest_framework.response import Response  # noqa: E402


@api_view(["GET"])
def notes(request):
    """Whose notes these are, as the token says."""
    token = request.auth
    return Response({"user": request.user.id, "roles": token.get("roles", []), "scope": token.get("scope", "")})


urlpatterns = [path("notes/", notes)]

if __name__ == "__main__":
    execute_from_command_line(sys.argv)
