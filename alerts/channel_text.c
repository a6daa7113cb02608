/* channel_text.c -- an alert as a line, as HTML, as plain text. */
#include "alerts/channel.h"

#include "alerts/html.h"
#include "core/limits.h"
#include "core/utf8.h"

#include <inttypes.h>
#include <string.h>

enum { TITLE_BYTES = 200 };

static const char *const FALLBACK_TEXT[LANGUAGES] = {
    "The Telegram chat can't be reached, so this came here.",
    "Чат в Telegram недоступен, поэтому сообщение пришло сюда.",
};
static const char *const TEST_TEXT[LANGUAGES] = {"This is a test of Nabat's channel.",
                                                 "Это проверка канала «Набата»."};
static const char *const STATUS_TEXT[LANGUAGES][STATUSES] = {
    {"Reopened", "Taken", "Resolved"},
    {"Открыта заново", "Взята в работу", "Решена"},
};

enum severity channel_severity(const struct channel_alert *a)
{
    enum severity worst = SEV_INFO;
    if (a->what == CHANNEL_RING || a->what == CHANNEL_STATUS)
        return a->card->group->severity;
    for (size_t i = 0; a->what == CHANNEL_DIGEST && i < a->digest->count; i++)
        if (a->digest->groups[i].severity > worst)
            worst = a->digest->groups[i].severity;
    return worst;
}

static void add_line(struct buf *out, const char *text)
{
    size_t len = utf8_cut(text, strlen(text), TITLE_BYTES);
    for (size_t i = 0; i < len; i++)
        buf_add_char(out, (unsigned char)text[i] < ' ' ? ' ' : text[i]);
}

void channel_title(const struct channel_alert *a, struct buf *out)
{
    enum language l = a->look->language;
    if (a->what == CHANNEL_TEST) {
        buf_add_str(out, TEST_TEXT[l]);
    } else if (a->what == CHANNEL_DIGEST) {
        char errors[WORDS_COUNT_BYTES];
        words_count(l, COUNT_ERRORS, a->digest->digest->groups, errors);
        buf_addf(out, "Nabat: %s", errors);
    } else if (a->what == CHANNEL_NOTE) {
        buf_add_str(out, "Nabat");
    } else {
        const struct group *g = a->card->group;
        if (a->what == CHANNEL_STATUS)
            buf_addf(out, "%s: ", STATUS_TEXT[l][g->status]);
        else
            buf_addf(out, "%s: ", word(l, (enum word)(WORD_DEBUG + (int)g->severity)));
        add_line(out, g->title);
        buf_addf(out, " (#%" PRId64 ")", g->id);
    }
}

void channel_html(const struct channel_alert *a, struct buf *out)
{
    struct chat_keyboard keyboard;
    enum language l = a->look->language;
    if (a->is_fallback)
        buf_addf(out, "📮 <i>%s</i>\n\n", FALLBACK_TEXT[l]);
    if (a->what == CHANNEL_TEST)
        buf_add_str(out, TEST_TEXT[l]);
    else if (a->what == CHANNEL_NOTE)
        buf_add_str(out, a->note_html);
    else if (a->what == CHANNEL_DIGEST)
        digest_render(a->digest, out, &keyboard);
    else
        card_render(a->card, out, &keyboard);
}

void channel_plain(const struct channel_alert *a, struct buf *out)
{
    struct buf html;
    buf_init(&html, TG_TEXT_BYTES_MAX);
    channel_html(a, &html);
    html_to_plain(buf_text(&html), out);
    buf_fini(&html);
}

enum tg_outcome channel_judge(bool is_mail, const struct http_answer *answer, char *text,
                              size_t size)
{
    int status = is_mail ? answer->reply : answer->status;
    bool came = is_mail ? answer->status > 0 || answer->reply >= 400 : answer->status > 0;
    if (!came) { /* an error text of libcurl names no address */
        snprintf(text, size, "no answer: %s", answer->error);
        return answer->sent ? TG_UNCERTAIN : TG_UNREACHABLE;
    }
    snprintf(text, size, "%d", status);
    if (status >= 200 && (status < 300 || (is_mail && status < 400)))
        return TG_OK;
    if (is_mail) /* RFC 5321: 4xx is for now, 5xx is for good, but a password may be mended */
        return status < 500                     ? TG_UNREACHABLE
               : status >= 530 && status <= 538 ? TG_CHAT_GONE
                                                : TG_REFUSED;
    if (status == 429)
        return TG_TOO_MANY;
    if (status >= 500)
        return TG_UNREACHABLE;
    return status == 401 || status == 403 || status == 404 || status == 410 ? TG_CHAT_GONE
                                                                            : TG_REFUSED;
}
