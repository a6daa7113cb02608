"""test_events.py -- what becomes of what a caller says: fields, ids, stacks, bounds, and what never leaves."""
import json
import math
import sys
import traceback

import pytest

import nabat
from nabat import events, scrub, settings
from nabat.enums import Origin, Severity, Status

OPTIONS = settings.Options(release="1.2", environment="test")
KEYS = scrub.key_pattern()


def build(exc=None, **given):
    return json.loads(events.to_bytes(events.build(given, exc, OPTIONS, KEYS, "e" * 32)))


class Model:
    def __init__(self, pk):
        self.pk = pk


class TelegramObject:
    id = 99


class Rude:
    def __repr__(self):
        raise RuntimeError("no")


class RudeError(Exception):
    def __str__(self):
        raise RuntimeError("no")


def test_enums_are_those_of_a_django_model():
    assert nabat.BotErrorEvent.Origin.CELERY == "celery" and str(Origin.CELERY) == "celery"
    assert f"{Severity.CRITICAL}" == "critical" and Severity("error") is Severity.ERROR
    assert Severity.choices[0] == ("debug", "Debug") and Status.values == ["new", "in_progress", "resolved"]
    assert Origin.TELEGRAM_WEBHOOK.label == "Telegram webhook" and Status.labels[1] == "In progress"
    assert json.dumps({"o": Origin.CELERY}) == '{"o": "celery"}'


@pytest.mark.parametrize("given, expected", [
    (dict(origin=Origin.CELERY, severity=Severity.CRITICAL, handler="h", chat_id=-100),
     dict(origin="celery", severity="critical", handler="h", chat_id=-100)),
    (dict(message="m"), dict(message="m", origin="other", severity="error", release="1.2", environment="test")),
    (dict(user=Model(7), chat=TelegramObject(), gen_request="gen-1"),
     dict(user_id=7, chat_id=99, gen_request_id="gen-1")),
    (dict(user=Model(7), user_id=8), dict(user_id=8)),
    (dict(details={"a": 1}, b=2, payload={"c": 3}), dict(payload={"a": 1, "b": 2, "c": 3})),
    (dict(payload="a text"), dict(payload={"payload": "a text"})),
    (dict(handler="pay"), dict(message="pay failed")),
    (dict(release="2"), dict(release="2")),
    (dict(tags={"bot": 5}, fingerprint=["a", 1]), dict(tags={"bot": 5}, fingerprint=["a", 1])),
])
def test_fields(given, expected):
    event = build(**given)
    assert {name: event.get(name) for name in expected} == expected


def test_exception_with_its_cause():
    try:
        try:
            {}["total"]
        except KeyError as e:
            raise ValueError("no price") from e
    except ValueError as e:
        event = build(e, message="paying")
    assert event["exception"]["type"] == "ValueError" and event["exception"]["value"] == "no price"
    stack = event["exception"]["stacktrace"]
    assert "KeyError: 'total'" in stack and "direct cause" in stack and stack.endswith("\nValueError: no price")
    assert event["message"] == "paying"


def python_s(exc):
    """What Python prints, without its carets."""
    lines = "".join(traceback.format_exception(type(exc), exc, exc.__traceback__)).rstrip("\n").split("\n")
    return [line for line in lines if set(line.strip()) - set("~^")  or not line.strip()]


def chained():
    try:
        {}["a"]
    except KeyError as e:
        try:
            raise ValueError("from") from e
        except ValueError:
            raise TypeError("while")  # noqa: B904


def suppressed():
    try:
        {}["a"]
    except KeyError:
        raise ValueError("alone") from None


def wrong_syntax():
    compile("x = = 1", "f.py", "exec")


def noted():
    e = ValueError("two\nlines")
    e.add_note("and a note")
    raise e


def deeper(n):
    return deeper(n - 1) if n else {}["a"]


def circular():
    a, b = ValueError("a"), ValueError("b")
    a.__cause__, b.__cause__ = b, a
    raise a


@pytest.mark.parametrize("fail", [chained, suppressed, wrong_syntax, noted, lambda: deeper(50),
                                  lambda: deeper(3), lambda: deeper(2)])
def test_stacks_are_as_python_prints_them(fail):
    if fail is noted and sys.version_info < (3, 11):
        pytest.skip("notes came with 3.11")
    try:
        fail()
    except Exception as e:
        said = build(e)["exception"]["stacktrace"].split("\n")
        assert [line for line in said if set(line.strip()) - set("~^") or not line.strip()] == python_s(e)


def test_a_circle_of_causes_ends():
    try:
        circular()
    except ValueError as e:
        assert build(e)["exception"]["stacktrace"].count("ValueError: a") == 1


@pytest.mark.skipif(sys.version_info < (3, 11), reason="groups came with 3.11")
def test_a_group_of_exceptions():
    try:
        raise ExceptionGroup("both", [ValueError("one"), KeyError("two")])
    except ExceptionGroup as e:
        stack = build(e)["exception"]["stacktrace"]
        assert "ValueError: one" in stack and "KeyError: 'two'" in stack


def test_exception_that_can_not_be_said():
    assert build(RudeError())["exception"]["value"] == "<its str raises RuntimeError>"


@pytest.mark.parametrize("value, expected", [
    (float("nan"), "nan"), (math.inf, "inf"), (1.5, 1.5), (True, True), (None, None), (1 << 70, str(1 << 70)),
    ((1, 2), [1, 2]), ({1}, [1]), ({5: "a"}, {"5": "a"}), (Rude(), "<Rude, whose repr raises RuntimeError>"),
    ("\ud800", "\ud800"), (b"\xff", "b'\\xff'"),
    ({"a": {"b": {"c": {"d": {"e": {"f": 1}}}}}}, {"a": {"b": {"c": {"d": {"e": "{'f': 1}"}}}}}),
])
def test_values_that_json_can_say(value, expected):
    assert build(payload={"v": value}, message="m")["payload"]["v"] == expected


def test_bounds():
    assert len(build(payload={"v": "x" * 100_000}, message="m")["payload"]["v"]) < 9000
    assert build(payload={"v": list(range(1000))}, message="m")["payload"]["v"][-1] == "… 900 more"
    itself = {}
    itself["itself"] = itself
    build(payload=itself, message="m")
    wide = {str(n): {str(m): ["x" * 5000] * 50 for m in range(100)} for n in range(100)}
    assert len(events.to_bytes(events.build({"payload": wide}, None, OPTIONS, KEYS, "e" * 32))) < 1024 * 1024
    try:
        def recurse():
            recurse()
        recurse()
    except RecursionError as e:
        assert len(build(e)["exception"]["stacktrace"]) < events.STACK_CHARACTERS_MAX + 200


def test_what_is_too_large_is_trimmed_and_says_so():
    huge = {"message": "m", "payload": {"x": "y" * (1024 * 1024)}, "event_id": "e" * 32}
    line = events.to_bytes(huge)
    assert len(line) < 1000 and json.loads(line)["payload"] == {"trimmed": ["payload"]}


TOKEN = "123456789:" + "AbCdEfGhIj" * 3 + "KlMno"
SECRETS = [
    ("text", f"call to https://api.telegram.org/bot{TOKEN}/getMe failed", TOKEN),
    ("text", "password=hunter22 given", "hunter22"),
    ("text", 'sent {"api_key": "a1b2c3"} there', "a1b2c3"),
    ("text", "postgres://ann:s3cr3tpw@db/x", "s3cr3tpw"),
    ("text", "write to ann.smith@example.com", "ann.smith@example.com"),
    ("text", "call +7 (999) 000-11-22 now", "000-11-22"),
    ("text", "card 4111 1111 1111 1111 declined", "1111 1111"),
    ("text", "Authorization: Bearer abcdefghijklmnop", "abcdefghijklmnop"),
    ("text", "page#tgWebAppData=query_id%3DAAF%26hash%3Dc0ffee&tgWebAppVersion=8", "c0ffee"),
    ("key", "password", "hunter22"), ("key", "X-Api-Key", "k3yk3y"), ("key", "phone_number", "89990001122"),
    ("key", "Cookie", "sid=1"), ("key", "initData", "user=x"), ("key", "first_name", "Ann"), ("key", "inn", "7707083893"),
]


@pytest.mark.parametrize("kind, value, secret", SECRETS)
def test_secrets_stay_here(kind, value, secret):
    keys = scrub.key_pattern(["inn"])
    given = {"payload": {value: secret} if kind == "key" else {"note": value}, "tags": {"t": value},
             "message": value if kind == "text" else "m", "handler": value if kind == "text" else "h"}
    exc = RuntimeError(value) if kind == "text" else None
    line = events.to_bytes(events.build(given, exc, OPTIONS, keys, "e" * 32)).decode()
    assert secret not in line and "[Filtered]" in line


def test_innocent_values_stay():
    payload = {"max_tokens": 400, "version": "bot@1.4.2", "pair": "ann@shop", "order": "4111111111111112", "at": "2026-11-28 12:00:00+00:00", "ratio": "3:2",
               "id": 740215399, "uuid": "9cc26f2d-1ffa-4522-9799-b949cf7f7db0"}
    assert build(payload=payload, message="m")["payload"] == payload


@pytest.mark.parametrize("text, wrong", [
    ("ftp://k@h/1", "neither http"), ("http://h/1", "no key"), ("http://k@/1", "no host"), ("http://k@h/x", "project"),
    ("http://k@h", "project"), ("http://k@a..b/1", "no name of a host"), ("http://ключ@h/1", "no key")])
def test_a_wrong_dsn_says_what_is_wrong(text, wrong):
    with pytest.raises(ValueError, match=wrong) as e:
        settings.Dsn.parse(text)
    assert "k@" not in str(e.value).replace("KEY@", "")


def test_a_dsn():
    dsn = settings.Dsn.parse("https://abc@h.example/errors/7")
    assert (dsn.port, dsn.prefix, dsn.project, dsn.place) == (443, "/errors", "7", "https://h.example:443/errors/7")
    assert "abc" not in repr(dsn)
