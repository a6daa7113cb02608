/* html.h -- Telegram's HTML (Bot API: formatting options): building, and taking it off again.
 *
 * Text is cut before it is marked up, so that no tag and no entity is ever cut in two. */
#ifndef NABAT_ALERTS_HTML_H
#define NABAT_ALERTS_HTML_H

#include "core/buf.h"

/* Escapes < > & and ", drops control characters but newline and tab, and those that turn the writing
 * direction. What is not UTF-8 becomes U+FFFD. */
void html_add(struct buf *out, const char *text, size_t len);
void html_add_str(struct buf *out, const char *text);
/* As html_add, at most `units_max` UTF-16 units, cut at a word or line where one is near; a cut
 * ends in "…". Returns whether it was cut. */
bool html_add_cut(struct buf *out, const char *text, size_t len, size_t units_max);

/* `form` (HTML) with `values` in its places {0} to {3}, escaped and cut to `units_max`; a dash where there is none. */
void html_fill(struct buf *out, const char *form, const char *const *values, size_t count,
               size_t units_max);

/* The visible text of HTML made by this module: tags gone, entities decoded. */
void html_to_plain(const char *html, struct buf *out);
/* UTF-16 units of the visible text. */
size_t html_units(const char *html);

#endif
