"""test_openapi.py -- docs/openapi.yaml beside the service: each route is asked, each answer is one that is written there."""
import base64
import hashlib
import hmac
import json
import re
import zlib

import jsonschema
import pytest
import yaml

from conftest import KEY, ROOT
from test_sdks import sh, venv

PATH = ROOT / "docs/openapi.yaml"
SPEC = yaml.safe_load(PATH.read_text())
OPERATIONS = [(method, path) for path, item in SPEC["paths"].items() for method in item if method in ("get", "post")]
MULTIPART = (b"--b\r\nContent-Disposition: form-data; name=\"upload_file_minidump\"; filename=\"a.dmp\"\r\n\r\nMDMP" +
             b"\0" * 64 + b"\r\n--b--\r\n")
BODIES = {  # what an example in YAML can't say
    "application/x-sentry-envelope": (b'{}\n{"type":"event"}\n{"message":"from an envelope"}\n', None),
    "multipart/form-data": (MULTIPART, "multipart/form-data; boundary=b"),
}


def resolve(node):
    while isinstance(node, dict) and "$ref" in node:
        found = SPEC
        for part in node["$ref"].split("/")[1:]:
            found = found[part]
        node = found
    return node


def schema_of(node):
    """JSON Schema of a schema: its references in place."""
    node = resolve(node)
    if isinstance(node, dict):
        whole = {k: schema_of(v) for k, v in node.items()}
        return {**whole, "type": [whole["type"], "null"]} if whole.get("nullable") is True else whole
    return [schema_of(v) for v in node] if isinstance(node, list) else node


@pytest.fixture(scope="module")
def live(cluster):
    from conftest import Database, Service
    d = Database(cluster)
    s = Service(d, env={"TELEGRAM_WEBHOOK_SECRET": "s", "GITHUB_WEBHOOK_SECRET": "s"}).ready()
    yield s
    s.close()
    d.drop()


def address(path):
    item = SPEC["paths"][path]
    for parameter in [resolve(p) for p in item.get("parameters", [])]:
        value = KEY if parameter["name"] == "key" else parameter["example"]
        path = path.replace("{" + parameter["name"] + "}", str(value))
    return path


def call(live, method, path, key=True, body=None):
    operation = SPEC["paths"][path][method]
    url, headers, kind = address(path), {}, None
    for parameter in operation.get("parameters", []):
        if "example" in parameter:
            url += ("&" if "?" in url else "?") + f"{parameter['name']}={parameter['example']}"
    if path.endswith("/store/") and method == "get":
        data = base64.b64encode(zlib.compress(b'{"message":"in the query"}')).decode()
        url += "?" + "sentry_data=" + data.replace("+", "%2B").replace("/", "%2F")
    if method == "post" and body is None:
        content = operation.get("requestBody", {}).get("content", {"application/json": {}})
        kind, media = next(iter(content.items()))
        body, kind = BODIES.get(kind, (json.dumps(media.get("example", {})).encode(), kind))
    if kind:
        headers["Content-Type"] = kind
    schemes = [name for option in operation.get("security", []) for name in option]
    if key and schemes and "{key}" not in path:
        if "bearer" in schemes:
            headers["Authorization"] = "Bearer " + KEY
        elif "sentryQuery" in schemes:
            url += ("&" if "?" in url else "?") + "sentry_key=" + KEY
        elif "query" in schemes:
            url += ("&" if "?" in url else "?") + "key=" + KEY
        elif "github" in schemes:
            headers["X-Hub-Signature-256"] = "sha256=" + hmac.new(b"s", body, hashlib.sha256).hexdigest()
    if key and path.endswith("/store/"):
        headers["X-Sentry-Auth"] = "Sentry sentry_version=7, sentry_key=" + KEY
    return live.request(method.upper(), url, body, headers)


def check(operation, answer):
    """That it is written down: the status, its headers, the shape of its body."""
    assert str(answer.status) in operation["responses"], (answer.status, answer.body)
    response = resolve(operation["responses"][str(answer.status)])
    for name in response.get("headers", {}):
        if name in ("X-Request-Id", "Retry-After"):
            assert answer.headers.get(name), name
    content = response.get("content")
    if not content:
        assert answer.body == b"", answer.body
        return
    kind = answer.headers.get_content_type()
    assert kind in content
    media = content[kind]
    if kind == "application/json":
        jsonschema.validate(json.loads(answer.body), schema_of(media["schema"]))


def test_the_file_is_openapi():
    python = venv("openapi", "openapi-spec-validator==0.7.1")
    sh(python, "-m", "openapi_spec_validator", PATH)


@pytest.mark.parametrize("method, path", OPERATIONS, ids=[f"{m} {p}" for m, p in OPERATIONS])
def test_it_answers_as_written(live, method, path):
    operation = SPEC["paths"][path][method]
    answer = call(live, method, path)
    assert answer.status < 300 or path == "/telegram/webhook" or "minidump" in path or "attachments" in path or path == "/beat/{key}" or (
        method, path) == ("get", "/api/reports"), answer.body
    check(operation, answer)
    if any(operation.get("security", [{}])) and "{key}" not in path and path != "/telegram/webhook" and {} not in operation["security"]:
        refused = call(live, method, path, key=False)
        assert refused.status == 401
        check(operation, refused)
    if "400" in operation["responses"] and method == "post":
        broken = call(live, method, path, body=b"{broken")
        check(operation, broken)


def test_a_method_that_is_not_written_is_refused(live):
    for path in SPEC["paths"]:
        for method in {"get", "post", "put", "delete"} - set(SPEC["paths"][path]):
            answer = live.request(method.upper(), address(path), b"{}" if method in ("post", "put") else None,
                                  {"Authorization": "Bearer " + KEY})
            assert answer.status in (400, 405), (method, path, answer.status)
            jsonschema.validate(answer.json, schema_of(SPEC["components"]["schemas"]["Error"]))


def test_every_field_of_an_event_is_taken(live):
    """The schema's properties are those that the service knows: none is mended, none lands in the payload as unknown."""
    properties = SPEC["components"]["schemas"]["Event"]["properties"]
    values = {"event_id": "a" * 32, "occurred_at": 1764331200, "severity": "error", "chat_id": 5, "user_id": "7", "tags": {"a": "b"},
              "payload": {"p": 1}, "details": {"d": 1}, "breadcrumbs": [{"message": "m"}], "fingerprint": ["f"], "status": "resolved",
              "exception": {"type": "T", "value": "v", "stacktrace": "s"}}
    event = {name: values.get(name, name) for name in properties if name != "level"}
    answer = live.post(event)
    assert answer.status == 200 and "warnings" not in answer.json, answer.body
    payload = live.db.sql("SELECT payload FROM bot_error_event WHERE event_id = %s", "a" * 32)[0][0]
    assert payload == {"p": 1, "d": 1} or set(payload) <= {"p", "d", "details"}, payload
    source = (ROOT / "ingest/native_event.c").read_text()
    assert set(properties) == set(re.findall(r'\{FIELD\("(\w+)"\)', source))
