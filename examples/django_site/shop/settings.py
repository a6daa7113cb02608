"""settings.py -- the site's own tables in SQLite, bot_error_event in Nabat's PostgreSQL (DATABASE_URL, as ./run prints it)."""
import os
import pathlib
import shutil

from shop.database import nabat_database

BASE = pathlib.Path(__file__).resolve().parents[1]
SECRET_KEY = "only an example"
DEBUG = False
ALLOWED_HOSTS = ["127.0.0.1", "localhost"]
ROOT_URLCONF = "shop.urls"
USE_TZ = True
TIME_ZONE = "UTC"
STATIC_URL = "static/"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "django.contrib.admin", "django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions",
    "django.contrib.messages", "django.contrib.staticfiles", "nabat.django",
]
MIDDLEWARE = [
    "nabat.django.middleware.NabatMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware", "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware", "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True,
              "OPTIONS": {"context_processors": ["django.template.context_processors.request",
                                                 "django.contrib.auth.context_processors.auth",
                                                 "django.contrib.messages.context_processors.messages"]}}]

DATABASES = {
    "default": {"ENGINE": "django.db.backends.sqlite3",
                "NAME": os.environ.get("SITE_DATABASE", BASE / "site.sqlite3")},
    "nabat": nabat_database(),
}
DATABASE_ROUTERS = ["shop.database.NabatRouter"]

NABAT = {
    "release": os.environ.get("RELEASE"),
    "user_url": "/admin/auth/user/{user_id}/change/",
    "gen_request_url": "/generations/{gen_request_id}",
    "database": "nabat",
    "prune": shutil.which("nabat-prune") or str(BASE.parents[1] / "build/prune/nabat-prune"),
}

if os.environ.get("SENTRY_DSN"):  # a Sentry SDK may stay beside the client
    import sentry_sdk
    sentry_sdk.init(os.environ["SENTRY_DSN"])
