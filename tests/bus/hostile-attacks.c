/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What there is to be tried, and the table of it. */

#include "hostile.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MIB (1024U * 1024)
/* What is asked few times, or big, because it costs the bus and this program more than the daemon:
 * a small count is for emulated machines, where 20 messages of 16 MiB took 160 s. */
#define FEW (arg_count < 400 ? 1U : 4U)
/* The bus allows 128 open calls (dbus-daemon's max_replies_per_connection). */
#define WINDOW 100

static void attack_list(sd_bus *bus)
{
        unsigned open = 0;

        for (unsigned i = 0; i < arg_count; i++)
                throw(bus, message(bus, "ListRemovals"), &open, WINDOW);
        finish(bus, &open);
}

static void attack_objects(sd_bus *bus)
{
        static const char *const calls[][2] = {
                { "org.freedesktop.DBus.ObjectManager", "GetManagedObjects" },
                { "org.freedesktop.DBus.Introspectable", "Introspect" },
        };
        unsigned open = 0;

        for (unsigned i = 0; i < arg_count; i++) {
                sd_bus_message *m;

                if (sd_bus_message_new_method_call(
                            bus, &m, BUS_NAME, BUS_PATH, calls[i % 2][0], calls[i % 2][1]) < 0)
                        exit(2);
                throw(bus, m, &open, WINDOW);
        }
        finish(bus, &open);
}

static void attack_unknown(sd_bus *bus)
{
        unsigned open = 0;

        for (unsigned i = 0; i < arg_count; i++)
                throw(bus, request(bus, "RequestRemove", "nowhere", "x"), &open, WINDOW);
        finish(bus, &open);
}

static void attack_refused(sd_bus *bus)
{
        unsigned open = 0;

        for (unsigned i = 0; i < arg_count; i++)
                throw(bus, request(bus, "RequestRemove", "namespace0.0", "refuse"), &open, 8);
        finish(bus, &open);
}

/* As fast as answers come, more than there can be at a time. */
static void attack_plan(sd_bus *bus)
{
        unsigned open = 0;

        for (unsigned i = 0; i < arg_count / 16; i++)
                throw(bus, request(bus, "PlanRemove", "namespace0.0", "nothing"), &open, 8);
        finish(bus, &open);
}

/* Plans are asked for and not waited for. */
static void attack_hit_and_run(sd_bus *bus)
{
        for (unsigned i = 0; i < arg_count / 40; i++) {
                sd_bus *other = NULL;
                sd_bus_message *m;

                if (sd_bus_open_system(&other) < 0)
                        exit(2);
                m = request(other, "PlanRemove", "namespace0.0", "nothing");
                (void)sd_bus_send(other, m, NULL);
                sd_bus_message_unref(m);
                figures->calls++;
                (void)sd_bus_flush_close_unref(other);
        }
}

static void attack_inhibit(sd_bus *bus)
{
        unsigned open = 0;

        for (unsigned i = 0; i < arg_count; i++) {
                sd_bus_message *m = message(bus, "Inhibit");

                if (sd_bus_message_append(m, "ssss", "", "storm", "because", "delay") < 0)
                        exit(2);
                throw(bus, m, &open, WINDOW);
        }
        finish(bus, &open);
}

static char *long_text(size_t n)
{
        char *s = malloc(n + 1);

        if (!s)
                exit(2);
        memset(s, 'x', n);
        s[n] = '\0';
        return s;
}

static void attack_long(sd_bus *bus)
{
        const unsigned size = FEW * 4 * MIB;
        char *big = long_text(size);
        sd_bus_message *m;

        for (unsigned i = 0; i < FEW; i++) {
                must_fail(bus, request(bus, "PlanRemove", big, "x"), "a target of many MiB");
                must_fail(bus, request(bus, "PlanRemove", "namespace0.0", big),
                        "a reason of many MiB");
                m = message(bus, "RequestRemove");
                (void)sd_bus_message_append(m, "sa{sv}", "namespace0.0", 1, big, "s", "x");
                must_fail(bus, m, "an option's name of many MiB");
                m = message(bus, "ResolveTarget");
                (void)sd_bus_message_append(m, "s", big);
                must_fail(bus, m, "a target of many MiB");
                m = message(bus, "Inhibit");
                (void)sd_bus_message_append(m, "ssss", "", big, big + size - MIB, "block");
                must_fail(bus, m, "a who of many MiB");
        }
        free(big);
}

static void attack_many(sd_bus *bus)
{
        for (unsigned same = 0; same < 2; same++) {
                sd_bus_message *m = message(bus, "PlanRemove");

                (void)sd_bus_message_append(m, "s", "namespace0.0");
                (void)sd_bus_message_open_container(m, 'a', "{sv}");
                for (unsigned i = 0; i < 100000; i++) {
                        char key[32] = "reason";

                        if (!same)
                                (void)snprintf(key, sizeof(key), "option%u", i);
                        (void)sd_bus_message_append(m, "{sv}", key, "s", "x");
                }
                (void)sd_bus_message_close_container(m);
                must_fail(bus, m, "100000 options");
        }
        for (unsigned i = 0; i < FEW; i++) {
                sd_bus_message *m = message(bus, "PlanRemove");

                (void)sd_bus_message_append(m, "s", "namespace0.0");
                (void)sd_bus_message_open_container(m, 'a', "{sv}");
                (void)sd_bus_message_open_container(m, 'e', "sv");
                (void)sd_bus_message_append(m, "s", "override");
                (void)sd_bus_message_open_container(m, 'v', "as");
                (void)sd_bus_message_open_container(m, 'a', "s");
                for (unsigned k = 0; k < 200000; k++)
                        (void)sd_bus_message_append(m, "s", "budget");
                for (unsigned k = 0; k < 4; k++)
                        (void)sd_bus_message_close_container(m);
                must_fail(bus, m, "an override of 200000 words");
        }
}

/* D-Bus allows 64 containers in each other. */
static void attack_nested(sd_bus *bus)
{
        for (unsigned depth = 1; depth < 64; depth++) {
                sd_bus_message *m = message(bus, "PlanRemove");
                int r;

                r = sd_bus_message_append(m, "s", "namespace0.0");
                if (r >= 0)
                        r = sd_bus_message_open_container(m, 'a', "{sv}");
                if (r >= 0)
                        r = sd_bus_message_open_container(m, 'e', "sv");
                if (r >= 0)
                        r = sd_bus_message_append(m, "s", "reason");
                for (unsigned i = 1; i < depth && r >= 0; i++)
                        r = sd_bus_message_open_container(m, 'v', "v");
                if (r >= 0)
                        r = sd_bus_message_append(m, "v", "s", "deep");
                for (unsigned i = 1; i < depth + 2 && r >= 0; i++)
                        r = sd_bus_message_close_container(m);
                if (r >= 0 && depth > 1)
                        must_fail(bus, m, "a variant in a variant");
                else
                        sd_bus_message_unref(m);
        }
}

static const char *const tricks[] = {
        "",
        "/",
        "//",
        ".",
        "..",
        "../namespace0.0",
        "/dev",
        "/dev/",
        "/dev/../dev/zero",
        "/dev/null",
        "/proc/self/root/dev/pmem9",
        "/proc/self/fd/0",
        "/proc/1/root",
        "/proc/self",
        "@abstract",
        "namespace0.0/",
        "namespace0.0 ",
        " namespace0.0",
        "namespace0.0\n",
        "namespace0.0\\x00",
        "namespace%s",
        "%n%n%n%n",
        "namespace0.*",
        "*",
        "[",
        "UUID=",
        "LABEL=",
        "/sys/../../etc/passwd",
        "/sys/bus/nd/devices/../../../..",
        "-n",
        "--help",
        "$(reboot)",
        "`reboot`",
        ";reboot",
        "/mnt/a\nb",
        "/mnt/\\040",
        "/mnt/\033[2J",
        "namespace0.0\t",
        "nmem99999999999999999999",
        "namespace-1.0",
        "ndbus",
        "region0x0",
        "/dev/disk/by-uuid/../..",
        "/mnt/pmem/../../etc",
        "\xe2\x80\xae"
        "0.0ecapseman",
};

static void attack_paths(sd_bus *bus)
{
        char *component = long_text(4000);

        component[0] = '/';
        for (unsigned i = 0; i < ELEMENTSOF(tricks); i++) {
                sd_bus_message *m = message(bus, "ResolveTarget");

                (void)sd_bus_message_append(m, "s", tricks[i]);
                must_fail(bus, m, tricks[i]);
                must_fail(bus, request(bus, "RequestRemove", tricks[i], "x"), tricks[i]);
        }
        must_fail(bus, request(bus, "RequestRemove", component, "x"), "a long component");
        free(component);
}

/* Asks a lot and never reads an answer. */
static void attack_deaf(sd_bus *bus)
{
        for (unsigned i = 0; i < arg_count; i++) {
                sd_bus_message *m;

                if (sd_bus_message_new_method_call(bus, &m, BUS_NAME, BUS_PATH,
                            "org.freedesktop.DBus.ObjectManager", "GetManagedObjects") < 0)
                        exit(2);
                figures->calls++;
                if (sd_bus_send(bus, m, NULL) < 0)
                        i = arg_count;
                sd_bus_message_unref(m);
        }
        (void)sd_bus_flush(bus);
        sleep(2);
}

static void attack_no_reply(sd_bus *bus)
{
        for (unsigned i = 0; i < arg_count; i++)
                send_only(bus, i % 2 == 0 ? message(bus, "ListRemovals")
                                          : request(bus, "PlanRemove", "namespace0.0", "x"));
}

static void attack_nowhere(sd_bus *bus)
{
        unsigned open = 0;

        for (unsigned i = 0; i < arg_count; i++) {
                sd_bus_message *m;
                char path[96];

                (void)snprintf(path, sizeof(path), BUS_PATH "/%s/%u",
                        i % 2 == 0 ? "removal" : "device", i);
                if (sd_bus_message_new_method_call(bus, &m, BUS_NAME, path,
                            i % 4 < 2 ? BUS_INTERFACE_REMOVAL : "org.freedesktop.DBus.Properties",
                            i % 4 < 2 ? "Cancel" : "GetAll") < 0 ||
                        (i % 4 >= 2 && sd_bus_message_append(m, "s", BUS_INTERFACE_REMOVAL) < 0))
                        exit(2);
                throw(bus, m, &open, WINDOW);
        }
        finish(bus, &open);
}

/* Many small questions, for each of which the daemon has to ask the bus about the sender, and
 * behind them what fills memory if it is read before the answer to that. */
static void attack_heap(sd_bus *bus)
{
        char *big = long_text(4U * MIB);
        unsigned turn = FEW * 25;

        for (unsigned i = 0; i < 6 * arg_count / 10; i++) {
                bool small = i % turn < turn * 6 / 10;

                send_only(bus, request(bus, "PlanRemove", "nowhere", small ? "x" : big));
        }
        (void)sd_bus_flush(bus);
        free(big);
}

static bool is_daemon(sd_bus *bus, const char *name)
{
        _cleanup_(sd_bus_creds_unrefp) sd_bus_creds *creds = NULL;
        pid_t pid;

        return sd_bus_get_name_creds(bus, name, SD_BUS_CREDS_PID, &creds) >= 0 &&
               sd_bus_creds_get_pid(creds, &pid) >= 0 && pid == arg_pid;
}

/* A system bus lets signals to anybody pass, and the daemon has a connection that it reads only
 * when it has a question. */
static void attack_stray(sd_bus *bus)
{
        _cleanup_(strv_freep) char **names = NULL;
        char *big = long_text(MIB);

        if (sd_bus_list_names(bus, &names, NULL) < 0)
                exit(2);
        for (char **n = names; *n; n++)
                for (unsigned i = 0; **n == ':' && is_daemon(bus, *n) && i < 500; i++) {
                        sd_bus_message *m;

                        if (sd_bus_message_new_signal(bus, &m, "/a", "a.b", "c") < 0 ||
                                sd_bus_message_set_destination(m, *n) < 0 ||
                                sd_bus_message_append(m, "s", big) < 0)
                                exit(2);
                        send_only(bus, m);
                }
        free(big);
}

/* Each takes one of the places for a few seconds. */
static void attack_think(sd_bus *bus)
{
        unsigned open = 0;

        for (unsigned i = 0; i < 32; i++)
                throw(bus, request(bus, "PlanRemove", "namespace0.0", "think"), &open, 8);
        finish(bus, &open);
}

const Attack attacks[] = {
        { "list", attack_list, 2 },
        { "objects", attack_objects, 1 },
        { "unknown", attack_unknown, 1 },
        { "refused", attack_refused, 1 },
        { "plan", attack_plan, 16 },
        { "think", attack_think, 4 },
        { "hit-and-run", attack_hit_and_run, 4 },
        { "inhibit", attack_inhibit, 2 },
        { "long", attack_long, 1 },
        { "many", attack_many, 1 },
        { "nested", attack_nested, 1 },
        { "types", attack_types, 1 },
        { "paths", attack_paths, 1 },
        { "deaf", attack_deaf, 1 },
        { "no-reply", attack_no_reply, 1 },
        { "nowhere", attack_nowhere, 1 },
        { "heap", attack_heap, 1 },
        { "stray", attack_stray, 1 },
        { 0 },
};
