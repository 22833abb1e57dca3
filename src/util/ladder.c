/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "util/ladder.h"

#include <signal.h>

/* A stopped process closes nothing, and obeys nothing but SIGKILL and SIGCONT. */
static bool is_stop(int sig)
{
        return sig == SIGSTOP || sig == SIGTSTP || sig == SIGTTIN || sig == SIGTTOU;
}

/* Changes word. */
static int rung_parse(char *word, LadderRung *ret, const char **ret_cause)
{
        char *colon = strchr(word, ':');

        *ret_cause = "a rung is a signal, a colon and a time span without blanks";
        if (!colon)
                return -EINVAL;
        *colon = '\0';
        *ret_cause = "no such signal";
        if (parse_signal(word, &ret->signal) < 0)
                return -EINVAL;
        *ret_cause = "a process that is stopped lets go of nothing";
        if (is_stop(ret->signal))
                return -EINVAL;
        *ret_cause = "no time span behind the colon";
        if (parse_timespan(colon + 1, &ret->wait_usec) < 0)
                return -EINVAL;
        *ret_cause = "a rung of more than a day";
        return ret->wait_usec > LADDER_WAIT_MAX_USEC ? -ERANGE : 0;
}

int ladder_parse(const char *text, Ladder *ret, const char **ret_cause)
{
        _cleanup_(strv_freep) char **words = NULL;
        Ladder ladder = { 0 };
        int r;

        r = strv_split(text, &words);
        if (r < 0)
                return r;
        *ret_cause = "too many rungs";
        if (strv_length(words) > LADDER_RUNGS_MAX)
                return -EINVAL;
        for (char **w = words; w && *w; w++) {
                r = rung_parse(*w, &ladder.rungs[ladder.n++], ret_cause);
                if (r < 0)
                        return r;
        }
        *ret = ladder;
        return 0;
}
