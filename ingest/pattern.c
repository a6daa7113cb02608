/* pattern.c -- compiling is the same everywhere; machine code too, where it may be. */
#define PCRE2_CODE_UNIT_WIDTH 8

#include "ingest/pattern.h"

#include "core/mem.h"

#include <stdlib.h>

pcre2_code *pattern_compile(const char *pattern, uint32_t options)
{
    int error = 0;
    PCRE2_SIZE offset = 0;
    pcre2_code *code =
        pcre2_compile((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED, options, &error, &offset, NULL);
    if (!code && error == PCRE2_ERROR_HEAP_FAILED)
        mem_exhausted();
    if (!code)
        abort();
#ifndef NABAT_MEMCHECK /* valgrind can't tell what generated code knows of the bytes that it reads */
    pcre2_jit_compile(code, PCRE2_JIT_COMPLETE); /* where it can't, it is interpreted */
#endif
    return code;
}
