/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The kernel's messages, for the one line that proves that pre-remove ran. Messages are lost when
 * the reader is slow; that is no error here, because no line is proof of the contrary. */

#include <fcntl.h>

#include "sys/kmsg.h"

/* A read that a record does not fit into fails; the kernel makes none longer than this
 * (kernel/printk/internal.h, PRINTK_MESSAGE_MAX). */
#define RECORD_MAX 8192

int kmsg_open(void)
{
        _cleanup_(closep) int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);

        if (fd < 0)
                return -errno;
        if (lseek(fd, 0, SEEK_END) < 0)
                return -errno;
        return TAKE_FD(fd);
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
