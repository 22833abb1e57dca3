/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The C library's allocator with one allocation missing, for every caller in the process, the
 * libraries too. glibc exports its own under these names for whoever takes the place of malloc();
 * free() stays its. A sanitizer has taken that place already. */

#include "util/fault.h"

#include <errno.h>
#include <stdlib.h>

#ifndef __SANITIZE_ADDRESS__

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t n, size_t size);
extern void *__libc_realloc(void *old, size_t size);

static void *no_memory(void)
{
        errno = ENOMEM;
        return NULL;
}

void *malloc(size_t size)
{
        return fault_memory() ? no_memory() : __libc_malloc(size);
}

void *calloc(size_t n, size_t size)
{
        return fault_memory() ? no_memory() : __libc_calloc(n, size);
}

void *realloc(void *old, size_t size)
{
        return fault_memory() ? no_memory() : __libc_realloc(old, size);
}

#endif
