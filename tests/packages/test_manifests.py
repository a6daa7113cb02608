"""test_manifests.py -- what platforms read is read by their own tools; proxies are started and asked."""
import json
import os
import re
import shutil
import socket
import ssl
import subprocess
import threading
import venv
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import yaml
from conftest import ROOT, free_port, run, wait


def test_compose(tmp_path):
    shutil.copy(ROOT / "compose.yaml", tmp_path / "compose.yaml")
    (tmp_path / ".env").write_text("POSTGRES_PASSWORD=p\n")
    out = yaml.safe_load(run("docker-compose", "-f", tmp_path / "compose.yaml", "config", cwd=tmp_path))
    assert set(out["services"]) == {"nabat", "prune", "db"}
    for name in ("nabat", "prune"):
        assert out["services"][name]["environment"]["DATABASE_URL"] == "postgresql://nabat:p@db/nabat"
    (tmp_path / ".env").write_text("")
    r = subprocess.run(["docker-compose", "-f", str(tmp_path / "compose.yaml"), "config"], cwd=tmp_path, capture_output=True,
                       text=True, check=False, env={"PATH": os.environ["PATH"]})
    assert r.returncode != 0 and "set POSTGRES_PASSWORD in .env" in r.stderr


def test_kubernetes(tmp_path):
    """Against the API's own schemas, strictly: a field that is not there is an error."""
    venv.create(tmp_path / "venv", with_pip=True)
    python = tmp_path / "venv/bin/python"
    run(python, "-m", "pip", "install", "-q", "kubernetes-validate==1.34.1", "setuptools<81")
    tool = tmp_path / "venv/bin/kubernetes-validate"
    run(tool, "--strict", ROOT / "deploy/kubernetes/nabat.yaml")
    broken = tmp_path / "broken.yaml"
    broken.write_text((ROOT / "deploy/kubernetes/nabat.yaml").read_text().replace("readinessProbe", "readynessProbe"))
    assert subprocess.run([tool, "--strict", broken], capture_output=True, check=False).returncode != 0, "the tool sees nothing"
    documents = list(yaml.safe_load_all((ROOT / "deploy/kubernetes/nabat.yaml").read_text()))
    assert {d["kind"] for d in documents} == {"StatefulSet", "Service", "PodDisruptionBudget", "CronJob"}


def test_railway():
    service, prune = (json.loads((ROOT / p).read_text()) for p in ("railway.json", "deploy/railway/prune.json"))
    for config in (service, prune):
        assert config["build"] == {"builder": "DOCKERFILE", "dockerfilePath": "Dockerfile"}
        assert (ROOT / config["build"]["dockerfilePath"]).is_file()
    assert service["deploy"]["healthcheckPath"] == "/health/ready"
    assert prune["deploy"]["restartPolicyType"] == "NEVER" and prune["deploy"]["startCommand"] == "nabat-prune"
    assert re.fullmatch(r"(\S+ ){4}\S+", prune["deploy"]["cronSchedule"])


def test_cron():
    """The package makes no user: only root can read the settings."""
    line = [x for x in (ROOT / "deploy/cron/nabat-prune").read_text().splitlines() if "nabat-prune " in x and x[0] != "#"]
    assert len(line) == 1 and re.fullmatch(r"(\S+ ){4}\S+ +root +/usr/bin/nabat-prune --env-file /etc/nabat/nabat.env", line[0])


def test_shell_scripts():
    names = [n for n in run("git", "ls-files", "run", "test", ".ci/run", "deploy", "tests", cwd=ROOT).splitlines()
             if (ROOT / n).is_file() and (ROOT / n).read_bytes()[:20].startswith((b"#!/bin/sh", b"#!/bin/bash", b"#!/usr/bin/env bash"))]
    assert len(names) > 8
    run("shellcheck", "-x", "-S", "warning", *(n for n in names), cwd=ROOT)


class Behind(BaseHTTPRequestHandler):
    """In Nabat's place: says what reached it."""
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        answer = json.dumps({"path": self.path, "bytes": len(body), "for": self.headers.get("X-Forwarded-For"),
                             "host": self.headers.get("Host")}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    do_GET = do_POST

    def log_message(self, *_):
        pass


@pytest.fixture
def behind():
    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Behind)
    threading.Thread(target=httpd.serve_forever, daemon=True).start()
    yield httpd.server_port
    httpd.shutdown()
    httpd.server_close()


@pytest.fixture
def certificate(tmp_path):
    run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=errors.example.org", "-addext",
        "subjectAltName=DNS:errors.example.org", "-keyout", tmp_path / "privkey.pem", "-out", tmp_path / "fullchain.pem")
    return tmp_path


def through(port, certificate, method, path, body=b""):
    """Status and JSON, by TLS, with the name checked."""
    context = ssl.create_default_context(cafile=str(certificate / "fullchain.pem"))
    with socket.create_connection(("127.0.0.1", port), timeout=20) as raw, \
            context.wrap_socket(raw, server_hostname="errors.example.org") as s:
        s.sendall(f"{method} {path} HTTP/1.1\r\nHost: errors.example.org\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
                  .encode() + body)
        data = b""
        while chunk := s.recv(65536):
            data += chunk
    head, _, rest = data.partition(b"\r\n\r\n")
    status = int(head.split()[1])
    return status, json.loads(rest[rest.index(b"{"):rest.rindex(b"}") + 1]) if status == 200 else None


def ask(port, certificate):
    def is_up():
        try:
            return through(port, certificate, "GET", "/health/ready")[0] == 200
        except OSError:
            return False
    wait(is_up, 20, "the proxy")
    for path in ("/api/1/envelope/", "/api/events?key=x", "/telegram/webhook"):
        status, said = through(port, certificate, "POST", path, b"x" * 1_000_000)
        assert status == 200 and said["path"] == path and said["bytes"] == 1_000_000
        assert said["for"] == "127.0.0.1" and said["host"] == "errors.example.org"
    for path in ("/metrics", "/health", "/", "/telegram/webhook/x"):
        assert through(port, certificate, "GET", path)[0] == 404, path


def test_nginx(behind, certificate, tmp_path):
    port = free_port()
    text = (ROOT / "deploy/proxy/nginx.conf").read_text()
    for old, new in (("listen 443 ssl", f"listen 127.0.0.1:{port} ssl"), ("127.0.0.1:8080", f"127.0.0.1:{behind}"),
                     ("/etc/ssl/nabat/", f"{certificate}/")):
        assert old in text
        text = text.replace(old, new)
    conf = tmp_path / "nginx.conf"
    temp = "".join(f"{n}_temp_path {tmp_path}/{n}; " for n in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    user = "user root; " if os.geteuid() == 0 else ""
    conf.write_text(f"{user}daemon off; pid {tmp_path}/pid; error_log stderr; events {{}}\nhttp {{ access_log off; {temp}\n{text}}}\n")
    os.chmod(tmp_path, 0o755)
    run("nginx", "-t", "-q", "-c", conf)
    process = subprocess.Popen(["nginx", "-c", str(conf)], stderr=subprocess.DEVNULL)
    try:
        ask(port, certificate)
    finally:
        process.terminate()
        process.wait()


def test_caddy(behind, certificate, tmp_path):
    port = free_port()
    text = (ROOT / "deploy/proxy/Caddyfile").read_text()
    env = {**os.environ, "HOME": str(tmp_path), "XDG_DATA_HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path)}
    run("caddy", "adapt", "--adapter", "caddyfile", "--validate", "--config", ROOT / "deploy/proxy/Caddyfile", env=env)
    for old, new in (("errors.example.org {", f"errors.example.org:{port} {{\n\tbind 127.0.0.1\n"
                      f"\ttls {certificate}/fullchain.pem {certificate}/privkey.pem"), ("127.0.0.1:8080", f"127.0.0.1:{behind}")):
        assert old in text
        text = text.replace(old, new)
    (tmp_path / "Caddyfile").write_text("{\n\tadmin off\n\tauto_https disable_redirects\n\thttps_port " + str(port) + "\n}\n" + text)
    process = subprocess.Popen(["caddy", "run", "--config", str(tmp_path / "Caddyfile")], env=env, stderr=subprocess.DEVNULL)
    try:
        ask(port, certificate)
    finally:
        process.terminate()
        process.wait()
