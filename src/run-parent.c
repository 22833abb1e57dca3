/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the parent says, and the waits for its word. */

#include <poll.h>
#include <sys/socket.h>

#include "run-internal.h"
#include "step/vanished.h"
#include "util/text.h"

#define MESSAGE_MAX 512

static void hear(Run *run, const char *line)
{
        _cleanup_(record_freep) Record *r = NULL;

        if (record_parse(line, &r) < 0)
                return;
        if (streq(r->verb, "confirm"))
                run->confirmed = true;
        if (streq(r->verb, "proceed"))
                run->proceed = true;
        if (streq(r->verb, "cancel")) {
                FailureKind kind = failure_kind_from_string(strempty(record_get(r, "reason")));

                run->stop = kind == FAILURE_TIMED_OUT ? kind : FAILURE_CANCELLED;
                (void)snprintf(run->why, sizeof(run->why), "%s", strempty(record_get(r, "why")));
        }
        /* The parent sees that it went, not by whom. */
        if (streq(r->verb, "look") && vanished_look(run) && run->stop == FAILURE_NONE)
                run->stop = FAILURE_VANISHED;
}

/* A parent that ends with words of ours unread leaves ECONNRESET in front of its end and of its own
 * last words (unix_release_sock(), net/unix/af_unix.c, 6.1 to 6.12), and is told once: who took
 * that for "nothing yet" would begin one more step, and that may be the one past which nobody can
 * go back. */
static void listen_to_parent(Run *run)
{
        for (;;) {
                char line[MESSAGE_MAX + 1];
                ssize_t n = recv(run->socket_fd, line, MESSAGE_MAX, MSG_DONTWAIT);

                if (n < 0 && (errno == ECONNRESET || errno == EINTR))
                        continue;
                if (n < 0)
                        return;
                if (n == 0) {
                        run->orphan = run->stop == FAILURE_NONE;
                        if (run->orphan)
                                run->stop = FAILURE_CANCELLED;
                        run->socket_fd = -EBADF;
                        return;
                }
                line[n] = '\0';
                hear(run, line);
        }
}

int run_check_cancel(Run *run, Failure *f)
{
        run_catch_up(run);
        if (run->socket_fd >= 0)
                listen_to_parent(run);
        if (run->committed || run->stop == FAILURE_NONE)
                return 0;
        if (run->stop == FAILURE_TIMED_OUT)
                (void)failure_set(f, run->stop, -ETIMEDOUT, NULL,
                        "the time allowed for this removal is over; everything was undone");
        else if (run->stop == FAILURE_VANISHED)
                vanished_tell(run, f);
        else
                (void)failure_set(f, run->stop, -ECANCELED, NULL, "%s%s%s%s; everything was undone",
                        run->orphan ? "the daemon died" : "the removal was cancelled",
                        *run->why ? " (" : "", run->why, *run->why ? ")" : "");
        return -ECANCELED;
}

/* Until the parent has said a word. -ETIMEDOUT at the deadline, -ENOTCONN when there never was a
 * parent, -ECANCELED with f filled when somebody asked to stop. */
static int wait_word(Run *run, const bool *said, uint64_t deadline_usec, Failure *f)
{
        int r;

        while ((r = run_check_cancel(run, f)) == 0 && !*said) {
                struct pollfd p = { .fd = run->socket_fd, .events = POLLIN };

                if (run->missed)
                        p.events |= POLLOUT;
                if (run->socket_fd < 0)
                        return -ENOTCONN;
                if (now_usec() >= deadline_usec)
                        return -ETIMEDOUT;
                if (poll(&p, 1, poll_timeout_ms(deadline_usec)) < 0 && errno != EINTR)
                        return -errno;
        }
        return r;
}

int run_wait_confirm(Run *run, Failure *f)
{
        int r = wait_word(run, &run->confirmed, USEC_INFINITY, f);

        if (r == -ENOTCONN)
                return failure_set(
                        f, FAILURE_CANCELLED, -ECANCELED, NULL, "nobody is left who could confirm");
        /* Whichever of the two times ran out: with a yes it would not have. */
        if (r < 0 && run->stop == FAILURE_TIMED_OUT && f) {
                *f = (Failure){ 0 };
                (void)failure_set(f, FAILURE_TIMED_OUT, -ETIMEDOUT, NULL,
                        "nobody confirmed in time; everything was undone");
        }
        return r;
}

int run_wait_proceed(Run *run, uint64_t deadline_usec, Failure *f)
{
        return wait_word(run, &run->proceed, deadline_usec, f);
}
