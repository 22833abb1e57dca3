/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Text that somebody else chose, on its way to a terminal, the journal and D-Bus. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sys/socket.h>
#include <systemd/sd-bus.h>

#include "bus-append.h"
#include "util/text.h"
#include "util/utf8.h"

static const struct {
        const char *bytes, *printable, *legal;
} texts[] = {
        { "", "", "" },
        { "a/b \"c\" \\x", "a/b \"c\" \\x", "a/b \"c\" \\x" },
        { "gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f" },
        { "a\nb\tc\r", "a\\x0ab\\x09c\\x0d", "a\nb\tc\r" },
        { "\033]0;owned\007", "\\x1b]0;owned\\x07", "\033]0;owned\007" },
        { "\x7f", "\\x7f", "\x7f" },
        /* CSI as one character, and as one byte */
        { "\xc2\x9b"
          "2J",
                "\\xc2\\x9b"
                "2J",
                "\xc2\x9b"
                "2J" },
        { "\x9b"
          "2J",
                "\\x9b"
                "2J",
                "\\x9b"
                "2J" },
        /* what follows is shown from right to left */
        { "\xe2\x80\xae"
          "bd",
                "\\xe2\\x80\\xae"
                "bd",
                "\xe2\x80\xae"
                "bd" },
        { "\xff\xfe", "\\xff\\xfe", "\\xff\\xfe" },
        { "a\xc3", "a\\xc3", "a\\xc3" },
        { "\xc0\xaf", "\\xc0\\xaf", "\\xc0\\xaf" },
        { "\xed\xa0\x80", "\\xed\\xa0\\x80", "\\xed\\xa0\\x80" },
        { "\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80", "\\xf4\\x90\\x80\\x80" },
        /* noncharacters, which libsystemd takes for no UTF-8 */
        { "\xef\xbf\xbe", "\\xef\\xbf\\xbe", "\\xef\\xbf\\xbe" },
        { "\xef\xb7\x90", "\\xef\\xb7\\x90", "\\xef\\xb7\\x90" },
        { "\xf0\x9f\xbf\xbf", "\\xf0\\x9f\\xbf\\xbf", "\\xf0\\x9f\\xbf\\xbf" },
};

static void test_printable(void **state)
{
        for (size_t i = 0; i < ELEMENTSOF(texts); i++) {
                char buf[64];

                assert_string_equal(
                        utf8_printable(texts[i].bytes, buf, sizeof(buf)), texts[i].printable);
        }
}

static void test_printable_cut(void **state)
{
        char buf[6];

        assert_string_equal(utf8_printable("abcd\xc3\xbc", buf, sizeof(buf)), "abcd");
        assert_string_equal(utf8_printable("ab\033c", buf, sizeof(buf)), "ab");
        assert_string_equal(utf8_printable("a\033c", buf, sizeof(buf)), "a\\x1b");
}

static void test_legal(void **state)
{
        for (size_t i = 0; i < ELEMENTSOF(texts); i++) {
                _cleanup_(freep) char *copy = NULL;

                assert_int_equal(utf8_legal(texts[i].bytes, &copy), 0);
                assert_string_equal(copy ? copy : texts[i].bytes, texts[i].legal);
                assert_int_equal(!copy, streq(texts[i].bytes, texts[i].legal));
        }
}

/* Nobody is at the other end, and nothing is sent. */
static sd_bus *open_bus(void)
{
        sd_bus *bus = NULL;
        int fds[2];

        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
        assert_true(sd_bus_new(&bus) >= 0);
        assert_true(sd_bus_set_fd(bus, fds[0], fds[0]) >= 0);
        assert_true(sd_bus_start(bus) >= 0);
        (void)close(fds[1]);
        return bus;
}

/* libsystemd is the judge: what it refuses would lose the message. Each byte at each of the places
 * that decide, and what is left of a sequence that was cut. */
static void test_legal_is_what_the_bus_takes(void **state)
{
        _cleanup_(sd_bus_unrefp) sd_bus *bus = NULL;

        bus = open_bus();
        for (unsigned n = 0; n < 3U * 256 * 256; n++) {
                const char head[] = { "\xef\xf0\xe2"[n >> 16], 0 };
                const char bytes[] = { head[0], (char)(n >> 8), (char)n, (char)0xbe, 'x', 0 };
                _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;

                assert_true(sd_bus_message_new(bus, &m, SD_BUS_MESSAGE_METHOD_CALL) >= 0);
                if (bus_append(m, "s", bytes) < 0)
                        fail_msg("refused: %06x", n);
        }
}

static void test_append(void **state)
{
        char *l[] = { (char[]){ "a\xff" }, (char[]){ "b" }, NULL };
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        _cleanup_(sd_bus_unrefp) sd_bus *bus = NULL;
        const char *s, *o, *key, *value;
        uint32_t u;
        uint64_t t;

        bus = open_bus();
        assert_true(sd_bus_message_new_signal(bus, &m, "/a", "a.b", "c") >= 0);
        assert_int_equal(bus_append(m, "(usot)", 812U, "\xff", "/p", UINT64_MAX), 0);
        assert_true(bus_append_strv(m, l) >= 0);
        assert_true(sd_bus_message_open_container(m, 'a', "{ss}") >= 0);
        assert_int_equal(bus_append(m, "{ss}{ss}", "k", NULL, "l", "v"), 0);
        assert_true(sd_bus_message_close_container(m) >= 0);
        assert_true(sd_bus_message_open_container(m, 'a', "{sv}") >= 0);
        assert_true(bus_append_detail(m, "d", "\xfe") >= 0);
        assert_true(sd_bus_message_close_container(m) >= 0);
        assert_int_equal(bus_append(m, "v", "s"), -EINVAL);
        assert_true(sd_bus_message_seal(m, 1, 0) >= 0);
        assert_true(sd_bus_message_read(m, "(usot)", &u, &s, &o, &t) > 0);
        assert_int_equal(u, 812);
        assert_string_equal(s, "\\xff");
        assert_string_equal(o, "/p");
        assert_true(t == UINT64_MAX);
        assert_true(sd_bus_message_read(m, "as", 2, &s, &value) > 0);
        assert_string_equal(s, "a\\xff");
        assert_true(sd_bus_message_read(m, "a{ss}", 2, &key, &value, &o, &s) > 0);
        assert_string_equal(value, "");
        assert_string_equal(s, "v");
        assert_true(sd_bus_message_read(m, "a{sv}", 1, &key, "s", &value) > 0);
        assert_string_equal(key, "d");
        assert_string_equal(value, "\\xfe");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_printable),
                cmocka_unit_test(test_printable_cut),
                cmocka_unit_test(test_legal),
                cmocka_unit_test(test_legal_is_what_the_bus_takes),
                cmocka_unit_test(test_append),
        };

        return cmocka_run_group_tests_name("utf8", tests, NULL, NULL);
}
