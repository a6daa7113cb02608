/* frames.h -- the text of a stack, cut at the borders of its frames: pure.
 *
 * Knows the forms of Python (innermost frame last) and those that begin with the innermost frame:
 * JavaScript, Java, .NET, Ruby, Go, native. Of an unknown form each line is a frame. */
#ifndef NABAT_ALERTS_FRAMES_H
#define NABAT_ALERTS_FRAMES_H

#include <stdbool.h>
#include <stddef.h>

struct frames {
    const char *at; /* BORROWED from the text */
    size_t len;
    bool is_cut; /* something of the text is not in it */
};

/* The `frames_max` innermost frames with the exception's own lines, whole frames of at most `units_max`
 * UTF-16 units; fewer frames when they are long. */
struct frames frames_top(const char *text, size_t frames_max, size_t units_max);

enum { FRAMES_SOURCE_BYTES = 400 };
/* Where it happened: the innermost frame in one line, "bot/render.py:7 in render". False: not known. */
bool frames_source(const char *text, char out[FRAMES_SOURCE_BYTES]);

#endif
