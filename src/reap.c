/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Killing a child and waiting for it would be simpler, but a child that sleeps uninterruptibly in
 * the kernel does not die, and the event loop must never wait for one. */

#include "reap.h"

#include <signal.h>
#include <stdbool.h>
#include <sys/wait.h>

#include "util/text.h"

#define UNWATCHED_MSEC 1000

void reap_later(sd_event_source *s)
{
        if (!s)
                return;
        (void)sd_event_source_set_userdata(s, NULL);
        (void)sd_event_source_set_floating(s, true);
        (void)sd_event_source_unref(s);
}

int reap_done(sd_event_source *s)
{
        (void)sd_event_source_set_floating(s, false);
        return 0;
}

void reap_unwatched(pid_t pid)
{
        (void)kill(pid, SIGKILL);
        for (unsigned i = 0; i < UNWATCHED_MSEC && waitpid(pid, NULL, WNOHANG) == 0; i++)
                pause_usec(USEC_PER_MSEC);
}
