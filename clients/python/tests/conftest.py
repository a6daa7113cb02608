"""conftest.py -- a service of a few lines that takes, refuses or is away, as the test says; and a fresh client."""
import http.server
import json
import logging
import threading
import time

import pytest

import nabat
from nabat import context, tracker

KEY = "k" * 32


class Service:
    """Takes batches as POST /api/events does; `answers` holds what it says next instead of 200."""

    def __init__(self):
        self.events, self.requests, self.answers = [], [], []
        service = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *args):
                pass

            def do_POST(self):
                if service.stopped:  # a connection from before
                    self.close_connection = True
                    return
                body = self.rfile.read(int(self.headers["Content-Length"]))
                batch = [json.loads(line) for line in body.split(b"\n")]
                service.requests.append((self.path, self.headers, batch))
                answer = service.answers.pop(0) if service.answers else {"status": 200}
                if callable(answer):
                    answer = answer(batch)
                if answer["status"] == 200:
                    service.events += batch
                told = json.dumps(answer.get("body", {"ids": [e.get("event_id") for e in batch]})).encode()
                self.send_response(answer["status"])
                for name, value in answer.get("headers", {}).items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(told)))
                self.end_headers()
                self.wfile.write(told)

        self.handler = Handler
        self.port = 0
        self.start()

    def start(self):
        self.stopped = False
        http.server.ThreadingHTTPServer.allow_reuse_address = True
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", self.port), self.handler)
        self.server.daemon_threads = True
        self.port = self.server.server_port
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def stop(self):
        self.stopped = True
        self.server.shutdown()
        self.server.server_close()

    @property
    def dsn(self):
        return f"http://{KEY}@127.0.0.1:{self.port}/1"

    def wait(self, count, seconds=10):
        end = time.monotonic() + seconds
        while len(self.events) < count and time.monotonic() < end:
            time.sleep(0.01)
        assert len(self.events) >= count, f"{len(self.events)} of {count} events came"
        return self.events


@pytest.fixture
def service():
    s = Service()
    yield s
    s.stop()


@pytest.fixture
def client(service, tmp_path):
    """Starts nabat with the options given, and forgets it afterwards."""
    def start(**options):
        nabat.init(options.pop("dsn", service.dsn), spool_dir=options.pop("spool_dir", tmp_path / "spool"), **options)
        return tracker.client()
    token = context._current.set(None)
    yield start
    context._current.reset(token)
    if tracker._client and tracker._client.sender:
        tracker._client.sender.close(1)
    tracker._client = None
    logging.getLogger().handlers[:] = [h for h in logging.getLogger().handlers if not isinstance(h, nabat.NabatHandler)]


@pytest.fixture
def recorded(service, client):
    """recorded(): what came so far, after everything has left."""
    client()

    def events(count=1):
        assert nabat.flush(5)
        return service.wait(count)
    return events
