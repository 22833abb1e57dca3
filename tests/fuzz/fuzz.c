/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "fuzz.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "util/text.h"
#include "util/utf8.h"

static int file_fd = -EBADF;

_Noreturn void fuzz_fail(const char *file, int line, const char *what)
{
        (void)fprintf(stderr, "%s:%d: this does not hold: %s\n", file, line, what);
        abort();
}

char *fuzz_text(const uint8_t *data, size_t size)
{
        char *s = malloc(size + 1);

        fuzz_assert(s);
        if (size > 0)
                memcpy(s, data, size);
        s[size] = '\0';
        return s;
}

char *fuzz_part(char **rest, char separator)
{
        char *part = *rest, *end;

        if (!part)
                return NULL;
        end = strchr(part, separator);
        if (end)
                *end++ = '\0';
        *rest = end;
        return part;
}

int fuzz_file(const void *data, size_t size)
{
        if (file_fd < 0)
                file_fd = memfd_create("fuzz", MFD_CLOEXEC);
        fuzz_assert(file_fd >= 0);
        fuzz_assert(fchmod(file_fd, S_IRUSR | S_IWUSR) == 0);
        fuzz_assert(ftruncate(file_fd, 0) == 0);
        fuzz_assert(pwrite(file_fd, data, size, 0) == (ssize_t)size);
        fuzz_assert(lseek(file_fd, 0, SEEK_SET) == 0);
        return file_fd;
}

const char *fuzz_file_path(char buf[static FUZZ_PATH_MAX])
{
        (void)snprintf(buf, FUZZ_PATH_MAX, "/proc/self/fd/%d", file_fd);
        return buf;
}

void fuzz_assert_line(const char *s)
{
        for (; *s; s++)
                fuzz_assert(*s >= 0x20 && *s <= 0x7e);
}

void fuzz_assert_lines(const char *s)
{
        size_t n = strlen(s);

        fuzz_assert(n == 0 || s[n - 1] == '\n');
        for (; *s; s++)
                fuzz_assert(*s == '\n' || (*s >= 0x20 && *s <= 0x7e));
}

void fuzz_assert_utf8(const char *s, const char *allowed)
{
        while (*s) {
                const unsigned char *u = (const unsigned char *)s;
                size_t n = utf8_length(u);

                fuzz_assert(n > 0);
                fuzz_assert(strchr(allowed, *s) || (*u >= 0x20 && *u != 0x7f));
                s += n;
        }
}

void fuzz_assert_failure(const Failure *f)
{
        fuzz_assert(f->kind > FAILURE_NONE && f->kind < _FAILURE_MAX);
        fuzz_assert(f->err <= 0);
        fuzz_assert(*f->sentence || *failure_info(f->kind)->sentence);
        fuzz_assert(!strchr(f->sentence, '\n'));
}

void fuzz_assert_record(const Record *r)
{
        _cleanup_(freep) char *line = record_print(r), *again = NULL;
        _cleanup_(record_freep) Record *copy = NULL;

        if (!line) /* longer than a line may be */
                return;
        fuzz_assert_line(line);
        fuzz_assert(strlen(line) <= RECORD_LINE_MAX);
        fuzz_assert(record_parse(line, &copy) == 0);
        again = record_print(copy);
        fuzz_assert(again && streq(line, again));
}
