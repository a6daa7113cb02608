/* test_sentry.c -- Sentry events in every shape that SDKs send, and what they become. */
#include "tests/unit/rows.h"

#include "core/arena.h"
#include "core/utf8.h"
#include "ingest/sentry.h"
#include "ingest/sentry_detail.h"

static struct scrub *scrub;
static const int64_t NOW = 1800000000000;

static struct sentry_config config(void)
{
    return (struct sentry_config){scrub, SEV_CRITICAL, 1, NOW, "203.0.113.9", false};
}

static void add(struct buf *out, const char *name, const char *value)
{
    if (value)
        buf_addf(out, "%s=%s;", name, value);
}

/* Everything that an event has, as name=value; */
static void dump(const struct event *e, struct buf *out)
{
    const struct {
        const char *name;
        const char *value;
    } texts[] = {{"id", e->event_id}, {"origin", e->origin}, {"severity", severity_name(e->severity)},
                 {"title", e->title}, {"culprit", e->culprit}, {"handler", e->handler},
                 {"message", e->message}, {"type", e->exception_type}, {"user", e->user_id},
                 {"gen", e->gen_request_id}, {"request", e->request_id}, {"session", e->session_id},
                 {"trace", e->trace_id}, {"environment", e->environment}, {"release", e->release},
                 {"server", e->server_name}, {"tags", e->tags}, {"breadcrumbs", e->breadcrumbs},
                 {"payload", e->payload}, {"stack", e->stacktrace}};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        add(out, texts[i].name, texts[i].value);
    if (e->has_chat_id)
        buf_addf(out, "chat=%lld;", (long long)e->chat_id);
    buf_addf(out, "occurred=%lld;", (long long)e->occurred_ms);
}

struct row {
    const char *name;
    const char *json;
    const char *want; /* parts that must be there, separated by "||"; one that begins with "!" must not */
};

#define EX(body) "{\"exception\":{\"values\":[" body "]}}"
#define FRAMES(body) "\"stacktrace\":{\"frames\":[" body "]}"
#define PY_FRAME(file, line, function, source)                                                     \
    "{\"abs_path\":\"" file "\",\"filename\":\"x.py\",\"module\":\"app.x\",\"lineno\":" line         \
    ",\"function\":\"" function "\",\"context_line\":\"    " source "\",\"in_app\":true}"

static const struct row ROWS[] = {
    /* ids and times */
    {"32 hex id", "{\"event_id\":\"0123456789ABCDEF0123456789abcdef\",\"message\":\"m\"}", "id=0123456789abcdef0123456789abcdef;"},
    {"dashed id", "{\"event_id\":\"01234567-89ab-cdef-0123-456789abcdef\"}", "id=0123456789abcdef0123456789abcdef;"},
    {"float seconds", "{\"timestamp\":1700000000.25}", "occurred=1700000000250;"},
    {"whole seconds", "{\"timestamp\":1700000000}", "occurred=1700000000000;"},
    {"seconds as text", "{\"timestamp\":\"1700000000.5\"}", "occurred=1700000000500;"},
    {"ISO with Z", "{\"timestamp\":\"2023-11-14T22:13:20.123Z\"}", "occurred=1700000000123;"},
    {"ISO with offset", "{\"timestamp\":\"2023-11-15T01:13:20+03:00\"}", "occurred=1700000000000;"},
    {"ISO naive is UTC", "{\"timestamp\":\"2023-11-14T22:13:20\"}", "occurred=1700000000000;"},
    {"ISO with nine digits", "{\"timestamp\":\"2023-11-14T22:13:20.123456789Z\"}", "occurred=1700000000123;"},
    {"milliseconds are no seconds", "{\"timestamp\":1562770897893}", "occurred=1800000000000;"},
    {"too far ahead", "{\"timestamp\":1800000061}", "occurred=1800000000000;"},
    {"a little ahead", "{\"timestamp\":1800000059}", "occurred=1800000059000;"},
    {"an object for a time", "{\"timestamp\":{}}", "occurred=1800000000000;"},
    /* levels */
    {"no level is error", "{\"message\":\"m\"}", "severity=error;"},
    {"fatal", "{\"level\":\"fatal\"}", "severity=critical;"},
    {"critical", "{\"level\":\"critical\"}", "severity=critical;"},
    {"log", "{\"level\":\"log\"}", "severity=info;"},
    {"number", "{\"level\":40}", "severity=error;"},
    {"number 50", "{\"level\":50}", "severity=critical;"},
    {"nonsense", "{\"level\":\"loud\"}", "severity=error;"},
    {"null", "{\"level\":null}", "severity=error;"},
    {"unhandled on a server", "{\"platform\":\"python\",\"level\":\"error\",\"exception\":[{\"type\":\"E\",\"mechanism\":{\"type\":\"excepthook\",\"handled\":false}}]}", "severity=critical;||\"unhandled_by\":\"excepthook\""},
    {"unhandled without a level", "{\"platform\":\"node\",\"exception\":[{\"type\":\"E\",\"mechanism\":{\"type\":\"onunhandledrejection\",\"handled\":false}}]}", "severity=critical;"},
    {"unhandled warning stays", "{\"platform\":\"python\",\"level\":\"warning\",\"exception\":[{\"type\":\"E\",\"mechanism\":{\"handled\":false}}]}", "severity=warning;"},
    {"handled", "{\"platform\":\"python\",\"level\":\"error\",\"exception\":[{\"type\":\"E\",\"mechanism\":{\"handled\":true}}]}", "severity=error;"},
    {"browser unhandled is error", "{\"platform\":\"javascript\",\"sdk\":{\"name\":\"sentry.javascript.browser\"},\"level\":\"error\",\"exception\":[{\"type\":\"E\",\"mechanism\":{\"handled\":false}}]}", "severity=error;||origin=browser;"},
    {"aiogram logs for nobody", "{\"logger\":\"aiogram.event\",\"level\":\"error\",\"message\":\"Cause exception\"}", "severity=critical;||origin=aiogram_handler;"},
    {"aiogram warning stays", "{\"logger\":\"aiogram.event\",\"level\":\"warning\",\"message\":\"m\"}", "severity=warning;"},
    {"asyncio never retrieved", "{\"logger\":\"asyncio\",\"level\":\"error\",\"logentry\":{\"message\":\"Task exception was never retrieved\"}}", "severity=critical;"},
    {"asyncio otherwise", "{\"logger\":\"asyncio\",\"level\":\"error\",\"message\":\"socket.send() raised exception.\"}", "severity=error;"},
    /* messages */
    {"message text", "{\"message\":\"hello\"}", "title=hello;||message=hello;"},
    {"message object", "{\"message\":{\"formatted\":\"hello 5\",\"message\":\"hello %s\",\"params\":[5]}}", "title=hello 5;"},
    {"message object without formatted", "{\"message\":{\"message\":\"user %s did %s\",\"params\":[\"jane\",\"x\"]}}", "title=user jane did x;"},
    {"message false", "{\"message\":false,\"transaction\":\"/x\"}", "title=/x;||!message="},
    {"logentry text", "{\"logentry\":\"plain\"}", "title=plain;"},
    {"logentry alias", "{\"sentry.interfaces.Message\":{\"message\":\"old\"}}", "title=old;"},
    {"logentry params by name", "{\"logentry\":{\"message\":\"failed %(what)s\",\"params\":{\"what\":\"x\"},\"formatted\":\"failed x\"}}", "title=failed x;"},
    {"braces", "{\"logentry\":{\"message\":\"{} of {}\",\"params\":[1,2]}}", "title=1 of 2;"},
    {"first line is the title", "{\"message\":\"one\\ntwo\"}", "title=one;||message=one\ntwo;"},
    {"nothing at all", "{}", "title=<unlabeled event>;||origin=other;"},
    {"message of a wrong kind", "{\"message\":[1]}", "title=<unlabeled event>;"},
    /* exceptions */
    {"list", "{\"exception\":[{\"type\":\"A\",\"value\":\"a\"},{\"type\":\"B\",\"value\":\"b\"}]}", "title=B: b;||type=B;||message=b;"},
    {"values", EX("{\"type\":\"A\",\"value\":\"a\"}"), "title=A: a;"},
    {"single object", "{\"exception\":{\"type\":\"A\",\"value\":\"a\"}}", "title=A: a;"},
    {"alias", "{\"sentry.interfaces.Exception\":{\"values\":[{\"type\":\"A\",\"value\":\"a\"}]}}", "title=A: a;"},
    {"nulls in values", EX("null,{\"type\":\"A\",\"value\":\"a\"},null"), "title=A: a;"},
    {"no type", EX("{\"value\":\"only value\"}"), "title=only value;"},
    {"no value", EX("{\"type\":\"OnlyType\",\"value\":null}"), "title=OnlyType;"},
    {"value of another kind", EX("{\"type\":\"A\",\"value\":{\"code\":5}}"), "title=A: {\"code\":5};"},
    {"numeric value", EX("{\"type\":\"KeyError\",\"value\":7}"), "title=KeyError: 7;"},
    {"synthetic type is no title", EX("{\"type\":\"SIGSEGV\",\"value\":\"Segfault\",\"mechanism\":{\"synthetic\":true}}"), "title=Segfault;||type=SIGSEGV;"},
    {"synthetic without value", EX("{\"mechanism\":{\"synthetic\":true}," FRAMES("{\"function\":\"crash_here\"}") "}"), "title=crash_here;"},
    {"empty values", "{\"exception\":{\"values\":[]},\"message\":\"m\"}", "title=m;"},
    {"null exception", "{\"exception\":null,\"message\":\"m\"}", "title=m;"},
    {"exception is text", "{\"exception\":\"boom\",\"message\":\"m\"}", "title=m;"},
    {"frames null", EX("{\"type\":\"A\",\"stacktrace\":{\"frames\":null}}"), "title=A;||!stack="},
    {"frame null", EX("{\"type\":\"A\"," FRAMES("null,{\"function\":null},{\"function\":\"f\"}") "}"), "title=A;||at f ("},
    {"frames no list", EX("{\"type\":\"A\",\"stacktrace\":{\"frames\":{\"a\":1}}}"), "title=A;"},
    {"raw_stacktrace", EX("{\"type\":\"A\",\"stacktrace\":null,\"raw_stacktrace\":{\"frames\":[{\"function\":\"f\"}]}}"), "at f ("},
    {"only threads", "{\"message\":\"ANR\",\"platform\":\"java\",\"threads\":{\"values\":[{\"id\":1,\"stacktrace\":{\"frames\":[{\"module\":\"a.B\",\"function\":\"other\",\"filename\":\"B.java\",\"lineno\":1}]}},{\"id\":2,\"crashed\":true,\"stacktrace\":{\"frames\":[{\"module\":\"a.C\",\"function\":\"hang\",\"filename\":\"C.java\",\"lineno\":2}]}}]}}", "title=ANR;||\tat a.C.hang(C.java:2)||culprit=hang in a.C;"},
    {"threads as list", "{\"message\":\"m\",\"threads\":[{\"current\":true,\"stacktrace\":{\"frames\":[{\"function\":\"f\"}]}}]}", "at f ("},
    {"top-level stacktrace", "{\"message\":\"m\",\"stacktrace\":{\"frames\":[{\"function\":\"f\"}]}}", "title=m;||at f ("},
    /* stack text in the form of the platform */
    {"python", "{\"platform\":\"python\",\"exception\":[{\"type\":\"ValueError\",\"value\":\"bad\"," FRAMES(PY_FRAME("/app/x.py", "3", "main", "f()") "," PY_FRAME("/app/x.py", "9", "f", "raise ValueError('bad')")) "}]}",
     "stack=Traceback (most recent call last):\n  File \"/app/x.py\", line 3, in main\n    f()\n  File \"/app/x.py\", line 9, in f\n    raise ValueError('bad')\nValueError: bad;||culprit=f in app.x;"},
    {"python cause", "{\"platform\":\"python\",\"exception\":[{\"type\":\"KeyError\",\"value\":\"'k'\",\"mechanism\":{\"source\":\"__cause__\"}," FRAMES(PY_FRAME("/a.py", "1", "f", "x")) "},{\"type\":\"E\",\"value\":\"v\"," FRAMES(PY_FRAME("/a.py", "2", "g", "y")) "}]}",
     "KeyError: 'k'\n\nThe above exception was the direct cause of the following exception:\n\nTraceback||title=E: v;"},
    {"python context", "{\"platform\":\"python\",\"exception\":[{\"type\":\"KeyError\",\"value\":\"'k'\",\"mechanism\":{\"source\":\"__context__\"}," FRAMES(PY_FRAME("/a.py", "1", "f", "x")) "},{\"type\":\"E\",\"value\":\"v\"," FRAMES(PY_FRAME("/a.py", "2", "g", "y")) "}]}",
     "\n\nDuring handling of the above exception, another exception occurred:\n\nTraceback"},
    {"python group", "{\"platform\":\"python\",\"exception\":[{\"type\":\"ValueError\",\"value\":\"b\",\"mechanism\":{\"exception_id\":2,\"parent_id\":0,\"source\":\"exceptions[1]\"}," FRAMES(PY_FRAME("/a.py", "1", "f", "x")) "},{\"type\":\"TypeError\",\"value\":\"a\",\"mechanism\":{\"exception_id\":1,\"parent_id\":0,\"source\":\"exceptions[0]\"}," FRAMES(PY_FRAME("/a.py", "1", "f", "x")) "},{\"type\":\"ExceptionGroup\",\"value\":\"many\",\"mechanism\":{\"exception_id\":0,\"is_exception_group\":true}," FRAMES(PY_FRAME("/a.py", "2", "g", "y")) "}]}",
     "title=ExceptionGroup: many;||  + Exception Group Traceback (most recent call last):\n  |   File \"/a.py\", line 2, in g||  | ExceptionGroup: many\n  +-+---------------- 1 ----------------\n||    | TypeError: a\n    +---------------- 2 ----------------\n||    | ValueError: b\n    +------------------------------------"},
    {"javascript", "{\"platform\":\"javascript\",\"exception\":[{\"type\":\"TypeError\",\"value\":\"x\"," FRAMES("{\"filename\":\"https://a/app.js\",\"function\":\"outer\",\"lineno\":1,\"colno\":2},{\"filename\":\"https://a/app.js\",\"function\":\"?\",\"lineno\":3,\"colno\":4}") "}]}",
     "stack=TypeError: x\n    at https://a/app.js:3:4\n    at outer (https://a/app.js:1:2);"},
    {"javascript cause", "{\"platform\":\"node\",\"exception\":[{\"type\":\"SyntaxError\",\"value\":\"in\"," FRAMES("{\"function\":\"p\",\"filename\":\"/a.js\",\"lineno\":1}") "},{\"type\":\"Error\",\"value\":\"out\"," FRAMES("{\"function\":\"q\",\"filename\":\"/a.js\",\"lineno\":2}") "}]}",
     "Error: out\n    at q (/a.js:2)\n  [cause]: SyntaxError: in\n    at p (/a.js:1)"},
    {"go", "{\"platform\":\"go\",\"exception\":[{\"type\":\"*errors.errorString\",\"value\":\"boom\"," FRAMES("{\"module\":\"main\",\"function\":\"main\",\"abs_path\":\"/app/main.go\",\"lineno\":5},{\"module\":\"main\",\"function\":\"(*Bot).handle\",\"abs_path\":\"/app/bot.go\",\"lineno\":9}") "}]}",
     "*errors.errorString: boom\n\ngoroutine 1 [running]:\nmain.(*Bot).handle(...)\n\t/app/bot.go:9\nmain.main(...)\n\t/app/main.go:5"},
    {"java", "{\"platform\":\"java\",\"exception\":[{\"type\":\"IOException\",\"module\":\"java.io\",\"value\":\"disk\"," FRAMES("{\"module\":\"a.Disk\",\"function\":\"read\",\"filename\":\"Disk.java\",\"lineno\":3}") "},{\"type\":\"AppException\",\"module\":\"a\",\"value\":\"no\"," FRAMES("{\"module\":\"a.Main\",\"function\":\"main\",\"filename\":\"Main.java\",\"lineno\":7}") "}]}",
     "stack=a.AppException: no\n\tat a.Main.main(Main.java:7)\nCaused by: java.io.IOException: disk\n\tat a.Disk.read(Disk.java:3);"},
    {"rust", "{\"platform\":\"native\",\"sdk\":{\"name\":\"sentry.rust\"},\"exception\":[{\"type\":\"panic\",\"value\":\"oops\"," FRAMES("{\"function\":\"app::main\",\"filename\":\"main.rs\",\"lineno\":4},{\"function\":\"app::boom\",\"abs_path\":\"/app/src/main.rs\",\"lineno\":9,\"colno\":5},{\"function\":\"std::panicking::begin_panic\"},{\"function\":\"sentry_panic::handler\",\"in_app\":true}") "}]}",
     "panic: oops\nstack backtrace:\n   0: sentry_panic::handler\n||   2: app::boom\n             at /app/src/main.rs:9:5\n||culprit=app::boom in main.rs;||origin=rust;"},
    {"php", "{\"platform\":\"php\",\"exception\":[{\"type\":\"RuntimeException\",\"value\":\"no\"," FRAMES("{\"filename\":\"/index.php\",\"abs_path\":\"/app/index.php\",\"lineno\":3},{\"function\":\"App\\\\Bot::handle\",\"abs_path\":\"/app/Bot.php\",\"lineno\":12}") "}]}",
     "RuntimeException: no in /app/Bot.php:12\nStack trace:\n#0 /app/index.php(3): App\\Bot::handle()\n#1 {main}"},
    {"ruby", "{\"platform\":\"ruby\",\"exception\":[{\"type\":\"KeyError\",\"value\":\"no key\"," FRAMES("{\"abs_path\":\"/app/main.rb\",\"function\":\"<main>\",\"lineno\":1},{\"abs_path\":\"/app/cart.rb\",\"function\":\"block in total\",\"lineno\":8}") "}]}",
     "stack=/app/cart.rb:8:in `block in total': no key (KeyError)\n\tfrom /app/main.rb:1:in `<main>';||culprit=total in cart.rb;"},
    {"dotnet", "{\"platform\":\"csharp\",\"exception\":[{\"type\":\"System.Exception\",\"value\":\"no\"," FRAMES("{\"module\":\"App.Bot\",\"function\":\"<Run>d__5.MoveNext\",\"abs_path\":\"Bot.cs\",\"lineno\":7}") "}]}", "   at App.Bot.<Run>d__5.MoveNext() in Bot.cs:line 7||culprit=Run in App.Bot;"},
    {"native", "{\"platform\":\"native\",\"exception\":[{\"type\":\"SIGSEGV\",\"value\":\"Segfault\"," FRAMES("{\"function\":\"main\",\"instruction_addr\":\"0x1000\",\"package\":\"/app/bot\"},{\"function\":\"crash(int)\",\"instruction_addr\":\"0x2000\",\"filename\":\"bot.c\",\"lineno\":4}") "}]}",
     "#0  0x2000 in crash(int) () at bot.c:4\n#1  0x1000 in main () from /app/bot||culprit=crash in bot.c;"},
    /* origin */
    {"tag origin", "{\"tags\":{\"origin\":\"My Worker\"},\"message\":\"m\"}", "origin=my_worker;"},
    {"celery by mechanism", EX("{\"type\":\"E\",\"mechanism\":{\"type\":\"celery\",\"handled\":false}}"), "origin=celery;"},
    {"celery by tag", "{\"message\":\"m\",\"tags\":{\"celery_task_id\":\"x\"}}", "origin=celery;"},
    {"django", "{\"platform\":\"python\",\"exception\":[{\"type\":\"E\",\"mechanism\":{\"type\":\"django\"}}],\"transaction\":\"/pay/{pk}/\"}", "origin=django;||handler=/pay/{pk}/;||culprit=/pay/{pk}/;"},
    {"fastapi through starlette", "{\"platform\":\"python\",\"exception\":[{\"type\":\"E\",\"mechanism\":{\"type\":\"starlette\"}," FRAMES("{\"module\":\"fastapi.routing\",\"function\":\"app\"}") "}]}", "origin=fastapi;"},
    {"starlette alone", "{\"platform\":\"python\",\"exception\":[{\"type\":\"E\",\"mechanism\":{\"type\":\"starlette\"}}]}", "origin=starlette;"},
    {"telegram webhook", "{\"platform\":\"python\",\"request\":{\"url\":\"https://b.example/telegram/webhook\"},\"exception\":[{\"type\":\"E\",\"mechanism\":{\"type\":\"starlette\"}}]}", "origin=telegram_webhook;"},
    {"webhook by its header", "{\"request\":{\"url\":\"https://b.example/hook\",\"headers\":{\"X-Telegram-Bot-Api-Secret-Token\":\"s3\"}},\"message\":\"m\"}", "origin=telegram_webhook;||!s3"},
    {"miniapp", "{\"platform\":\"javascript\",\"sdk\":{\"name\":\"sentry.javascript.react\"},\"request\":{\"url\":\"https://a/#tgWebAppData=x&tgWebAppVersion=7\"},\"message\":\"m\"}", "origin=miniapp;"},
    {"what is importable is no origin", "{\"platform\":\"python\",\"sdk\":{\"name\":\"sentry.python.django\",\"integrations\":[\"celery\",\"django\"]},\"message\":\"m\"}", "origin=python;"},
    {"node", "{\"platform\":\"node\",\"message\":\"m\"}", "origin=node;"},
    {"unknown platform", "{\"platform\":\"crystal\",\"message\":\"m\"}", "origin=other;"},
    /* ids */
    {"ids from tags", "{\"message\":\"m\",\"tags\":{\"chat_id\":\"-1001\",\"user_id\":\"7\",\"gen_request_id\":\"g1\",\"request_id\":\"r1\",\"session_id\":\"s1\",\"handler\":\"h\"}}", "chat=-1001;||user=7;||gen=g1;||request=r1;||session=s1;||handler=h;"},
    {"ids from extra and contexts", "{\"message\":\"m\",\"extra\":{\"gen_request_id\":5},\"contexts\":{\"telegram\":{\"chat_id\":-5},\"trace\":{\"trace_id\":\"t1\"},\"app\":{\"request_id\":\"r2\"}}}", "gen=5;||chat=-5;||trace=t1;||request=r2;"},
    {"user id beats the tag", "{\"message\":\"m\",\"user\":{\"id\":42},\"tags\":{\"user_id\":\"7\"}}", "user=42;"},
    {"username without an id", "{\"message\":\"m\",\"user\":{\"username\":\"ann\"}}", "user=ann;"},
    {"null user", "{\"message\":\"m\",\"user\":null}", "!user="},
    {"request id header", "{\"message\":\"m\",\"request\":{\"headers\":[[\"x-request-id\",\"q\"]]}}", "request=q;"},
    {"auto address", "{\"message\":\"m\",\"user\":{\"ip_address\":\"{{auto}}\"}}", "203.0.113.9"},
    {"aiogram's repr", "{\"logger\":\"aiogram.event\",\"exception\":[{\"type\":\"E\"," FRAMES("{\"module\":\"bot.handlers\",\"function\":\"start\",\"in_app\":true,\"vars\":{\"message\":\"Message(message_id=7, chat=Chat(id=-10055, type='group'), x=1)\",\"data\":{\"event_from_user\":\"User(id=77, is_bot=False)\"}}}") "}]}", "chat=-10055;||user=77;||handler=bot.handlers.start;"},
    /* lists and pairs */
    {"tags as pairs", "{\"message\":\"m\",\"tags\":[[\"a\",\"b\"],[\"n\",5],[\"t\",true],[\"z\",null]]}", "tags={\"a\":\"b\",\"n\":\"5\",\"t\":\"True\"};"},
    {"tags as key and value", "{\"message\":\"m\",\"tags\":[{\"key\":\"a\",\"value\":\"b\"}]}", "tags={\"a\":\"b\"};"},
    {"tags of a wrong kind", "{\"message\":\"m\",\"tags\":\"x\"}", "!tags="},
    {"breadcrumbs list", "{\"message\":\"m\",\"breadcrumbs\":[{\"message\":\"c1\"}]}", "breadcrumbs=[{\"message\":\"c1\"}];"},
    {"breadcrumbs values", "{\"message\":\"m\",\"breadcrumbs\":{\"values\":[{\"message\":\"c1\",\"level\":null}]}}", "breadcrumbs=[{\"message\":\"c1\",\"level\":null}];"},
    {"empty breadcrumbs", "{\"message\":\"m\",\"breadcrumbs\":{\"values\":[]}}", "!breadcrumbs="},
    {"release of a wrong kind", "{\"message\":\"m\",\"release\":{\"version\":\"1\"}}", "!release="},
    {"numbers as texts", "{\"message\":\"m\",\"release\":12,\"environment\":true}", "release=12;||environment=True;"},
    {"unknown members are kept", "{\"message\":\"m\",\"odd\":{\"a\":1},\"extra\":{\"b\":2}}", "\"odd\":{\"a\":1}||\"extra\":{\"b\":2}"},
    {"junk is not kept", "{\"message\":\"m\",\"debug_meta\":{\"images\":[1]},\"errors\":[{\"a\":1}],\"_meta\":{\"x\":1},\"modules\":{\"a\":\"1\"}}", "!images||!_meta||!modules"},
    /* hostile texts */
    {"NUL and lone surrogates", "{\"message\":\"a\\u0000b\\ud800c\"}", "message=a\xEF\xBF\xBD" "b\xEF\xBF\xBD" "c;"},
    {"NaN and Infinity", "{\"message\":\"m\",\"extra\":{\"a\":NaN,\"b\":-Infinity}}", "\"a\":\"NaN\",\"b\":\"-Infinity\""},
    {"huge number", "{\"message\":\"m\",\"extra\":{\"a\":1e99999}}", "\"a\":\"1e99999\""},
    {"duplicate keys: the last counts", "{\"message\":\"a\",\"message\":\"b\"}", "title=b;"},
    {"broken UTF-8", "{\"message\":\"a\xff\xfe\"}", "message=a\xEF\xBF\xBD\xEF\xBF\xBD;"},
    /* scrubbing: where what goes */
    {"vars by name", "{\"platform\":\"python\",\"exception\":[{\"type\":\"E\"," FRAMES("{\"function\":\"f\",\"context_line\":\"password = 'hunter2'\",\"vars\":{\"password\":\"hunter2\"}}") "}]}", "!hunter2"},
    {"exception value keeps its words", EX("{\"type\":\"E\",\"value\":\"invalid password for ann, token=abcdef\"}"), "title=E: invalid password for ann, token=[Filtered];"},
    {"file names are exempt", "{\"platform\":\"python\",\"exception\":[{\"type\":\"E\"," FRAMES("{\"abs_path\":\"/home/ann/auth/secret.py\",\"function\":\"authenticate\"}") "}]}", "/home/ann/auth/secret.py||in authenticate"},
    {"bot token in a breadcrumb", "{\"message\":\"m\",\"breadcrumbs\":[{\"data\":{\"url\":\"https://api.telegram.org/bot110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw/getUpdates\"}}]}", "bot110201543:[Filtered]/getUpdates||!AAHdq"},
    {"headers and cookies", "{\"message\":\"m\",\"request\":{\"headers\":[[\"Authorization\",\"Bearer x\"],[\"User-Agent\",\"auth-bot\"]],\"cookies\":\"a=b\"}}", "[\"Authorization\",\"[Filtered]\"]||\"cookies\":\"[Filtered]\""},
    {"unknown member that is a secret", "{\"message\":\"m\",\"api_key\":\"k123\"}", "\"api_key\":\"[Filtered]\"||!k123"},
};

static void check_event(void **state)
{
    const struct row *row = *state;
    struct sentry_config c = config();
    struct sentry_batch batch;
    struct err err = {0};
    struct buf out;
    struct arena *arena = arena_new(64 << 20);
    buf_init(&out, 1 << 20);
    if (!sentry_read_event(row->json, strlen(row->json), &c, arena, &batch, &err))
        fail_msg("refused: %s", err.text);
    dump(&batch.events[0], &out);
    for (const char *part = row->want; part;) {
        const char *end = strstr(part, "||");
        char want[1200];
        snprintf(want, sizeof want, "%.*s", end ? (int)(end - part) : (int)strlen(part), part);
        bool absent = want[0] == '!';
        if ((strstr(buf_text(&out), want + absent) != NULL) == absent)
            fail_msg("%s \"%s\" in:\n%s", absent ? "there is" : "no", want + absent, buf_text(&out));
        part = end ? end + 2 : NULL;
    }
    buf_fini(&out);
    arena_free(arena);
}

static const char *name_of_row(const void *row)
{
    return ((const struct row *)row)->name;
}

/* ---- pairs that must share a group, or must not */

struct pair {
    int together;
    const char *why;
    const char *a;
    const char *b;
};
#define PYF(module, function, line) "{\"module\":\"" module "\",\"function\":\"" function "\",\"lineno\":" line ",\"in_app\":true}"
#define PYE(type, value, frames) "{\"platform\":\"python\",\"exception\":[{\"type\":\"" type "\",\"value\":\"" value "\"," FRAMES(frames) "}]}"
#define JSE(frames) "{\"platform\":\"javascript\",\"exception\":[{\"type\":\"Error\",\"value\":\"v\"," FRAMES(frames) "}]}"

static const struct pair PAIRS[] = {
    {1, "line numbers", PYE("E", "a", PYF("m", "f", "1")), PYE("E", "a", PYF("m", "f", "99"))},
    {1, "values of one place", PYE("E", "user 17", PYF("m", "f", "1")), PYE("E", "user 18 and more", PYF("m", "f", "1"))},
    {0, "types", PYE("E", "a", PYF("m", "f", "1")), PYE("F", "a", PYF("m", "f", "1"))},
    {0, "functions", PYE("E", "a", PYF("m", "f", "1")), PYE("E", "a", PYF("m", "g", "1"))},
    {0, "modules", PYE("E", "a", PYF("m", "f", "1")), PYE("E", "a", PYF("n", "f", "1"))},
    {0, "the top of one script", PYE("E", "disk full", PYF("__main__", "<module>", "1")), PYE("E", "no network", PYF("__main__", "<module>", "2"))},
    {1, "recursion", PYE("E", "a", PYF("m", "f", "1")), PYE("E", "a", PYF("m", "f", "1") "," PYF("m", "f", "2") "," PYF("m", "f", "3"))},
    {1, "library frames", PYE("E", "a", PYF("m", "f", "1")), PYE("E", "a", PYF("m", "f", "1") ",{\"module\":\"requests.api\",\"function\":\"get\",\"in_app\":false}")},
    {1, "environment, release, severity", "{\"message\":\"m\",\"environment\":\"a\",\"release\":\"1\",\"level\":\"info\"}", "{\"message\":\"m\",\"environment\":\"b\",\"release\":\"2\",\"level\":\"fatal\"}"},
    {1, "message with numbers", "{\"message\":\"order 17 failed\"}", "{\"message\":\"order 18 failed\"}"},
    {1, "template", "{\"logentry\":{\"message\":\"hi %s\",\"formatted\":\"hi ann\"}}", "{\"logentry\":{\"message\":\"hi %s\",\"formatted\":\"hi bob\"}}"},
    {0, "messages", "{\"message\":\"disk full\"}", "{\"message\":\"no network\"}"},
    {0, "message by handler", "{\"message\":\"m\",\"transaction\":\"a\"}", "{\"message\":\"m\",\"transaction\":\"b\"}"},
    {1, "fingerprint", "{\"message\":\"a\",\"fingerprint\":[\"x\",5]}", "{\"message\":\"b\",\"fingerprint\":[\"x\",\"5\"]}"},
    {0, "other fingerprint", "{\"message\":\"a\",\"fingerprint\":[\"x\"]}", "{\"message\":\"a\",\"fingerprint\":[\"y\"]}"},
    {1, "only default", "{\"message\":\"a\",\"fingerprint\":[\"{{ default }}\"]}", "{\"message\":\"a\"}"},
    {0, "default and more", "{\"message\":\"a\",\"fingerprint\":[\"{{default}}\",\"x\"]}", "{\"message\":\"b\",\"fingerprint\":[\"{{default}}\",\"x\"]}"},
    {1, "fingerprint that is none", "{\"message\":\"a\",\"fingerprint\":\"x\"}", "{\"message\":\"a\"}"},
    {1, "fractions are cut, nulls dropped", "{\"message\":\"a\",\"fingerprint\":[1.9,null,true]}", "{\"message\":\"a\",\"fingerprint\":[\"1\",\"True\"]}"},
    {1, "hashes of bundles", JSE("{\"filename\":\"https://a/static/main.8f3e2c1d.js\",\"function\":\"go\"}"), JSE("{\"filename\":\"https://b/static/main.deadbee1.js\",\"function\":\"go\"}")},
    {1, "browsers name functions their own way", JSE("{\"filename\":\"https://a/x.js\",\"function\":\"Object.go\"}"), JSE("{\"filename\":\"https://a/x.js\",\"function\":\"go\"}")},
    {0, "nameless functions of one bundle", "{\"platform\":\"javascript\",\"exception\":[{\"type\":\"Error\",\"value\":\"one\"," FRAMES("{\"filename\":\"https://a/x.js\",\"function\":\"?\"}") "}]}", "{\"platform\":\"javascript\",\"exception\":[{\"type\":\"Error\",\"value\":\"two\"," FRAMES("{\"filename\":\"https://a/x.js\",\"function\":\"?\"}") "}]}"},
    {1, "java proxies", "{\"platform\":\"java\",\"exception\":[{\"type\":\"E\"," FRAMES("{\"module\":\"a.B$$EnhancerBySpringCGLIB$$1a2b3c4d\",\"function\":\"f\"}") "}]}", "{\"platform\":\"java\",\"exception\":[{\"type\":\"E\"," FRAMES("{\"module\":\"a.B$$EnhancerBySpringCGLIB$$99ffee00\",\"function\":\"f\"}") "}]}"},
    {1, "java lambdas", "{\"platform\":\"java\",\"exception\":[{\"type\":\"E\"," FRAMES("{\"module\":\"a.B\",\"function\":\"lambda$run$17\"}") "}]}", "{\"platform\":\"java\",\"exception\":[{\"type\":\"E\"," FRAMES("{\"module\":\"a.B\",\"function\":\"lambda$run$4\"}") "}]}"},
    {1, "rust symbols", "{\"sdk\":{\"name\":\"sentry.rust\"},\"exception\":[{\"type\":\"E\"," FRAMES("{\"function\":\"app::f::h0123456789abcdef\"}") "}]}", "{\"sdk\":{\"name\":\"sentry.rust\"},\"exception\":[{\"type\":\"E\"," FRAMES("{\"function\":\"app::f::hfedcba9876543210\"}") "}]}"},
    {0, "causes", "{\"exception\":[{\"type\":\"A\",\"value\":\"x\"},{\"type\":\"E\",\"value\":\"e\"}]}", "{\"exception\":[{\"type\":\"B\",\"value\":\"x\"},{\"type\":\"E\",\"value\":\"e\"}]}"},
    {1, "synthetic types", EX("{\"type\":\"SIGA\",\"value\":\"v\",\"mechanism\":{\"synthetic\":true}," FRAMES("{\"function\":\"f\"}") "}"), EX("{\"type\":\"SIGB\",\"value\":\"v\",\"mechanism\":{\"synthetic\":true}," FRAMES("{\"function\":\"f\"}") "}")},
    {0, "messages with one stack", "{\"message\":\"a\",\"stacktrace\":{\"frames\":[{\"function\":\"log\"}]}}", "{\"message\":\"b\",\"stacktrace\":{\"frames\":[{\"function\":\"log\"}]}}"},
};

static void key_of(const char *json, char out[FINGERPRINT_BYTES])
{
    struct sentry_config c = config();
    struct sentry_batch batch;
    struct err err = {0};
    struct arena *arena = arena_new(16 << 20);
    if (!sentry_read_event(json, strlen(json), &c, arena, &batch, &err))
        fail_msg("refused: %s", err.text);
    memcpy(out, batch.events[0].fingerprint, FINGERPRINT_BYTES);
    arena_free(arena);
}

static void check_pair(void **state)
{
    const struct pair *pair = *state;
    char a[FINGERPRINT_BYTES];
    char b[FINGERPRINT_BYTES];
    key_of(pair->a, a);
    key_of(pair->b, b);
    assert_int_equal(strcmp(a, b) == 0, pair->together);
}

static const char *name_of_pair(const void *row)
{
    return ((const struct pair *)row)->why;
}

/* ---- bounds */

static void an_event_over_the_limit_is_trimmed(void **state)
{
    (void)state;
    struct sentry_config c = config();
    struct sentry_batch batch;
    struct err err = {0};
    struct arena *arena = arena_new(64 << 20);
    struct buf json;
    buf_init(&json, 8 << 20);
    buf_add_str(&json, "{\"message\":\"big\",\"breadcrumbs\":[{\"message\":\"kept\"}],\"exception\":[{\"type\":\"E\","
                       "\"stacktrace\":{\"frames\":[{\"function\":\"f\",\"context_line\":\"x = 1\",\"vars\":{\"blob\":\"");
    for (int i = 0; i < 2 << 20; i++)
        buf_add_char(&json, 'x');
    buf_add_str(&json, "\"}}]}}]}");
    assert_true(sentry_read_event(json.data, json.len, &c, arena, &batch, &err));
    assert_non_null(strstr(batch.events[0].payload, "\"trimmed\":\"local variables\""));
    assert_non_null(strstr(batch.events[0].breadcrumbs, "kept"));
    assert_int_equal(batch.notes.trimmed, 1);
    assert_true(batch.events[0].bytes == 0 || batch.events[0].bytes < 1 << 20);
    buf_fini(&json);
    arena_free(arena);
}

static void depth_and_length_are_survived(void **state)
{
    (void)state;
    enum { DEEP = 10000 };
    struct sentry_config c = config();
    struct sentry_batch batch;
    struct err err = {0};
    struct arena *arena = arena_new(64 << 20);
    struct buf json;
    buf_init(&json, 8 << 20);
    buf_add_str(&json, "{\"message\":\"deep\",\"extra\":{\"a\":");
    for (int i = 0; i < DEEP; i++)
        buf_add_char(&json, '[');
    for (int i = 0; i < DEEP; i++)
        buf_add_char(&json, ']');
    buf_add_str(&json, "},\"exception\":[{\"type\":\"E\",\"stacktrace\":{\"frames\":[{\"function\":\"f\"}");
    for (int i = 0; i < DEEP; i++)
        buf_addf(&json, ",{\"function\":\"g%d\"}", i);
    buf_add_str(&json, "]}}]}");
    assert_true(sentry_read_event(json.data, json.len, &c, arena, &batch, &err));
    assert_non_null(strstr(batch.events[0].payload, "[nested too deep]"));
    assert_non_null(strstr(batch.events[0].stacktrace, "frames left out]"));
    assert_non_null(strstr(batch.events[0].stacktrace, "at g9999 ("));
    assert_non_null(strstr(batch.events[0].stacktrace, "at f ("));
    buf_fini(&json);
    arena_free(arena);
}

static void variables_come_back(void **state)
{
    (void)state;
    static const char JSON[] =
        "{\"platform\":\"python\",\"modules\":{\"aiogram\":\"3\"},\"exception\":[{\"type\":\"E\",\"stacktrace\":{\"frames\":[{\"function\":\"f\","
        "\"filename\":\"a.py\",\"lineno\":3,\"pre_context\":[\"one\"],\"context_line\":\"two\",\"post_context\":[\"three\"],"
        "\"vars\":{\"n\":5,\"text\":\"hi\",\"token\":\"abc\"}}]}}]}";
    struct sentry_config c = config();
    struct sentry_batch batch;
    struct err err = {0};
    struct buf text;
    struct arena *arena = arena_new(16 << 20);
    buf_init(&text, 1 << 20);
    assert_true(sentry_read_event(JSON, strlen(JSON), &c, arena, &batch, &err));
    assert_non_null(batch.events[0].detail);
    assert_string_equal(batch.events[0].source,
                        "{\"exceptions\":[{\"type\":\"E\",\"frames\":[{\"where\":\"f in a.py:3\",\"pre\":[\"one\"],\"line\":"
                        "\"two\",\"post\":[\"three\"]}]}],\"modules\":{\"aiogram\":\"3\"}}");
    assert_true(sentry_detail_text(batch.events[0].detail, batch.events[0].detail_len,
                                   batch.events[0].source, &text));
    assert_string_equal(buf_text(&text), "--- E\n\nf in a.py:3\n    one\n  > two\n    three\n      n = 5\n"
                                         "      text = hi\n      token = [Filtered]\n");
    text.len = 0;
    assert_true(sentry_detail_text(NULL, 0, batch.events[0].source, &text));
    assert_string_equal(buf_text(&text),
                        "--- E\n\nf in a.py:3\n    one\n  > two\n    three\n");
    assert_false(sentry_detail_text("garbage", 7, NULL, &text));
    assert_false(sentry_detail_text("garbage", 7, batch.events[0].source, &text));
    assert_false(sentry_detail_text(NULL, 0, "garbage", &text));
    buf_fini(&text);
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_event_over_the_limit_is_trimmed),
        cmocka_unit_test(depth_and_length_are_survived),
        cmocka_unit_test(variables_come_back),
    };
    struct err err = {0};
    scrub = scrub_new(NULL, NULL, &err);
    int failed = ROWS_RUN("event", ROWS, check_event, name_of_row) +
                 ROWS_RUN("group", PAIRS, check_pair, name_of_pair) +
                 cmocka_run_group_tests_name("event bounds", tests, NULL, NULL);
    scrub_free(scrub);
    return failed;
}
