/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Numbers, times, device numbers, signals, ladders, lists and mount options. */

#include "fuzz.h"
#include "util/ladder.h"
#include "util/text.h"
#include "util/utf8.h"

static void numbers(const char *s)
{
        char buf[TIMESPAN_MAX], devnum[DEVNUM_MAX];
        uint64_t v, again;
        dev_t dev, same;
        pid_t pid;
        int sig;

        if (parse_u64(s, &v) == 0)
                fuzz_assert(strspn(s, "0123456789") == strlen(s));
        if (parse_pid(s, &pid) == 0)
                fuzz_assert(pid > 0);
        if (parse_devnum(s, &dev) == 0)
                fuzz_assert(parse_devnum(format_devnum(devnum, dev), &same) == 0 && same == dev);
        if (parse_timespan(s, &v) == 0)
                fuzz_assert(parse_timespan(format_timespan(buf, v), &again) == 0 && v == again);
        if (parse_signal(s, &sig) == 0)
                fuzz_assert(sig > 0 && *signal_name(sig));
        (void)!parse_boolean(s);
}

static void ladder(const char *s)
{
        const char *cause = NULL;
        Ladder l = { .n = 1 };
        int r = ladder_parse(s, &l, &cause);

        if (r < 0)
                fuzz_assert(l.n == 1 && cause);
        for (size_t i = 0; r == 0 && i < l.n; i++)
                fuzz_assert(l.rungs[i].signal > 0 && l.rungs[i].wait_usec <= LADDER_WAIT_MAX_USEC);
}

static void lists(const char *s)
{
        _cleanup_(strv_freep) char **words = NULL, **again = NULL;
        _cleanup_(freep) char *joined = NULL;

        fuzz_assert(strv_split(s, &words) == 0);
        fuzz_assert(strv_join(words, &joined) == 0);
        fuzz_assert(strv_split(joined, &again) == 0 && strv_length(words) == strv_length(again));
        for (size_t i = 0; i < strv_length(words); i++)
                fuzz_assert(streq(words[i], again[i]));
        (void)strv_fnmatch(words, "postgres");
}

static void options(char *s)
{
        _cleanup_(freep) char *value = NULL;
        size_t n = strlen(s);

        if (option_get(s, "lowerdir", 0, &value) == 0)
                fuzz_assert(strlen(value) < n);
        unescape_octal(s);
        fuzz_assert(strlen(s) <= n);
}

/* Whatever the room, what comes out is printable, whole characters, and fits. */
static void printable(const char *s)
{
        char buf[600];

        for (size_t room = 1; room <= sizeof(buf); room = room * 3 + 1) {
                (void)utf8_printable(s, buf, room);
                fuzz_assert(strlen(buf) < room);
                fuzz_assert_utf8(buf, "");
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        _cleanup_(freep) char *text = fuzz_text(data, size);

        numbers(text);
        ladder(text);
        lists(text);
        printable(text);
        options(text);
        return 0;
}
