/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Which unit or login session a process belongs to, read from its cgroup without asking the service
 * manager. Only system units are told: the name of a user's own unit would be looked up, and
 * stopped, in the wrong manager. */

#include <pwd.h>
#include <systemd/sd-login.h>

#include "sys/units.h"
#include "util/text.h"

int unit_of_pid(pid_t pid, char *buf, size_t size)
{
        _cleanup_(freep) char *unit = NULL;
        int r;

        r = sd_pid_get_unit(pid, &unit);
        /* ENXIO: a cgroup that systemd did not make; ENOMEDIUM: no cgroup hierarchy of systemd. */
        if (r == -ENXIO || r == -ENOMEDIUM)
                return -ENODATA;
        if (r < 0)
                return r;
        if (strlen(unit) >= size)
                return -ENOBUFS;
        memcpy(buf, unit, strlen(unit) + 1);
        return 0;
}

/* Only of this machine's own users: a directory service may not answer. */
static bool name_of_uid(uid_t uid, char *buf, size_t size)
{
        FILE *f = fopen("/etc/passwd", "re");
        struct passwd *p;
        bool found = false;

        while (f && !found && (p = fgetpwent(f)))
                found = p->pw_uid == uid && snprintf(buf, size, "%s", p->pw_name) > 0;
        if (f)
                (void)fclose(f);
        return found;
}

int session_of_pid(pid_t pid, char *buf, size_t size)
{
        _cleanup_(freep) char *session = NULL;
        char user[64];
        uid_t uid;

        if (sd_pid_get_owner_uid(pid, &uid) < 0)
                return -ENODATA;
        if (!name_of_uid(uid, user, sizeof(user)))
                (void)snprintf(user, sizeof(user), "user %u", uid);
        if (sd_pid_get_session(pid, &session) >= 0)
                (void)snprintf(buf, size, "session %s of %s", session, user);
        else
                (void)snprintf(buf, size, "services of %s", user);
        return 0;
}
