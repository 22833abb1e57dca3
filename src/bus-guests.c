/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "bus-guests.h"

static unsigned count(const Manager *m, uid_t uid)
{
        unsigned n = 0;

        for (unsigned i = 0; i < m->n_guests; i++)
                n += m->guests[i] == uid;
        return n;
}

int bus_guest_enter(Manager *m, uid_t uid, Failure *f)
{
        unsigned own = count(m, uid);

        if (own >= LIMIT_QUESTIONS_USER)
                return failure_set(f, FAILURE_LIMIT_EXCEEDED, 0, NULL,
                        "%u questions of user %u are being answered, and one user can have no "
                        "more; wait for an answer",
                        own, uid);
        if (m->n_guests >= LIMIT_QUESTIONS_GUESTS)
                return failure_set(f, FAILURE_LIMIT_EXCEEDED, 0, NULL,
                        "%u questions of users are being answered, and there can be no more; ask "
                        "again",
                        m->n_guests);
        m->guests[m->n_guests++] = uid;
        return 0;
}

void bus_guest_leave(Manager *m, uid_t uid)
{
        for (unsigned i = 0; i < m->n_guests; i++)
                if (m->guests[i] == uid) {
                        m->guests[i] = m->guests[--m->n_guests];
                        return;
                }
}
