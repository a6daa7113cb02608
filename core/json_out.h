/* json_out.h -- writing JSON (RFC 8259) into a bounded buffer. */
#ifndef NABAT_CORE_JSON_OUT_H
#define NABAT_CORE_JSON_OUT_H

#include "core/buf.h"

/* Adds `text` quoted and escaped. Text must be UTF-8; control characters become \u00XX. */
bool json_add_str_n(struct buf *out, const char *text, size_t len);
bool json_add_str(struct buf *out, const char *text);

#endif
