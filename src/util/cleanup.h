/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Ownership by attribute: what a function opens is closed when its variable goes out of scope;
 * handing it over is TAKE_PTR() or TAKE_FD(). Destructors accept NULL and half-built objects. */

#include <dirent.h>
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define _cleanup_(f) __attribute__((cleanup(f)))
#define _printf_(a, b) __attribute__((format(printf, a, b)))
#define _must_check_ __attribute__((warn_unused_result))

#define DEFINE_CLEANUP(type, func)                                                                 \
        static inline void func##p(type *p)                                                        \
        {                                                                                          \
                if (*p)                                                                            \
                        func(*p);                                                                  \
        }                                                                                          \
        struct forward_declare_##func

#define TAKE_PTR(ptr)                                                                              \
        ({                                                                                         \
                typeof(ptr) _taken = (ptr);                                                        \
                (ptr) = NULL;                                                                      \
                _taken;                                                                            \
        })

#define TAKE_FD(fd)                                                                                \
        ({                                                                                         \
                int _taken = (fd);                                                                 \
                (fd) = -EBADF;                                                                     \
                _taken;                                                                            \
        })

#define ELEMENTSOF(array) (sizeof(array) / sizeof((array)[0]))
#define MAX_OF(a, b) ((a) > (b) ? (a) : (b))
#define MIN_OF(a, b) ((a) < (b) ? (a) : (b))

static inline void freep(void *p)
{
        free(*(void **)p);
}

/* Closes a descriptor and returns -EBADF, so that a member is closed and reset in one line. */
static inline int safe_close(int fd)
{
        int saved = errno;

        if (fd >= 0)
                (void)close(fd);
        errno = saved;
        return -EBADF;
}

static inline void closep(int *fd)
{
        (void)safe_close(*fd);
}

static inline void fclosep(FILE **f)
{
        if (*f)
                (void)fclose(*f);
}

/* The end of an open_memstream(3). When the last realloc() of fclose(3) fails, glibc 2.36 says 0
 * and leaves NULL for a text (libio/memstream.c, _IO_mem_finish). -ENOMEM: text is freed. */
static inline int memstream_close(FILE *f, char **text)
{
        if (fclose(f) == 0 && *text)
                return 0;
        free(*text);
        *text = NULL;
        return -ENOMEM;
}

static inline void closedirp(DIR **d)
{
        if (*d)
                (void)closedir(*d);
}

static inline int streq(const char *a, const char *b)
{
        return strcmp(a, b) == 0;
}

static inline const char *strna(const char *s)
{
        return s ? s : "n/a";
}

static inline const char *strempty(const char *s)
{
        return s ? s : "";
}
