/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Numbers, times, names and lists from text, and back. Every parser here takes the whole string or
 * refuses it, and writes its output only on success, so that a caller who forgot to check cannot
 * act on half a number. */

#include <ctype.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <strings.h>
#include <sys/sysmacros.h>
#include <time.h>

#include "util/text.h"

/* The kernel's dev_t has 12 bits of major and 20 of minor (include/linux/kdev_t.h); makedev(3)
 * would take more and make a device number that cannot exist. */
#define MAJOR_LIMIT ((UINT64_C(1) << 12) - 1)
#define MINOR_LIMIT ((UINT64_C(1) << 20) - 1)

#define WHITESPACE " \t\n\r\v\f"

/* Takes a run of digits off the front of *s. */
static int take_u64(const char **s, uint64_t *ret)
{
        const char *p = *s;
        uint64_t v = 0;

        if (!isdigit((unsigned char)*p))
                return -EINVAL;
        for (; isdigit((unsigned char)*p); p++)
                if (__builtin_mul_overflow(v, UINT64_C(10), &v) ||
                        __builtin_add_overflow(v, (uint64_t)(*p - '0'), &v))
                        return -ERANGE;
        *s = p;
        *ret = v;
        return 0;
}

int parse_u64(const char *s, uint64_t *ret)
{
        uint64_t v;
        int r;

        r = take_u64(&s, &v);
        if (r < 0)
                return r;
        if (*s)
                return -EINVAL;
        *ret = v;
        return 0;
}

int parse_int(const char *s, int *ret)
{
        bool negative = *s == '-';
        uint64_t v;
        int r;

        r = parse_u64(s + negative, &v);
        if (r < 0)
                return r;
        if (v > INT_MAX)
                return -ERANGE;
        *ret = negative ? -(int)v : (int)v;
        return 0;
}

int number_after(const char *text, const char *label, uint64_t *ret)
{
        const char *at = strstr(text, label);

        if (!at)
                return -ENODATA;
        at += strlen(label);
        at += strspn(at, " \t");
        return take_u64(&at, ret);
}

int parse_pid(const char *s, pid_t *ret)
{
        uint64_t v;
        int r;

        r = parse_u64(s, &v);
        if (r < 0)
                return r;
        if (v == 0)
                return -EINVAL;
        if (v > INT_MAX)
                return -ERANGE;
        *ret = (pid_t)v;
        return 0;
}

int parse_devnum(const char *s, dev_t *ret)
{
        uint64_t major_number, minor_number;
        int r;

        r = take_u64(&s, &major_number);
        if (r < 0 || *s != ':' || major_number > MAJOR_LIMIT)
                return -EINVAL;
        r = parse_u64(s + 1, &minor_number);
        if (r < 0 || minor_number > MINOR_LIMIT)
                return -EINVAL;
        *ret = makedev((unsigned)major_number, (unsigned)minor_number);
        return 0;
}

const char *format_devnum(char buf[static DEVNUM_MAX], dev_t dev)
{
        (void)snprintf(buf, DEVNUM_MAX, "%u:%u", major(dev), minor(dev));
        return buf;
}

int parse_boolean(const char *s)
{
        static const char *const words[][6] = {
                { "0", "no", "false", "off", "f", "n" },
                { "1", "yes", "true", "on", "t", "y" },
        };

        for (int value = 0; value <= 1; value++)
                for (size_t i = 0; i < ELEMENTSOF(words[value]); i++)
                        if (strcasecmp(s, words[value][i]) == 0)
                                return value;
        return -EINVAL;
}

/* What format_timespan() writes, biggest first; then what systemd.time(7) accepts besides. Months
 * and years are left out: nobody means 30.44 days. */
static const struct {
        const char *name;
        uint64_t usec;
} time_units[] = {
        { "d", 24 * 3600 * USEC_PER_SEC },
        { "h", 3600 * USEC_PER_SEC },
        { "min", 60 * USEC_PER_SEC },
        { "s", USEC_PER_SEC },
        { "ms", USEC_PER_MSEC },
        { "us", 1 },
#define TIME_UNITS_PRINTED 6
        { "usec", 1 },
        { "\xc2\xb5s", 1 },
        { "\xce\xbcs", 1 },
        { "msec", USEC_PER_MSEC },
        { "sec", USEC_PER_SEC },
        { "second", USEC_PER_SEC },
        { "seconds", USEC_PER_SEC },
        { "m", 60 * USEC_PER_SEC },
        { "minute", 60 * USEC_PER_SEC },
        { "minutes", 60 * USEC_PER_SEC },
        { "hr", 3600 * USEC_PER_SEC },
        { "hour", 3600 * USEC_PER_SEC },
        { "hours", 3600 * USEC_PER_SEC },
        { "day", 24 * 3600 * USEC_PER_SEC },
        { "days", 24 * 3600 * USEC_PER_SEC },
        { "w", 7 * 24 * 3600 * USEC_PER_SEC },
        { "week", 7 * 24 * 3600 * USEC_PER_SEC },
        { "weeks", 7 * 24 * 3600 * USEC_PER_SEC },
};

/* Takes the unit off the front of *s. A number without one is seconds. */
static int take_time_unit(const char **s, uint64_t *ret_usec)
{
        size_t n = strcspn(*s, WHITESPACE "0123456789.");

        if (n == 0) {
                *ret_usec = USEC_PER_SEC;
                return 0;
        }
        for (size_t i = 0; i < ELEMENTSOF(time_units); i++)
                if (strlen(time_units[i].name) == n && strncmp(*s, time_units[i].name, n) == 0) {
                        *s += n;
                        *ret_usec = time_units[i].usec;
                        return 1;
                }
        return -EINVAL;
}

/* Takes one "1.5 min" off the front. 1: it had a unit, 0: a bare number. */
static int take_timespan(const char **s, uint64_t *ret_usec)
{
        const char *fraction = "";
        uint64_t v, unit;
        int r, named;

        r = take_u64(s, &v);
        if (r < 0)
                return r;
        if (**s == '.') {
                fraction = ++*s;
                if (!isdigit((unsigned char)*fraction))
                        return -EINVAL;
                *s += strspn(*s, "0123456789");
        }
        *s += strspn(*s, WHITESPACE);
        named = take_time_unit(s, &unit);
        if (named < 0)
                return named;
        if (__builtin_mul_overflow(v, unit, &v))
                return -ERANGE;
        for (; isdigit((unsigned char)*fraction) && unit > 0; fraction++) {
                unit /= 10;
                v = usec_add(v, unit * (uint64_t)(*fraction - '0'));
        }
        *ret_usec = v;
        return named;
}

int parse_timespan(const char *s, uint64_t *ret_usec)
{
        uint64_t sum = 0, v;
        unsigned n = 0;
        bool bare = false;
        int r;

        s += strspn(s, WHITESPACE);
        if (strncmp(s, "infinity", 8) == 0 && s[8 + strspn(s + 8, WHITESPACE)] == '\0') {
                *ret_usec = USEC_INFINITY;
                return 0;
        }
        do {
                r = take_timespan(&s, &v);
                if (r < 0)
                        return r;
                bare = bare || r == 0;
                sum = usec_add(sum, v);
                n++;
                s += strspn(s, WHITESPACE);
        } while (*s);
        /* In "1min 30" the 30 may mean anything. */
        if (bare && n > 1)
                return -EINVAL;
        if (sum == USEC_INFINITY)
                return -ERANGE;
        *ret_usec = sum;
        return 0;
}

const char *format_timespan(char buf[static TIMESPAN_MAX], uint64_t usec)
{
        size_t n = 0;

        if (usec == USEC_INFINITY || usec == 0) {
                (void)snprintf(buf, TIMESPAN_MAX, "%s", usec == 0 ? "0" : "infinity");
                return buf;
        }
        for (size_t i = 0; i < TIME_UNITS_PRINTED; i++) {
                uint64_t v = usec / time_units[i].usec;

                if (v == 0)
                        continue;
                usec %= time_units[i].usec;
                n += (size_t)snprintf(buf + n, TIMESPAN_MAX - n, "%s%" PRIu64 "%s",
                        n > 0 ? " " : "", v, time_units[i].name);
        }
        return buf;
}

#define SIGNAL(name) [SIG##name] = "SIG" #name
static const char *const signal_names[] = {
        SIGNAL(HUP),
        SIGNAL(INT),
        SIGNAL(QUIT),
        SIGNAL(ILL),
        SIGNAL(TRAP),
        SIGNAL(ABRT),
        SIGNAL(BUS),
        SIGNAL(FPE),
        SIGNAL(KILL),
        SIGNAL(USR1),
        SIGNAL(SEGV),
        SIGNAL(USR2),
        SIGNAL(PIPE),
        SIGNAL(ALRM),
        SIGNAL(TERM),
        SIGNAL(CHLD),
        SIGNAL(CONT),
        SIGNAL(STOP),
        SIGNAL(TSTP),
        SIGNAL(TTIN),
        SIGNAL(TTOU),
        SIGNAL(URG),
        SIGNAL(XCPU),
        SIGNAL(XFSZ),
        SIGNAL(VTALRM),
        SIGNAL(PROF),
        SIGNAL(WINCH),
        SIGNAL(IO),
        SIGNAL(PWR),
        SIGNAL(SYS),
};

int parse_signal(const char *s, int *ret)
{
        uint64_t v;

        if (parse_u64(s, &v) >= 0) {
                if (v < 1 || v > (uint64_t)SIGRTMAX)
                        return -EINVAL;
                *ret = (int)v;
                return 0;
        }
        for (size_t i = 0; i < ELEMENTSOF(signal_names); i++)
                if (signal_names[i] &&
                        (streq(s, signal_names[i]) || streq(s, signal_names[i] + 3))) {
                        *ret = (int)i;
                        return 0;
                }
        return -EINVAL;
}

const char *signal_name(int sig)
{
        if (sig < 0 || (size_t)sig >= ELEMENTSOF(signal_names) || !signal_names[sig])
                return "unknown signal";
        return signal_names[sig];
}

char **strv_free(char **l)
{
        for (size_t i = 0; l && l[i]; i++)
                free(l[i]);
        free(l);
        return NULL;
}

static int strv_append_n(char ***l, const char *s, size_t n)
{
        _cleanup_(freep) char *copy = NULL;
        size_t length = strv_length(*l);
        char **grown;

        copy = strndup(s, n);
        if (!copy)
                return -ENOMEM;
        grown = reallocarray(*l, length + 2, sizeof(char *));
        if (!grown)
                return -ENOMEM;
        grown[length] = TAKE_PTR(copy);
        grown[length + 1] = NULL;
        *l = grown;
        return 0;
}

int strv_append(char ***l, const char *s)
{
        return strv_append_n(l, s, strlen(s));
}

size_t strv_length(char *const *l)
{
        size_t n = 0;

        while (l && l[n])
                n++;
        return n;
}

bool strv_contains(char *const *l, const char *s)
{
        for (size_t i = 0; l && l[i]; i++)
                if (streq(l[i], s))
                        return true;
        return false;
}

int strv_join(char *const *l, char **ret)
{
        _cleanup_(freep) char *text = strdup("");

        for (; text && l && *l; l++) {
                char *longer = string_printf("%s%s%s", text, *text ? " " : "", *l);

                free(text);
                text = longer;
        }
        *ret = TAKE_PTR(text);
        return *ret ? 0 : -ENOMEM;
}

int strv_split(const char *s, char ***ret)
{
        _cleanup_(strv_freep) char **l = NULL;
        int r;

        l = calloc(1, sizeof(char *));
        if (!l)
                return -ENOMEM;
        for (s += strspn(s, WHITESPACE); *s; s += strspn(s, WHITESPACE)) {
                size_t n = strcspn(s, WHITESPACE);

                r = strv_append_n(&l, s, n);
                if (r < 0)
                        return r;
                s += n;
        }
        *ret = TAKE_PTR(l);
        return 0;
}

bool list_contains(const char *list, const char *item)
{
        size_t len = strlen(item);

        for (const char *at = list; len > 0 && (at = strstr(at, item)); at++)
                if ((at == list || (at - list >= 2 && strncmp(at - 2, ", ", 2) == 0)) &&
                        (at[len] == '\0' || strncmp(at + len, ", ", 2) == 0))
                        return true;
        return len == 0;
}

bool strv_fnmatch(char *const *globs, const char *s)
{
        for (size_t i = 0; globs && globs[i]; i++)
                if (fnmatch(globs[i], s, 0) == 0)
                        return true;
        return false;
}

char *string_printf(const char *fmt, ...)
{
        va_list ap;
        char *s;
        int r;

        va_start(ap, fmt);
        r = vasprintf(&s, fmt, ap);
        va_end(ap);
        return r < 0 ? NULL : s;
}

/* Up to the next separator that no backslash stands before. */
static size_t word_length(const char *s, char separator)
{
        size_t n = 0;

        while (s[n] && s[n] != separator)
                n += s[n] == '\\' && s[n + 1] ? 2 : 1;
        return n;
}

int option_get(const char *options, const char *key, size_t index, char **ret)
{
        size_t k = strlen(key), n;

        for (const char *p = options; *p; p += n + (p[n] == ',')) {
                n = word_length(p, ',');
                if (n <= k || strncmp(p, key, k) != 0 || p[k] != '=' || index-- > 0)
                        continue;
                *ret = strndup(p + k + 1, n - k - 1);
                return *ret ? 0 : -ENOMEM;
        }
        return -ENOENT;
}

int free_and_strdup(char **s, const char *v)
{
        char *copy = NULL;

        if (v) {
                copy = strdup(v);
                if (!copy)
                        return -ENOMEM;
        }
        free(*s);
        *s = copy;
        return 0;
}

/* Fills buf until it is full or the file ends. */
static ssize_t read_until(int fd, char *buf, size_t size)
{
        size_t done = 0;

        while (done < size) {
                ssize_t n = read(fd, buf + done, size - done);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return -errno;
                if (n == 0)
                        break;
                done += (size_t)n;
        }
        return (ssize_t)done;
}

void unescape_octal(char *s)
{
        char *out = s;

        for (; *s; s++) {
                if (s[0] == '\\' && strspn(s + 1, "01234567") >= 3) {
                        *out++ = (char)((s[1] - '0') * 64 + (s[2] - '0') * 8 + s[3] - '0');
                        s += 3;
                } else {
                        *out++ = *s;
                }
        }
        *out = '\0';
}

int read_full_file(const char *path, size_t max, char **ret, size_t *ret_size)
{
        _cleanup_(freep) char *buf = NULL;
        _cleanup_(closep) int fd = -EBADF;
        size_t size = 0, room = 0;

        fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
        if (fd < 0)
                return -errno;
        /* The size fstat(2) tells is no use: files of procfs and sysfs have none. */
        while (size == room) {
                size_t wanted = MIN_OF(MAX_OF(2 * room, (size_t)4096), max + 1);
                ssize_t n;
                char *grown;

                if (room > max)
                        return -EFBIG;
                grown = realloc(buf, wanted + 1);
                if (!grown)
                        return -ENOMEM;
                buf = grown;
                room = wanted;
                n = read_until(fd, buf + size, room - size);
                if (n < 0)
                        return (int)n;
                size += (size_t)n;
        }
        if (size > max)
                return -EFBIG;
        buf[size] = '\0';
        if (ret_size)
                *ret_size = size;
        *ret = TAKE_PTR(buf);
        return 0;
}

static uint64_t clock_usec(clockid_t clock)
{
        struct timespec ts = { 0 };

        (void)clock_gettime(clock, &ts);
        return (uint64_t)ts.tv_sec * USEC_PER_SEC + (uint64_t)ts.tv_nsec / 1000;
}

uint64_t now_usec(void)
{
        return clock_usec(CLOCK_MONOTONIC);
}

uint64_t now_boottime_usec(void)
{
        return clock_usec(CLOCK_BOOTTIME);
}

void pause_usec(uint64_t usec)
{
        const struct timespec ts = {
                .tv_sec = (time_t)(usec / USEC_PER_SEC),
                .tv_nsec = (long)(usec % USEC_PER_SEC) * 1000,
        };

        (void)nanosleep(&ts, NULL);
}

uint64_t now_realtime_usec(void)
{
        return clock_usec(CLOCK_REALTIME);
}

uint64_t usec_add(uint64_t a, uint64_t b)
{
        return a > USEC_INFINITY - b ? USEC_INFINITY : a + b;
}

int poll_timeout_ms(uint64_t deadline_usec)
{
        uint64_t now = now_usec(), ms;

        if (deadline_usec == USEC_INFINITY)
                return -1;
        if (deadline_usec <= now)
                return 0;
        ms = (deadline_usec - now - 1) / USEC_PER_MSEC + 1;
        return (int)MIN_OF(ms, (uint64_t)INT_MAX);
}
