/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What messages advise is pasted into a shell, so a shell is asked: it has to read back the very
 * bytes of the name, and nothing but them. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/wait.h>

#include "util/shell.h"
#include "util/text.h"

static const struct {
        const char *name, *word;
} words[] = {
        { "/mnt/pmem", "/mnt/pmem" },
        { "UUID=4b2e-11", "UUID=4b2e-11" },
        { "", "''" },
        { "/mnt/a b", "'/mnt/a b'" },
        { "/mnt/it's", "'/mnt/it'\\''s'" },
        { "mnt-a\\x2db.mount", "'mnt-a\\x2db.mount'" },
        { "/mnt/$(reboot)", "'/mnt/$(reboot)'" },
        { "/mnt/`id`;rm -rf *", "'/mnt/`id`;rm -rf *'" },
        { "~root", "'~root'" },
        { "!x", "'!x'" },
        { "*:/srv", "'*:/srv'" },
        { "gr\xc3\xbc\xc3\x9f", "'gr\xc3\xbc\xc3\x9f'" },
        { "/mnt/a\nb", "$'/mnt/a\\012b'" },
        { "it's\ta\\b", "$'it\\'s\\011a\\\\b'" },
        { "\033]0;x\007", "$'\\033]0;x\\007'" },
        { "\xff"
          "7",
                "$'\\3777'" },
        { "\xe2\x80\xae"
          "z",
                "$'\\342\\200\\256z'" },
};

static void test_words(void **state)
{
        char buf[SHELL_WORD_MAX];

        for (size_t i = 0; i < ELEMENTSOF(words); i++)
                assert_string_equal(shell_word(words[i].name, buf, sizeof(buf)), words[i].word);
}

/* What bash makes of it, between brackets; NULL where there is no bash. */
static char *read_back(const char *line)
{
        static char answer[8192];
        _cleanup_(freep) char *script = string_printf("printf '[%%s]' %s", line);
        int fds[2], status;
        size_t used = 0;
        ssize_t n;
        pid_t pid;

        assert_non_null(script);
        assert_int_equal(pipe(fds), 0);
        pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) {
                (void)dup2(fds[1], STDOUT_FILENO);
                (void)execlp("bash", "bash", "-c", script, NULL);
                _exit(127);
        }
        (void)close(fds[1]);
        while ((n = read(fds[0], answer + used, sizeof(answer) - 1 - used)) > 0)
                used += (size_t)n;
        answer[used] = '\0';
        (void)close(fds[0]);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        return WIFEXITED(status) && WEXITSTATUS(status) == 127 ? NULL : answer;
}

static void test_shell_reads_it_back(void **state)
{
        char all[256], buf[SHELL_WORD_MAX];

        for (size_t i = 0; i < 255; i++)
                all[i] = (char)(i + 1);
        all[255] = '\0';
        for (size_t i = 0; i <= ELEMENTSOF(words); i++) {
                const char *name = i < ELEMENTSOF(words) ? words[i].name : all;
                _cleanup_(freep) char *wanted = string_printf("[%s]", name);
                const char *got = read_back(shell_word(name, buf, sizeof(buf)));

                if (!got)
                        skip();
                assert_string_equal(got, wanted);
        }
}

static void test_lists(void **state)
{
        char buf[64];

        assert_string_equal(shell_words("", buf, sizeof(buf)), "");
        assert_string_equal(shell_words(" a.service\tmnt-a\\x2db.mount  ", buf, sizeof(buf)),
                "a.service 'mnt-a\\x2db.mount'");
}

/* However short the room: no byte behind it is touched, and no quotes are left open. */
static void test_cut(void **state)
{
        static const char *const names[] = { "it's long",
                "a\nb\xff"
                "c\nd",
                "plain-and-long", "" };
        char buf[64];

        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                for (size_t room = 1; room < sizeof(buf); room++) {
                        const char *got;

                        memset(buf, '#', sizeof(buf));
                        (void)shell_word(names[i], buf, room);
                        assert_true(strlen(buf) < room);
                        for (size_t k = room; k < sizeof(buf); k++)
                                assert_int_equal(buf[k], '#');
                        got = read_back(buf);
                        if (!got)
                                skip();
                        assert_int_equal(got[strlen(got) - 1], ']');
                }
        assert_string_equal(shell_word("/mnt/a b c d", buf, 12), "'/mnt/a'...");
        assert_string_equal(shell_words("one two'three", buf, 12), "one 'tw'...");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_words),
                cmocka_unit_test(test_shell_reads_it_back),
                cmocka_unit_test(test_lists),
                cmocka_unit_test(test_cut),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
