"""__init__.py -- Nabat in a Django project: add "nabat.django" to INSTALLED_APPS.

    NABAT = {"dsn": "http://KEY@nabat.example:8080/1"}           # else NABAT_DSN; other options as of nabat.init()
    MIDDLEWARE = ["nabat.django.middleware.NabatMiddleware", …]  # first: request id, route, user, slow requests

Errors of views are recorded by a signal, with or without the middleware. `nabat.django.models.BotErrorEvent` is the
view bot_error_event as an unmanaged model, with an admin section; see docs/howto-django.md.
"""
