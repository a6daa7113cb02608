/* console.c -- a chat on the terminal: text, then buttons as [1] Take  [2] Resolve. */
#include "bot/console.h"

#include "alerts/card.h"
#include "alerts/html.h"
#include "core/clock.h"
#include "core/limits.h"
#include "core/mem.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PENDING_MAX = 64 };

/* An outcome that is told from the loop: `done` never runs before its starter returns. */
struct pending {
    chat_done_fn *done;
    void *ctx;
    int64_t message_id;
};

struct console {
    struct chat chat; /* first: a chat is one of these */
    struct ev_loop *loop;
    ev_io input;
    ev_timer deliver;
    struct buf line;
    struct pending pending[PENDING_MAX];
    size_t pending_count;
    int64_t last_id;
    struct chat_keyboard keyboard; /* of the newest message that has one */
    int64_t keyboard_message;
    int64_t asked_message; /* waits for a reply; 0: none does */
    void (*typed)(void *ctx, struct update *update);
    void *ctx;
};

static void deliver(struct console *c, int64_t message_id, chat_done_fn *done, void *ctx)
{
    if (!done || c->pending_count == PENDING_MAX)
        return;
    c->pending[c->pending_count++] = (struct pending){done, ctx, message_id};
    if (!ev_is_active(&c->deliver)) {
        ev_timer_set(&c->deliver, 0, 0);
        ev_timer_start(c->loop, &c->deliver);
    }
}

static void on_deliver(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)loop;
    (void)events;
    struct console *c = timer->data;
    struct pending list[PENDING_MAX] = {0};
    size_t count = c->pending_count;
    memcpy(list, c->pending, count * sizeof *list);
    c->pending_count = 0;
    for (size_t i = 0; i < count; i++) {
        struct chat_result result = {
            .outcome = TG_OK, .message_id = list[i].message_id, .chat_id = CONSOLE_CHAT_ID};
        list[i].done(list[i].ctx, &result);
    }
}

/* Control sequences in an error's text must not drive the terminal. */
static void print(const char *text)
{
    for (const char *p = text; *p; p++)
        if ((unsigned char)*p >= 0x20 || *p == '\n' || *p == '\t')
            putchar(*p);
}

static void print_keyboard(const struct chat_keyboard *keyboard)
{
    for (size_t i = 0; i < keyboard->count; i++) {
        const struct chat_button *b = &keyboard->buttons[i];
        printf("%s[%zu] %s", i ? "  " : "", i + 1, b->text);
        if (b->url[0])
            printf(" <%s>", b->url);
    }
    putchar('\n');
}

static void console_send(struct chat *chat, const struct chat_message *m, chat_done_fn *done,
                         void *ctx)
{
    struct console *c = (struct console *)chat;
    struct buf plain;
    buf_init(&plain, TG_TEXT_BYTES_MAX);
    html_to_plain(m->html, &plain);
    puts("────────────────────────────────────────");
    print(buf_text(&plain));
    putchar('\n');
    c->last_id++;
    if (m->keyboard && m->keyboard->count) {
        c->keyboard = *m->keyboard;
        c->keyboard_message = c->last_id;
        print_keyboard(m->keyboard);
    }
    /* what is typed next answers this, as Telegram's own reply box would */
    c->asked_message = m->wants_reply ? c->last_id : 0;
    fflush(stdout);
    buf_fini(&plain);
    deliver(c, c->last_id, done, ctx);
}

/* Of an edit only what changes: the head, the count and the state. */
static bool is_news(const char *line)
{
    static const char *const MARKS[] = {"🔁", "👀",      "✅",    "🔓",    "🔕",
                                        "📝", "⤵️", "👤 As", "👤 По", "🔗"};
    for (size_t i = 0; i < sizeof MARKS / sizeof *MARKS; i++)
        if (strncmp(line, MARKS[i], strlen(MARKS[i])) == 0)
            return true;
    return false;
}

static void console_edit(struct chat *chat, const struct chat_message *m, chat_done_fn *done,
                         void *ctx)
{
    struct console *c = (struct console *)chat;
    struct buf plain;
    buf_init(&plain, TG_TEXT_BYTES_MAX);
    html_to_plain(m->html, &plain);
    char *save = NULL;
    printf("✏️ ");
    char *text = plain.data;
    bool is_card = card_group_of_text(buf_text(&plain)) != 0;
    bool first = true;
    for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
        if (is_card && !first && !is_news(line))
            continue;
        print(first ? "" : "   ");
        print(line);
        putchar('\n');
        first = false;
    }
    if (m->keyboard && m->keyboard->count && m->message_id == c->keyboard_message) {
        c->keyboard = *m->keyboard;
        print_keyboard(m->keyboard);
    }
    fflush(stdout);
    buf_fini(&plain);
    deliver(c, m->message_id, done, ctx);
}

static void console_document(struct chat *chat, const struct chat_message *m, const char *file_name,
                             const char *data, size_t len, chat_done_fn *done, void *ctx)
{
    struct console *c = (struct console *)chat;
    (void)m;
    (void)len;
    printf("──────────────── %s\n", file_name);
    print(data);
    putchar('\n');
    fflush(stdout);
    deliver(c, ++c->last_id, done, ctx);
}

/* A terminal shows no pictures: what it says is under it. */
static void console_photo(struct chat *chat, const struct chat_message *m, const char *data,
                          size_t len, chat_done_fn *done, void *ctx)
{
    (void)data;
    (void)len;
    if (m->html && *m->html)
        console_send(chat, m, done, ctx);
    else
        deliver((struct console *)chat, ++((struct console *)chat)->last_id, done, ctx);
}

static void console_answer(struct chat *chat, const char *press_id, const char *text)
{
    (void)chat;
    (void)press_id;
    if (!*text)
        return;
    printf("» %s\n", text);
    fflush(stdout);
}

static void console_edit_keyboard(struct chat *chat, int64_t chat_id, int64_t message_id,
                                  const struct chat_keyboard *keyboard)
{
    struct console *c = (struct console *)chat;
    (void)chat_id;
    if (message_id != c->keyboard_message)
        return;
    c->keyboard = *keyboard;
    print_keyboard(keyboard);
    fflush(stdout);
}

static void console_react(struct chat *chat, int64_t chat_id, int64_t message_id, const char *emoji,
                          chat_done_fn *done, void *ctx)
{
    struct console *c = (struct console *)chat;
    (void)chat_id;
    printf("» %s\n", emoji);
    fflush(stdout);
    deliver(c, message_id, done, ctx);
}

/* A terminal has no topics: the alert goes to the chat itself. */
static void console_make_topic(struct chat *chat, int64_t chat_id, const char *name,
                               chat_done_fn *done, void *ctx)
{
    (void)chat_id;
    (void)name;
    deliver((struct console *)chat, 0, done, ctx);
}

static void take_line(struct console *c, char *line)
{
    size_t len = strlen(line);
    while (len > 0 && isspace((unsigned char)line[len - 1]))
        line[--len] = '\0';
    line += strspn(line, " \t");
    if (!*line)
        return;
    struct update u = {.kind = UPDATE_MESSAGE,
                       .chat_id = CONSOLE_CHAT_ID,
                       .is_private = true,
                       .message_id = ++c->last_id,
                       .from_id = CONSOLE_USER_ID};
    const char *user = getenv("USER");
    const char *lang = getenv("LANG");
    char *end = NULL;
    unsigned long button = strtoul(line, &end, 10);
    bool is_number = isdigit((unsigned char)*line) && *end == '\0';
    if (is_number &&
        (button == 0 || button > c->keyboard.count || !c->keyboard.buttons[button - 1].data[0])) {
        puts("» There is no such button; /help shows what can be asked.");
        fflush(stdout);
        return;
    }
    u.from_name = mem_str_dup(user && *user ? user : "console");
    u.language_code = mem_str_dup(lang && strncmp(lang, "ru", 2) == 0 ? "ru" : "en");
    if (is_number) {
        u.kind = UPDATE_PRESS;
        u.message_id = c->keyboard_message;
        u.press_id = mem_str_dup("console");
        u.press_data = mem_str_dup(c->keyboard.buttons[button - 1].data);
    } else {
        u.text = mem_str_dup(line);
        u.reply_to = c->asked_message;
        c->asked_message = 0;
    }
    c->typed(c->ctx, &u);
}

static void on_input(struct ev_loop *loop, ev_io *w, int events)
{
    (void)events;
    struct console *c = w->data;
    char bytes[1024];
    ssize_t n = read(STDIN_FILENO, bytes, sizeof bytes);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0) { /* closed: from now on it only prints */
        ev_io_stop(loop, &c->input);
        return;
    }
    for (ssize_t i = 0; i < n; i++) {
        if (bytes[i] != '\n') {
            buf_add_char(&c->line, bytes[i]);
            continue;
        }
        char *line = buf_take(&c->line);
        take_line(c, line);
        free(line);
    }
}

struct console *console_new(struct ev_loop *loop, void (*typed)(void *ctx, struct update *update),
                            void *ctx)
{
    struct console *c = mem_alloc(sizeof *c);
    c->loop = loop;
    c->typed = typed;
    c->ctx = ctx;
    c->chat =
        (struct chat){console_send,   console_edit,          console_document, console_photo,
                      console_answer, console_edit_keyboard, console_react,    console_make_topic};
    /* ids grow over restarts, so that an old card is never taken for a new one */
    c->last_id = clock_wall_ms();
    buf_init(&c->line, CHAT_INPUT_BYTES_MAX);
    ev_init(&c->deliver, on_deliver);
    ev_io_init(&c->input, on_input, STDIN_FILENO, EV_READ);
    c->deliver.data = c->input.data = c;
    int flags = fcntl(STDIN_FILENO, F_GETFL);
    /* a regular file can't be waited for by epoll, and /dev/null says nothing */
    bool usable = typed && flags >= 0 && lseek(STDIN_FILENO, 0, SEEK_CUR) < 0;
    if (usable)
        ev_io_start(loop, &c->input);
    return c;
}

void console_free(struct console *c)
{
    if (!c)
        return;
    ev_io_stop(c->loop, &c->input);
    ev_timer_stop(c->loop, &c->deliver);
    buf_fini(&c->line);
    free(c);
}

struct chat *console_chat(struct console *c)
{
    return &c->chat;
}
