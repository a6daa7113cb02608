"""spool.py -- events on this machine's disk while the service is away, at most so many bytes.

A file is one batch, a line an event, named by the time it was written. It is written beside and renamed,
so that what ends in the middle leaves no half of one. Many small ones are joined, so that a day away is no folder of
a hundred thousand files. Several processes may share a folder, and one may end between two steps: a batch that is
sent twice is stored once, because its events carry their ids.
"""
from __future__ import annotations

import itertools
import os
import pathlib
import stat
import time
from typing import List, Optional, Set

SUFFIX, PART = ".ndjson", ".part"
JOIN_FILES, JOIN_BYTES = 64, 1024 * 1024
STALE_SECONDS = 3600.0
LOOK_SECONDS = 30.0


class Spool:
    def __init__(self, folder: pathlib.Path, bytes_max: int) -> None:
        self.folder = folder
        self.bytes_max = bytes_max
        self._numbers = itertools.count()
        self._bytes, self._looked_at = 0, float("-inf")
        self._small: List[pathlib.Path] = []   # of this process, since the last joining
        self._skipped: Set[str] = set()        # sent, and not to be removed

    def _files(self, suffix: str = SUFFIX) -> List[pathlib.Path]:
        try:
            return sorted(path for path in self.folder.iterdir() if path.suffix == suffix and self._is_ours(path))
        except OSError:  # there is none yet, or it is none of ours: put() will say so
            return []

    @staticmethod
    def _is_ours(path: pathlib.Path) -> bool:
        """A plain file of this user's: where everybody may write, a name alone proves nothing."""
        try:
            found = path.lstat()
        except OSError:  # another process has sent it
            return False
        return stat.S_ISREG(found.st_mode) and (not hasattr(os, "getuid") or found.st_uid == os.getuid())

    def bytes_used(self) -> int:
        """Ours to the byte; of what other processes put there or sent it learns twice a minute."""
        if time.monotonic() - self._looked_at > LOOK_SECONDS:
            self._bytes = sum(self._size(path) for path in self._files())
            self._looked_at = time.monotonic()
        return self._bytes

    @staticmethod
    def _size(path: pathlib.Path) -> int:
        try:
            return path.stat().st_size
        except OSError:
            return 0

    def put(self, lines: List[bytes]) -> int:
        """How many of them found room. Raises OSError."""
        if not self.bytes_max:
            return 0
        self._make_folder()
        room = self.bytes_max - self.bytes_used()
        kept: List[bytes] = []
        for line in lines:
            room -= len(line) + 1
            if room < 0:
                break
            kept.append(line)
        if kept:
            self._small.append(self._write(b"\n".join(kept) + b"\n"))
        if len(self._small) >= JOIN_FILES:
            self._join()
        return len(kept)

    def _write(self, body: bytes) -> pathlib.Path:
        path = self.folder / f"{time.time_ns():020d}-{os.getpid()}-{next(self._numbers):06d}{SUFFIX}"
        beside = path.with_suffix(PART)
        try:
            with open(beside, "xb", opener=lambda name, flags: os.open(name, flags, 0o600)) as f:
                f.write(body)
                f.flush()
                os.fsync(f.fileno())
            os.replace(beside, path)
            self._bytes += len(body)
        except OSError:
            beside.unlink(missing_ok=True)
            raise
        return path

    def _join(self) -> None:
        """The new file is there before the old ones go."""
        body, old = b"", []
        for path in self._small:
            if self._is_ours(path) and len(body) < JOIN_BYTES:
                body += path.read_bytes()
                old.append(path)
        self._small = []
        if len(old) > 1:
            self._write(body)
            for path in old:
                self.done(path)

    def _make_folder(self) -> None:
        """Ours alone: in a folder for everybody somebody else may have made it first."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if hasattr(os, "getuid") and self.folder.stat().st_uid != os.getuid():
            raise PermissionError(f"{self.folder} belongs to somebody else")

    def sweep(self) -> None:
        """What a process that was killed left half written."""
        for path in self._files(PART):
            try:
                if time.time() - path.stat().st_mtime > STALE_SECONDS:
                    path.unlink(missing_ok=True)
            except OSError:
                pass

    def oldest(self) -> Optional[pathlib.Path]:
        return next((path for path in self._files() if path.name not in self._skipped), None)

    @staticmethod
    def read(path: pathlib.Path) -> List[bytes]:
        """Raises OSError, but not for one that another process has sent."""
        try:
            return [line for line in path.read_bytes().split(b"\n") if line]
        except FileNotFoundError:
            return []

    def done(self, path: pathlib.Path) -> None:
        """Raises OSError: then it would be sent again and again."""
        self._bytes -= self._size(path)
        path.unlink(missing_ok=True)

    def skip(self, path: pathlib.Path) -> None:
        """Leave it where it is, for a person to look at."""
        self._skipped.add(path.name)
