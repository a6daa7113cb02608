"""spool.py -- events on this machine's disk while the service is away, at most so many bytes.

A file is one batch, a line an event, named by the time it was written. It is written beside and renamed,
so that what ends in the middle leaves no half of one. Several processes may share a folder: a batch that two
of them send is stored once, because its events carry their ids.
"""
from __future__ import annotations

import itertools
import os
import pathlib
import time
from typing import List, Optional

SUFFIX = ".ndjson"


class Spool:
    def __init__(self, folder: pathlib.Path, bytes_max: int) -> None:
        self.folder = folder
        self.bytes_max = bytes_max
        self._numbers = itertools.count()

    def _files(self) -> List[pathlib.Path]:
        try:
            return sorted(path for path in self.folder.iterdir() if path.suffix == SUFFIX)
        except OSError:  # there is none yet, or it is none of ours: put() will say so
            return []

    def bytes_used(self) -> int:
        return sum(self._size(path) for path in self._files())

    @staticmethod
    def _size(path: pathlib.Path) -> int:
        try:
            return path.stat().st_size
        except OSError:  # another process has sent it
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
            name = f"{time.time_ns():020d}-{os.getpid()}-{next(self._numbers):06d}{SUFFIX}"
            beside = self.folder / (name + ".part")
            with open(beside, "wb", opener=lambda path, flags: os.open(path, flags, 0o600)) as f:
                f.write(b"\n".join(kept) + b"\n")
                f.flush()
                os.fsync(f.fileno())
            os.replace(beside, self.folder / name)
        return len(kept)

    def _make_folder(self) -> None:
        """Ours alone: in a folder for everybody somebody else may have made it first."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if hasattr(os, "getuid") and self.folder.stat().st_uid not in (os.getuid(), 0):
            raise PermissionError(f"{self.folder} belongs to somebody else")

    def oldest(self) -> Optional[pathlib.Path]:
        return next(iter(self._files()), None)

    @staticmethod
    def read(path: pathlib.Path) -> List[bytes]:
        try:
            return [line for line in path.read_bytes().split(b"\n") if line]
        except FileNotFoundError:
            return []

    @staticmethod
    def done(path: pathlib.Path) -> None:
        """Raises OSError: then it would be sent again and again."""
        path.unlink(missing_ok=True)
