"""replay.py -- sends a folder of event JSON through a service of its own: what becomes of each.

    tests/replay.py FOLDER      # every *.json below it, one event each

Prints group, file, title and culprit of each; ends with how many were taken and how many groups there are.
A file that is not answered 200 is named, and makes the exit code 1. Needs a build in build-dev/.
"""
import json
import os
import pathlib
import shutil
import sys
import tempfile
import uuid

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "integration"))
from conftest import KEY, Cluster, Database, Service  # noqa: E402


def replay(service, database, path):
    try:
        event = json.loads(path.read_bytes())
    except ValueError as e:
        return f"no JSON: {e}"
    if not isinstance(event, dict):
        return "no object"
    event["event_id"] = uuid.uuid4().hex  # samples share ids
    answer = service.request("POST", "/api/1/store/", json.dumps(event).encode(),
                             {"X-Sentry-Auth": f"Sentry sentry_key={KEY}"})
    if answer.status != 200:
        return f"{answer.status} {answer.body.decode(errors='replace')}"
    group, title, culprit = database.sql(
        "SELECT e.group_id, g.title, g.culprit FROM bot_error_event e JOIN error_group g ON g.id = e.group_id "
        "WHERE e.event_id = %s", event["event_id"])[0]
    print(f"#{group:<5} {path.name:60.60} {title:80.80} {culprit or ''}")
    return None


def main():
    if len(sys.argv) != 2 or not os.path.isdir(sys.argv[1]):
        sys.exit("replay.py takes a folder of *.json files")
    folder = tempfile.mkdtemp(prefix="nabat-pg-", dir="/tmp")
    os.chmod(folder, 0o755)
    cluster = Cluster(pathlib.Path(folder))
    database = Database(cluster)
    service = Service(database, {"LOG_LEVEL": "warn"}).ready()
    refused = []
    try:
        files = sorted(pathlib.Path(sys.argv[1]).rglob("*.json"))
        for path in files:
            why = replay(service, database, path)
            if why:
                refused.append(f"{path}: {why}")
        groups = database.one("SELECT count(*) FROM error_group")
    finally:
        service.close()
        database.drop()
        cluster.stop("immediate")
        shutil.rmtree(folder, ignore_errors=True)
    print("\n".join(refused))
    print(f"{len(files) - len(refused)} of {len(files)} taken, {groups} groups")
    sys.exit(bool(refused))


if __name__ == "__main__":
    main()
