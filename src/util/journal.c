/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The protocol of systemd.io/JOURNAL_NATIVE_PROTOCOL on a datagram socket. sd_journal_sendv(3)
 * would do, but sends without MSG_DONTWAIT (systemd 252, src/libsystemd/sd-journal/journal-send.c):
 * once the queue of a journald that hangs or was stopped is full (net.unix.max_dgram_qlen), it
 * never returns, and whoever logs would hang with it. The socket is opened for each record: there
 * are few, and a descriptor that is kept would be another one after a child has closed all it
 * inherited. */

#include "util/journal.h"

#include <stdint.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>

#define JOURNAL_SOCKET "/run/systemd/journal/socket"
/* The key, a newline, the size, the value, a newline. */
#define PARTS_MAX 5

typedef struct Field {
        const char *text;
        uint8_t size[8];
} Field;

static void iov_add(struct iovec *iov, size_t *n, const void *data, size_t size)
{
        iov[(*n)++] = (struct iovec){ .iov_base = (void *)data, .iov_len = size };
}

static void put_size(uint8_t to[static 8], uint64_t size)
{
        for (int i = 0; i < 8; i++)
                to[i] = (uint8_t)(size >> (8 * i));
}

/* A value that has a newline goes with its size, the others as they are. */
static void add_field(Field *f, struct iovec *iov, size_t *n)
{
        size_t key = strcspn(f->text, "="), size;

        if (strchr(f->text, '\n') && f->text[key] == '=') {
                size = strlen(f->text + key + 1);
                put_size(f->size, size);
                iov_add(iov, n, f->text, key);
                iov_add(iov, n, "\n", 1);
                iov_add(iov, n, f->size, sizeof(f->size));
                iov_add(iov, n, f->text + key + 1, size);
        } else {
                iov_add(iov, n, f->text, strlen(f->text));
        }
        iov_add(iov, n, "\n", 1);
}

int journal_send(const char *const *fields, size_t n)
{
        _cleanup_(closep) int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        struct sockaddr_un to = { .sun_family = AF_UNIX, .sun_path = JOURNAL_SOCKET };
        struct iovec iov[JOURNAL_FIELDS_MAX * PARTS_MAX];
        struct msghdr m = { .msg_name = &to, .msg_namelen = sizeof(to), .msg_iov = iov };
        Field all[JOURNAL_FIELDS_MAX];
        size_t parts = 0;

        if (fd < 0)
                return -errno;
        for (size_t i = 0; i < MIN_OF(n, JOURNAL_FIELDS_MAX); i++) {
                all[i].text = fields[i];
                add_field(&all[i], iov, &parts);
        }
        m.msg_iovlen = parts;
        return sendmsg(fd, &m, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 ? -errno : 0;
}
