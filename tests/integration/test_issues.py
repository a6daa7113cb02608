"""test_issues.py -- an error as an issue of GitHub, in step both ways; beside a stand-in made of GitHub's own schema."""
import sys
import time

import pytest
from conftest import ROOT, wait

from test_stats import say

sys.path.insert(0, str(ROOT / "tests/standin"))
import github  # noqa: E402

SECRET = "between us"


@pytest.fixture
def gh():
    g = github.Github()
    yield g
    g.close()


def env_of(gh, **more):
    return {"GITHUB_ISSUES_TOKEN": github.TOKEN, "GITHUB_ISSUES_REPO": gh.repository, "GITHUB_ISSUES_API_URL": gh.url,
            "GITHUB_WEBHOOK_SECRET": SECRET, **more}


def error(s, db, tg, **fields):
    rung = len(tg.messages)
    s.post({"message": "pool exhausted @team", "severity": "critical", "origin": "celery", "release": "bot@1.4.2", "environment": "production",
            "exception": {"type": "OperationalError", "value": "pool exhausted @team ```", "stacktrace":
                          "Traceback (most recent call last):\n  File \"tasks.py\", line 7, in pay\nOperationalError: pool exhausted ````"},
            **fields})
    if not rung:
        tg.wait(lambda: tg.messages, 20, "a card")
    return db.one("SELECT id FROM error_group WHERE origin = 'celery'")


def hook(s, gh, number, action, **kwargs):
    headers, body = gh.webhook(number, action, SECRET, **kwargs)
    return s.request("POST", "/api/github", body, headers)


def status(db, group):
    return db.one("SELECT status FROM error_group WHERE id = %s", group)


def test_an_issue_is_made_once_and_the_card_has_it(service, db, tg, gh):
    s = service(tg=tg, env=env_of(gh, GITHUB_ISSUES_ASSIGNEES="miniapp=eve,celery=ann,*=carl"))
    group = error(s, db, tg)
    assert say(tg, f"/issue {group}")["text"] == "🐙 The issue is made: https://github.com/team/bot/issues/1"
    assert "It has an issue: https://github.com/team/bot/issues/1" in say(tg, f"/issue {group}")["text"]
    issue = gh.issues[1]
    assert issue["title"] == "pool exhausted @\u200bteam", "nobody is mentioned by an error"
    assert set(issue["labels"]) == {"critical", "celery"} and issue["assignees"] == ["ann"]
    for part in ("tasks.py", "| release | `bot@1.4.2` |", "| environment | `production` |", f"Nabat #{group}"):
        assert part in issue["body"], (part, issue["body"])
    assert "\n`````\nTraceback" in issue["body"], "a fence longer than any in the stack"
    tg.wait(lambda: any("🐙 GitHub #1" in m["text"] for m in tg.messages.values() if m["text"].startswith("🔴")), 20, "the link on the card")
    assert len([r for r in gh.requests if r[0] == "POST"]) == 1


def test_they_are_closed_and_reopened_together(service, db, tg, gh):
    s = service(tg=tg, env=env_of(gh))
    group = error(s, db, tg)
    say(tg, f"/issue {group}")
    db.sql("SELECT resolve(%s, 'mended')", group)
    wait(lambda: gh.issues[1]["state"] == "closed" and gh.issues[1]["state_reason"] == "completed", 20, "the issue closed")
    error(s, db, tg)  # it comes back
    wait(lambda: gh.issues[1]["state"] == "open" and status(db, group) == "new", 20, "the issue reopened")
    wait(lambda: db.one("SELECT state = wanted FROM issue_link"), 20, "in step")
    assert hook(s, gh, 1, "closed").json == {"id": group}
    assert status(db, group) == "resolved"
    assert db.sql("SELECT actor, source FROM error_group_history WHERE what = 'status' ORDER BY id DESC LIMIT 1") == [("octocat", "api")]
    assert hook(s, gh, 1, "closed").json == {"ignored": True}, "said twice"
    n = len(gh.requests)
    assert hook(s, gh, 1, "reopened").json == {"id": group} and status(db, group) == "new"
    tg.wait(lambda: any("Reopened by octocat" in m["text"] for m in tg.messages.values()), 20, "the card says who")
    assert len(gh.requests) == n, "what GitHub said is not said back"
    # the echo of a close of ours, that comes after the error has come back, is no news
    db.sql("SELECT resolve(%s, '')", group)
    wait(lambda: db.one("SELECT state FROM issue_link") == "closed", 20, "closed by us")
    db.sql("UPDATE issue_link SET next_try = now() + interval '1 hour'")
    db.sql("UPDATE error_group SET status = 'new' WHERE id = %s", group)
    db.sql("UPDATE issue_link SET next_try = now() + interval '1 hour'")
    assert hook(s, gh, 1, "closed").json == {"ignored": True} and status(db, group) == "new"
    db.sql("UPDATE issue_link SET next_try = now()")
    wait(lambda: db.one("SELECT state = wanted FROM issue_link"), 20, "in step again")
    headers, body = gh.webhook(1, "closed", "another secret")
    assert s.request("POST", "/api/github", body, headers).status == 401
    gh.issues[99] = {"title": "somebody else's", "state": "open"}
    assert hook(s, gh, 99, "closed").json == {"ignored": True}


def test_an_issue_of_what_is_resolved_is_closed(service, db, tg, gh):
    s = service(tg=tg, env=env_of(gh))
    group = error(s, db, tg)
    db.sql("SELECT resolve(%s, 'mended')", group)
    say(tg, f"/issue {group}")
    wait(lambda: gh.issues[1]["state"] == "closed" and db.one("SELECT state = 'closed' AND wanted = 'closed' FROM issue_link"), 20, "closed, too")


def test_a_right_that_is_missing_is_asked_for_again(service, db, tg, gh):
    """People mend it; what GitHub will never take is left alone."""
    s = service(tg=tg, env=env_of(gh))
    group = error(s, db, tg)
    say(tg, f"/issue {group}")
    gh.refuse_next(403, "Resource not accessible by personal access token")
    db.sql("SELECT resolve(%s, 'mended')", group)
    trouble = wait(lambda: db.one("SELECT trouble FROM issue_link WHERE next_try <> 'infinity'"), 20, "what GitHub said")
    assert "not accessible" in trouble and gh.issues[1]["state"] == "open"
    db.sql("UPDATE issue_link SET next_try = now()")
    wait(lambda: db.one("SELECT state = 'closed' AND trouble IS NULL FROM issue_link"), 20, "closed after all")
    gh.refuse_next(422, "Validation Failed")
    db.sql("UPDATE error_group SET status = 'new' WHERE id = %s", group)
    wait(lambda: db.one("SELECT trouble IS NOT NULL AND next_try = 'infinity' FROM issue_link"), 20, "left alone")


def test_who_closes_it_on_github_resolved_it(service, db, tg, gh):
    """So what comes back is a regression, that rings inside the cooldown."""
    s = service(tg=tg, env=env_of(gh))
    group = error(s, db, tg)
    say(tg, f"/issue {group}")
    hook(s, gh, 1, "closed")
    error(s, db, tg, release="bot@1.4.3")
    tg.wait(lambda: any("It is back after it was resolved, in bot@1.4.3" in m["text"] for m in tg.messages.values()), 20, "the regression")


def test_what_github_refuses_is_said(service, db, tg, gh):
    s = service(tg=tg, env=env_of(gh, GITHUB_ISSUES_ASSIGNEES="*=nobody-here"))
    group = error(s, db, tg)
    gh.refuse_next(422, "Validation Failed", errors=[{"resource": "Issue", "field": "assignees", "code": "invalid", "value": "nobody-here"}])
    assert "is made: https://" in say(tg, f"/issue {group}")["text"] and "assignees" not in gh.issues[1]
    s.post({"message": "another", "severity": "error", "origin": "miniapp"})
    other = wait(lambda: db.one("SELECT id FROM error_group WHERE origin = 'miniapp'"), 20, "the other")
    gh.refuse_next(410, "Issues are disabled for this repo")
    assert say(tg, f"/issue {other}")["text"] == "No issue was made: 410 Issues are disabled for this repo"
    gh.refuse_next(403, "You have exceeded a secondary rate limit", {"Retry-After": "60"})
    assert "secondary rate limit" in say(tg, f"/issue {other}")["text"]
    assert "is made" in say(tg, f"/issue {other}")["text"], "after a refusal it may be tried at once"
    assert "999" in say(tg, "/issue 999")["text"]
    assert github.TOKEN not in s.stderr + s.stdout


def test_what_could_not_be_followed_is_tried_again_or_given_up(service, db, tg, gh):
    s = service(tg=tg, env=env_of(gh))
    group = error(s, db, tg)
    say(tg, f"/issue {group}")
    gh.refuse_next(502, "Server Error", {"Retry-After": "1"})
    db.sql("SELECT resolve(%s, '')", group)
    wait(lambda: gh.issues[1]["state"] == "closed", 30, "closed at the second try")
    del gh.issues[1]
    db.sql("SELECT reopen(%s)", group)
    wait(lambda: (db.one("SELECT trouble FROM issue_link") or "").startswith("404"), 30, "what GitHub said")
    assert db.sql("SELECT state, wanted, next_try = 'infinity' FROM issue_link") == [("closed", "open", True)], "given up, and said so"
    n = len(gh.requests)
    time.sleep(5)  # two looks and a half
    assert len(gh.requests) == n
    gh.issues[1] = {"title": "it is there again", "state": "closed"}
    db.sql("SELECT resolve(%s, '')", group)
    db.sql("SELECT reopen(%s)", group)
    wait(lambda: gh.issues[1]["state"] == "open", 30, "tried again with the next change")


def test_it_is_off_until_it_is_set(service, db, tg, tools):
    s = service(tg=tg)
    group = error(s, db, tg)
    assert "GITHUB_ISSUES_TOKEN" in say(tg, f"/issue {group}")["text"]
    for name, value, why in (("GITHUB_ISSUES_REPO", "bot", "owner/name"), ("GITHUB_ISSUES_REPO", "a/b/c", "owner/name"),
                             ("GITHUB_ISSUES_API_URL", "github", "http://")):
        run = tools(db, "--check", env={name: value})
        assert run.returncode == 2 and name in run.stderr and why in run.stderr
