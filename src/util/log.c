/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Where messages go. Nothing here allocates, fails or waits: a message that cannot be written is
 * lost and counted, and the caller goes on. Texts hold names that anybody may choose: a line feed
 * would make a line of its own on stderr, where systemd even reads a level at its start
 * (SyslogLevelPrefix=), and a message with one escape sequence is only "blob data" to who reads the
 * journal, a way to be killed unseen. CODE_FILE and its kin would name this file for every message,
 * so they are left out; records are told apart by MESSAGE_ID. */

#include <inttypes.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include "util/journal.h"
#include "util/log.h"
#include "util/text.h"
#include "util/utf8.h"

#define TEXT_MAX 4096
#define MESSAGE_FIELD "MESSAGE="

typedef enum LogTarget {
        LOG_TARGET_AUTO,
        LOG_TARGET_JOURNAL,
        LOG_TARGET_CONSOLE,
        LOG_TARGET_NULL,
        _LOG_TARGET_MAX,
} LogTarget;

static const char *const target_names[_LOG_TARGET_MAX] = {
        [LOG_TARGET_AUTO] = "auto",
        [LOG_TARGET_JOURNAL] = "journal",
        [LOG_TARGET_CONSOLE] = "console",
        [LOG_TARGET_NULL] = "null",
};

static const char *const level_names[] = {
        [LOG_EMERG] = "emerg",
        [LOG_ALERT] = "alert",
        [LOG_CRIT] = "crit",
        [LOG_ERR] = "err",
        [LOG_WARNING] = "warning",
        [LOG_NOTICE] = "notice",
        [LOG_INFO] = "info",
        [LOG_DEBUG] = "debug",
};

static int max_level = LOG_INFO;
static LogTarget target = LOG_TARGET_AUTO;
static unsigned lost; /* since journald last took one */

void log_set_max_level(int level)
{
        max_level = level;
}

int log_get_max_level(void)
{
        return max_level;
}

int log_set_target(const char *name)
{
        for (size_t i = 0; i < _LOG_TARGET_MAX; i++)
                if (streq(name, target_names[i])) {
                        target = (LogTarget)i;
                        return 0;
                }
        return -EINVAL;
}

const char *log_get_target(void)
{
        return target_names[target];
}

int log_level_from_string(const char *s)
{
        uint64_t v;

        for (size_t i = 0; i < ELEMENTSOF(level_names); i++)
                if (streq(s, level_names[i]))
                        return (int)i;
        if (parse_u64(s, &v) < 0 || v > LOG_DEBUG)
                return -EINVAL;
        return (int)v;
}

const char *log_level_to_string(int level)
{
        if (level < 0 || (size_t)level >= ELEMENTSOF(level_names))
                return "unknown";
        return level_names[level];
}

/* $JOURNAL_STREAM alone proves nothing: a shell started from a service inherits it after stderr was
 * pointed elsewhere. systemd.exec(5) therefore says which file it speaks of. */
static bool stderr_is_journal(void)
{
        const char *stream = getenv("JOURNAL_STREAM");
        char expected[64];
        struct stat st;

        if (!stream || fstat(STDERR_FILENO, &st) < 0)
                return false;
        (void)snprintf(
                expected, sizeof(expected), "%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
        return streq(stream, expected);
}

static LogTarget target_resolve(void)
{
        if (target != LOG_TARGET_AUTO)
                return target;
        return stderr_is_journal() ? LOG_TARGET_JOURNAL : LOG_TARGET_CONSOLE;
}

static void write_console(const char *text)
{
        /* One write per message, so that lines of several processes do not mix. */
        struct iovec iov[] = {
                { .iov_base = (char *)text, .iov_len = strlen(text) },
                { .iov_base = (char[]){ "\n" }, .iov_len = 1 },
        };
        ssize_t n;

        n = writev(STDERR_FILENO, iov, ELEMENTSOF(iov));
        (void)n;
}

/* message is "MESSAGE=" and the text. */
static int write_journal(
        int level, const char *message_id, char *const *fields, const char *message)
{
        char priority[] = "PRIORITY=0", id[sizeof("MESSAGE_ID=") + 36], identifier[128];
        const char *all[LOG_FIELDS_MAX + 4];
        size_t n = 0;

        priority[sizeof(priority) - 2] = (char)('0' + level);
        (void)snprintf(identifier, sizeof(identifier), "SYSLOG_IDENTIFIER=%s",
                program_invocation_short_name);
        all[n++] = message;
        all[n++] = priority;
        all[n++] = identifier;
        if (message_id) {
                (void)snprintf(id, sizeof(id), "MESSAGE_ID=%s", message_id);
                all[n++] = id;
        }
        for (size_t i = 0; fields && fields[i] && i < LOG_FIELDS_MAX; i++)
                all[n++] = fields[i];
        return journal_send(all, n);
}

/* The journal's stream behind stderr is read by the same journald: where that takes nothing, it
 * would keep us waiting. */
static void write_somewhere(
        LogTarget to, int level, const char *message_id, char *const *fields, const char *message)
{
        int r = to == LOG_TARGET_JOURNAL ? write_journal(level, message_id, fields, message)
                                         : -ENOENT;
        char text[96];

        if (r == -EAGAIN)
                lost++;
        else if (r < 0)
                write_console(message + strlen(MESSAGE_FIELD));
        if (r < 0 || lost == 0)
                return;
        (void)snprintf(text, sizeof(text),
                MESSAGE_FIELD "journald took no messages for a while, %u were lost.", lost);
        if (write_journal(LOG_WARNING, NULL, NULL, text) == 0)
                lost = 0;
}

static void _printf_(4, 0) log_write(
        int level, const char *message_id, char *const *fields, const char *fmt, va_list ap)
{
        char message[sizeof(MESSAGE_FIELD) + TEXT_MAX], *text = message + strlen(MESSAGE_FIELD);
        char raw[TEXT_MAX];
        int saved = errno;
        LogTarget to = target_resolve();

        if (level > max_level || level < LOG_EMERG || level > LOG_DEBUG || to == LOG_TARGET_NULL)
                return;
        memcpy(message, MESSAGE_FIELD, sizeof(MESSAGE_FIELD));
        errno = saved; /* for %m */
        (void)vsnprintf(raw, sizeof(raw), fmt, ap);
        (void)utf8_printable(raw, text, TEXT_MAX);
        write_somewhere(to, level, message_id, fields, message);
        errno = saved;
}

void log_message(int level, const char *fmt, ...)
{
        va_list ap;

        va_start(ap, fmt);
        log_write(level, NULL, NULL, fmt, ap);
        va_end(ap);
}

void log_event(int level, const char *message_id, char *const *fields, const char *fmt, ...)
{
        va_list ap;

        va_start(ap, fmt);
        log_write(level, message_id, fields, fmt, ap);
        va_end(ap);
}
