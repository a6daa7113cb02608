/* mem.c -- heap memory that aborts when there is none. */
#include "core/mem.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void mem_give_back(void)
{
    malloc_trim(0);
}

_Noreturn void mem_exhausted(void)
{
    fputs("nabat: out of memory\n", stderr);
    abort();
}

static void *check(void *block)
{
    if (!block)
        mem_exhausted();
    return block;
}

void *mem_alloc(size_t size)
{
    return check(calloc(1, size ? size : 1));
}

void *mem_realloc(void *block, size_t size)
{
    return check(realloc(block, size ? size : 1));
}

char *mem_str_dup_n(const char *text, size_t len)
{
    char *copy = check(malloc(len + 1));
    memcpy(copy, text, len);
    copy[len] = '\0';
    return copy;
}

char *mem_str_dup(const char *text)
{
    return text ? mem_str_dup_n(text, strlen(text)) : NULL;
}
