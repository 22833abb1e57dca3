/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* stallmeter FILE RESULT
 *
 * Writes a byte to FILE every millisecond and keeps the longest time that one write took in RESULT,
 * in microseconds: how long a freeze was for the world. RESULT is made when the first write is
 * done, and truncated to begin anew. Ends when a write fails, and ignores SIGTERM. */

#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static uint64_t now_usec(void)
{
        struct timespec t;

        clock_gettime(CLOCK_MONOTONIC, &t);
        return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static void keep(int fd, uint64_t usec)
{
        char line[32];
        int n = snprintf(line, sizeof(line), "%20" PRIu64 "\n", usec);

        if (pwrite(fd, line, (size_t)n, 0) != n)
                exit(1);
}

int main(int argc, char **argv)
{
        const struct timespec pause = { .tv_nsec = 1000000 };
        uint64_t longest = 0;
        struct stat st;
        int file, result;

        if (argc != 3)
                return 2;
        signal(SIGTERM, SIG_IGN);
        file = open(argv[1], O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
        if (file < 0 || pwrite(file, "x", 1, 0) != 1)
                return 1;
        result = open(argv[2], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
        if (result < 0)
                return 1;
        for (;;) {
                uint64_t begun = now_usec();
                int failed = pwrite(file, "x", 1, 0) != 1;
                uint64_t took = now_usec() - begun;

                if (fstat(result, &st) == 0 && st.st_size == 0)
                        longest = 0;
                if (took > longest || st.st_size == 0)
                        keep(result, longest = took > longest ? took : longest);
                if (failed)
                        return 0;
                nanosleep(&pause, NULL);
        }
}
