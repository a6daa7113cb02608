"""wire.py -- one POST of a batch to the service, and what its answer means. One connection, kept open."""
from __future__ import annotations

import enum
import http.client
import json
from dataclasses import dataclass
from typing import List, Optional, Union

from .settings import VERSION, Dsn

RETRY_AFTER_MAX = 300.0


class Verdict(enum.Enum):
    TAKEN = "taken"        # committed, or safe on the service's own disk
    LATER = "later"        # keep them, ask again after `wait` seconds
    SPLIT = "split"        # too large together, or one of them can't be read: `index` tells which, if it is known


@dataclass
class Answer:
    verdict: Verdict
    why: str = ""
    wait: Optional[float] = None
    index: Optional[int] = None


class Wire:
    def __init__(self, dsn: Dsn, timeout: float) -> None:
        self.dsn = dsn
        self.timeout = timeout
        self.connection: Union[http.client.HTTPConnection, http.client.HTTPSConnection, None] = None

    def close(self) -> None:
        if self.connection:
            self.connection.close()
        self.connection = None

    def _connect(self) -> http.client.HTTPConnection:
        kind = http.client.HTTPSConnection if self.dsn.scheme == "https" else http.client.HTTPConnection
        return kind(self.dsn.host, self.dsn.port, timeout=self.timeout)

    def post(self, lines: List[bytes]) -> Answer:
        body = b"\n".join(lines)
        headers = {"Authorization": "Bearer " + self.dsn.key, "Content-Type": "application/x-ndjson",
                   "User-Agent": "nabat-python/" + VERSION}
        for is_fresh in (self.connection is None, True):
            try:
                self.connection = self.connection or self._connect()
                self.connection.request("POST", self.dsn.prefix + "/api/events", body, headers)
                response = self.connection.getresponse()
                return _meaning(response.status, response.read(64 * 1024), response.headers.get("Retry-After"))
            except (OSError, http.client.HTTPException) as e:
                self.close()
                # a kept connection that the other side has closed meanwhile is no sign of anything: once more
                if is_fresh or isinstance(e, TimeoutError):
                    return Answer(Verdict.LATER, f"{self.dsn.host}:{self.dsn.port}: {e or type(e).__name__}")
        raise AssertionError("the second round is fresh")


def _meaning(status: int, body: bytes, retry_after: Optional[str]) -> Answer:
    if 200 <= status < 300:
        return Answer(Verdict.TAKEN)
    try:
        told = json.loads(body)
        why = f"{status} {told['error']}: {told['detail']}"
        index = told.get("index")
    except (ValueError, KeyError, TypeError):
        why, index = f"HTTP {status}", None
    if status in (400, 413):
        return Answer(Verdict.SPLIT, why, index=index if isinstance(index, int) else None)
    try:
        wait = min(float(retry_after or ""), RETRY_AFTER_MAX)
    except ValueError:
        wait = None
    return Answer(Verdict.LATER, why, wait=wait)
