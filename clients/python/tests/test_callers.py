"""test_callers.py -- log and alog, scopes, breadcrumbs, decorators, logging; once and never in the way."""
import asyncio
import dataclasses
import datetime
import logging
import threading

import pytest

import nabat
from nabat import ErrorTracker, telegram


def boom():
    raise ValueError("boom")


def test_log_takes_what_a_django_tracker_took(recorded):
    try:
        boom()
    except ValueError as e:
        event_id = ErrorTracker.log(origin=nabat.BotErrorEvent.Origin.GENERATION,
                                    severity=nabat.BotErrorEvent.Severity.CRITICAL, handler="providers.flux",
                                    chat_id=740215399, payload={"provider": "flux"}, exc=e)
    event = recorded()[0]
    assert event["event_id"] == event_id and event["origin"] == "generation" and event["severity"] == "critical"
    assert event["handler"] == "providers.flux" and event["chat_id"] == 740215399
    assert event["payload"] == {"provider": "flux"} and "in boom" in event["exception"]["stacktrace"]


def test_alog(recorded):
    assert asyncio.run(ErrorTracker.alog("celery", "error", "h", 5, {"a": 1}))
    assert recorded()[0]["handler"] == "h"


def test_never_an_exception_into_the_caller(client, service, caplog):
    def refuse(event):
        raise RuntimeError("before_send is broken")
    client(before_send=refuse)
    assert ErrorTracker.log(message="x") is None
    assert "could not be recorded" in caplog.text


def test_before_send_changes_and_drops(client, service):
    client(before_send=lambda event: None if event["message"] == "drop" else {**event, "message": "changed"})
    assert ErrorTracker.log(message="drop") is None
    ErrorTracker.log(message="keep")
    assert nabat.flush(5) and [e["message"] for e in service.wait(1)] == ["changed"]


def test_scopes_nest_and_end(recorded):
    with nabat.scope(user_id=1, chat_id=2, tags={"a": 1}):
        nabat.bind(handler="h", tags={"b": 2}, payload={"p": 1})
        with nabat.scope(user_id=3):
            ErrorTracker.log(message="inner", payload={"q": 2})
        ErrorTracker.log(message="outer", handler="own")
    ErrorTracker.log(message="outside")
    inner, outer, outside = recorded(3)
    assert (inner["user_id"], inner["chat_id"], inner["handler"], inner["tags"]) == (3, 2, "h", {"a": 1, "b": 2})
    assert inner["payload"] == {"p": 1, "q": 2}
    assert (outer["user_id"], outer["handler"]) == (1, "own")
    assert "user_id" not in outside and "tags" not in outside


def test_scopes_of_tasks_and_threads_are_apart(recorded):
    async def one(user):
        with nabat.scope(user_id=user):
            await asyncio.sleep(0.01)
            ErrorTracker.log(message=f"task {user}")

    async def all_of_them():
        await asyncio.gather(*(one(n) for n in range(10)))
    asyncio.run(all_of_them())
    with nabat.scope(user_id=77):
        thread = threading.Thread(target=lambda: ErrorTracker.log(message="thread"))
        thread.start()
        thread.join()
    events = recorded(11)
    assert all(e["message"] == f"task {e['user_id']}" for e in events if e["message"].startswith("task"))
    assert "user_id" not in events[-1]


def test_tasks_without_a_scope_do_not_share_what_they_bind(recorded):
    nabat.add_breadcrumb("started")  # as a logging handler leaves one

    async def one(user):
        nabat.bind(user_id=user)
        await asyncio.sleep(0.01)
        ErrorTracker.log(message=f"task {user}")

    async def all_of_them():
        await asyncio.gather(*(one(n) for n in range(5)))
    asyncio.run(all_of_them())
    assert all(e["message"] == f"task {e['user_id']}" for e in recorded(5))


def test_inner_scopes_add_to_tags_and_payload(recorded):
    with nabat.scope(tags={"a": 1}, payload={"path": "/x"}), nabat.scope(tags={"b": 2}, payload={"state": "s"}):
        nabat.bind(payload="words")
        nabat.bind(payload={"last": 1})
        ErrorTracker.log(message="m")
    assert recorded()[0]["tags"] == {"a": 1, "b": 2} and recorded()[0]["payload"] == {"last": 1}


class Array:
    def __eq__(self, other):
        raise ValueError("ambiguous")

    def __hash__(self):
        return 1


class RudeText:
    def __str__(self):
        raise RuntimeError("no")


@pytest.mark.parametrize("given", [
    {"payload": {"token_ids": Array()}}, {"chat_id": 1 << 400}, {"handler": RudeText()}, {"exc": "words"}, {"user_id": float("nan")},
    {"payload": {"n": float("nan")}}, {"tags": "words"}, {"fingerprint": object()}, {"occurred_at": object()}, {"payload": Array()}])
def test_an_odd_value_costs_itself(recorded, given):
    assert ErrorTracker.log(**{"message": "odd", **given})
    assert "odd" in str(recorded()[0]["message"])


def test_times_and_addresses(recorded):
    at = datetime.datetime(2026, 11, 28, 12, tzinfo=datetime.timezone.utc)
    for user in ("ann@example.com", "bob@example.com"):
        ErrorTracker.log(message="m", occurred_at=at, user_id=user, payload={"at": at})
    first, second = recorded(2)
    assert first["occurred_at"] == first["payload"]["at"] == "2026-11-28T12:00:00+00:00"
    assert first["user_id"] != second["user_id"] and "@" not in first["user_id"] + second["user_id"]


@dataclasses.dataclass(frozen=True)
class FrozenError(Exception):
    code: int


def test_a_frozen_exception_is_one_event_too(recorded):
    logging.getLogger().addHandler(nabat.NabatHandler())
    try:
        raise FrozenError(5)
    except FrozenError as e:
        assert ErrorTracker.log(exc=e) == ErrorTracker.log(exc=e)
        logging.getLogger("nabat_shop").exception("seen")
    logging.getLogger("nabat_shop").error("of the program's own")
    assert [e.get("message") for e in recorded(2)] == [None, "of the program's own"]


def test_the_end_of_the_stack(recorded):
    def recurse():
        try:
            recurse()
        except RecursionError as e:
            ErrorTracker.log(exc=e)
            raise
    with pytest.raises(RecursionError):
        recurse()


def test_the_last_twenty_breadcrumbs(recorded):
    with nabat.scope():
        for n in range(30):
            nabat.add_breadcrumb(f"step {n}", data={"password": "hunter2"})
        ErrorTracker.log(message="m")
    crumbs = recorded()[0]["breadcrumbs"]
    assert [c["message"] for c in crumbs] == [f"step {n}" for n in range(10, 30)]
    assert crumbs[0]["data"] == {"password": "[Filtered]"} and crumbs[0]["timestamp"] > 1.7e9


def test_an_exception_is_one_event(recorded):
    logger = logging.getLogger("once")
    logging.getLogger().addHandler(nabat.NabatHandler())

    @nabat.track_exception(handler="outer", origin="celery")
    def outer():
        try:
            boom()
        except ValueError as e:
            ErrorTracker.log(exc=e, handler="innermost")
            logger.exception("caught")
            raise
    with pytest.raises(ValueError):
        outer()
    assert [e["handler"] for e in recorded(1)] == ["innermost"]


def test_decorators(recorded):
    @nabat.log_function_call
    def step():
        pass

    @nabat.track_exception(severity="warning")
    @nabat.log_execution_time(slow_seconds=0.01)
    async def slow():
        step()
        await asyncio.sleep(0.05)
        raise KeyError("x")

    @nabat.track_exception
    def plain(a, b=2):
        """Doc."""
        return a + b

    assert plain(1, b=3) == 4 and plain.__doc__ == "Doc." and asyncio.iscoroutinefunction(slow)
    with nabat.scope(), pytest.raises(KeyError):
        asyncio.run(slow())
    too_slow, failed = recorded(2)
    assert too_slow["severity"] == "warning" and "slow is slow" in too_slow["message"]
    assert too_slow["payload"]["duration_ms"] > 10
    assert failed["exception"]["type"] == "KeyError" and failed["handler"].endswith("slow")
    assert [c["category"] for c in failed["breadcrumbs"]] == ["call", "timing"]


def test_logging(recorded):
    logger = logging.getLogger("shop.basket")
    logger.setLevel(logging.INFO)
    handler = nabat.NabatHandler()
    logger.addHandler(handler)
    try:
        with nabat.scope():
            logger.info("opened %s", "a basket")
            logger.error("order %d has no price", 7, extra={"order": 7, "secret": "x"})
            logging.getLogger("nabat.inner").error("of our own")
            try:
                boom()
            except ValueError:
                logger.critical("gave up", exc_info=True)
    finally:
        logger.removeHandler(handler)
    first, second = recorded(2)
    assert first["message"] == "order 7 has no price" and first["severity"] == "error"
    assert first["handler"] == "shop.basket" and first["origin"] == "logging"
    assert first["payload"]["order"] == 7 and first["payload"]["secret"] == "[Filtered]"
    assert first["payload"]["logged_at"].startswith(__file__)
    assert first["breadcrumbs"][0]["message"] == "opened a basket"
    assert second["exception"]["type"] == "ValueError" and second["payload"]["logged"] == "gave up"


@pytest.mark.parametrize("update, expected", [
    ({"update_id": 1, "message": {"chat": {"id": -5}, "from": {"id": 6}, "text": "/pay 4111"}},
     ("message", -5, 6, "/pay")),
    ({"update_id": 1, "message": {"chat": {"id": 5}, "from": {"id": 6}, "text": "my secret"}},
     ("message", 5, 6, "message text")),
    ({"update_id": 1, "callback_query": {"from": {"id": 6}, "data": "buy:7", "message": {"chat": {"id": -5}}}},
     ("callback_query", -5, 6, "callback_query buy:7")),
    ({"update_id": 1, "inline_query": {"from": {"id": 6}, "query": "cats"}}, ("inline_query", None, 6, "inline_query")),
    ({"update_id": 1, "my_chat_member": {"chat": {"id": -5}, "from": {"id": 6}}},
     ("my_chat_member", -5, 6, "my_chat_member")),
])
def test_updates(update, expected):
    found = telegram.describe(update)
    assert (found.update_type, found.chat_id, found.user_id, found.action) == expected


@pytest.mark.parametrize("nothing", [None, [], {}, {"update_id": "x"}, {"update_id": 1}, {"update_id": 1, "message": 5}])
def test_what_is_no_update(nothing):
    assert telegram.describe(nothing) is None
