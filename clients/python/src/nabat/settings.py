"""settings.py -- what init() takes, with the bounds of everything that is kept.

A DSN is `scheme://KEY@host[:port][/prefix]/PROJECT`, as Nabat prints it and as Sentry SDKs take it.
"""
from __future__ import annotations

import hashlib
import os
import pathlib
import socket
import tempfile
from dataclasses import dataclass, field
from typing import Any, Callable, Dict, Optional
from urllib.parse import urlsplit

VERSION = "0.1.0"
Event = Dict[str, Any]

KIB = 1024
MIB = 1024 * KIB
EVENT_BYTES_MAX = 900 * KIB  # the service takes 1 MiB an event
BATCH_EVENTS_MAX = 100       # the service takes 1000 a request
BATCH_BYTES_MAX = MIB
BREADCRUMBS_MAX = 20         # the service keeps as many


@dataclass(frozen=True)
class Dsn:
    scheme: str
    key: str = field(repr=False)
    host: str
    port: int
    prefix: str
    project: str

    @classmethod
    def parse(cls, text: str) -> "Dsn":
        """Raises ValueError that says what is wrong, without the key."""
        parts = urlsplit(text.strip())
        if parts.scheme not in ("http", "https"):
            raise ValueError("the DSN starts with neither http:// nor https://")
        if not parts.hostname:
            raise ValueError("the DSN names no host")
        try:
            parts.hostname.encode("idna")
        except UnicodeError:
            raise ValueError("the DSN's host is no name of a host") from None
        if not parts.username or not parts.username.isascii():
            raise ValueError("the DSN has no key: it is scheme://KEY@host/PROJECT")
        prefix, _, project = parts.path.rstrip("/").rpartition("/")
        if not project.isdigit():
            raise ValueError("the DSN does not end with the number of a project, as /1")
        port = parts.port or (443 if parts.scheme == "https" else 80)
        return cls(parts.scheme, parts.username, parts.hostname, port, prefix, project)

    @property
    def place(self) -> str:
        """Where events go, without the key: a rotated key finds what an earlier one left in the spool."""
        return f"{self.scheme}://{self.host}:{self.port}{self.prefix}/{self.project}"


def default_spool_dir(dsn: Dsn) -> pathlib.Path:
    """One folder a destination: what waits for one service is never sent to another."""
    name = "nabat-" + hashlib.sha256(dsn.place.encode()).hexdigest()[:16]
    state = os.environ.get("XDG_STATE_HOME") or os.path.join(os.path.expanduser("~"), ".local", "state")
    if os.path.isabs(state) and os.access(_nearest(state), os.W_OK | os.X_OK):
        return pathlib.Path(state) / name
    user = os.getuid() if hasattr(os, "getuid") else os.environ.get("USERNAME", "")
    return pathlib.Path(tempfile.gettempdir()) / f"{name}-{user}"


def _nearest(path: str) -> str:
    """The folder that is there already; never raises, though HOME may be a place that this user can't look into."""
    while not os.access(path, os.F_OK) and os.path.dirname(path) != path:
        path = os.path.dirname(path)
    return path


def _first_of_environment(*names: str) -> Optional[str]:
    return next((os.environ[name] for name in names if os.environ.get(name)), None)


@dataclass(frozen=True)
class Options:
    """What init() was told. Sizes are bytes, times seconds."""

    dsn: Optional[Dsn] = None
    release: Optional[str] = None
    environment: Optional[str] = None
    server_name: Optional[str] = None
    origin: str = "other"            # of what names none
    spool_dir: Optional[pathlib.Path] = None
    spool_bytes_max: int = 64 * MIB  # 0: nothing is kept on disk
    queue_events_max: int = 10_000   # in memory, while a request is under way
    queue_bytes_max: int = 16 * MIB
    timeout: float = 5.0             # of each step of a request to the service: connecting, sending, an answer
    slow_seconds: float = 3.0        # a web request slower than this is a warning; 0: none is
    filter_keys: tuple[str, ...] = ()  # more names of fields that never leave
    before_send: Optional[Callable[[Event], Optional[Event]]] = None


def options_from(dsn: Optional[str], **given: Any) -> Options:
    """init()'s arguments over the environment. Raises ValueError for a DSN that can't be read."""
    text = dsn if dsn is not None else os.environ.get("NABAT_DSN", "")
    parsed = Dsn.parse(text) if text else None
    values: Dict[str, Any] = {
        "release": _first_of_environment("RELEASE", "RAILWAY_GIT_COMMIT_SHA", "SOURCE_VERSION"),
        "environment": _first_of_environment("ENVIRONMENT", "RAILWAY_ENVIRONMENT_NAME"),
        "server_name": socket.gethostname(),
        "spool_dir": default_spool_dir(parsed) if parsed else None,
    }
    values.update({name: value for name, value in given.items() if value is not None})
    if values["spool_dir"] is not None:
        values["spool_dir"] = pathlib.Path(values["spool_dir"])
    values["filter_keys"] = tuple(values.get("filter_keys", ()))
    return Options(dsn=parsed, **values)
