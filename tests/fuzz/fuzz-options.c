/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Options of a request as a message brings them. The input is a list of them, a line each: a letter
 * for the type, the name, a blank, the value. What is accepted has come once, is known, has its
 * type, and fits into a ledger. */

#include <sys/socket.h>

#include "bus-options.h"
#include "fuzz.h"
#include "util/text.h"

/* A message needs a bus that was started; nobody is at the other end. */
static sd_bus *get_bus(void)
{
        static sd_bus *bus;
        int pair[2];

        if (bus)
                return bus;
        fuzz_assert(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) == 0);
        fuzz_assert(sd_bus_new(&bus) >= 0 && sd_bus_set_fd(bus, pair[0], pair[0]) >= 0);
        fuzz_assert(sd_bus_start(bus) >= 0);
        return bus;
}

static int append_list(sd_bus_message *m, char *value)
{
        int r = sd_bus_message_open_container(m, 'v', "as");
        char *word;

        if (r >= 0)
                r = sd_bus_message_open_container(m, 'a', "s");
        while (r >= 0 && (word = fuzz_part(&value, ',')))
                r = sd_bus_message_append(m, "s", word);
        if (r >= 0)
                r = sd_bus_message_close_container(m);
        return r < 0 ? r : sd_bus_message_close_container(m);
}

static int append_value(sd_bus_message *m, char type, char *value)
{
        switch (type) {
        case 'b':
                return sd_bus_message_append(m, "v", "b", *value == 'y');
        case 't':
                return sd_bus_message_append(m, "v", "t", (uint64_t)strtoull(value, NULL, 10));
        case 'x':
                return sd_bus_message_append(m, "v", "x", (int64_t)strtoll(value, NULL, 10));
        case 'a':
                return append_list(m, value);
        case 'v':
                return sd_bus_message_append(m, "v", "v", "s", value);
        case 'd':
                return sd_bus_message_append(m, "v", "a{sv}", 1, value, "s", value);
        default:
                return sd_bus_message_append(m, "v", "s", value);
        }
}

static int append_option(sd_bus_message *m, char *line)
{
        char *name = fuzz_part(&line, ' ');
        int r = sd_bus_message_open_container(m, 'e', "sv");

        if (r >= 0)
                r = sd_bus_message_append(m, "s", *name ? name + 1 : "");
        if (r >= 0)
                r = append_value(m, *name, line ? line : (char *)"");
        return r < 0 ? r : sd_bus_message_close_container(m);
}

/* NULL for what no message can hold, as a string that is no UTF-8. */
static sd_bus_message *make_message(char *text)
{
        sd_bus_message *m = NULL;
        char *line;
        int r;

        fuzz_assert(sd_bus_message_new_method_call(get_bus(), &m, "a.b", "/", "a.b", "c") >= 0);
        r = sd_bus_message_open_container(m, 'a', "{sv}");
        while (r >= 0 && (line = fuzz_part(&text, '\n')))
                r = append_option(m, line);
        if (r >= 0)
                r = sd_bus_message_close_container(m);
        if (r >= 0)
                r = sd_bus_message_seal(m, 1, 0);
        return r < 0 ? sd_bus_message_unref(m) : m;
}

static void check_request(Request *req)
{
        _cleanup_(record_freep) Record *r = NULL;
        int e = free_and_strdup(&req->target, "namespace0.0");

        if (e == 0)
                e = request_to_record(req, &r);
        fuzz_assert(e == 0);
        fuzz_assert_record(r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        _cleanup_(freep) char *text = fuzz_text(data, size);
        _cleanup_(request_freep) Request *req = request_new();
        sd_bus_message *m = make_message(text);
        Failure f = { 0 };

        fuzz_assert(req);
        if (!m)
                return 0;
        if (bus_options_parse(m, req, &f) < 0)
                fuzz_assert_failure(&f);
        else
                check_request(req);
        (void)sd_bus_message_unref(m);
        return 0;
}
