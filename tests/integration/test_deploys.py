"""test_deploys.py -- who tells of deploys is heard, and cards, lists and charts say what came after them."""
import datetime
import hashlib
import hmac
import json

import pytest
from conftest import KEY, STRANGER, wait

from test_stats import say

SECRET = "It's a Secret to Everybody"
# docs.railway.com, observability/webhooks (its trailing comma left out), and the form of before
RAILWAY = {"type": "Deployment.succeeded", "severity": "info", "timestamp": "2025-11-21T23:48:42.311Z",
           "details": {"id": "8107edff", "source": "GitHub", "status": "SUCCESS", "branch": "main",
                       "commitHash": "ed90ce6d2dff0d7a8ea44a4ab0ba5c8f1a2b3c4d", "commitAuthor": "ann", "commitMessage": "Pay"},
           "resource": {"project": {"id": "p", "name": "bot"}, "environment": {"id": "e", "name": "production", "isEphemeral": False},
                        "service": {"id": "s", "name": "bot"}, "deployment": {"id": "d-1"}}}
RAILWAY_OLD = {"type": "DEPLOY", "status": "SUCCESS", "timestamp": "2025-01-01T00:00:00Z", "project": {"id": "p", "name": "bot"},
               "environment": {"id": "e", "name": "staging"},
               "deployment": {"id": "d-2", "creator": {"name": "bob"}, "meta": {"branch": "main", "commitHash": "ab" * 20, "commitAuthor": "bob"}}}
GITHUB = {"action": "created", "deployment_status": {"state": "success", "environment_url": "https://bot.example.com", "created_at": "2025-11-21T10:00:00Z",
                                                     "creator": {"login": "octocat"}},
          "deployment": {"sha": "cd" * 20, "ref": "main", "environment": "production", "node_id": "DE_1"}, "repository": {}, "sender": {}}


def post(s, path, body, **headers):
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return s.request("POST", path, data, {"Content-Type": "application/json", **headers})


def github(s, event, body, secret=SECRET, path="/api/github"):
    data = json.dumps(body).encode()
    signature = "sha256=" + hmac.new(secret.encode(), data, hashlib.sha256).hexdigest()
    return post(s, path, data, **{"X-GitHub-Event": event, "X-Hub-Signature-256": signature})


def deploys(db):
    return db.sql("SELECT name, release, environment, actor, source FROM deploy ORDER BY id")


def test_our_own_route(service, db):
    s = service()
    assert post(s, "/api/deploys", {"release": "bot@1"}).status == 401
    answer = post(s, "/api/deploys", {"release": "bot@1", "environment": "production", "actor": "ci", "url": "https://ci/1", "id": "run-7",
                                      "deployed_at": "2026-11-01T10:00:00+03:00"}, Authorization=f"Bearer {KEY}")
    assert answer.status == 200 and answer.json["id"] == 1
    again = post(s, f"/api/deploys?key={KEY}", {"release": "bot@1", "id": "run-7"})
    assert again.json["id"] == 1
    assert deploys(db) == [("bot@1", "bot@1", "production", "ci", "api")]
    assert db.one("SELECT deployed_at FROM deploy") == datetime.datetime(2026, 11, 1, 7, tzinfo=datetime.timezone.utc)
    post(s, f"/api/deploys?key={KEY}", {"commit": "1a2b3c4d" * 5, "deployed_at": 4102444800})
    assert db.one("SELECT name FROM deploy WHERE id = (SELECT max(id) FROM deploy)") == "1a2b3c4"
    assert db.one("SELECT max(deployed_at) <= now() FROM deploy"), "one that is to come counts as of now"


@pytest.mark.parametrize("body, why", [(b"{", "no JSON"), (b"[]", "JSON object"), (b"{}", "one of name, release"), (b'{"release": 7}', "as text"),
                                       (b'{"name": "x", "deployed_at": "soon"}', "RFC 3339"), (b'{"name": ""}', "one of name"), (json.dumps({"name": "x", "id": "y" * 3000}).encode(), "id is longer")])
def test_what_is_wrong_is_said(service, db, body, why):
    s = service()
    answer = post(s, f"/api/deploys?key={KEY}", body)
    assert answer.status == 400 and why in answer.json["detail"]
    assert deploys(db) == []


def test_railway_in_both_of_its_forms(service, db):
    s = service()
    assert post(s, f"/api/railway?key={KEY}", RAILWAY).status == 200
    assert post(s, f"/api/railway?key={KEY}", RAILWAY).status == 200
    assert post(s, f"/api/railway?key={KEY}", RAILWAY_OLD).status == 200
    for type_ in ("Deployment.failed", "Deployment.crashed", "deployment.BUILDING", "VolumeAlert.triggered"):
        assert post(s, f"/api/railway?key={KEY}", {**RAILWAY, "type": type_}).json == {"ignored": True}
    assert post(s, f"/api/railway?key={KEY}", {**RAILWAY_OLD, "status": "FAILED"}).json == {"ignored": True}
    assert post(s, f"/api/railway?key={KEY}", {"hello": 1}).status == 400
    assert deploys(db) == [("ed90ce6", RAILWAY["details"]["commitHash"], "production", "ann", "railway"),
                           ("abababa", "ab" * 20, "staging", "bob", "railway")]


def test_github_is_believed_by_its_signature_alone(service, db):
    s = service(env={"GITHUB_WEBHOOK_SECRET": SECRET})
    data = json.dumps(GITHUB).encode()
    for headers in ({}, {"X-Hub-Signature-256": "sha256=" + "0" * 64}, {"X-Hub-Signature-256": "sha1=0"}, {"Authorization": f"Bearer {KEY}"}):
        assert post(s, "/api/github", data, **{"X-GitHub-Event": "deployment_status", **headers}).status == 401
    # GitHub's own vector: the body is no JSON of an event, but the signature fits
    vector = post(s, "/api/github", b"Hello, World!", **{
        "X-Hub-Signature-256": "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"})
    assert vector.status == 400 and "no JSON" in vector.json["detail"]
    assert github(s, "ping", {"zen": "Keep it logically awesome."}).json == {"ignored": True}
    assert github(s, "deployment_status", {**GITHUB, "deployment_status": {"state": "failure"}}).json == {"ignored": True}
    assert github(s, "deployment_status", {"deployment": 1}).status == 400
    assert github(s, "deployment_status", GITHUB).status == 200
    assert github(s, "deployment_status", GITHUB).status == 200
    assert github(s, "deployment_status", GITHUB, path="/api/github?project=nosuch").status == 404
    assert deploys(db) == [("cdcdcdc", "cd" * 20, "production", "octocat", "github")]


def test_without_a_secret_no_webhook_is_believed(service, db):
    s = service()
    answer = github(s, "deployment_status", GITHUB, secret="")
    assert answer.status == 403 and "GITHUB_WEBHOOK_SECRET" in answer.json["detail"]


def test_while_the_database_is_away_it_is_told_again(service, db):
    s = service()
    db.sql("ALTER TABLE deploy RENAME TO deploy_away")
    assert post(s, f"/api/deploys?key={KEY}", {"name": "x"}).status == 503
    db.sql("ALTER TABLE deploy_away RENAME TO deploy")


def test_a_card_says_what_it_came_after(service, db, tg):
    s = service(tg=tg)
    assert say(tg, "/deploy")["text"].startswith("No deploy is known")
    assert say(tg, "/deploy bot@1.4.2 production")["text"] == "🚀 bot@1.4.2 is out. What is new from now on will say so."
    db.sql("UPDATE deploy SET deployed_at = now() - interval '3 minutes'")
    s.post({"message": "pool exhausted", "severity": "critical", "environment": "production", "release": "bot@1.4.2"})
    s.post({"message": "elsewhere", "severity": "critical", "environment": "staging"})
    cards = tg.wait(lambda: {m["text"].splitlines()[1]: m["text"] for m in tg.messages.values() if m["text"].startswith("🔴")} if
                    len([m for m in tg.messages.values() if m["text"].startswith("🔴")]) == 2 else None, 20, "both cards")
    assert "\n🚀 first seen 3 minutes after bot@1.4.2\n" in cards["pool exhausted"]
    assert "🚀" not in cards["elsewhere"], "that environment had no deploy"
    text = say(tg, "/deploy")["text"]
    assert "🚀 bot@1.4.2" in text and "production · @boss" in text and "🆕 2 new errors" in text


def test_a_regression_names_the_release(service, db, tg):
    s = service(tg=tg)
    s.post({"message": "pool exhausted", "severity": "critical", "release": "bot@1.4.2"})
    tg.wait(lambda: tg.messages, 20, "a card")
    db.sql("SELECT resolve(1, 'mended')")
    wait(lambda: any("Resolved by" in m["text"] for m in tg.messages.values()), 20, "an edit")
    s.post({"message": "pool exhausted", "severity": "critical", "release": "bot@1.4.3"})
    card = tg.wait(lambda: next((m for m in tg.messages.values() if "It is back" in m["text"]), None), 20, "the regression")
    assert "↩️ It is back after it was resolved, in bot@1.4.3" in card["text"]
    text = say(tg, "/top releases")["text"]
    assert "bot@1.4.3\n     🆕 0 new errors · ↩️ 1 came back" in text and "bot@1.4.2\n     🆕 1 new error · ↩️ 0 came back" in text


def test_strangers_and_viewers_deploy_nothing(service, db, tg):
    service(tg=tg)
    assert "33" in say(tg, "/deploy x", STRANGER, STRANGER)["text"]
    assert deploys(db) == []
