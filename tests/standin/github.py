"""github.py -- a stand-in for GitHub's REST API for issues, built from the schema that GitHub publishes (github-schema.json).

Requests must be valid by the schema of their operation and answers are: both are checked here, so neither the service nor the
stand-in can drift from what GitHub says. Webhooks are made of their schemas and signed.
"""
import hashlib
import hmac
import json
import pathlib
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import jsonschema

SPEC = json.loads((pathlib.Path(__file__).parent / "github-schema.json").read_text())
TOKEN = "github_pat_for_tests"


def validate(value, schema):
    jsonschema.Draft202012Validator({**schema, "definitions": SPEC["definitions"]}).validate(value)


def sample(schema, depth=0):
    """The least value that is valid by the schema."""
    while "$ref" in schema:
        schema = SPEC["definitions"][schema["$ref"].rsplit("/", 1)[1]]
    if "allOf" in schema:
        parts = [sample(s, depth) for s in schema["allOf"]]
        return {k: v for part in parts for k, v in part.items()} if all(isinstance(p, dict) for p in parts) else parts[0]
    for word in ("anyOf", "oneOf"):
        if word in schema:
            return sample(next((s for s in schema[word] if s.get("type") == "null"), schema[word][0]), depth)
    kind = schema.get("type", "object")
    if isinstance(kind, list):
        kind = "null" if "null" in kind else kind[0]
    if "enum" in schema:
        return schema["enum"][0]
    if kind == "object":
        return {name: sample(schema["properties"].get(name, {}), depth + 1) for name in schema.get("required", []) if "properties" in schema}
    formats = {"uri": "https://example.com", "date-time": "2026-01-01T00:00:00Z"}
    return {"string": formats.get(schema.get("format"), "x"), "integer": 1, "number": 1, "boolean": False, "array": [], "null": None}[kind]


class Github:
    """`issues`: {number: {"title", "body", "labels", "assignees", "state"}} as they were asked for."""

    def __init__(self, repository="team/bot"):
        self.repository, self.issues, self.requests, self.refuse = repository, {}, [], []
        self.lock = threading.Condition()
        standin = self

        class Handler(BaseHTTPRequestHandler):
            def answer(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                with standin.lock:
                    status, value, headers = standin.take(self.command, self.path, self.headers, body)
                    standin.lock.notify_all()
                data = json.dumps(value).encode()
                self.send_response(status)
                for name, text in {"Content-Type": "application/json; charset=utf-8", "Content-Length": str(len(data)), **headers}.items():
                    self.send_header(name, text)
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = answer

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def refuse_next(self, status, message="no", headers=None, errors=None):
        self.refuse.append((status, {"message": message, "documentation_url": "https://docs.github.com", **({"errors": errors} if errors else {})},
                            headers or {}))

    def take(self, method, path, headers, body):
        self.requests.append((method, path, json.loads(body or b"null")))
        if headers.get("Authorization") != f"Bearer {TOKEN}":
            return 401, {"message": "Bad credentials", "documentation_url": "https://docs.github.com"}, {}
        assert headers.get("User-Agent") and headers.get("Accept") == "application/vnd.github+json" and headers.get("X-GitHub-Api-Version")
        match = re.fullmatch(r"/repos/([^/]+/[^/]+)/issues(?:/(\d+))?", path)
        template = "/repos/{owner}/{repo}/issues" + ("/{issue_number}" if match and match.group(2) else "")
        operation = SPEC["operations"].get(f"{method} {template}")
        if not match or not operation or match.group(1) != self.repository:
            return 404, {"message": "Not Found", "documentation_url": "https://docs.github.com"}, {}
        value = json.loads(body)
        validate(value, operation["requestBody"]["schema"])
        assert len(value.get("title", "")) <= 256 and len(value.get("body") or "") < 65536
        if self.refuse:
            return self.refuse.pop(0)
        return self.make(value, operation) if method == "POST" else self.change(int(match.group(2)), value, operation)

    def reply(self, number, status, operation):
        issue = {**sample({"$ref": "#/definitions/issue"}), "number": number, "state": self.issues[number]["state"],
                 "title": self.issues[number]["title"], "html_url": f"https://github.com/{self.repository}/issues/{number}"}
        validate(issue, operation["responses"][str(status)]["content"]["application/json"])
        return status, issue, {}

    def make(self, value, operation):
        number = len(self.issues) + 1
        self.issues[number] = {**value, "state": "open"}
        return self.reply(number, 201, operation)

    def change(self, number, value, operation):
        if number not in self.issues:
            return 404, {"message": "Not Found", "documentation_url": "https://docs.github.com"}, {}
        self.issues[number].update(value)
        return self.reply(number, 200, operation)

    def webhook(self, number, action, secret, login="octocat"):
        """(headers, body) of an issues event; the issue is changed as by that person."""
        schema = SPEC["webhooks"][f"issues-{action}"]
        schema = schema["payload"]
        self.issues[number]["state"] = "closed" if action == "closed" else "open"
        payload = sample(schema)
        payload.update(action=action)
        payload["issue"].update(user={**sample({"$ref": "#/definitions/simple-user"}), "type": "User"}, number=number, state=self.issues[number]["state"])
        payload["repository"].update(full_name=self.repository)
        payload["sender"].update(login=login)
        validate(payload, schema)
        body = json.dumps(payload).encode()
        signature = "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
        return {"Content-Type": "application/json", "X-GitHub-Event": "issues", "X-GitHub-Delivery": "1", "X-Hub-Signature-256": signature}, body
