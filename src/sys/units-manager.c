/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Talks to the service manager. A mask is a link in UNITS_RUNTIME. */

#include <ctype.h>
#include <sys/stat.h>

#include "sys/child.h"
#include "sys/units-bus.h"
#include "sys/units.h"
#include "util/broadcast.h"

/* --- names and files --- */

static int append_escaped(char *buf, size_t size, size_t *used, char c, bool first)
{
        int n;

        if (isalnum((unsigned char)c) || c == ':' || c == '_' || (c == '.' && !first))
                n = snprintf(buf + *used, size - *used, "%c", c);
        else
                n = snprintf(buf + *used, size - *used, "\\x%02x", (unsigned char)c);
        if ((size_t)n >= size - *used)
                return -ENAMETOOLONG;
        *used += (size_t)n;
        return 0;
}

int unit_name_of_path(const char *path, const char *type, char buf[static UNIT_NAME_MAX])
{
        size_t used = 0;
        int r = 0;

        if (*path != '/')
                return -EINVAL;
        for (path += strspn(path, "/"); *path && r == 0; path++) {
                if (*path != '/') {
                        r = append_escaped(buf, UNIT_NAME_MAX, &used, *path, used == 0);
                        continue;
                }
                if (path[1] == '/' || path[1] == '\0')
                        continue;
                if (used + 1 >= UNIT_NAME_MAX)
                        return -ENAMETOOLONG;
                buf[used++] = '-';
        }
        if (r == 0 && used == 0)
                buf[used++] = '-';
        if (r == 0 && used + strlen(type) + 2 > UNIT_NAME_MAX)
                r = -ENAMETOOLONG;
        if (r == 0)
                (void)snprintf(buf + used, UNIT_NAME_MAX - used, ".%s", type);
        return r;
}

const char *const unit_folders[] = { UNITS_PERSISTENT, "/run/systemd/system",
        "/run/systemd/generator", "/run/systemd/generator.early", "/run/systemd/generator.late",
        "/usr/local/lib/systemd/system", "/usr/lib/systemd/system", NULL };

bool unit_file_exists(const char *name)
{
        for (const char *const *folder = unit_folders; *folder; folder++) {
                _cleanup_(freep) char *path = string_printf("%s/%s", *folder, name);
                struct stat st;

                if (path && lstat(path, &st) == 0)
                        return true;
        }
        return false;
}

int unit_mask(const char *name)
{
        _cleanup_(freep) char *path = string_printf(UNITS_RUNTIME "/%s", name);

        if (!path)
                return -ENOMEM;
        if (mkdir(UNITS_RUNTIME, 0755) < 0 && errno != EEXIST)
                return -errno;
        if (symlink("/dev/null", path) < 0)
                return errno == EEXIST ? -EALREADY : -errno;
        return 0;
}

bool unit_is_masked(const char *name)
{
        _cleanup_(freep) char *path = string_printf(UNITS_RUNTIME "/%s", name);
        struct stat st;

        return path && lstat(path, &st) == 0;
}

int unit_unmask(const char *name)
{
        _cleanup_(freep) char *path = string_printf(UNITS_RUNTIME "/%s", name);
        char target[16];
        ssize_t n;

        if (!path)
                return -ENOMEM;
        n = readlink(path, target, sizeof(target));
        if (n != strlen("/dev/null") || strncmp(target, "/dev/null", (size_t)n) != 0)
                return 0;
        return unlink(path) < 0 && errno != ENOENT ? -errno : 0;
}

/* --- calls, each in a child --- */

typedef struct Call {
        const char *method;
        const char *unit;
        uint64_t timeout_usec;
} Call;

int units_open_bus(uint64_t timeout_usec, sd_bus **ret)
{
        int r = sd_bus_open_system(ret);

        return r < 0 ? r : sd_bus_set_method_call_timeout(*ret, timeout_usec);
}

int units_object(const char *name, char **ret)
{
        int r = sd_bus_path_encode("/org/freedesktop/systemd1/unit", name, ret);

        return MIN_OF(r, 0);
}

static int reload_in_child(void *arg)
{
        _cleanup_(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;
        const Call *c = arg;
        int r = units_open_bus(c->timeout_usec, &bus);

        if (r >= 0)
                r = sd_bus_call_method(bus, MANAGER, "Reload", NULL, NULL, NULL);
        return r < 0 ? r : 0;
}

int units_reload(uint64_t timeout_usec, int cancel_fd)
{
        Call c = { .timeout_usec = timeout_usec };

        return child_call(reload_in_child, &c, timeout_usec, cancel_fd);
}

typedef struct Job {
        char path[128];
        char result[32];
} Job;

/* JobRemoved(u id, o job, s unit, s result). One that comes before the call's own answer waits
 * until wait_job() has put down the path: sd_bus_call() dispatches nothing. */
static int on_job_removed(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
        Job *job = userdata;
        const char *path, *unit, *result;
        uint32_t id;

        if (!is_broadcast(m))
                return 0;
        if (sd_bus_message_read(m, "uoss", &id, &path, &unit, &result) < 0)
                return 0;
        if (!streq(job->path, path))
                return 0;
        (void)snprintf(job->result, sizeof(job->result), "%s", result);
        return 0;
}

static int wait_job(sd_bus *bus, Job *job, const char *path, uint64_t deadline_usec)
{
        (void)snprintf(job->path, sizeof(job->path), "%s", path);
        while (!*job->result) {
                int r = sd_bus_process(bus, NULL);

                if (r == 0 && now_usec() >= deadline_usec)
                        return -ETIMEDOUT;
                if (r == 0)
                        r = sd_bus_wait(bus, deadline_usec - now_usec());
                if (r < 0)
                        return r;
        }
        return streq(job->result, "done") ? 0 : -EIO;
}

static int queue_job(sd_bus *bus, const Call *c, Job *job, sd_bus_message **reply)
{
        int r;

        r = sd_bus_match_signal(bus, NULL, MANAGER, "JobRemoved", on_job_removed, job);
        if (r >= 0)
                r = sd_bus_call_method(bus, MANAGER, "Subscribe", NULL, NULL, NULL);
        if (r >= 0)
                r = sd_bus_call_method(
                        bus, MANAGER, c->method, NULL, reply, "ss", c->unit, "replace");
        return r;
}

static int job_in_child(void *arg)
{
        _cleanup_(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        const Call *c = arg;
        uint64_t deadline = usec_add(now_usec(), c->timeout_usec);
        Job job = { 0 };
        const char *path;
        int r;

        r = units_open_bus(c->timeout_usec, &bus);
        if (r >= 0)
                r = queue_job(bus, c, &job, &reply);
        if (r >= 0)
                r = sd_bus_message_read(reply, "o", &path);
        return r < 0 ? r : wait_job(bus, &job, path, deadline);
}

int unit_start(const char *name, uint64_t timeout_usec, int cancel_fd)
{
        Call c = { .method = "StartUnit", .unit = name, .timeout_usec = timeout_usec };

        return child_call(job_in_child, &c, timeout_usec, cancel_fd);
}

int unit_stop(const char *name, uint64_t timeout_usec, int cancel_fd)
{
        Call c = { .method = "StopUnit", .unit = name, .timeout_usec = timeout_usec };

        return child_call(job_in_child, &c, timeout_usec, cancel_fd);
}

/* 0 is taken for "inactive": a child answers nothing above it. */
static int active_in_child(void *arg)
{
        _cleanup_(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        _cleanup_(freep) char *state = NULL;
        const Call *c = arg;
        const char *path;
        int r;

        r = units_open_bus(c->timeout_usec, &bus);
        if (r >= 0)
                r = sd_bus_call_method(bus, MANAGER, "LoadUnit", NULL, &reply, "s", c->unit);
        if (r >= 0)
                r = sd_bus_message_read(reply, "o", &path);
        if (r >= 0)
                r = sd_bus_get_property_string(bus, "org.freedesktop.systemd1", path,
                        "org.freedesktop.systemd1.Unit", "ActiveState", NULL, &state);
        if (r < 0)
                return r;
        return streq(state, "active") ? -EISCONN : 0;
}

int unit_is_active(const char *name, uint64_t timeout_usec)
{
        Call c = { .unit = name, .timeout_usec = timeout_usec };
        int r = child_call(active_in_child, &c, timeout_usec, -EBADF);

        return r == -EISCONN ? 1 : r;
}

/* What the manager says as soon as shutdown.target has a job (manager_state(), src/core/manager.c).
 */
static int stopping_in_child(void *arg)
{
        _cleanup_(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;
        _cleanup_(freep) char *state = NULL;
        const Call *c = arg;
        int r;

        r = units_open_bus(c->timeout_usec, &bus);
        if (r >= 0)
                r = sd_bus_get_property_string(bus, MANAGER, "SystemState", NULL, &state);
        if (r < 0)
                return r;
        return streq(state, "stopping") ? -ESHUTDOWN : 0;
}

int units_machine_stops(uint64_t timeout_usec)
{
        Call c = { .timeout_usec = timeout_usec };
        int r = child_call(stopping_in_child, &c, timeout_usec, -EBADF);

        return r == -ESHUTDOWN ? 1 : r;
}
