"""database.py -- where bot_error_event is: a second database, to which only Nabat's model goes."""
import os
from urllib.parse import parse_qs, unquote, urlsplit


def nabat_database() -> dict:
    """DATABASE_URL as Django wants it; a URI, or libpq's own "host=… dbname=…" as ./run uses."""
    text = os.environ.get("DATABASE_URL", "")
    found = {}
    if "://" in text:
        parts = urlsplit(text)
        query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        found = {"NAME": parts.path.lstrip("/"), "USER": unquote(parts.username or ""),
                 "PASSWORD": unquote(parts.password or ""), "HOST": parts.hostname or query.get("host", ""),
                 "PORT": str(parts.port or query.get("port", ""))}
    elif text:
        words = dict(word.split("=", 1) for word in text.split())
        found = {"NAME": words.get("dbname", ""), "USER": words.get("user", ""), "PASSWORD": words.get("password", ""),
                 "HOST": words.get("host", "").strip("'"), "PORT": words.get("port", "")}
    return {"ENGINE": "django.db.backends.postgresql", **found}


class NabatRouter:
    def db_for_read(self, model, **hints):
        return "nabat" if model._meta.app_label == "nabat" else None

    db_for_write = db_for_read

    def allow_migrate(self, db, app_label, **hints):
        return db == "default" and app_label != "nabat"
