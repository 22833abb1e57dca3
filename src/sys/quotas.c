/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* quotactl(2), which waits for a filesystem that is being unmounted: a child asks. */

#include <sys/quota.h>

#include "sys/child.h"
#include "sys/quotas.h"

#define ASK_USEC (2 * USEC_PER_SEC)
/* Quota in hidden files, as that of XFS and of ext4's feature "quota" (include/linux/quota.h). */
#define FLAG_SYSTEM_FILE (1U << 16)

static const char *const types[] = { "user", "group" };

typedef struct Question {
        const char *devnode;
        int type;
} Question;

static int ask(void *arg)
{
        const Question *q = arg;
        struct dqinfo info = { 0 };

        if (quotactl((int)QCMD((unsigned)Q_GETINFO, q->type), q->devnode, 0, (caddr_t)&info) < 0)
                return -errno;
        return info.dqi_flags & FLAG_SYSTEM_FILE ? -ENOENT : 0;
}

int quota_turned_on(const char *devnode, char buf[static 64])
{
        *buf = '\0';
        for (size_t i = 0; i < ELEMENTSOF(types); i++) {
                Question q = { .devnode = devnode, .type = i == 0 ? USRQUOTA : GRPQUOTA };
                int r = child_call(ask, &q, ASK_USEC, -EBADF);

                if (r == -ETIMEDOUT)
                        return r;
                if (r == 0)
                        (void)snprintf(buf + strlen(buf), 64 - strlen(buf), "%s%s",
                                *buf ? ", " : "", types[i]);
        }
        return *buf ? 0 : -ENOENT;
}
