"""client.py -- what the Python client costs its caller: a busy handler with it and without, and log() while the
service is away. Prints JSON: overhead (a ratio), log_us {p50, p99, most}.

    PYTHONPATH=clients/python/src bench/client.py [SECONDS]
"""
import asyncio
import json
import logging
import pathlib
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "clients/python/src"))
import nabat  # noqa: E402
import nabat.asgi  # noqa: E402

logging.getLogger("nabat").setLevel(logging.CRITICAL)


def work():
    """About a millisecond of Python, as a handler that builds an answer."""
    return json.loads(json.dumps({str(n): {"price": n, "names": ["a", "b", "c"]} for n in range(1000)}))


@nabat.log_function_call
@nabat.log_execution_time
def tracked_work():
    return work()


async def plain_app(scope, receive, send):
    work()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"ok"})


@nabat.track_exception
async def tracked_app(scope, receive, send):
    nabat.bind(user_id=77, handler="pay")
    nabat.add_breadcrumb("opened the basket")
    tracked_work()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"ok"})


async def seconds_of(app, requests):
    async def receive():
        return {"type": "http.request", "body": b""}

    async def send(message):
        pass
    start = time.perf_counter()
    for n in range(requests):
        await app({"type": "http", "path": "/pay", "method": "POST", "headers": [(b"x-request-id", b"r")]}, receive, send)
    return time.perf_counter() - start


def overhead(seconds):
    """Median ratio of rounds in turn."""
    tracked = nabat.asgi.NabatMiddleware(tracked_app)
    ratios, end = [], time.monotonic() + seconds
    while time.monotonic() < end or len(ratios) < 5:
        plain = asyncio.run(seconds_of(plain_app, 100))
        ratios.append(asyncio.run(seconds_of(tracked, 100)) / plain)
    return sorted(ratios)[len(ratios) // 2], plain / 100


def deep(n):
    return deep(n - 1) if n else {}["total"]


def times_of_log(seconds):
    """Of 200 errors a second in four threads, 12 frames deep, with nobody at the other end and a spool that is not empty."""
    taken, end = [], time.monotonic() + seconds

    def work():
        while time.monotonic() < end:
            try:
                deep(12)
            except KeyError as e:
                start = time.perf_counter()
                nabat.ErrorTracker.log(origin="celery", handler="pay", exc=e, payload={"order": 7, "items": list(range(20))})
                taken.append(time.perf_counter() - start)
            time.sleep(0.02)
    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    taken.sort()
    return {name: round(taken[int(len(taken) * at)] * 1e6) for name, at in (("p50", 0.5), ("p99", 0.99), ("most", 0.9999))}


if __name__ == "__main__":
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 10
    with tempfile.TemporaryDirectory() as spool:
        nabat.init("http://key@127.0.0.1:9/1", spool_dir=spool, spool_bytes_max=512 * 1024 * 1024)
        for n in range(120):  # as after some hours away: small ones are joined
            pathlib.Path(spool, f"{n:020d}-0-0.ndjson").write_text("{}\n" * 10)
        ratio, handler = overhead(seconds)
        logged = times_of_log(seconds)
        assert nabat.flush(10) and nabat.stats()["dropped"] == 0
        print(json.dumps({"overhead": round(ratio, 4), "handler_ms": round(handler * 1000, 3), "log_us": logged}))
