/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* caller COUNTS
 *
 * Somebody who asks the daemon small questions one after the other, Ping and ListDevices, over one
 * connection, and measures how long each answer takes; busctl would take most of the time itself.
 * Until SIGTERM; then "calls N longest-ms N average-ms N" goes to the file COUNTS. D-Bus by hand:
 * the lab's programs are built with a compiler alone. */

#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define NAME "org.pmemremoved1"
#define PAUSE_US 20000

static volatile sig_atomic_t stop;

static void on_signal(int sig)
{
        stop = sig;
}

static void die(const char *what)
{
        perror(what);
        exit(1);
}

static void take(int fd, void *buf, size_t size)
{
        for (size_t got = 0; got < size;) {
                ssize_t n = read(fd, (char *)buf + got, size - got);

                if (n <= 0)
                        die("the bus has hung up");
                got += (size_t)n;
        }
}

static int connect_bus(void)
{
        struct sockaddr_un a = { .sun_family = AF_UNIX, .sun_path = "/run/dbus/system_bus_socket" };
        /* EXTERNAL as uid 0, in hexadecimal digits of its decimal ones. */
        static const char auth[] = "\0AUTH EXTERNAL 30\r\nBEGIN\r\n";
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        char c = 0;

        if (fd < 0 || connect(fd, (struct sockaddr *)&a, sizeof(a)) < 0 ||
                write(fd, auth, sizeof(auth) - 1) != (ssize_t)sizeof(auth) - 1)
                die("system bus");
        while (c != '\n') /* "OK GUID" */
                take(fd, &c, 1);
        return fd;
}

static size_t align(size_t at, size_t to)
{
        return (at + to - 1) / to * to;
}

/* A header field: its code, the signature of its value, the value. */
static size_t put_field(char *m, size_t at, char code, char type, const char *value)
{
        uint32_t n = (uint32_t)strlen(value);

        at = align(at, 8);
        m[at] = code;
        m[at + 1] = 1;
        m[at + 2] = type;
        m[at + 3] = '\0';
        at += 4;
        memcpy(m + at, &n, 4);
        memcpy(m + at + 4, value, n + 1);
        return at + 4 + n + 1;
}

static void call(int fd, uint32_t serial, const char *to, const char *path, const char *interface,
        const char *member)
{
        char m[1024] = { 'l', 1, 0, 1 };
        size_t at = 16;
        uint32_t n;

        at = put_field(m, at, 1, 'o', path);
        at = put_field(m, at, 2, 's', interface);
        at = put_field(m, at, 3, 's', member);
        at = put_field(m, at, 6, 's', to);
        n = (uint32_t)at - 16;
        memcpy(m + 8, &serial, 4);
        memcpy(m + 12, &n, 4);
        at = align(at, 8);
        if (write(fd, m, at) != (ssize_t)at)
                die("write");
}

/* The serial that a message answers, 0 for one that is no answer. */
static uint32_t answered(const char *fields, size_t size)
{
        for (size_t at = 0; at + 8 <= size; at = align(at, 8)) {
                char code = fields[at], type = fields[at + 2];
                uint32_t value;

                memcpy(&value, fields + at + 4, 4);
                if (code == 5)
                        return value;
                if (type == 'g')
                        at += 4 + 1 + (unsigned char)fields[at + 4] + 1;
                else
                        at += 8 + (type == 'u' ? 0 : value + 1);
        }
        return 0;
}

static void wait_answer(int fd, uint32_t serial)
{
        static char rest[1 << 20];
        uint32_t head[4], size;

        do {
                take(fd, head, sizeof(head));
                size = (uint32_t)align(head[3], 8) + head[1];
                if (size > sizeof(rest))
                        die("a message that is too long");
                take(fd, rest, size);
        } while (answered(rest, head[3]) != serial);
}

static double now_ms(void)
{
        struct timespec t;

        clock_gettime(CLOCK_MONOTONIC, &t);
        return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

int main(int argc, char **argv)
{
        double longest = 0, all = 0;
        uint32_t serial = 1, calls = 0;
        FILE *counts;
        int fd;

        if (argc != 2)
                return 2;
        signal(SIGTERM, on_signal);
        fd = connect_bus();
        call(fd, serial, "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus",
                "Hello");
        wait_answer(fd, serial);
        while (!stop) {
                double before = now_ms(), took;

                serial++;
                if (serial % 2)
                        call(fd, serial, NAME, "/org/pmemremoved1", NAME ".Manager", "ListDevices");
                else
                        call(fd, serial, NAME, "/org/pmemremoved1", "org.freedesktop.DBus.Peer",
                                "Ping");
                wait_answer(fd, serial);
                took = now_ms() - before;
                longest = took > longest ? took : longest;
                all += took;
                calls++;
                usleep(PAUSE_US);
        }
        counts = fopen(argv[1], "w");
        if (!counts)
                die(argv[1]);
        fprintf(counts, "calls %u longest-ms %.0f average-ms %.1f\n", calls, longest,
                all / (calls ? calls : 1));
        return fclose(counts) == 0 ? 0 : 1;
}
