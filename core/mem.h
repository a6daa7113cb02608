/* mem.h -- heap memory that never returns NULL: every input is bounded, so running out is a bug. */
#ifndef NABAT_CORE_MEM_H
#define NABAT_CORE_MEM_H

#include <stddef.h>

/* What a rare and large piece of work left unused goes back to the system; takes milliseconds. */
void mem_give_back(void);
/* Says so on stderr and ends the process: what was answered is kept, and a start is cheap. */
_Noreturn void mem_exhausted(void);
void *mem_alloc(size_t size);                /* zeroed; freed by free() */
void *mem_realloc(void *block, size_t size); /* as realloc() */
char *mem_str_dup(const char *text);         /* NULL stays NULL */
char *mem_str_dup_n(const char *text, size_t len);

#endif
