/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* See the header. The jobs belong to the manager: they go on when the child or its parent dies, and
 * a job in the other direction replaces them. */

#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>

#include "sys/child.h"
#include "sys/units-bus.h"
#include "sys/units-jobs.h"
#include "util/broadcast.h"

/* How often it is looked at what the units do meanwhile. */
#define LOOK_EVERY_USEC USEC_PER_SEC
/* How long a unit that is being stopped may go on with its ExecStop= once it is to run again. */
#define STOP_GRACE_USEC (5 * USEC_PER_SEC)
#define AWAITED_MAX 512
#define OWN_UNIT "pmemremoved.service"

typedef struct Job {
        char name[UNIT_NAME_MAX];
        char path[128];   /* of the manager's object; empty: not queued, or ended */
        char result[128]; /* why it did not work; empty: it did */
        bool helped;
        bool left; /* the manager does it when this program has ended or started again */
} Job;

/* In memory that child and parent share. */
typedef struct Shared {
        atomic_uint current; /* which of the texts is whole */
        char awaited[2][AWAITED_MAX];
        Job jobs[];
} Shared;

struct UnitJobs {
        Child child;
        UnitAction action;
        uint64_t timeout_usec;
        uint64_t started_usec;
        uint64_t deadline_usec;
        sd_bus *bus; /* the child's */
        Shared *shared;
        size_t size;
        size_t n;
};

static const char *const methods[] = {
        [UNIT_ACTION_STOP] = "StopUnit",
        [UNIT_ACTION_START] = "StartUnit",
};

/* --- in the child --- */

/* A unit that is not loaded any more is stopped; one that stops only together with another one is
 * stopped by that. */
static bool is_stopped_anyway(const UnitJobs *j, const sd_bus_error *e)
{
        return j->action == UNIT_ACTION_STOP &&
               (sd_bus_error_has_name(e, "org.freedesktop.systemd1.NoSuchUnit") ||
                       sd_bus_error_has_name(e, "org.freedesktop.systemd1.OnlyByDependency"));
}

static int queue(UnitJobs *j, Job *job)
{
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        const char *path;
        int r;

        r = sd_bus_call_method(
                j->bus, MANAGER, methods[j->action], &error, &reply, "ss", job->name, "replace");
        if (r >= 0)
                r = sd_bus_message_read(reply, "o", &path);
        if (r >= 0)
                (void)snprintf(job->path, sizeof(job->path), "%s", path);
        else if (!is_stopped_anyway(j, &error))
                (void)snprintf(job->result, sizeof(job->result), "%s",
                        error.message ? error.message : strerror(-r));
        /* A manager that is gone answers nobody. */
        return r == -ENOTCONN || r == -ECONNRESET || r == -ETIMEDOUT ? r : 0;
}

/* JobRemoved(u id, o job, s unit, s result). Signals that come while a call is under way wait until
 * the paths of all jobs are known. */
static int on_job_removed(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
        UnitJobs *j = userdata;
        const char *path, *unit, *result;
        uint32_t id;

        if (!is_broadcast(m))
                return 0;
        if (sd_bus_message_read(m, "uoss", &id, &path, &unit, &result) < 0)
                return 0;
        for (size_t i = 0; i < j->n; i++) {
                Job *job = j->shared->jobs + i;

                if (!streq(job->path, path))
                        continue;
                *job->path = '\0';
                /* "skipped": there was nothing to do for this kind of unit. */
                if (!streq(result, "done") && !streq(result, "skipped"))
                        (void)snprintf(job->result, sizeof(job->result), "%s", result);
        }
        return 0;
}

static bool is_pending(const UnitJobs *j)
{
        for (size_t i = 0; i < j->n; i++)
                if (*j->shared->jobs[i].path)
                        return true;
        return false;
}

/* "stop-sigterm", "start-post" and such; empty when the manager does not say. */
static void sub_state(const UnitJobs *j, const Job *job, char *buf, size_t size)
{
        _cleanup_(freep) char *object = NULL;
        _cleanup_(freep) char *state = NULL;

        *buf = '\0';
        if (units_object(job->name, &object) >= 0 &&
                sd_bus_get_property_string(j->bus, MANAGER_SERVICE, object, UNIT_INTERFACE,
                        "SubState", NULL, &state) >= 0)
                (void)snprintf(buf, size, "%s", state);
}

/* A start waits for the end of a stop that is under way (service_start() answers EAGAIN,
 * src/core/service.c), and an ExecStop= that hangs has until TimeoutStopSec=, which may be never.
 * Without it the manager goes on by itself: signals to the main process, then the start. */
static void help(UnitJobs *j, Job *job, const char *state)
{
        if (j->action != UNIT_ACTION_START || job->helped || !streq(state, "stop") ||
                now_usec() < usec_add(j->started_usec, STOP_GRACE_USEC))
                return;
        job->helped = true;
        (void)sd_bus_call_method(
                j->bus, MANAGER, "KillUnit", NULL, NULL, "ssi", job->name, "control", SIGKILL);
}

/* A start that waits for a job of this program's own unit would wait for ever: "systemctl restart"
 * queued that one, and it goes on when this here has ended. */
static bool is_behind_us(const UnitJobs *j, sd_bus_message *m)
{
        const char *unit;
        bool found = false;
        int r = sd_bus_message_enter_container(m, 'a', "(usssoo)");

        while (r >= 0 && (r = sd_bus_message_enter_container(m, 'r', "usssoo")) > 0) {
                r = sd_bus_message_read(m, "usssoo", NULL, &unit, NULL, NULL, NULL, NULL);
                if (r < 0)
                        break;
                found = found || streq(unit, OWN_UNIT);
                for (size_t i = 0; i < j->n; i++)
                        found = found ||
                                (j->shared->jobs[i].left && streq(j->shared->jobs[i].name, unit));
                r = sd_bus_message_exit_container(m);
        }
        return found;
}

/* GetBefore(): the jobs that have to end before this one begins. GetAfter() is the others. */
static void leave(UnitJobs *j, Job *job, const char *state)
{
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;

        if (j->action != UNIT_ACTION_START || (!streq(state, "dead") && !streq(state, "failed")) ||
                sd_bus_call_method(j->bus, MANAGER_SERVICE, job->path,
                        "org.freedesktop.systemd1.Job", "GetBefore", NULL, &reply, NULL) < 0 ||
                !is_behind_us(j, reply))
                return;
        job->left = true;
        *job->path = '\0';
}

static void look(UnitJobs *j)
{
        unsigned other = !atomic_load(&j->shared->current);
        char *text = j->shared->awaited[other];
        size_t used = 0;

        *text = '\0';
        for (size_t i = 0; i < j->n; i++) {
                Job *job = j->shared->jobs + i;
                char state[64];

                if (!*job->path)
                        continue;
                sub_state(j, job, state, sizeof(state));
                help(j, job, state);
                leave(j, job, state);
                if (*job->path && used < AWAITED_MAX)
                        used += (size_t)snprintf(text + used, AWAITED_MAX - used, "%s%s (%s)",
                                used > 0 ? ", " : "", job->name, state);
        }
        atomic_store(&j->shared->current, other);
}

static int follow(UnitJobs *j)
{
        uint64_t next_look = 0;

        while (is_pending(j)) {
                uint64_t now = now_usec();
                int r = sd_bus_process(j->bus, NULL);

                if (r < 0)
                        return r;
                if (r > 0)
                        continue;
                if (now >= j->deadline_usec)
                        return -ETIMEDOUT;
                if (now >= next_look) {
                        look(j);
                        next_look = usec_add(now, LOOK_EVERY_USEC);
                        continue;
                }
                r = sd_bus_wait(j->bus, MIN_OF(next_look, j->deadline_usec) - now);
                if (r < 0 && r != -EINTR)
                        return r;
        }
        return 0;
}

static int jobs_child(void *arg)
{
        UnitJobs *j = arg;
        int r = units_open_bus(j->timeout_usec, &j->bus);

        if (r >= 0)
                r = sd_bus_match_signal(j->bus, NULL, MANAGER, "JobRemoved", on_job_removed, j);
        if (r >= 0)
                r = sd_bus_call_method(j->bus, MANAGER, "Subscribe", NULL, NULL, NULL);
        for (size_t i = 0; i < j->n && r >= 0; i++)
                r = queue(j, j->shared->jobs + i);
        if (r >= 0)
                r = follow(j);
        (void)sd_bus_flush_close_unref(j->bus);
        /* Who waits for the child has time-outs of its own. */
        return r == -ETIMEDOUT ? -ETIME : r;
}

/* --- in the parent --- */

UnitJobs *unit_jobs_free(UnitJobs *j)
{
        if (!j)
                return NULL;
        child_done(&j->child);
        if (j->shared)
                (void)munmap(j->shared, j->size);
        free(j);
        return NULL;
}

static int share(UnitJobs *j, char *const *names)
{
        void *p;

        j->n = strv_length(names);
        j->size = sizeof(Shared) + j->n * sizeof(Job);
        p = mmap(NULL, j->size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        if (p == MAP_FAILED)
                return -errno;
        j->shared = p;
        for (size_t i = 0; i < j->n; i++) {
                if (strlen(names[i]) >= UNIT_NAME_MAX)
                        return -ENAMETOOLONG;
                (void)snprintf(j->shared->jobs[i].name, UNIT_NAME_MAX, "%s", names[i]);
        }
        return 0;
}

int unit_jobs_start(UnitAction action, char *const *names, uint64_t timeout_usec, UnitJobs **ret)
{
        _cleanup_(unit_jobs_freep) UnitJobs *j = calloc(1, sizeof(*j));
        uint64_t now = now_usec();
        int r;

        if (!j)
                return -ENOMEM;
        *j = (UnitJobs){
                .child = CHILD_INIT,
                .action = action,
                .timeout_usec = timeout_usec,
                .started_usec = now,
                .deadline_usec = usec_add(now, timeout_usec),
        };
        r = share(j, names);
        if (r == 0)
                r = child_start(&j->child, true, jobs_child, j);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(j);
        return 0;
}

int unit_jobs_wait(UnitJobs *j, uint64_t until_usec, int cancel_fd)
{
        return child_wait(&j->child, until_usec, cancel_fd);
}

const char *unit_jobs_awaited(const UnitJobs *j, char *buf, size_t size)
{
        (void)snprintf(buf, size, "%.*s", AWAITED_MAX - 1,
                j->shared->awaited[atomic_load(&j->shared->current)]);
        return buf;
}

const char *unit_jobs_failed(const UnitJobs *j, const char **ret_why)
{
        for (size_t i = 0; i < j->n; i++)
                if (*j->shared->jobs[i].result) {
                        *ret_why = j->shared->jobs[i].result;
                        return j->shared->jobs[i].name;
                }
        return NULL;
}
