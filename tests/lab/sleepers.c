/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* sleepers N READY
 *
 * N processes with memory of their own that cost nothing and only count: inside an unbind the
 * kernel looks at each of them for each page that was mapped. Makes the file READY when all are
 * there; they die with the first one. */

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

int main(int argc, char **argv)
{
        long n = argc == 3 ? strtol(argv[1], NULL, 10) : 0;

        if (n <= 0) {
                fprintf(stderr, "usage: sleepers N READY\n");
                return 2;
        }
        for (long i = 0; i < n; i++) {
                pid_t pid = fork();

                if (pid < 0) {
                        perror("fork");
                        return 1;
                }
                if (pid == 0) {
                        prctl(PR_SET_PDEATHSIG, SIGKILL);
                        pause();
                        _exit(0);
                }
        }
        if (open(argv[2], O_WRONLY | O_CREAT | O_CLOEXEC, 0600) < 0) {
                perror(argv[2]);
                return 1;
        }
        pause();
        return 0;
}
