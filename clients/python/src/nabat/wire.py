"""wire.py -- one POST of a batch to the service, and what its answer means. One connection, kept open."""
from __future__ import annotations

import enum
import http.client
import json
import socket
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
            except Exception as e:  # noqa: BLE001 -- whatever it is, the events are not gone
                self.close()
                # a kept connection that the other side has closed meanwhile is no sign of anything: once more
                if is_fresh or isinstance(e, (TimeoutError, socket.timeout)):
                    return Answer(Verdict.LATER, f"{self.dsn.host}:{self.dsn.port}: {e or type(e).__name__}")
        raise AssertionError("the second round is fresh")


def _meaning(status: int, body: bytes, retry_after: Optional[str]) -> Answer:
    if 200 <= status < 300:
        return Answer(Verdict.TAKEN)
    try:
        told = json.loads(body)
        why, is_ours = f"{status} {told['error']}: {told['detail']}", True
        index = told.get("index")
    except (ValueError, KeyError, TypeError):
        why, is_ours, index = f"HTTP {status}", False, None
    # a 400 that is not the service's own is a proxy's, and says nothing of the events
    if status == 413 or (status == 400 and is_ours):
        return Answer(Verdict.SPLIT, why, index=index if isinstance(index, int) else None)
    seconds = (retry_after or "").strip()
    return Answer(Verdict.LATER, why, wait=min(float(seconds), RETRY_AFTER_MAX) if seconds.isdigit() else None)
