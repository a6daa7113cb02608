/* note.h -- words that go under a group's card: what a user said, that a cron job runs again. Pure. */
#ifndef NABAT_ALERTS_NOTE_H
#define NABAT_ALERTS_NOTE_H

#include "alerts/words.h"
#include "core/buf.h"
#include "store/outbox.h"

/* `row->note` is set. At most TG_TEXT_UNITS_MAX visible units. */
void note_render(const struct outbox_row *row, enum language language, struct buf *html);

#endif
