/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Signals. Each function is one member of the interface; the details dictionaries may grow, never
 * shrink. */

#include "bus-signals.h"

#include "bus-append.h"
#include "bus.h"
#include "bus-objects.h"
#include "manager.h"
#include "removal-inhibit.h"
#include "util/text.h"

#define ANSWER_TRIES 3

static bool silent(const Removal *r)
{
        return r->replaying || !r->manager->bus;
}

void bus_object_added(Manager *m, const char *path)
{
        if (m->bus)
                (void)sd_bus_emit_object_added(m->bus, path);
}

void bus_object_removed(Manager *m, const char *path)
{
        if (m->bus)
                (void)sd_bus_emit_object_removed(m->bus, path);
}

void bus_device_changed(Manager *m, const char *path, const char *const *properties)
{
        if (m->bus)
                (void)sd_bus_emit_properties_changed_strv(
                        m->bus, path, BUS_INTERFACE_DEVICE, (char **)properties);
}

void bus_signal_changed(const Removal *r, const char *const *properties)
{
        if (!silent(r) && properties[0])
                (void)sd_bus_emit_properties_changed_strv(
                        r->manager->bus, r->path, BUS_INTERFACE_REMOVAL, (char **)properties);
}

void bus_signal_device_removal(const Removal *r)
{
        static const char *const changes[] = { "Removal", NULL };

        for (char **n = silent(r) ? NULL : r->closure; n && *n; n++) {
                const Device *d = device_table_find(r->manager->devices, *n);

                if (d)
                        bus_device_changed(r->manager, d->path, changes);
        }
}

void bus_signal_pre_remove(Manager *m)
{
        if (m->bus)
                (void)sd_bus_emit_properties_changed(
                        m->bus, BUS_PATH, BUS_INTERFACE_MANAGER, "KernelPreRemove", NULL);
}

void bus_signal_new(const Removal *r)
{
        if (silent(r))
                return;
        bus_object_added(r->manager, r->path);
        (void)sd_bus_emit_signal(r->manager->bus, BUS_PATH, BUS_INTERFACE_MANAGER, "RemovalNew",
                "tos", r->id, r->path, r->request->target);
}

void bus_signal_inhibitors(Manager *m)
{
        if (m->bus)
                (void)sd_bus_emit_properties_changed(m->bus, BUS_PATH, BUS_INTERFACE_MANAGER,
                        "NCurrentInhibitors", "BlockInhibited", "DelayInhibited", NULL);
}

static int append_failure(sd_bus_message *s, const Failure *f)
{
        char text[1400];
        int e;

        if (f->kind == FAILURE_NONE)
                return 0;
        e = bus_append_detail(s, "error-name", failure_info(f->kind)->bus_name);
        return e < 0 ? e
                     : bus_append_detail(s, "error-message", failure_text(f, text, sizeof(text)));
}

static int send_finished(const Removal *r)
{
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *s = NULL;
        int e;

        e = sd_bus_message_new_signal(
                r->manager->bus, &s, BUS_PATH, BUS_INTERFACE_MANAGER, "RemovalFinished");
        if (e >= 0)
                e = sd_bus_message_append(s, "os", r->path, r->result);
        if (e >= 0)
                e = sd_bus_message_open_container(s, 'a', "{sv}");
        if (e >= 0)
                e = sd_bus_message_append(s, "{sv}{sv}{sv}{sv}", "target", "s", r->request->target,
                        "state", "s", removal_state_to_string(r->state), "transaction-id", "s",
                        strempty(r->request->transaction_id), "frozen-usec", "t", r->frozen_usec);
        if (e >= 0)
                e = append_failure(s, &r->failure);
        if (e >= 0)
                e = sd_bus_message_close_container(s);
        return e < 0 ? e : sd_bus_send(r->manager->bus, s, NULL);
}

void bus_signal_finished(const Removal *r)
{
        if (!silent(r))
                (void)send_finished(r);
}

static int send_prepare(const Removal *r, const char *device, bool start)
{
        _cleanup_(freep) char *path = NULL;
        int e;

        e = device_path(device, &path);
        if (e < 0)
                return e;
        return sd_bus_emit_signal(r->manager->bus, BUS_PATH, BUS_INTERFACE_MANAGER,
                "PrepareForRemoval", "ooba{sv}", path, r->path, (int)start, 5, "target", "s",
                r->request->target, "reason", "s", strempty(r->request->reason), "transaction-id",
                "s", strempty(r->request->transaction_id), "plan-id", "s", r->plan->id, "deadline",
                "t", start ? removal_delay_deadline(r) : 0);
}

void bus_signal_prepare(const Removal *r, bool start)
{
        for (char **n = silent(r) ? NULL : r->closure; n && *n; n++)
                (void)send_prepare(r, *n, start);
}

static int send_killed(const Removal *r, const RemovalKilled *k)
{
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *s = NULL;
        int e;

        e = sd_bus_message_new_signal(
                r->manager->bus, &s, BUS_PATH, BUS_INTERFACE_MANAGER, "ProcessKilled");
        if (e >= 0)
                e = bus_append(s, "ouss", r->path, (uint32_t)k->pid, k->unit, k->reason);
        return e < 0 ? e : sd_bus_send(r->manager->bus, s, NULL);
}

void bus_signal_killed(const Removal *r, const RemovalKilled *k)
{
        if (!silent(r))
                (void)send_killed(r, k);
}

void bus_signal_device_removed(Manager *m, const char *path, const char *how)
{
        if (m->bus)
                (void)sd_bus_emit_signal(
                        m->bus, BUS_PATH, BUS_INTERFACE_MANAGER, "DeviceRemoved", "os", path, how);
}

void bus_answer(sd_bus_message *m, const char *type, const char *text)
{
        for (int i = 0; i < ANSWER_TRIES; i++)
                if (sd_bus_reply_method_return(m, type, text) != -ENOMEM)
                        return;
}

void bus_answer_error(sd_bus_message *m, int r, const sd_bus_error *e)
{
        for (int i = 0; i < ANSWER_TRIES; i++)
                if (sd_bus_reply_method_errno(m, r, e) != -ENOMEM)
                        return;
}
