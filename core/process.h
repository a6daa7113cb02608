/* process.h -- what the operating system says of this process, for /metrics. */
#ifndef NABAT_CORE_PROCESS_H
#define NABAT_CORE_PROCESS_H

#include "core/buf.h"

/* Names as Prometheus' client libraries have them, behind nabat_. What can't be read is left out. */
void process_write(struct buf *out);

#endif
