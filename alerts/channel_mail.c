/* channel_mail.c -- an alert as a mail: plain text and the same in HTML.
 *
 * Text travels as base64 (RFC 2045) and the subject as encoded words (RFC 2047), so that no line of an
 * event can become a header. Mails about one group hang together by References (RFC 5322). */
#include "alerts/channel.h"

#include "alerts/html.h"
#include "core/clock.h"
#include "core/limits.h"
#include "core/utf8.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { BASE64_LINE_BYTES = 57, WORD_BYTES = 39 }; /* 76 characters a line; an encoded word has 75 */

static void add_base64(struct buf *out, const char *data, size_t len)
{
    static const char DIGITS[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < len; i += 3) {
        unsigned v = (unsigned)(unsigned char)data[i] << 16;
        v |= i + 1 < len ? (unsigned)(unsigned char)data[i + 1] << 8 : 0;
        v |= i + 2 < len ? (unsigned char)data[i + 2] : 0;
        char four[4] = {DIGITS[v >> 18], DIGITS[v >> 12 & 63], '=', '='};
        if (i + 1 < len)
            four[2] = DIGITS[v >> 6 & 63];
        if (i + 2 < len)
            four[3] = DIGITS[v & 63];
        buf_add(out, four, 4);
    }
}

static void add_part(struct buf *out, const char *type, const struct buf *text, const char *border)
{
    buf_addf(out,
             "--%s\r\nContent-Type: %s; charset=utf-8\r\n"
             "Content-Transfer-Encoding: base64\r\n\r\n",
             border, type);
    for (size_t at = 0; at < text->len; at += BASE64_LINE_BYTES) {
        size_t n = text->len - at < BASE64_LINE_BYTES ? text->len - at : BASE64_LINE_BYTES;
        add_base64(out, buf_text(text) + at, n);
        buf_add_str(out, "\r\n");
    }
}

static void add_subject(struct buf *out, const struct buf *subject)
{
    const char *at = buf_text(subject);
    size_t left = subject->len;
    buf_add_str(out, "Subject:");
    while (left > 0) {
        size_t n = left > WORD_BYTES ? utf8_cut(at, left, WORD_BYTES) : left;
        buf_add_str(out, " =?utf-8?B?");
        add_base64(out, at, n);
        buf_add_str(out, "?=\r\n");
        at += n;
        left -= n;
    }
}

/* The chat's HTML for a mail reader: lines break, and the tags that only Telegram knows go. */
static void add_html(const struct channel_alert *a, struct buf *out)
{
    struct buf html;
    buf_init(&html, TG_TEXT_BYTES_MAX);
    channel_html(a, &html);
    buf_add_str(out, "<!DOCTYPE html><html><body style=\"font-family:sans-serif\">");
    for (const char *p = buf_text(&html); *p; p++) {
        if (strncmp(p, "<blockquote expandable>", 23) == 0) {
            buf_add_str(out, "<blockquote style=\"font-family:monospace\">");
            p += 22;
        } else if (*p == '\n') {
            buf_add_str(out, "<br>\n");
        } else {
            buf_add_char(out, *p);
        }
    }
    buf_add_str(out, "</body></html>\n");
    buf_fini(&html);
}

/* "Mon, 21 Sep 2026 13:33:20 +0000", without the process's locale. */
static void add_date(struct buf *out, int64_t ms)
{
    static const char *const DAYS[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static const char *const MONTHS[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    time_t s = (time_t)(ms / 1000);
    struct tm tm;
    gmtime_r(&s, &tm);
    buf_addf(out, "Date: %s, %d %s %d %02d:%02d:%02d +0000\r\n", DAYS[tm.tm_wday], tm.tm_mday,
             MONTHS[tm.tm_mon], tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

/* What people wrote into the table goes onto one line. */
static void add_address(struct buf *out, const char *name, const char *value)
{
    buf_addf(out, "%s: ", name);
    for (; *value; value++)
        buf_add_char(out, (unsigned char)*value < ' ' ? ' ' : *value);
    buf_add_str(out, "\r\n");
}

bool channel_mail(const struct channel *c, const struct channel_alert *a, struct channel_request *r)
{
    static const char BORDER[] = "nabat-border-7c1e";
    struct buf text;
    r->is_mail = true;
    snprintf(r->url, sizeof r->url, "%s", c->url);
    buf_init(&text, CHANNEL_BODY_BYTES_MAX / 4);
    add_date(&r->body, a->now_ms);
    add_address(&r->body, "From", c->sender);
    add_address(&r->body, "To", c->recipients);
    channel_title(a, &text);
    add_subject(&r->body, &text);
    buf_addf(&r->body, "Message-ID: <nabat-%d-%" PRId64 "@nabat>\r\n", (int)a->what,
             a->delivery_id);
    if (a->card)
        buf_addf(&r->body, "References: <nabat-group-%" PRId64 "@nabat>\r\n", a->card->group->id);
    buf_addf(&r->body,
             "Auto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n"
             "Content-Type: multipart/alternative; boundary=\"%s\"\r\n\r\n",
             BORDER);
    buf_clear(&text);
    channel_plain(a, &text);
    add_part(&r->body, "text/plain", &text, BORDER);
    buf_clear(&text);
    add_html(a, &text);
    add_part(&r->body, "text/html", &text, BORDER);
    buf_addf(&r->body, "--%s--\r\n", BORDER);
    buf_fini(&text);
    return !r->body.full;
}
