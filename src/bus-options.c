/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The options of a request: one row each, name, type and where it goes. */

#include "bus-options.h"

#include "caller-limits.h"
#include "util/text.h"

typedef struct Option Option;

struct Option {
        const char *name;
        const char *type;
        size_t offset;
        int (*read)(sd_bus_message *m, const Option *o, void *member, Failure *f);
};

static int bad_value(const Option *o, Failure *f, const char *why)
{
        return failure_set(f, FAILURE_INVALID_OPTION, 0, o->name, "%s", why);
}

static int read_string(sd_bus_message *m, const Option *o, void *member, Failure *f)
{
        const char *s;
        int r;

        r = sd_bus_message_read(m, "s", &s);
        if (r < 0)
                return r;
        if (strlen(s) > LIMIT_OPTION)
                return bad_value(o, f, "it is too long");
        return free_and_strdup(member, s);
}

static int read_bool(sd_bus_message *m, const Option *o, void *member, Failure *f)
{
        int b, r;

        r = sd_bus_message_read(m, "b", &b);
        if (r < 0)
                return r;
        *(bool *)member = b;
        return 0;
}

static int read_usec(sd_bus_message *m, const Option *o, void *member, Failure *f)
{
        uint64_t usec;
        int r;

        r = sd_bus_message_read(m, "t", &usec);
        if (r < 0)
                return r;
        if (usec == 0)
                return bad_value(
                        o, f, "a time of 0 makes no sense; leave the option out for no limit");
        *(uint64_t *)member = usec;
        return 0;
}

/* Word by word, because libsystemd appends to lists in quadratic time (252: strv_extend(), called
 * by sd_bus_message_read_strv()): one message of a megabyte took a minute, and 32 are allowed. */
static int read_list(sd_bus_message *m, const Option *o, void *member, Failure *f)
{
        const char *s;
        int r;

        r = sd_bus_message_enter_container(m, 'a', "s");
        for (unsigned n = 0; r >= 0 && (r = sd_bus_message_read(m, "s", &s)) > 0; n++) {
                if (n >= LIMIT_OPTION_WORDS)
                        return bad_value(o, f, "it has too many words");
                if (!*s || strlen(s) > LIMIT_OPTION || strpbrk(s, " \t\n"))
                        return bad_value(o, f, "it is a list of names of checks");
                r = strv_append(member, s);
        }
        return r < 0 ? r : sd_bus_message_exit_container(m);
}

static int read_mode(sd_bus_message *m, const Option *o, void *member, Failure *f)
{
        const char *s;
        int r;

        r = sd_bus_message_read(m, "s", &s);
        if (r < 0)
                return r;
        *(Mode *)member = mode_from_string(s);
        if (*(Mode *)member < 0)
                return bad_value(o, f, "it is one of auto, graceful, forced");
        return 0;
}

static const Option options[] = {
        { "mode", "s", offsetof(Request, mode), read_mode },
        { "dry-run", "b", offsetof(Request, dry_run), read_bool },
        { "reason", "s", offsetof(Request, reason), read_string },
        { "transaction-id", "s", offsetof(Request, transaction_id), read_string },
        { "plan-id", "s", offsetof(Request, plan_id), read_string },
        { "timeout-usec", "t", offsetof(Request, timeout_usec), read_usec },
        { "hold-before-commit", "b", offsetof(Request, hold_before_commit), read_bool },
        { "confirm-timeout-usec", "t", offsetof(Request, confirm_timeout_usec), read_usec },
        { "eject", "b", offsetof(Request, eject), read_bool },
        { "ignore-inhibitors", "b", offsetof(Request, ignore_inhibitors), read_bool },
        { "override", "as", offsetof(Request, overrides), read_list },
        { "bind-to-caller", "b", offsetof(Request, bind_to_caller), read_bool },
};

BusOptionInfo bus_option_info(size_t i)
{
        if (i >= ELEMENTSOF(options))
                return (BusOptionInfo){ 0 };
        return (BusOptionInfo){ options[i].name, options[i].type };
}

static int unknown_option(const char *name, Failure *f)
{
        char known[512] = "";
        size_t used = 0;

        for (size_t i = 0; i < ELEMENTSOF(options); i++)
                used += (size_t)snprintf(known + used, sizeof(known) - used, "%s%s",
                        i > 0 ? ", " : "", options[i].name);
        return failure_set(f, FAILURE_INVALID_OPTION, 0, name,
                "there is no such option; known are: %s", known);
}

static int read_value(sd_bus_message *m, const Option *o, Request *req, Failure *f)
{
        const char *contents;
        char type;
        int r;

        r = sd_bus_message_peek_type(m, &type, &contents);
        if (r < 0)
                return r;
        if (!streq(contents, o->type))
                return failure_set(f, FAILURE_INVALID_OPTION, 0, o->name,
                        "it has type %s, but type %s came", o->type, contents);
        r = sd_bus_message_enter_container(m, 'v', o->type);
        if (r < 0)
                return r;
        r = o->read(m, o, (char *)req + o->offset, f);
        if (r < 0)
                return r;
        return sd_bus_message_exit_container(m);
}

static int read_entry(sd_bus_message *m, Request *req, unsigned *seen, Failure *f)
{
        const char *name;
        int r;

        r = sd_bus_message_read(m, "s", &name);
        if (r < 0)
                return r;
        for (size_t i = 0; i < ELEMENTSOF(options); i++) {
                if (!streq(options[i].name, name))
                        continue;
                if ((*seen & (1U << i)) != 0)
                        return bad_value(&options[i], f, "it is given twice");
                *seen |= 1U << i;
                return read_value(m, &options[i], req, f);
        }
        return unknown_option(name, f);
}

int bus_options_parse(sd_bus_message *m, Request *req, Failure *f)
{
        unsigned seen = 0;
        int r;

        r = sd_bus_message_enter_container(m, 'a', "{sv}");
        if (r < 0)
                return r;
        while ((r = sd_bus_message_enter_container(m, 'e', "sv")) > 0) {
                r = read_entry(m, req, &seen, f);
                if (r < 0)
                        return r;
                r = sd_bus_message_exit_container(m);
                if (r < 0)
                        return r;
        }
        if (r < 0)
                return r;
        r = sd_bus_message_exit_container(m);
        return r < 0 ? r : 0;
}
