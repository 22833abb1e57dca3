/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The way to the daemon and back. Everything that can go wrong on it becomes, in one place, a
 * sentence that names the thing, the cause and what to do next, and an exit status. The daemon's
 * own errors carry their exit status in failure.c; the table here knows only those of the bus. */

#include <stdarg.h>

#include "bus.h"
#include "ctl.h"
#include "failure.h"

#define ADVICE_START "Start it with 'systemctl start pmemremoved'."
#define ADVICE_LOOK "See 'systemctl status pmemremoved'."
#define ADVICE_BUS "Is the system bus running? See 'systemctl status dbus'."
#define ADVICE_ROOT "Run it as root, or let an administrator authorise it."
#define ADVICE_LIST "See 'pmemremovectl removals'."
#define NOT_RUNNING "pmemremoved is not running"
#define NO_ANSWER "pmemremoved did not answer"
#define CUT_OFF "the connection to the bus was lost"
/* libsystemd says so, and about an answer of other types than were expected. */
#define OTHER_VERSION "the running pmemremoved is of another version than this program"
#define ADVICE_RESTART "Restart it with 'systemctl restart pmemremoved'."

typedef struct BusError {
        const char *name;
        int status;
        const char *text; /* NULL: the error's own */
        const char *advice;
} BusError;

/* clang-format off */
static const BusError bus_errors[] = {
        { SD_BUS_ERROR_SERVICE_UNKNOWN, EXIT_NO_DAEMON, NOT_RUNNING, ADVICE_START },
        { SD_BUS_ERROR_NAME_HAS_NO_OWNER, EXIT_NO_DAEMON, NOT_RUNNING, ADVICE_START },
        { "org.freedesktop.systemd1.NoSuchUnit", EXIT_NO_DAEMON, NOT_RUNNING, ADVICE_START },
        { "org.freedesktop.systemd1.UnitMasked", EXIT_NO_DAEMON, NULL, ADVICE_LOOK },
        { "org.freedesktop.DBus.Error.Spawn.ChildExited", EXIT_NO_DAEMON, NULL, ADVICE_LOOK },
        { SD_BUS_ERROR_NO_REPLY, EXIT_NO_DAEMON, NO_ANSWER, ADVICE_LOOK },
        { SD_BUS_ERROR_TIMEOUT, EXIT_NO_DAEMON, NO_ANSWER, ADVICE_LOOK },
        { SD_BUS_ERROR_NO_SERVER, EXIT_NO_DAEMON, NULL, ADVICE_BUS },
        { SD_BUS_ERROR_DISCONNECTED, EXIT_NO_DAEMON, CUT_OFF, ADVICE_BUS },
        { "System.Error.ECONNRESET", EXIT_NO_DAEMON, CUT_OFF, ADVICE_BUS },
        { "System.Error.ENOTCONN", EXIT_NO_DAEMON, CUT_OFF, ADVICE_BUS },
        { "System.Error.EPIPE", EXIT_NO_DAEMON, CUT_OFF, ADVICE_BUS },
        { SD_BUS_ERROR_ACCESS_DENIED, EXIT_NOT_AUTHORISED, NULL, ADVICE_ROOT },
        { SD_BUS_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED, EXIT_NOT_AUTHORISED, NULL, ADVICE_ROOT },
        { SD_BUS_ERROR_UNKNOWN_OBJECT, EXIT_NOT_FOUND, "there is no such removal", ADVICE_LIST },
        { SD_BUS_ERROR_INVALID_ARGS, EXIT_USAGE, NULL, NULL },
        { SD_BUS_ERROR_UNKNOWN_METHOD, EXIT_FAILURE, OTHER_VERSION, ADVICE_RESTART },
        { SD_BUS_ERROR_UNKNOWN_INTERFACE, EXIT_FAILURE, OTHER_VERSION, ADVICE_RESTART },
        { SD_BUS_ERROR_UNKNOWN_PROPERTY, EXIT_FAILURE, OTHER_VERSION, ADVICE_RESTART },
        { "System.Error.ENXIO", EXIT_FAILURE, OTHER_VERSION, ADVICE_RESTART },
};
/* clang-format on */

static const BusError *bus_error_find(const char *name)
{
        for (size_t i = 0; i < ELEMENTSOF(bus_errors); i++)
                if (streq(bus_errors[i].name, name))
                        return &bus_errors[i];
        return NULL;
}

int error_status(const char *name)
{
        FailureKind kind = failure_kind_from_string(name);
        const BusError *known = bus_error_find(name);

        if (kind >= 0)
                return failure_info(kind)->exit_code;
        return known ? known->status : EXIT_FAILURE;
}

int ctl_refuse(Ctl *c, int status, const char *name, const char *fmt, ...)
{
        _cleanup_(freep) char *sentence = NULL, *harmless = NULL;
        va_list ap;
        int n;

        va_start(ap, fmt);
        n = vasprintf(&sentence, fmt, ap);
        va_end(ap);
        if (n < 0)
                sentence = NULL; /* is undefined after a failure */
        harmless = text_escape(sentence ?: "Out of memory.", "\n");
        fflush(stdout);
        if (status != 0)
                fprintf(stderr, "pmemremovectl: %s\n", harmless ?: "Out of memory.");
        else if (!c->quiet && !c->json)
                puts(harmless ?: "");
        text_keep(&c->error_name, strempty(name));
        text_keep(&c->error_sentence, strempty(sentence));
        return status;
}

int ctl_fail(Ctl *c, const char *about, const sd_bus_error *e, int r)
{
        _cleanup_(sd_bus_error_free) sd_bus_error own = SD_BUS_ERROR_NULL;
        const char *text, *advice;
        const BusError *known;
        bool named; /* the daemon's sentences often begin with the node */
        size_t n;

        if (!e || !sd_bus_error_is_set(e)) {
                (void)sd_bus_error_set_errno(&own, r);
                e = &own;
        }
        known = bus_error_find(e->name);
        text = known && known->text ? known->text : e->message ?: e->name;
        advice = known ? known->advice : NULL;
        n = strlen(text);
        named = strncmp(text, about, strlen(about)) == 0;
        return ctl_refuse(c, error_status(e->name), e->name, "%s%s%s%s%s%s", named ? "" : about,
                named ? "" : ": ", text, n > 0 && strchr(".\n", text[n - 1]) ? "" : ".",
                advice ? " " : "", strempty(advice));
}

int ctl_open(Ctl *c)
{
        int r;

        if (c->bus)
                return 0;
        if (c->host)
                r = sd_bus_open_system_remote(&c->bus, c->host);
        else
                r = sd_bus_open_system(&c->bus);
        if (r < 0)
                return r;
        return sd_bus_set_allow_interactive_authorization(c->bus, !c->no_ask_password);
}

int ctl_connect(Ctl *c)
{
        int r;

        r = ctl_open(c);
        if (r >= 0)
                return 0;
        return ctl_refuse(c, EXIT_NO_DAEMON, SD_BUS_ERROR_NO_SERVER,
                "No connection to the system bus%s%s: %s. %s", c->host ? " of " : "",
                strempty(c->host), strerror(-r), c->host ? "Does 'ssh' to it work?" : ADVICE_BUS);
}

void ctl_disconnect(Ctl *c)
{
        c->bus = sd_bus_flush_close_unref(c->bus);
}

int bus_message_new(
        Ctl *c, const char *path, const char *interface, const char *member, sd_bus_message **ret)
{
        return sd_bus_message_new_method_call(c->bus, ret, BUS_NAME, path ?: BUS_PATH,
                interface ?: BUS_INTERFACE_MANAGER, member);
}

int bus_call(
        Ctl *c, const char *about, sd_bus_message *m, uint64_t timeout_usec, sd_bus_message **ret)
{
        _cleanup_(sd_bus_error_free) sd_bus_error e = SD_BUS_ERROR_NULL;
        int r;

        r = sd_bus_call(c->bus, m, timeout_usec, &e, ret);
        if (r < 0)
                return ctl_fail(c, about, &e, r);
        return 0;
}

int bus_get_all(Ctl *c, const char *about, const char *path, const char *interface, Dict *d)
{
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL, *reply = NULL;
        int r, status;

        r = bus_message_new(c, path, "org.freedesktop.DBus.Properties", "GetAll", &m);
        if (r >= 0)
                r = sd_bus_message_append(m, "s", interface);
        if (r < 0)
                return ctl_fail(c, about, NULL, r);
        status = bus_call(c, about, m, 0, &reply);
        if (status != 0)
                return status;
        r = dict_read(d, reply);
        return r < 0 ? ctl_fail(c, about, NULL, r) : 0;
}
