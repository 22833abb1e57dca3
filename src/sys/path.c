/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Device numbers behind a path of unknown origin. */

#include <sys/mman.h>
#include <sys/stat.h>

#include "sys/child.h"
#include "sys/path.h"

#define ASK_USEC (2 * USEC_PER_SEC)

typedef struct Question {
        const char *path;
        dev_t dev, block;
} Question;

static int ask(void *arg)
{
        Question *q = arg;
        struct stat st;

        if (stat(q->path, &st) < 0)
                return -errno;
        q->dev = st.st_dev;
        q->block = S_ISBLK(st.st_mode) ? st.st_rdev : 0;
        return 0;
}

int path_numbers(const char *path, dev_t *ret_dev, dev_t *ret_block)
{
        Question *q;
        int r;

        /* Shared with the child, which can answer nothing but an errno otherwise. */
        q = mmap(NULL, sizeof(*q), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        if (q == MAP_FAILED)
                return -errno;
        q->path = path;
        r = child_call(ask, q, ASK_USEC, -EBADF);
        if (r == 0) {
                *ret_dev = q->dev;
                *ret_block = q->block;
        }
        (void)munmap(q, sizeof(*q));
        return r;
}
