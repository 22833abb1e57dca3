/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Lives that end at every point in turn: before and after each write of the ledger, and where a
 * test says point(). Link with --wrap=fdatasync. */

#include <signal.h>

#include "fixture-run.h"

/* Outlives every process. */
static struct Fate {
        int points; /* passed in this life */
        int die_at; /* 0: never */
} * fate;

static void point(void)
{
        if (++fate->points == fate->die_at)
                (void)raise(SIGKILL);
}

int __real_fdatasync(int fd);
int __wrap_fdatasync(int fd);
int __wrap_fdatasync(int fd)
{
        int r;

        point();
        r = __real_fdatasync(fd);
        point();
        return r;
}

/* True when it died. */
static inline bool life(const Ledger *l, bool recovery, int die_at)
{
        int r;

        *fate = (struct Fate){ .die_at = die_at };
        r = live_once(l, recovery, NULL);
        fate->die_at = 0;
        return r < 0;
}

/* fresh() makes a ledger and its world, check() says whether what recovery left is right. */
typedef struct Crash {
        Ledger *(*fresh)(void);
        void (*check)(const Ledger *l);
        int stride; /* not each point, where there are too many */
} Crash;

/* How often it died. */
static inline int every_death(const Crash *c)
{
        int deaths = 0;

        for (int k = 1;; k += c->stride) {
                _cleanup_(ledger_freep) Ledger *l = c->fresh();

                if (!life(l, false, k))
                        return deaths;
                deaths++;
                assert_false(life(l, true, 0));
                c->check(l);
        }
}

/* Dies at that point, and in recovery at each in turn. -1: it does not come to that point. */
static inline int every_death_after(const Crash *c, int point_of_first)
{
        int deaths = 0;

        for (int k = 1;; k += c->stride) {
                _cleanup_(ledger_freep) Ledger *l = c->fresh();
                bool died;

                if (!life(l, false, point_of_first))
                        return -1;
                died = life(l, true, k);
                deaths += died;
                if (died)
                        assert_false(life(l, true, 0));
                c->check(l);
                if (!died)
                        return deaths;
        }
}

static inline int every_death_in_recovery(const Crash *c)
{
        int deaths = 0, more;

        for (int k = 1; (more = every_death_after(c, k)) >= 0; k += c->stride)
                deaths += more;
        return deaths;
}
