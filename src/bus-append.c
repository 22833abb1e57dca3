/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Names of processes, mount points and units are bytes that anybody may choose: prctl(PR_SET_NAME)
 * takes whatever it is given, and so does a mount in a user's own namespace. libsystemd refuses to
 * put anything but UTF-8 into a message, and with the one string the whole message is lost: the
 * answer of PlanRemove, all properties of an object, every object in GetManagedObjects, even an
 * error, so that its caller would wait in vain. Such bytes are written as \xHH; what a program
 * needs to the letter is in the plan's text, which is ASCII. */

#include "bus-append.h"

#include <stdarg.h>

#include "util/text.h"
#include "util/utf8.h"

static int append_text(sd_bus_message *m, const char *s)
{
        _cleanup_(freep) char *copy = NULL;
        int r;

        r = utf8_legal(s, &copy);
        return r < 0 ? r : sd_bus_message_append_basic(m, 's', copy ? copy : s);
}

static int append_one(sd_bus_message *m, char type, va_list *ap)
{
        uint64_t t;
        uint32_t u;

        switch (type) {
        case 's':
                return append_text(m, strempty(va_arg(*ap, const char *)));
        case 'o':
                return sd_bus_message_append_basic(m, type, va_arg(*ap, const char *));
        case 'b':
        case 'u':
        case 'i':
                u = va_arg(*ap, uint32_t);
                return sd_bus_message_append_basic(m, type, &u);
        case 't':
                t = va_arg(*ap, uint64_t);
                return sd_bus_message_append_basic(m, type, &t);
        default:
                return -EINVAL;
        }
}

/* types stands on the opening bracket. */
static int open_bracket(sd_bus_message *m, const char *types)
{
        bool entry = *types == '{';
        char contents[16];
        size_t n = strcspn(types + 1, entry ? "}" : ")");

        if (n >= sizeof(contents))
                return -EINVAL;
        *(char *)mempcpy(contents, types + 1, n) = '\0';
        return sd_bus_message_open_container(m, entry ? 'e' : 'r', contents);
}

int bus_append(sd_bus_message *m, const char *types, ...)
{
        va_list ap;
        int r = 0;

        va_start(ap, types);
        for (; *types && r >= 0; types++)
                if (strchr("({", *types))
                        r = open_bracket(m, types);
                else if (strchr(")}", *types))
                        r = sd_bus_message_close_container(m);
                else
                        r = append_one(m, *types, &ap);
        va_end(ap);
        return r < 0 ? r : 0;
}

int bus_append_strv(sd_bus_message *m, char *const *l)
{
        int r;

        r = sd_bus_message_open_container(m, 'a', "s");
        for (; l && *l && r >= 0; l++)
                r = append_text(m, *l);
        return r < 0 ? r : sd_bus_message_close_container(m);
}

int bus_append_detail(sd_bus_message *m, const char *key, const char *text)
{
        int r;

        r = sd_bus_message_open_container(m, 'e', "sv");
        if (r >= 0)
                r = sd_bus_message_append_basic(m, 's', key);
        if (r >= 0)
                r = sd_bus_message_open_container(m, 'v', "s");
        if (r >= 0)
                r = append_text(m, text);
        if (r >= 0)
                r = sd_bus_message_close_container(m);
        return r < 0 ? r : sd_bus_message_close_container(m);
}
