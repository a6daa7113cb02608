/* log.h -- one line an event of life, to stderr, as logfmt or JSON; secrets never pass. */
#ifndef NABAT_CORE_LOG_H
#define NABAT_CORE_LOG_H

#include <stdbool.h>
#include <stdint.h>

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

/* A field is made by LOG_S or LOG_I; a list ends with LOG_END. Text is BORROWED for the call. */
struct log_field {
    const char *key;
    const char *text;
    int64_t number;
};
static inline struct log_field log_text_field(const char *key, const char *text)
{
    return (struct log_field){key, text ? text : "", 0};
}
#define LOG_S(key, text) log_text_field((key), (text))
#define LOG_I(key, number) ((struct log_field){(key), 0, (int64_t)(number)})
#define LOG_END ((struct log_field){0, 0, 0})

/* log_info("database connected", LOG_S("host", host), LOG_I("ms", ms), LOG_END); */
void log_write(enum log_level level, const char *message, ...);
#define log_debug(...) log_write(LOG_DEBUG, __VA_ARGS__)
#define log_info(...) log_write(LOG_INFO, __VA_ARGS__)
#define log_warn(...) log_write(LOG_WARN, __VA_ARGS__)
#define log_error(...) log_write(LOG_ERROR, __VA_ARGS__)

/* A line that says the same for the sixth time within a minute is not printed; "… 214 more" is, when the minute is over: by the next
 * such line, or by this call, which somebody makes every few seconds. */
void log_flush(void);

void log_configure(enum log_level level, bool json);
/* Whatever contains `secret` is printed with [secret] in its place; short ones (< 6) are ignored. */
void log_add_secret(const char *secret);
/* Replaces every registered secret in `text` in place. */
void log_hide_secrets(char *text);

#endif
