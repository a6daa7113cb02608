"""test_monitoring.py -- the real Prometheus and the real Alertmanager beside Nabat; every rule and every dashboard's query."""
import json
import pathlib
import re
import subprocess
import sys
import time
import urllib.parse
import urllib.request

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "integration"))
from conftest import CHAT, KEY, Service, cluster, db, free_port, service, tg, wait  # noqa: E402, F401

DEPLOY = ROOT / "deploy"


def run(*command, **kwargs):
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True, check=False, **kwargs)
    assert done.returncode == 0, f"{command}: {done.stdout[-3000:]} {done.stderr[-3000:]}"
    return done.stdout


def test_configurations_and_rules():
    folder = DEPLOY / "prometheus"
    run("promtool", "check", "config", folder / "prometheus.yml")
    run("promtool", "test", "rules", folder / "nabat.rules.test.yml", cwd=folder)
    run("amtool", "check-config", folder / "alertmanager.yml")
    names = set(re.findall(r"alert: (\w+)", (folder / "nabat.rules.yml").read_text()))
    tests = (folder / "nabat.rules.test.yml").read_text()
    for name in names:  # once silent, once firing
        assert len(re.findall(rf"alertname: {name}\b", tests)) == 2, name


def names_in(text):
    return set(re.findall(r"\bnabat_[a-z_]+", text))


def test_metrics(service, tg):
    s = service(tg=tg, env={"METRICS_TOKEN": "of-this-test"})
    s.post({"message": "boom", "severity": "critical", "origin": "celery"})
    tg.wait(lambda: tg.sent(CHAT))
    text = s.get("/metrics").body.decode()
    run("promtool", "check", "metrics", input=text)
    wait(lambda: "nabat_alert_seconds_count 1" in s.get("/metrics").body.decode(), 10, "the alert's time")
    text = s.get("/metrics").body.decode()
    assert 'nabat_events_total{origin="celery",severity="critical"} 1' in text
    assert re.search(r'nabat_telegram_calls_total\{method="sendMessage",outcome="ok"\} [1-9]', text)
    assert re.search(r"nabat_commit_seconds_count [1-9]", text) and re.search(r"nabat_batch_events_sum [1-9]", text)
    assert re.search(r"nabat_loop_seconds_count [1-9]", text)
    wait(lambda: re.search(r"nabat_database_bytes [1-9]", s.get("/metrics").body.decode()), 20, "the database's size")
    have = set(re.findall(r"^# TYPE (nabat_\w+)", text, re.M))
    assert all(re.match(r"(# |nabat_)", line) for line in text.splitlines())
    said = re.findall(r"^\| `(nabat_\w+)` \| (\w+) \|", (ROOT / "docs/monitoring.md").read_text(), re.M)
    assert sorted(said) == sorted(re.findall(r"^# TYPE (nabat_\w+) (\w+)", text, re.M)), "docs/monitoring.md names others"
    # whatever a rule or a panel asks for is there
    asked = names_in((DEPLOY / "prometheus/nabat.rules.yml").read_text()) | names_in((DEPLOY / "grafana/nabat-service.json").read_text())
    for name in asked:
        assert name in have or re.sub(r"_(bucket|sum|count)$", "", name) in have, name


class Prometheus:
    def __init__(self, folder, config, rules=""):
        self.port = free_port()
        (folder / "prometheus.yml").write_text(config)
        (folder / "rules.yml").write_text(rules)
        self.process = subprocess.Popen(
            ["prometheus", f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data",
             f"--web.listen-address=127.0.0.1:{self.port}", "--log.level=warn"], stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)

    def query(self, expr):
        url = f"http://127.0.0.1:{self.port}/api/v1/query?" + urllib.parse.urlencode({"query": expr})
        try:
            with urllib.request.urlopen(url, timeout=10) as answer:
                return json.load(answer)["data"]["result"]
        except OSError:
            return []

    def close(self):
        self.process.terminate()
        self.process.wait()


SCRAPE = """
global: {{scrape_interval: 1s, evaluation_interval: 1s}}
rule_files: [rules.yml]
alerting: {{alertmanagers: [{{static_configs: [{{targets: ["127.0.0.1:{alertmanager}"]}}]}}]}}
scrape_configs:
  - job_name: nabat
    authorization: {{credentials: of-this-test}}
    static_configs: [{{targets: ["127.0.0.1:{port}"]}}]
"""


def test_dashboard_of_the_service(service, tg, tmp_path):
    """Scraped by a real Prometheus; each panel's query has an answer."""
    s = service(tg=tg, env={"METRICS_TOKEN": "of-this-test"})
    prometheus = Prometheus(tmp_path, SCRAPE.format(alertmanager=1, port=s.port))
    try:
        wait(lambda: prometheus.query("up == 1"), 30, "a scrape")
        for i in range(30):
            s.post({"message": f"boom {'abc'[i % 3]}", "severity": "critical", "origin": "celery"})
            time.sleep(0.1)
        wait(lambda: prometheus.query("nabat_alert_seconds_count > 0"), 30, "the alert's time")
        time.sleep(3)
        dashboard = json.loads((DEPLOY / "grafana/nabat-service.json").read_text())
        exprs = [t["expr"] for p in dashboard["panels"] for t in p["targets"]]
        assert len(exprs) > 20
        for expr in exprs:
            expr = expr.replace("$__rate_interval", "30s").replace("$instance", ".*")
            assert "$" not in expr
            assert prometheus.query(expr), expr
        assert dashboard["templating"]["list"][1]["query"]["query"] == "label_values(nabat_build_info, instance)"
        assert prometheus.query("nabat_build_info")
    finally:
        prometheus.close()


def test_dashboard_of_errors(service, db):
    """Each panel's SQL, with Grafana's macro replaced as Grafana does."""
    s = service()
    for release in ("bot@1.4.2", None):
        s.post({"message": "boom", "severity": "critical", "origin": "celery", "release": release})
    db.sql("SELECT resolve(1)")
    s.post({"message": "another", "severity": "critical"})
    role = f"grafana_{db.name}"
    shared = (DEPLOY / "roles.sql").read_text()
    subprocess.run(["psql", "-X", "-q", "-v", "schema=public", db.url], input=shared, text=True, check=True, capture_output=True)
    db.sql(f"CREATE ROLE {role} LOGIN IN ROLE nabat_reader")
    conn = db.open(role)
    dashboard = json.loads((DEPLOY / "grafana/nabat-errors.json").read_text())
    targets = [t for p in dashboard["panels"] for t in p["targets"]]
    assert len(targets) == 10
    try:
        for t in targets:
            sql = re.sub(r"\$__timeFilter\((\w+)\)", r"\1 BETWEEN now() - interval '7 days' AND now()", t["rawSql"])
            assert "$" not in sql
            with conn.cursor() as cur:
                cur.execute(sql)
                rows = cur.fetchall()
                columns = [c.name for c in cur.description]
            assert rows, sql
            if t["format"] == "time_series":
                assert columns == ["time", "metric", "value"]
    finally:
        conn.close()
        db.sql(f"DROP ROLE {role}")


RULES = """
groups:
  - name: test
    rules:
      - alert: TriggerPulled
        expr: increase(nabat_events_total{origin="trigger"}[8s]) > 0
        labels: {severity: critical, env: production}
        annotations: {summary: "The trigger was pulled on {{ $labels.instance }}"}
"""
ALERTMANAGER = """
route: {{receiver: nabat, group_by: [alertname], group_wait: 0s, group_interval: 1s, repeat_interval: 1h}}
receivers:
  - name: nabat
    webhook_configs:
      - url: http://127.0.0.1:{port}/api/alertmanager
        send_resolved: true
        http_config: {{authorization: {{credentials: {key}}}}}
"""


def test_alertmanager_fires_and_resolves(service, db, tg, tmp_path):
    s = service(tg=tg, env={"METRICS_TOKEN": "of-this-test"})
    port = free_port()
    (tmp_path / "alertmanager.yml").write_text(ALERTMANAGER.format(port=s.port, key=KEY))
    alertmanager = subprocess.Popen(
        ["prometheus-alertmanager", f"--config.file={tmp_path}/alertmanager.yml", f"--storage.path={tmp_path}/am",
         f"--web.listen-address=127.0.0.1:{port}", "--cluster.listen-address=", "--log.level=warn"],
        stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    prometheus = Prometheus(tmp_path, SCRAPE.format(alertmanager=port, port=s.port), RULES)
    try:
        wait(lambda: prometheus.query("up == 1"), 30, "a scrape")
        s.post({"message": "pulled", "severity": "info", "origin": "trigger"})  # the first sample of a series is no increase
        time.sleep(3)
        s.post({"message": "pulled", "severity": "info", "origin": "trigger"})
        wait(lambda: db.sql("SELECT 1 FROM bot_error_event WHERE origin = 'alertmanager'"), 60, "the alert")
        row = db.sql("SELECT severity, handler, message, environment, tags ->> 'alertname' FROM bot_error_event "
                     "WHERE origin = 'alertmanager'")
        assert row == [("critical", "TriggerPulled", f"TriggerPulled: The trigger was pulled on 127.0.0.1:{s.port}", "production",
                        "TriggerPulled")]
        tg.wait(lambda: [m for m in tg.sent(CHAT) if "The trigger was pulled" in str(m)])
        wait(lambda: db.one("SELECT status FROM error_group WHERE origin = 'alertmanager'") == "resolved", 120, "its end")
        tg.wait(lambda: [m for m in tg.sent(CHAT) if "TriggerPulled</b> is over" in str(m)], 20)
    finally:
        prometheus.close()
        alertmanager.terminate()
        alertmanager.wait()
