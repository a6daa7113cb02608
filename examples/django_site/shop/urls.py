"""urls.py -- the pages: a payment that raises, an async one that does, and the admin."""
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import path

import nabat


def pay(request: HttpRequest, order: int) -> HttpResponse:
    nabat.bind(user_id=request.headers.get("X-User", "31"), gen_request_id=f"gen-{order}")
    raise ValueError(f"order {order} has no price")


async def refund(request: HttpRequest, order: int) -> HttpResponse:
    raise LookupError(f"order {order} was never paid")


urlpatterns = [path("pay/<int:order>/", pay), path("refund/<int:order>/", refund), path("admin/", admin.site.urls)]
