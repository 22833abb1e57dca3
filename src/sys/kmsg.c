/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The kernel's messages, for the one line that proves that pre-remove ran. Messages are lost when
 * the reader is slow; that is no error here, because no line is proof of the contrary. */

#include <fcntl.h>

#include "sys/kmsg.h"
#include "util/text.h"

/* A read that a record does not fit into fails; the kernel makes none longer than this
 * (kernel/printk/internal.h, PRINTK_MESSAGE_MAX). */
#define RECORD_MAX 8192

/* whence: SEEK_END, or SEEK_SET for the oldest message that is left. */
static int kmsg_open_at(int whence)
{
        _cleanup_(closep) int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);

        if (fd < 0)
                return -errno;
        if (lseek(fd, 0, whence) < 0)
                return -errno;
        return TAKE_FD(fd);
}

int kmsg_open(void)
{
        return kmsg_open_at(SEEK_END);
}

int kmsg_open_after(const char *text)
{
        _cleanup_(closep) int fd = kmsg_open_at(SEEK_SET);
        char line[1024];
        int r;

        if (fd < 0)
                return fd;
        while ((r = kmsg_next(fd, line, sizeof(line))) == 1)
                if (streq(line, text))
                        return TAKE_FD(fd);
        return r < 0 ? r : -ENOENT;
}

int kmsg_write(const char *text)
{
        _cleanup_(closep) int fd = open("/dev/kmsg", O_WRONLY | O_CLOEXEC | O_NOCTTY);
        _cleanup_(freep) char *line = string_printf("<6>%s\n", text);

        if (fd < 0)
                return -errno;
        if (!line)
                return -ENOMEM;
        /* One write is one message. */
        return write(fd, line, strlen(line)) < 0 ? -errno : 0;
}

int kmsg_next(int fd, char *buf, size_t size)
{
        char record[RECORD_MAX + 1];

        for (;;) {
                ssize_t n = read(fd, record, RECORD_MAX);
                char *text;

                if (n < 0 && errno == EAGAIN)
                        return 0;
                /* EPIPE: what was next has been overwritten; the following read goes on behind it.
                 */
                if (n < 0 && errno != EINTR && errno != EPIPE)
                        return -errno;
                if (n < 0)
                        continue;
                if (n == 0)
                        return 0;
                record[n] = '\0';
                /* "6,339,5140900,-;the text\n KEY=value\n" */
                text = strchr(record, ';');
                if (!text)
                        continue;
                text++;
                text[strcspn(text, "\n")] = '\0';
                (void)snprintf(buf, size, "%s", text);
                return 1;
        }
}
