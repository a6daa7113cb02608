/* test_grouping.c -- pairs of native events that must share a group, or must not. */
#include "tests/unit/rows.h"

#include "core/arena.h"
#include "ingest/native.h"

enum want { TOGETHER, APART };

struct pair {
    enum want want;
    const char *why;
    const char *a;
    const char *b;
};

#define MSG(text) "{\"message\":\"" text "\"}"
#define STACK(type, text) "{\"exception\":{\"type\":\"" type "\",\"value\":\"v\",\"stacktrace\":\"" text "\"}}"
#define STACK_ONLY(text) "{\"message\":\"m\",\"exception\":{\"stacktrace\":\"" text "\"}}"
#define PY(file, line, function, last)                                                             \
    STACK("ValueError", "Traceback (most recent call last):\\n  File \\\"" file "\\\", line " line \
                        ", in " function "\\n    x()\\nValueError: " last)
#define PY2(a, b)                                                                                  \
    STACK("E", "Traceback (most recent call last):\\n  File \\\"/app/" a ".py\\\", line 1, in f\\n" \
               "  File \\\"/app/" b ".py\\\", line 2, in g\\nE: x")
#define JS(lines) STACK("TypeError", "TypeError: x is not a function\\n" lines)
#define JAVA(lines) STACK("java.lang.IllegalStateException", "java.lang.IllegalStateException: x\\n" lines)
#define GO(lines) STACK("panic", "goroutine 1 [running]:\\n" lines)
#define RUST(lines) STACK("panic", "stack backtrace:\\n" lines)
#define PHP(lines) STACK("RuntimeException", lines)
#define RUBY(lines) STACK("NoMethodError", lines)
#define NATIVE(lines) STACK("SIGSEGV", lines)

static const struct pair PAIRS[] = {
    /* messages: what varies is no difference */
    {TOGETHER, "integers", MSG("order 17 failed"), MSG("order 90210 failed")},
    {TOGETHER, "negative integers", MSG("balance -5"), MSG("balance 12")},
    {TOGETHER, "floats", MSG("took 1.25 units"), MSG("took 99.1 units")},
    {TOGETHER, "exponents", MSG("value 1e-7 bad"), MSG("value 2.5E+10 bad")},
    {TOGETHER, "uuid", MSG("job 3f2b1c4d-0000-4a4a-8b8b-0123456789ab died"), MSG("job aaaaaaaa-1111-4b4b-9c9c-ba9876543210 died")},
    {TOGETHER, "0x hex", MSG("at 0x7fff12ab"), MSG("at 0xdeadbeef00")},
    {TOGETHER, "bare hex", MSG("commit 9fceb02d0ae5 broke"), MSG("commit 1a410efbd13591db broke")},
    {TOGETHER, "md5", MSG("key d41d8cd98f00b204e9800998ecf8427e"), MSG("key 0cc175b9c0f1b6a831c399e269772661")},
    {TOGETHER, "ISO date", MSG("since 2026-01-02"), MSG("since 2025-12-31")},
    {TOGETHER, "date and time", MSG("at 2026-01-02T03:04:05Z"), MSG("at 2026-05-06 07:08:09.123+03:00")},
    {TOGETHER, "dotted date", MSG("on 02.01.2026"), MSG("on 31.12.2025")},
    {TOGETHER, "slashed date", MSG("on 1/2/2026"), MSG("on 12/31/2025")},
    {TOGETHER, "time alone", MSG("at 03:04:05"), MSG("at 23:59")},
    {TOGETHER, "duration ms", MSG("timeout after 300ms"), MSG("timeout after 1250 ms")},
    {TOGETHER, "duration s", MSG("timed out after 30 seconds"), MSG("timed out after 2.5s")},
    {TOGETHER, "duration in Russian", MSG("ждали 30 сек"), MSG("ждали 5 сек")},
    {TOGETHER, "IPv4", MSG("no route to 10.0.0.1"), MSG("no route to 192.168.10.250")},
    {TOGETHER, "IPv4 and port", MSG("refused by 10.0.0.1:5432"), MSG("refused by 10.0.0.7:6432")},
    {TOGETHER, "IPv6", MSG("no route to fe80::1ff:fe23:4567:890a"), MSG("no route to 2001:db8::7")},
    {TOGETHER, "url", MSG("GET https://a.example/x?id=1 failed"), MSG("GET https://b.example/y/z failed")},
    {TOGETHER, "dsn url", MSG("can't reach redis://h:6379/0"), MSG("can't reach redis://other/1")},
    {TOGETHER, "email", MSG("mail to ann@example.org bounced"), MSG("mail to bob.x+1@mail.example bounced")},
    {TOGETHER, "single quotes", MSG("no such key 'user_17'"), MSG("no such key 'chat'")},
    {TOGETHER, "double quotes", MSG("bad value \\\"abc\\\" given"), MSG("bad value \\\"a b c\\\" given")},
    {TOGETHER, "guillemets", MSG("нет ключа «имя»"), MSG("нет ключа «фамилия»")},
    {TOGETHER, "backticks", MSG("column `a` is null"), MSG("column `bcd` is null")},
    {TOGETHER, "id behind underscore", MSG("chunk_17 lost"), MSG("chunk_4 lost")},
    {TOGETHER, "long id behind letters", MSG("worker12345 died"), MSG("worker98765 died")},
    {TOGETHER, "number sign", MSG("заказ №123 не оплачен"), MSG("заказ №7 не оплачен")},
    {TOGETHER, "arrow", MSG("tick→12 lost"), MSG("tick→900 lost")},
    {TOGETHER, "compound durations", MSG("took 1h30m"), MSG("took 2m30.5s")},
    {TOGETHER, "short commits", MSG("commit 3f78685 broke"), MSG("commit a1b2c3d broke")},
    {TOGETHER, "ulid", MSG("job 01ARZ3NDEKTSV4RRFFQ69G5FAV died"), MSG("job 01BX5ZZKBKACTAV9WEVGEMMVRZ died")},
    {TOGETHER, "several at once", MSG("user 5 from 10.1.1.1 took 3s"), MSG("user 77 from 10.9.9.9 took 44s")},
    {TOGETHER, "third line and on", MSG("head\\nsecond\\nthird"), MSG("head\\nsecond\\nother")},
    {TOGETHER, "environment", "{\"message\":\"x\",\"environment\":\"prod\"}", "{\"message\":\"x\",\"environment\":\"dev\"}"},
    {TOGETHER, "release", "{\"message\":\"x\",\"release\":\"1\"}", "{\"message\":\"x\",\"release\":\"2\"}"},
    {TOGETHER, "severity", "{\"message\":\"x\",\"severity\":\"critical\"}", "{\"message\":\"x\",\"severity\":\"info\"}"},
    {TOGETHER, "user and chat", "{\"message\":\"x\",\"user_id\":1}", "{\"message\":\"x\",\"chat_id\":2}"},
    {TOGETHER, "payload", "{\"message\":\"x\",\"payload\":{\"a\":1}}", "{\"message\":\"x\",\"tags\":{\"a\":2}}"},
    /* messages: what is said is one */
    {APART, "other words", MSG("order failed"), MSG("payment failed")},
    {APART, "origin", "{\"message\":\"x\",\"origin\":\"celery\"}", "{\"message\":\"x\",\"origin\":\"django\"}"},
    {APART, "handler", "{\"message\":\"x\",\"handler\":\"a\"}", "{\"message\":\"x\",\"handler\":\"b\"}"},
    {APART, "exception type", "{\"exception\":{\"type\":\"A\",\"value\":\"x\"}}", "{\"exception\":{\"type\":\"B\",\"value\":\"x\"}}"},
    {APART, "apostrophes are no quotes", MSG("can't open the door, won't try"), MSG("can't close the door, won't try")},
    {APART, "short numbers in words", MSG("http2 failed"), MSG("http3 failed")},
    {APART, "second line", MSG("head\\nalpha"), MSG("head\\nbeta")},
    {APART, "words of hex letters", MSG("deadbeef cafe"), MSG("facade cafe")},
    {APART, "a version is not an address", MSG("needs v2 of the api"), MSG("needs v3 of the api")},
    /* explicit fingerprints */
    {TOGETHER, "fingerprint alone", "{\"message\":\"a\",\"fingerprint\":[\"k\"]}", "{\"message\":\"b\",\"origin\":\"z\",\"fingerprint\":[\"k\"]}"},
    {APART, "fingerprint differs", "{\"message\":\"a\",\"fingerprint\":[\"k\"]}", "{\"message\":\"a\",\"fingerprint\":[\"l\"]}"},
    {APART, "default expanded", "{\"message\":\"a\",\"fingerprint\":[\"{{ default }}\",\"k\"]}", "{\"message\":\"b\",\"fingerprint\":[\"{{ default }}\",\"k\"]}"},
    {TOGETHER, "default without blanks", "{\"message\":\"a\",\"fingerprint\":[\"{{default}}\",\"k\"]}", "{\"message\":\"a\",\"fingerprint\":[\"{{ default }}\",\"k\"]}"},
    {TOGETHER, "only default is default", "{\"message\":\"a\",\"fingerprint\":[\"{{ default }}\"]}", MSG("a")},
    {APART, "parts are kept apart", "{\"message\":\"a\",\"fingerprint\":[\"ab\",\"c\"]}", "{\"message\":\"a\",\"fingerprint\":[\"a\",\"bc\"]}"},
    /* Python */
    {TOGETHER, "python line", PY("/app/bot.py", "10", "start", "a"), PY("/app/bot.py", "99", "start", "b")},
    {TOGETHER, "python deploy path", PY("/srv/v1/bot.py", "1", "f", "a"), PY("/srv/v2/bot.py", "1", "f", "a")},
    {TOGETHER, "python value", PY("/app/b.py", "1", "f", "user 5"), PY("/app/b.py", "1", "f", "nothing alike")},
    {TOGETHER, "python windows path", PY("C:\\\\\\\\app\\\\\\\\bot.py", "1", "f", "a"), PY("/app/bot.py", "1", "f", "a")},
    {APART, "python function", PY("/app/b.py", "1", "f", "a"), PY("/app/b.py", "1", "g", "a")},
    {APART, "python file", PY("/app/b.py", "1", "f", "a"), PY("/app/c.py", "1", "f", "a")},
    {APART, "python caller", PY2("a", "x"), PY2("b", "x")},
    {APART, "python type", PY("/app/b.py", "1", "f", "a"), STACK("KeyError", "Traceback (most recent call last):\\n  File \\\"/app/b.py\\\", line 1, in f\\nKeyError: a")},
    {TOGETHER, "python library below", PY("/app/b.py", "1", "f", "a"), STACK("ValueError", "Traceback (most recent call last):\\n  File \\\"/app/b.py\\\", line 1, in f\\n  File \\\"/usr/lib/python3/site-packages/lib/z.py\\\", line 7, in deep\\nValueError: a")},
    {TOGETHER, "python chained: the last counts", PY("/app/b.py", "1", "f", "a"), STACK("ValueError", "Traceback (most recent call last):\\n  File \\\"/app/z.py\\\", line 1, in zz\\nKeyError: 1\\n\\nDuring handling of the above exception, another exception occurred:\\n\\nTraceback (most recent call last):\\n  File \\\"/app/b.py\\\", line 1, in f\\nValueError: a")},
    {TOGETHER, "python message of several lines, type from the text", STACK_ONLY("Traceback (most recent call last):\\n  File \\\"/app/b.py\\\", line 1, in f\\nValueError: bad:\\n8f3a\\nchat42"), STACK_ONLY("Traceback (most recent call last):\\n  File \\\"/app/b.py\\\", line 1, in f\\nValueError: bad:\\n1c2d\\nchat43")},
    {APART, "python types from the text", STACK_ONLY("Traceback (most recent call last):\\n  File \\\"/app/b.py\\\", line 1, in f\\nValueError: x"), STACK_ONLY("Traceback (most recent call last):\\n  File \\\"/app/b.py\\\", line 1, in f\\nKeyError: x")},
    {TOGETHER, "python recursion", PY2("r", "s"), STACK("E", "Traceback (most recent call last):\\n  File \\\"/app/r.py\\\", line 1, in f\\n  File \\\"/app/r.py\\\", line 1, in f\\n  File \\\"/app/r.py\\\", line 1, in f\\n  File \\\"/app/s.py\\\", line 2, in g\\nE: x")},
    /* JavaScript */
    {TOGETHER, "js position", JS("    at pay (/app/pay.js:1:2)\\n    at run (/app/run.js:5:6)"), JS("    at pay (/app/pay.js:10:20)\\n    at run (/app/run.js:50:60)")},
    {TOGETHER, "js content hash", JS("    at pay (https://x/main-8f3e2c1d.js:1:2)"), JS("    at pay (https://x/main-0a1b2c3d.js:9:9)")},
    {TOGETHER, "js bundler hash", JS("    at pay (https://x/index-Bx3kQ9aZ.js:1:2)"), JS("    at pay (https://x/index-Qq7RtY1m.js:9:9)")},
    {TOGETHER, "js folder in brackets", JS("    at async f (/app/(group)/page.js:10:5)"), JS("    at async f (/app/(group)/page.js:99:5)")},
    {TOGETHER, "js async and new", JS("    at async pay (/app/pay.js:1:2)"), JS("    at pay (/app/pay.js:1:2)")},
    {TOGETHER, "js library frames", JS("    at q (/app/node_modules/pg/q.js:1:2)\\n    at pay (/app/pay.js:1:2)"), JS("    at r (/app/node_modules/pg/r.js:1:2)\\n    at pay (/app/pay.js:1:2)")},
    {TOGETHER, "js node internals", JS("    at pay (/app/pay.js:1:2)\\n    at node:internal/main:1:1"), JS("    at pay (/app/pay.js:1:2)")},
    {TOGETHER, "firefox form", JS("pay@https://x/pay.js:1:2"), JS("pay@https://x/pay.js:77:8")},
    {APART, "js function", JS("    at pay (/app/pay.js:1:2)"), JS("    at refund (/app/pay.js:1:2)")},
    {APART, "js file", JS("    at pay (/app/pay.js:1:2)"), JS("    at pay (/app/shop.js:1:2)")},
    /* Java */
    {TOGETHER, "java line", JAVA("\\tat com.x.Bot.run(Bot.java:10)"), JAVA("\\tat com.x.Bot.run(Bot.java:99)")},
    {TOGETHER, "java lambda number", JAVA("\\tat com.x.Bot.lambda$run$0(Bot.java:10)"), JAVA("\\tat com.x.Bot.lambda$run$17(Bot.java:10)")},
    {TOGETHER, "java lambda address", JAVA("\\tat com.x.Bot$$Lambda$14/0x0000000800c03000.run(Unknown Source)\\n\\tat com.x.Bot.run(Bot.java:1)"), JAVA("\\tat com.x.Bot$$Lambda$99/0x0000000800ffffff.run(Unknown Source)\\n\\tat com.x.Bot.run(Bot.java:1)")},
    {APART, "java types from the text of any thread", STACK_ONLY("Exception in thread \\\"worker-3\\\" java.lang.IllegalStateException: x\\n\\tat com.x.Bot.run(Bot.java:1)"), STACK_ONLY("Exception in thread \\\"worker-4\\\" java.lang.NullPointerException: x\\n\\tat com.x.Bot.run(Bot.java:1)")},
    {TOGETHER, "java enhancer", JAVA("\\tat com.x.Bot$$EnhancerBySpringCGLIB$$1a2b.run(<generated>)\\n\\tat com.x.Bot.run(Bot.java:1)"), JAVA("\\tat com.x.Bot$$EnhancerBySpringCGLIB$$9f9f.run(<generated>)\\n\\tat com.x.Bot.run(Bot.java:1)")},
    {TOGETHER, "java library", JAVA("\\tat java.util.List.get(List.java:1)\\n\\tat com.x.Bot.run(Bot.java:10)"), JAVA("\\tat org.springframework.X.y(X.java:1)\\n\\tat com.x.Bot.run(Bot.java:10)")},
    {APART, "java method", JAVA("\\tat com.x.Bot.run(Bot.java:10)"), JAVA("\\tat com.x.Bot.stop(Bot.java:10)")},
    {APART, "java class", JAVA("\\tat com.x.Bot.run(Bot.java:10)"), JAVA("\\tat com.y.Bot.run(Bot.java:10)")},
    /* Go */
    {TOGETHER, "go addresses", GO("main.(*Bot).handle(0xc000010000, 0x1)\\n\\t/app/bot.go:12 +0x1d\\n"), GO("main.(*Bot).handle(0xc000ffffff, 0x2)\\n\\t/app/bot.go:40 +0x99\\n")},
    {TOGETHER, "go runtime", GO("panic({0x1, 0x2})\\n\\t/usr/local/go/src/runtime/panic.go:884 +0x1\\nmain.run()\\n\\t/app/bot.go:1 +0x1\\n"), GO("main.run()\\n\\t/app/bot.go:1 +0x1\\n")},
    {TOGETHER, "go closure", GO("main.run.func1()\\n\\t/app/bot.go:1 +0x1\\n"), GO("main.run.func2()\\n\\t/app/bot.go:9 +0x1\\n")},
    {APART, "go function", GO("main.run()\\n\\t/app/bot.go:1 +0x1\\n"), GO("main.stop()\\n\\t/app/bot.go:1 +0x1\\n")},
    /* Rust */
    {TOGETHER, "rust hash", RUST("   0: std::panicking::begin\\n   1: bot::handle::h0123456789abcdef\\n             at src/bot.rs:12:5\\n"), RUST("   0: std::panicking::begin\\n   1: bot::handle::hfedcba9876543210\\n             at src/bot.rs:90:5\\n")},
    {APART, "rust functions with positions", RUST("   0: bot::a\\n             at ./src/x.rs:1:1\\n   1: bot::m\\n             at ./src/x.rs:2:1\\n   2: bot::n\\n             at ./src/x.rs:3:1\\n"), RUST("   0: bot::z\\n             at ./src/x.rs:1:1\\n   1: bot::m\\n             at ./src/x.rs:2:1\\n   2: bot::n\\n             at ./src/x.rs:3:1\\n")},
    {TOGETHER, "rust closure", RUST("   1: bot::handle::{{closure}}\\n"), RUST("   1: bot::handle\\n")},
    {APART, "rust function", RUST("   1: bot::handle\\n"), RUST("   1: bot::other\\n")},
    /* PHP */
    {TOGETHER, "php arguments", PHP("#0 /app/src/Bot.php(12): App\\\\Bot->handle(1)\\n#1 {main}"), PHP("#0 /app/src/Bot.php(99): App\\\\Bot->handle(Object(X))\\n#1 {main}")},
    {TOGETHER, "php vendor", PHP("#0 /app/vendor/a/b.php(1): x()\\n#1 /app/src/Bot.php(12): App\\\\Bot->handle()"), PHP("#0 /app/vendor/c/d.php(1): y()\\n#1 /app/src/Bot.php(12): App\\\\Bot->handle()")},
    {APART, "php method", PHP("#0 /app/src/Bot.php(12): App\\\\Bot->handle()"), PHP("#0 /app/src/Bot.php(12): App\\\\Bot->other()")},
    /* Ruby */
    {TOGETHER, "ruby block", RUBY("/app/bot.rb:12:in `block in handle'"), RUBY("/app/bot.rb:40:in `block (2 levels) in handle'")},
    {TOGETHER, "ruby gems", RUBY("/usr/lib/ruby/gems/3.1/gems/x/y.rb:1:in `z'\\nfrom /app/bot.rb:12:in `handle'"), RUBY("/app/bot.rb:13:in `handle'")},
    {APART, "ruby types from the text", STACK_ONLY("/app/bot.rb:1:in `f': boom (RuntimeError)\\nfrom /app/main.rb:2:in `g'"), STACK_ONLY("/app/bot.rb:1:in `f': boom (ArgumentError)\\nfrom /app/main.rb:2:in `g'")},
    {APART, "ruby method", RUBY("/app/bot.rb:12:in `handle'"), RUBY("/app/bot.rb:12:in `other'")},
    /* native */
    {TOGETHER, "gdb addresses", NATIVE("#0  0x00007f1 in handle (x=1) at src/bot.c:12\\n#1  0x7f2 in main () at src/bot.c:90"), NATIVE("#0  0x00001a2 in handle (x=77) at src/bot.c:40\\n#1  0x9 in main () at src/bot.c:91")},
    {TOGETHER, "glibc offsets", NATIVE("./bot(handle+0x1d) [0x5581]\\n./bot(main+0x2) [0x5582]"), NATIVE("./bot(handle+0xff) [0x1111]\\n./bot(main+0x9) [0x2222]")},
    {APART, "native function", NATIVE("#0  0x1 in handle (x=1) at bot.c:1"), NATIVE("#0  0x1 in other (x=1) at bot.c:1")},
    {TOGETHER, "a stack nobody can read falls back to the value", STACK("T", "strange 1"), STACK("T", "different 2")},
};

static void fingerprint(const char *json, char out[FINGERPRINT_BYTES])
{
    struct err err = {0};
    struct native_batch batch;
    struct arena *arena = arena_new(16 << 20);
    struct scrub *scrub = scrub_new(NULL, NULL, &err);
    struct native_config config = {scrub, 1, 1700000000000};
    bool ok = native_read(json, strlen(json), &config, arena, &batch, &err);
    scrub_free(scrub);
    if (!ok)
        fail_msg("%s: %s", err.text, json);
    assert_int_equal(batch.count, 1);
    memcpy(out, batch.events[0].fingerprint, FINGERPRINT_BYTES);
    arena_free(arena);
}

static void check_pair(void **state)
{
    const struct pair *pair = *state;
    char a[FINGERPRINT_BYTES];
    char b[FINGERPRINT_BYTES];
    fingerprint(pair->a, a);
    fingerprint(pair->b, b);
    assert_int_equal(strcmp(a, b) == 0 ? TOGETHER : APART, pair->want);
}

static const char *name_of_pair(const void *row)
{
    return ((const struct pair *)row)->why;
}

int main(void)
{
    assert_true(sizeof PAIRS / sizeof *PAIRS >= 80);
    return ROWS_RUN("grouping", PAIRS, check_pair, name_of_pair);
}
