"""test_alertmanager.py -- Alertmanager's webhook, as it is on the wire; the real one is in tests/monitoring."""
import copy
import datetime
import json

from conftest import CHAT, KEY, wait


def alert(name="DiskFull", status="firing", fingerprint="c6eadffa33fcdf37", minutes=5, **labels):
    now = datetime.datetime.now(datetime.timezone.utc)
    return {"status": status, "labels": {"alertname": name, "instance": "db-1:9100", "job": "node", "severity": "critical", **labels},
            "annotations": {"summary": "/ is 95 % full", "description": "On db-1 there are 2 GB left."},
            "startsAt": (now - datetime.timedelta(minutes=minutes)).isoformat(),
            "endsAt": now.isoformat() if status == "resolved" else "0001-01-01T00:00:00Z",
            "generatorURL": "http://prometheus:9090/graph?g0.expr=x", "fingerprint": fingerprint}


def webhook(*alerts, **more):
    return {"version": "4", "groupKey": "{}:{alertname=\"DiskFull\"}", "truncatedAlerts": 0, "status": alerts[0]["status"],
            "receiver": "nabat", "groupLabels": {}, "commonLabels": {}, "commonAnnotations": {},
            "externalURL": "http://alertmanager:9093", "alerts": list(alerts), **more}


def said(tg, words):
    return [m for m in tg.sent(CHAT) if words in str(m)]


def send(s, body, key=KEY):
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return s.request("POST", "/api/alertmanager", data, {"Authorization": "Bearer " + key} if key else {})


def test_it_fires_rings_and_is_over(service, db, tg):
    s = service(tg=tg)
    a = send(s, webhook(alert(env="production"), alert("Slow", fingerprint="00ff", severity="warning")))
    assert a.status == 200 and a.json == {"firing": 2, "resolved": 0}, a.body
    row = db.sql("SELECT origin, severity, status, handler, message, environment, server_name, tags ->> 'job', "
                 "payload #>> '{details,annotations,description}', payload #>> '{annotations,description}' FROM bot_error_event "
                 "WHERE handler = 'DiskFull'")
    assert row[0][:8] == ("alertmanager", "critical", "new", "DiskFull", "DiskFull: / is 95 % full", "production", "db-1:9100", "node")
    assert "On db-1 there are 2 GB left." in row[0][8:]
    tg.wait(lambda: said(tg, "/ is 95 % full"))
    a = send(s, webhook(alert(status="resolved", env="production")))
    assert a.json == {"firing": 0, "resolved": 1}
    assert db.sql("SELECT handler, status, resolved_by_person FROM error_group ORDER BY id") == [
        ("DiskFull", "resolved", False), ("Slow", "new", False)]
    tg.wait(lambda: said(tg, "DiskFull</b> is over: it lasted 5 min"))
    assert not said(tg, "Slow")
    assert db.sql("SELECT actor, source FROM error_group_history WHERE what = 'status'") == [("alertmanager", "service")]
    # said again, nothing happens again
    assert send(s, webhook(alert(status="resolved", env="production"))).status == 200
    assert db.one("SELECT count(*) FROM alert_note") == 1


def test_what_is_sent_again_counts_once(service, db):
    """All of a group's alerts come again whenever one of them changes."""
    s = service()
    one, other = alert(), alert("Slow", fingerprint="00ff")
    for alerts in ([one], [one, other], [one, other], [other, one]):
        assert send(s, webhook(*alerts)).json["firing"] == len(alerts)
    counts = db.sql("SELECT handler, occurrences FROM error_group ORDER BY id")
    assert counts in ([("DiskFull", 1), ("Slow", 1)], [("DiskFull", 2), ("Slow", 1)], [("DiskFull", 2), ("Slow", 2)])  # an hour ended
    # over and firing anew: another start, another event of the same group
    send(s, webhook(alert(status="resolved")))
    before = db.one("SELECT occurrences FROM error_group WHERE handler = 'DiskFull'")
    send(s, webhook(alert(minutes=0)))
    assert db.sql("SELECT status, occurrences FROM error_group WHERE handler = 'DiskFull'") == [("resolved", before + 1)] or wait(
        lambda: db.sql("SELECT status, occurrences FROM error_group WHERE handler = 'DiskFull'") == [("new", before + 1)], 10, "reopened")


def test_severities(service, db):
    s = service()
    for i, (label, severity) in enumerate([("critical", "critical"), ("page", "critical"), ("error", "error"), ("warning", "warning"),
                                           ("warn", "warning"), ("info", "info"), ("none", "info"), ("ticket", "warning"),
                                           ("CRITICAL", "critical"), ("purple", "error"), (None, "error")]):
        a = alert(fingerprint=f"{i:016x}")
        a["labels"]["severity"] = label
        if label is None:
            del a["labels"]["severity"]
        assert send(s, webhook(a)).status == 200
        assert db.one("SELECT severity FROM bot_error_event ORDER BY id DESC LIMIT 1") == severity, label


def test_odd_and_wrong_bodies(service, db):
    s = service()
    good = webhook(alert())
    for body, word in ((b"{", "byte"), (b"[]", "no JSON object"), (webhook(alert(), version="3"), "version 4"),
                       ({**good, "alerts": {}}, "no array"), ({**good, "alerts": [1]}, "no object")):
        a = send(s, body)
        assert a.status == 400 and word in a.json["detail"], (body, a.body)
    assert send(s, good, key=None).status == 401 and send(s, good, key="0" * 32).status == 401
    assert db.one("SELECT count(*) FROM event") == 0
    assert send(s, webhook({"status": "firing"})).json == {"firing": 1, "resolved": 0}
    hostile = copy.deepcopy(good)
    hostile["alerts"][0]["labels"] = {"alertname": "<b>&\u0000😀" * 300, "severity": ["critical"], "token": "110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw"}
    hostile["alerts"][0]["annotations"] = "none"
    hostile["alerts"][0]["startsAt"] = "yesterday"
    hostile["alerts"][0].pop("fingerprint")
    assert send(s, hostile).status == 200
    assert "AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw" not in str(db.sql("SELECT * FROM bot_error_event"))
    assert send(s, {**good, "alerts": []}).json == {"firing": 0, "resolved": 0}
    assert send(s, webhook(alert(status="resolved", fingerprint="never met"))).json == {"firing": 0, "resolved": 1}


def test_what_people_merged_is_theirs(service, db):
    s = service()
    send(s, webhook(alert(), alert("Slow", fingerprint="00ff")))
    root, leaf = (r[0] for r in db.sql("SELECT id FROM error_group ORDER BY id"))
    db.sql("UPDATE error_group SET merged_into = %s WHERE id = %s", root, leaf)
    send(s, webhook(alert(status="resolved"), alert("Slow", status="resolved", fingerprint="00ff")))
    assert db.one("SELECT status FROM error_group WHERE id = %s", root) == "new"


def test_while_the_database_is_away(service, db, cluster):
    """What fires is kept, what is over is asked for again."""
    s = service()
    assert send(s, webhook(alert("Before", fingerprint="b"))).status == 200
    conn = cluster.connect()
    conn.cursor().execute(f"ALTER DATABASE {db.name} ALLOW_CONNECTIONS false")
    conn.cursor().execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (db.name,))
    wait(lambda: not s.is_direct(), 10, "the spool")
    assert send(s, webhook(alert())).json == {"firing": 1, "resolved": 0}
    both = webhook(alert(), alert("Before", status="resolved", fingerprint="b"))
    a = send(s, both)
    assert a.status == 503 and "away" in a.json["detail"], a.body
    conn.cursor().execute(f"ALTER DATABASE {db.name} ALLOW_CONNECTIONS true")
    conn.close()
    wait(s.is_direct, 30, "the database")
    assert send(s, both).status == 200
    wait(lambda: db.sql("SELECT handler, status FROM error_group ORDER BY handler") == [("Before", "resolved"), ("DiskFull", "new")], 10,
         "both")
