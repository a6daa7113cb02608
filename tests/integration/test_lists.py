"""test_lists.py -- /errors with more groups than it looks at: the same answers as from all of them."""
import random
import re

import pytest
from conftest import CHAT, TEAM, buttons
from test_chat import ask

GROUPS = 12000  # more than twice the newest that are looked at
WORDS = "timeout provider image model answer".split()


@pytest.fixture
def many(service, tg, db):
    """Groups of all states; the word of one in ten is among the oldest only, some words are hard to look for."""
    s = service(tg=tg)
    db.sql("""INSERT INTO project (id, slug, public_key) VALUES (7, 'shop-50%_off', repeat('a', 32))""")
    db.sql(r"""
        INSERT INTO error_group (project_id, fingerprint, title, culprit, origin, severity, status, first_seen, last_seen,
            assigned_to, muted_until)
        SELECT CASE WHEN i %% 100 = 3 THEN 7 ELSE 1 END, i::text, (%s::text[])[1 + i %% 5] || ' failed' ||
                CASE WHEN i <= 40 THEN ' ANTIQUE' ELSE '' END || CASE WHEN i = 77 THEN ' 100%%_\sure' ELSE '' END,
            'in step_' || i, 'celery', (ARRAY['debug', 'warning', 'error', 'critical', 'info'])[1 + i / 3 %% 5],
            (ARRAY['new', 'resolved', 'in_progress', 'resolved', 'new'])[1 + i / 7 %% 5], now() - interval '60 days',
            now() - interval '50 days' + i * interval '301 seconds',
            CASE WHEN i %% 500 = 2 THEN '@ann' END, CASE WHEN i %% 700 = 4 THEN now() + interval '1 day' END
        FROM generate_series(1, %s) AS i""", WORDS, GROUPS)
    db.sql("UPDATE error_group SET merged_into = 1 WHERE fingerprint IN ('2', '11999')")
    db.sql("ANALYZE error_group")
    return s


# what is asked, and the same in SQL
OPEN = "status <> 'resolved'"
ASKED = [
    ("", OPEN),
    ("all", "true"),
    ("critical", f"{OPEN} AND severity = 'critical'"),
    ("critical warning resolved", "severity IN ('critical', 'warning') AND status = 'resolved'"),
    ("resolved open", "false"),
    ("timeout", f"{OPEN} AND title ILIKE '%timeout%'"),
    ("all TimeOut failed step_1199", "title ILIKE '%timeout%' AND culprit LIKE '%step_1199%'"),
    ("antique", f"{OPEN} AND title LIKE '%ANTIQUE%'"),
    ("all antique image", "title LIKE '%ANTIQUE%' AND title LIKE '%image%'"),
    ("all step_11", "culprit LIKE '%step\\_11%'"),
    ("all 100%_\\sure", "fingerprint = '77'"),
    ("all 50%_off", "project_id = 7"),
    ("all shop- antique", "project_id = 7 AND title LIKE '%ANTIQUE%'"),
    ("all x%y", "false"),
    ("@ann all", "assigned_to = '@ann'"),
    ("@ann timeout", f"assigned_to = '@ann' AND title LIKE '%timeout%' AND {OPEN}"),
    ("muted all", "muted_until > now()"),
    ("unassigned antique all", "assigned_to IS NULL AND title LIKE '%ANTIQUE%'"),
    ("9d", f"last_seen > now() - interval '9 days' AND {OPEN}"),
    ("30d resolved 9", "last_seen > now() - interval '30 days' AND status = 'resolved' AND culprit LIKE '%9%'"),
]


@pytest.mark.parametrize("form", ["with trigrams", "without"])
def test_the_list_is_that_of_all_groups(many, tg, db, form):
    if form == "without":
        db.sql("DROP INDEX error_group_words")
    for words, where in ASKED:
        rows = [r[0] for r in db.sql(f"SELECT id FROM error_group WHERE merged_into IS NULL AND {where} "
                                     "ORDER BY last_seen DESC, id DESC")]
        text = ask(tg, CHAT, TEAM, f"/errors {words}".strip())
        if not rows:
            assert "Nothing found" in text or "no open errors" in text, words
            continue
        shown = [int(n) for n in re.findall(r"#(\d+)", text)]
        assert shown == rows[:10], words
        total = text.split(" error")[0].replace(",", "")
        assert total == str(len(rows)) or total[-1] == "+" and len(rows) > int(total[:-1]) >= 10, (words, total, len(rows))


def test_pages_go_on_where_the_newest_end(many, tg, db):
    """The word is in few of those that are looked at first: later pages are found among all, and in one order."""
    where = "title LIKE '%image%' AND culprit LIKE '%7%' AND status = 'resolved'"
    rows = [r[0] for r in db.sql(f"SELECT id FROM error_group WHERE merged_into IS NULL AND {where} "
                                 "ORDER BY last_seen DESC, id DESC")]
    ask(tg, CHAT, TEAM, "/errors resolved image 7")
    message = tg.sent(CHAT)[-1]
    dice = random.Random(5)
    for page in [2, len(rows) // 10, *[dice.randrange(1, min(len(rows) // 10, 100)) for _ in range(3)]]:
        tg.press(CHAT, message["message_id"], f"page:{page}", TEAM)
        tg.wait(lambda p=page: any(t.startswith(f"{p} /") for t in buttons(tg.messages[CHAT, message["message_id"]])), 5)
        text = tg.messages[CHAT, message["message_id"]]["text"]
        assert [int(n) for n in re.findall(r"#(\d+)", text)] == rows[10 * page - 10:10 * page]


def test_an_owner_who_may_install_no_extension_migrates_all_the_same(db, tools):
    db.sql("DROP ROLE IF EXISTS plain")
    db.sql("CREATE ROLE plain LOGIN")
    db.sql("CREATE SCHEMA plain AUTHORIZATION plain")
    try:
        env = {"DATABASE_URL": db.url.replace("user=nabat", "user=plain"), "DATABASE_SCHEMA": "plain"}
        assert "user=plain" in env["DATABASE_URL"]
        r = tools(db, "--migrate", env=env)
        assert r.returncode == 0, r.stderr
        assert db.sql("SELECT to_regclass('plain.error_group_list') IS NOT NULL, to_regclass('plain.error_group_words') IS NULL"
                      ) == [(True, True)]
        db.sql("CREATE EXTENSION pg_trgm")  # somebody else may
        db.sql("SET search_path = plain; SET ROLE plain; SELECT nabat_index_words()")
        assert db.one("SELECT to_regclass('plain.error_group_words') IS NOT NULL")
    finally:
        db.sql("RESET ROLE; RESET search_path; DROP SCHEMA plain CASCADE; DROP ROLE plain")
