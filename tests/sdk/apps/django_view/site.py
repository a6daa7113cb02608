"""site.py -- a Django view that raises, in one file. Needs: django, sentry-sdk; SENTRY_DSN."""
import os
import sys

import sentry_sdk
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import path

sentry_sdk.init(os.environ["SENTRY_DSN"], release=os.environ.get("RELEASE"))
settings.configure(DEBUG=False, SECRET_KEY="only an example", ALLOWED_HOSTS=["*"], ROOT_URLCONF=__name__,
                   MIDDLEWARE=["django.middleware.common.CommonMiddleware"])


def pay(request: HttpRequest, order: int) -> HttpResponse:
    sentry_sdk.set_user({"id": request.headers.get("X-User", "0")})
    raise ValueError(f"order {order} has no price")


urlpatterns = [path("pay/<int:order>/", pay)]

if __name__ == "__main__":
    from django.core.management import execute_from_command_line
    execute_from_command_line(sys.argv)
