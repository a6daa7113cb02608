/* press.h -- callback_data taken apart: "name", "name:group", "to:group:person". Pure.
 *
 * Bot API: 1 to 64 bytes, which any client may make up; so nothing in it is more than a claim. */
#ifndef NABAT_BOT_PRESS_H
#define NABAT_BOT_PRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct press {
    const char *name; /* BORROWED from the data, `name_len` bytes */
    size_t name_len;
    const char *arg; /* what follows the first colon; "" */
    int64_t
        group_id; /* exactly digits, and at most a colon and a person behind them; 0: anything else */
    bool has_person;   /* a colon follows the group */
    int64_t person_id; /* -1: none that can be read */
};

/* `data` NULL is "". */
struct press press_parse(const char *data);
bool press_is(const struct press *press, const char *name);

#endif
