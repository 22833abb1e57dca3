/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* uevents and changes of the mount table only say "look again": they are gathered for a moment,
 * then one planner makes one snapshot. A host that mounts containers all day must not keep the
 * planner running all day, so the pause before a snapshot grows with what the last one cost.
 * Without persistent memory nothing is watched but uevents, and of them only those of such memory.
 */

#include "manager-watch.h"

#include <fcntl.h>
#include <sys/epoll.h>

#include "planner.h"
#include "sys/udev.h"
#include "util/log.h"
#include "util/text.h"

#define DEBOUNCE_USEC (200 * USEC_PER_MSEC)
/* A snapshot takes at most a tenth of the time. */
#define PAUSE_FACTOR 9
#define PAUSE_MAX_USEC (60 * USEC_PER_SEC)
/* A snapshot that failed, because a planner was killed or memory was short, is made once more, with
 * pauses that grow; then it is left to the next change, or a machine that lacks something for it
 * would be woken for ever. */
#define RETRY_FIRST_USEC USEC_PER_SEC
#define RETRIES_MAX 6

struct Watch {
        Manager *manager;
        UdevMonitor *monitor;
        int mountinfo_fd;
        sd_event_source *udev;
        sd_event_source *mountinfo;
        sd_event_source *timer;
        bool asked;        /* a snapshot is being made */
        bool again;        /* and something changed meanwhile */
        unsigned n_failed; /* one after the other */
        uint64_t asked_usec;
        uint64_t pause_usec;
};

Watch *watch_free(Watch *w)
{
        if (!w)
                return NULL;
        (void)sd_event_source_disable_unref(w->udev);
        (void)sd_event_source_disable_unref(w->mountinfo);
        (void)sd_event_source_disable_unref(w->timer);
        udev_monitor_free(w->monitor);
        (void)safe_close(w->mountinfo_fd);
        free(w);
        return NULL;
}

DEFINE_CLEANUP(Watch *, watch_free);

static bool has_devices(const Watch *w)
{
        return w->manager->devices && w->manager->devices->n > 0;
}

static DeviceTable *make_table(const PlannerAnswer *a)
{
        DeviceTable *t = NULL;
        char text[1400];
        int r;

        if (a->failure.kind != FAILURE_NONE) {
                log_warning("The devices could not be listed: %s",
                        failure_text(&a->failure, text, sizeof(text)));
                return NULL;
        }
        r = device_table_new(a->graph, &t);
        if (r < 0)
                log_warning("The devices could not be listed: %s", strerror(-r));
        return r < 0 ? NULL : t;
}

/* What changed before it is still not known. */
static void count_failure(Watch *w, bool failed)
{
        w->n_failed = failed ? w->n_failed + 1 : 0;
        if (w->n_failed == 0 || w->n_failed > RETRIES_MAX)
                return;
        w->again = true;
        w->pause_usec = MAX_OF(w->pause_usec, RETRY_FIRST_USEC << (w->n_failed - 1));
}

static void on_snapshot(PlannerAnswer *a, void *userdata)
{
        DeviceTable *t = make_table(a);
        Watch *w = userdata;

        w->asked = false;
        w->pause_usec = MIN_OF((now_usec() - w->asked_usec) * PAUSE_FACTOR, PAUSE_MAX_USEC);
        count_failure(w, !t);
        /* Also on failure: whoever waits for the first table must not wait for ever. */
        manager_take_devices(w->manager, t);
        (void)sd_event_source_set_enabled(
                w->mountinfo, has_devices(w) ? SD_EVENT_ON : SD_EVENT_OFF);
        if (w->again)
                watch_kick(w);
}

static int on_timer(sd_event_source *s, uint64_t usec, void *userdata)
{
        Watch *w = userdata;
        Failure f = { 0 };

        w->again = false;
        w->asked_usec = now_usec();
        w->asked = planner_ask(w->manager, NULL, PLANNER_NOBODY, on_snapshot, w, &f) == 0;
        if (w->asked || w->manager->stopping)
                return 0;
        /* Others have taken all the places: once more, a little later. */
        log_debug("The devices could not be listed: %s", f.sentence);
        (void)sd_event_source_set_time(s, usec_add(now_usec(), USEC_PER_SEC));
        return sd_event_source_set_enabled(s, SD_EVENT_ONESHOT);
}

void watch_kick(Watch *w)
{
        int on = SD_EVENT_OFF;

        if (!w)
                return;
        w->again = true;
        /* The first change starts the clock; those that follow do not move it on. */
        if (w->asked || (sd_event_source_get_enabled(w->timer, &on) > 0 && on != SD_EVENT_OFF))
                return;
        (void)sd_event_source_set_time(
                w->timer, usec_add(now_usec(), MAX_OF(DEBOUNCE_USEC, w->pause_usec)));
        (void)sd_event_source_set_enabled(w->timer, SD_EVENT_ONESHOT);
}

void watch_hurry(Watch *w)
{
        if (!w)
                return;
        w->pause_usec = 0;
        w->again = true;
        if (w->asked)
                return;
        (void)sd_event_source_set_time(w->timer, usec_add(now_usec(), DEBOUNCE_USEC));
        (void)sd_event_source_set_enabled(w->timer, SD_EVENT_ONESHOT);
}

/* Disks without memory come and go by the hundred; only what can stand on ours counts. */
static bool concerns_us(const Watch *w, const UdevEvent *e)
{
        static const char *const stacked[] = { "dm-", "md", "loop", "bcache" };

        if (!streq(e->subsystem, "block"))
                return true;
        if (strncmp(e->sysname, "pmem", 4) == 0)
                return true;
        for (size_t i = 0; i < ELEMENTSOF(stacked); i++)
                if (strncmp(e->sysname, stacked[i], strlen(stacked[i])) == 0)
                        return has_devices(w);
        return false;
}

static int on_udev(sd_event_source *s, int fd, uint32_t revents, void *userdata)
{
        Watch *w = userdata;
        bool kick = false;
        UdevEvent e;
        int r;

        while ((r = udev_monitor_next(w->monitor, &e)) > 0)
                kick = concerns_us(w, &e) || kick;
        /* Some were lost: whatever they said. */
        if (kick || r < 0) {
                manager_look_for_vanished(w->manager);
                watch_kick(w);
        }
        return 0;
}

/* The kernel reports a changed table as an error condition of the file; there is nothing to read.
 */
static int on_mountinfo(sd_event_source *s, int fd, uint32_t revents, void *userdata)
{
        watch_kick(userdata);
        return 0;
}

static int watch_add_mountinfo(Watch *w)
{
        int r;

        w->mountinfo_fd = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
        if (w->mountinfo_fd < 0)
                return -errno;
        r = sd_event_add_io(
                w->manager->event, &w->mountinfo, w->mountinfo_fd, EPOLLPRI, on_mountinfo, w);
        if (r < 0)
                return r;
        return sd_event_source_set_enabled(w->mountinfo, SD_EVENT_OFF);
}

/* Without udev (a container, early boot) the table is still made on every request of a client. */
static int watch_add_udev(Watch *w)
{
        int r;

        r = udev_monitor_open(&w->monitor);
        if (r < 0) {
                log_warning("Devices that come and go are not seen: no udev monitor (%s)",
                        strerror(-r));
                return 0;
        }
        return sd_event_add_io(
                w->manager->event, &w->udev, udev_monitor_fd(w->monitor), EPOLLIN, on_udev, w);
}

int watch_start(Manager *m, bool now, Watch **ret)
{
        _cleanup_(watch_freep) Watch *w = calloc(1, sizeof(*w));
        int r;

        if (!w)
                return -ENOMEM;
        *w = (Watch){ .manager = m, .mountinfo_fd = -EBADF };
        r = watch_add_udev(w);
        if (r < 0)
                return r;
        r = watch_add_mountinfo(w);
        if (r < 0)
                return r;
        r = sd_event_add_time(m->event, &w->timer, CLOCK_MONOTONIC, 0, 0, on_timer, w);
        if (r >= 0 && !now)
                r = sd_event_source_set_enabled(w->timer, SD_EVENT_OFF);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(w);
        return 0;
}
