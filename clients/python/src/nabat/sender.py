"""sender.py -- the one thread that talks: callers only append to its queue, and never wait for it.

    put() -> queue --batch--> service            200: done
                 \\              | away, slow, 429, 503
                  \\             v
                   `------->  spool on disk --oldest first--> service, when it answers again

No linger: an event alone goes at once, and while a request is under way the next batch grows by itself.
While the service is away the queue drains to disk, and one batch after another knocks: after 1, 2, 4 … 30 s.
What finds room neither in memory nor on disk is counted, and told when the service is back.
"""
from __future__ import annotations

import collections
import logging
import os
import socket
import sys
import threading
import time
import uuid
from typing import Deque, Dict, List, Optional

from . import events, scrub, settings
from .settings import Options
from .spool import Spool
from .wire import Verdict, Wire

log = logging.getLogger("nabat")
BACKOFF_FIRST, BACKOFF_MAX = 1.0, 30.0
EXIT_SECONDS = 2.0
GATHER_SECONDS = 0.25  # while away, one file on disk for what comes in this time


def _at_the_end_of_a_child(sender: "Sender") -> None:
    """A process that multiprocessing forked ends without atexit, but by finalizers."""
    process = sys.modules.get("multiprocessing.process")
    if process is None or process.parent_process() is None:
        return
    from multiprocessing.util import Finalize
    Finalize(None, sender.close, args=(EXIT_SECONDS,), exitpriority=10)


class Sender:
    def __init__(self, options: Options) -> None:
        assert options.dsn is not None
        self.options = options
        self.wire = Wire(options.dsn, options.timeout)
        self.spool = Spool(options.spool_dir, options.spool_bytes_max) if options.spool_dir else None
        self.counts: Dict[str, int] = {"recorded": 0, "sent": 0, "spooled": 0, "dropped": 0, "refused": 0}
        self.told_dropped = self.logged_dropped = 0
        self._reset()
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._after_fork)

    def _reset(self) -> None:
        self.queue: Deque[bytes] = collections.deque()
        self.queue_bytes = 0
        self.in_flight: List[bytes] = []
        self.busy = False
        self.spool_empty = False
        self.stopping = False
        self.away_until = 0.0
        self.backoff = BACKOFF_FIRST
        self.changed = threading.Condition()  # re-entrant: put() may run in a destructor during put()
        self.thread: Optional[threading.Thread] = None

    def _after_fork(self) -> None:
        """The queue is the parent's to send; its connection too, which is let go without a word."""
        self.wire.connection = None
        self.told_dropped = self.logged_dropped = self.counts["dropped"]
        self._reset()

    # -------------------------------------------------------------- the caller's side

    def put(self, line: bytes) -> bool:
        with self.changed:
            self.counts["recorded"] += 1
            if (len(self.queue) >= self.options.queue_events_max
                    or self.queue_bytes + len(line) > self.options.queue_bytes_max):
                self.counts["dropped"] += 1
                return False
            self.queue.append(line)
            self.queue_bytes += len(line)
            if self.thread is None and not self.stopping:
                self._start()
            self.changed.notify_all()
            if not self.stopping:
                return True
            late = self._take(len(self.queue), self.queue_bytes)
        self._keep(late)  # the process is ending, and its last try is over
        return True

    def _start(self) -> None:
        """If no thread can be had now, the queue keeps what there is and the next event tries again."""
        thread = threading.Thread(target=self._run, name="nabat", daemon=True)
        try:
            thread.start()
        except RuntimeError as e:
            log.error("nabat: no thread can be started (%s): events wait in memory", e)
            return
        self.thread = thread
        _at_the_end_of_a_child(self)

    def flush(self, timeout: float) -> bool:
        """Whether everything so far has left memory: taken by the service, or kept on disk."""
        end = time.monotonic() + timeout
        with self.changed:
            while self.queue or self.busy:
                left = end - time.monotonic()
                if left <= 0 or self.thread is None:
                    return False
                self.changed.wait(left)
        return True

    def close(self, timeout: float) -> None:
        """At exit: a last try, and what is left goes to disk, with the batch whose answer is still out."""
        self.flush(timeout)
        with self.changed:
            self.stopping = True
            left = self.in_flight + self._take(len(self.queue), self.queue_bytes)
            self.in_flight = []
            self.changed.notify_all()
        if left:
            self._keep(left)

    def _take(self, count: int, bytes_max: int) -> List[bytes]:
        """From the queue's head, under its lock: at least one, if there is one."""
        batch: List[bytes] = []
        size = 0
        while self.queue and len(batch) < count and (not batch or size + len(self.queue[0]) <= bytes_max):
            batch.append(self.queue.popleft())
            size += len(batch[-1])
        self.queue_bytes -= size
        return batch

    # -------------------------------------------------------------- the thread's side

    def _run(self) -> None:
        if self.spool:
            self.spool.sweep()
        self.spool_empty = self.spool is None or self.spool.oldest() is None
        while True:
            try:
                if not self._turn():
                    return
            except Exception:  # noqa: BLE001 -- it must live as long as the process
                log.exception("nabat: a bug in the client; it goes on")
                self._keep(self.in_flight)
                time.sleep(BACKOFF_FIRST)

    def _turn(self) -> bool:
        """Waits for something to do and does it; False when it is over."""
        with self.changed:
            self.busy, self.in_flight = False, []
            self.changed.notify_all()
            while not self.queue and not self.stopping:
                if not self.changed.wait(self._seconds_to_knock()) and self._may_knock():
                    break
            if self.stopping:
                return False
            self.busy = True
            away = self._is_away()
            batch = [] if away else self._take(settings.BATCH_EVENTS_MAX, settings.BATCH_BYTES_MAX)
            self.in_flight = batch
        self._log_dropped()
        if away:
            self._gather()
        elif not batch or self._send(batch):
            self._drain_one()
        return True

    def _is_away(self) -> bool:
        return time.monotonic() < self.away_until

    def _may_knock(self) -> bool:
        return not self.spool_empty and not self._is_away()

    def _seconds_to_knock(self) -> Optional[float]:
        return None if self.spool_empty else max(self.away_until - time.monotonic(), 0.0)

    def _gather(self) -> None:
        """While the service is away: what comes in a moment becomes one file."""
        time.sleep(GATHER_SECONDS)
        with self.changed:
            batch = self._take(len(self.queue), self.queue_bytes)
            self.in_flight = batch
        self._keep(batch)

    def _send(self, batch: List[bytes]) -> bool:
        """False: the service is away, and the batch is on disk."""
        left = self._offer(batch)
        if left:
            self._keep(left)
        return not left

    def _offer(self, batch: List[bytes]) -> List[bytes]:
        """Sends them, splitting off what can't be read; returns what the service did not take for now."""
        answer = self.wire.post(batch)
        if answer.verdict is Verdict.TAKEN:
            self.counts["sent"] += len(batch)
            self.backoff, self.away_until = BACKOFF_FIRST, 0.0
            return []
        if answer.verdict is Verdict.LATER:
            if self.backoff == BACKOFF_FIRST:
                log.warning("nabat: the service does not take events (%s); they are kept on disk", answer.why)
            self.away_until = time.monotonic() + max(self.backoff, answer.wait or 0.0)
            self.backoff = min(self.backoff * 2, BACKOFF_MAX)
            return batch
        if len(batch) == 1:
            self.counts["refused"] += 1
            log.error("nabat: the service refused an event: %s", answer.why)
            return []
        return self._offer_parts(batch, answer.index)

    def _offer_parts(self, batch: List[bytes], index: Optional[int]) -> List[bytes]:
        if index is not None and index < len(batch):
            parts = [batch[:index], batch[index:index + 1], batch[index + 1:]]
        else:
            parts = [batch[:len(batch) // 2], batch[len(batch) // 2:]]
        left: List[bytes] = []
        for part in parts:
            if part:
                left += part if left else self._offer(part)
        return left

    def _drain_one(self) -> None:
        """One file from disk; the queue has its turn in between."""
        self._tell_dropped()
        oldest = self.spool.oldest() if self.spool else None
        self.spool_empty = oldest is None
        if oldest is None or self.spool is None:
            return
        try:
            lines = self.spool.read(oldest)
            while lines:
                batch, lines = lines[:settings.BATCH_EVENTS_MAX], lines[settings.BATCH_EVENTS_MAX:]
                if self._offer(batch):
                    return
            self.spool.done(oldest)
        except OSError as e:
            log.error("nabat: the spool can't be emptied, what is in it stays: %s", e)
            self.spool.skip(oldest)

    def _keep(self, lines: List[bytes]) -> None:
        kept = 0
        try:
            kept = self.spool.put(lines) if self.spool and lines else 0
        except OSError as e:
            log.error("nabat: the spool can't be written: %s", e)
        if kept:
            self.spool_empty = False
        with self.changed:
            self.counts["spooled"] += kept
            self.counts["dropped"] += len(lines) - kept

    # -------------------------------------------------------------- what was lost is said

    def _log_dropped(self) -> None:
        if self.counts["dropped"] > self.logged_dropped:
            if self.logged_dropped == self.told_dropped:
                log.error("nabat: neither the service nor queue and spool take more: events are dropped and counted")
            self.logged_dropped = self.counts["dropped"]

    def _tell_dropped(self) -> None:
        """The gap is an event itself, so that it is seen where errors are seen."""
        dropped = self.counts["dropped"]
        missing = dropped - self.told_dropped
        if not missing:
            return
        event = events.build(
            {"message": f"The Nabat client dropped {missing} events", "severity": "warning", "handler": "nabat.client",
             "payload": {"dropped": missing, "host": socket.gethostname(), "pid": os.getpid()}},
            None, self.options, scrub.key_pattern(), uuid.uuid4().hex)
        if not self._offer([events.to_bytes(event)]):
            self.told_dropped = self.logged_dropped = dropped
