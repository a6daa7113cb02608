"""prune_bot_errors.py -- `manage.py prune_bot_errors`: runs nabat-prune on the database that Django knows.

nabat-prune drops whole days, which no DELETE could do as cheaply. It is found as NABAT["prune"] or on PATH.
"""
from __future__ import annotations

import os
import shutil
import subprocess
import sys
from typing import Any, Dict
from urllib.parse import quote

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import connections


def database_url(config: Dict[str, Any]) -> str:
    """A libpq URI without the password: that goes by PGPASSWORD, and is in no list of processes."""
    host = config.get("HOST") or ""
    user = quote(config.get("USER") or "", safe="")
    name = quote(config.get("NAME") or "", safe="")
    place = "" if host.startswith("/") else quote(host, safe=":[]")
    port = f":{config['PORT']}" if config.get("PORT") and place else ""
    query = []
    if host.startswith("/"):
        query.append("host=" + quote(host, safe=""))
        if config.get("PORT"):
            query.append(f"port={config['PORT']}")
    for option in ("sslmode", "sslrootcert"):
        if config.get("OPTIONS", {}).get(option):
            query.append(f"{option}={quote(str(config['OPTIONS'][option]), safe='')}")
    return f"postgresql://{user + '@' if user else ''}{place}{port}/{name}{'?' + '&'.join(query) if query else ''}"


class Command(BaseCommand):
    help = "Drops days of bot errors that are older than their retention (runs nabat-prune)."

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("--days", type=int, help="days to keep, instead of ERROR_LOG_RETENTION_DAYS")
        parser.add_argument("--dry-run", action="store_true", help="say what would go, and let it be")
        parser.add_argument("--database", help='alias of the database with bot_error_event (NABAT["database"], '
                                               'else "default")')

    def handle(self, *args: Any, **options: Any) -> None:
        told = getattr(settings, "NABAT", {})
        program = told.get("prune") or shutil.which("nabat-prune")
        if not program:
            raise CommandError('nabat-prune is not on PATH: install Nabat\'s package, or set NABAT["prune"] to its path')
        command = [str(program)]
        if options["days"] is not None:
            command += ["--days", str(options["days"])]
        if options["dry_run"]:
            command.append("--dry-run")
        environment = dict(os.environ)
        if options["database"] or not environment.get("DATABASE_URL"):
            config = connections[options["database"] or told.get("database", "default")].settings_dict
            if "postgresql" not in str(config["ENGINE"]):
                raise CommandError(f"bot_error_event is in PostgreSQL, and this database is {config['ENGINE']}: "
                                   'name the right one with --database')
            environment["DATABASE_URL"] = database_url(config)
            if config.get("PASSWORD"):
                environment["PGPASSWORD"] = str(config["PASSWORD"])
        done = subprocess.run(command, env=environment, check=False)
        if done.returncode:
            sys.exit(done.returncode)
