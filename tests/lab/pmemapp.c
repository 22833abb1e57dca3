/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* An application on persistent memory, for the lab to take the memory away from. It appends records
 * through a mapping made with MAP_SYNC, or with pwrite(2) and fsync(2), and only when a record is
 * durable acknowledges it in a side log on other storage: whatever happens to the device, every
 * acknowledged record must be there afterwards. The other modes are the holders that are harder to
 * get rid of.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <immintrin.h>
#include <inttypes.h>
#include <linux/io_uring.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define RECORD_SIZE 256
#define PAGE 4096u
#define MAGIC UINT64_C(0x31646f6d65726d70)

typedef struct Record {
        uint64_t magic;
        uint64_t sequence;
        uint64_t time;
        uint8_t payload[RECORD_SIZE - 4 * sizeof(uint64_t)];
        uint64_t checksum;
} Record;

_Static_assert(sizeof(Record) == RECORD_SIZE, "records tile pages");

typedef enum Work { WORK_WRITE, WORK_IDLE, WORK_FD_ONLY, WORK_CWD_ONLY } Work;

typedef struct Options {
        Work work;
        const char *file;
        const char *ack;
        const char *ready;
        const char *on_term;
        const char *on_sigbus;
        size_t size;
        uint64_t interval_usec;
        bool mmap_only;
        bool by_write;
        bool ack_last;
        bool pin;
        bool fsync;
        bool verify;
} Options;

static volatile sig_atomic_t stop_requested;
static sigjmp_buf after_sigbus;

static _Noreturn void fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

static _Noreturn void fail(const char *format, ...)
{
        int saved = errno;
        va_list ap;

        fputs("pmemapp: ", stderr);
        va_start(ap, format);
        vfprintf(stderr, format, ap);
        va_end(ap);
        fprintf(stderr, ": %s\n", strerror(saved));
        exit(1);
}

static uint64_t fnv1a(uint64_t hash, const void *data, size_t size)
{
        const uint8_t *p = data;

        for (size_t i = 0; i < size; i++)
                hash = (hash ^ p[i]) * UINT64_C(0x100000001b3);
        return hash;
}

static uint64_t record_checksum(const Record *record)
{
        return fnv1a(UINT64_C(0xcbf29ce484222325), record, offsetof(Record, checksum));
}

/* ---- signals ---- */

static void on_term_exit(int sig)
{
        (void)sig;
        stop_requested = 1;
}

static void on_sigbus_stay(int sig)
{
        (void)sig;
        siglongjmp(after_sigbus, 1);
}

static void set_handler(int sig, void (*handler)(int))
{
        struct sigaction action = { .sa_handler = handler };

        if (sigaction(sig, &action, NULL) < 0)
                fail("sigaction");
}

static void install_handlers(const Options *o)
{
        set_handler(SIGTERM, strcmp(o->on_term, "ignore") == 0 ? SIG_IGN : on_term_exit);
        if (strcmp(o->on_sigbus, "ignore") == 0)
                set_handler(SIGBUS, SIG_IGN);
        else if (strcmp(o->on_sigbus, "stay") == 0)
                set_handler(SIGBUS, on_sigbus_stay);
}

/* ---- writing ---- */

/* With MAP_SYNC the block is allocated durably at the fault; flushing the cache lines makes the
 * content so. */
static void make_durable(const void *data, size_t size)
{
        const char *p = data;

        for (size_t i = 0; i < size; i += 64)
                _mm_clflush(p + i);
        _mm_sfence();
}

static void fill_record(Record *record, uint64_t sequence)
{
        struct timespec now;

        clock_gettime(CLOCK_REALTIME, &now);
        *record = (Record){ .magic = MAGIC, .sequence = sequence };
        record->time = (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
        for (size_t i = 0; i < sizeof(record->payload); i++)
                record->payload[i] = (uint8_t)(sequence * 31 + i);
        record->checksum = record_checksum(record);
}

/* A log, or one number over and over in place: on a DAX file that is a store to the media that
 * changes nothing else, and so outlives the machine (pmem, dax_iomap_rw()). */
static void acknowledge(const Options *o, int ack, uint64_t sequence)
{
        ssize_t n = sizeof(sequence);

        if (ack >= 0)
                n = o->ack_last ? pwrite(ack, &sequence, sizeof(sequence), 0)
                                : write(ack, &sequence, sizeof(sequence));
        if (n != sizeof(sequence))
                fail("acknowledging record %" PRIu64, sequence);
}

static void write_record(const Options *o, const Record *record, size_t at, char *map, int fd)
{
        if (!o->by_write) {
                memcpy(map + at, record, sizeof(*record));
                make_durable(map + at, sizeof(*record));
                return;
        }
        if (pwrite(fd, record, sizeof(*record), (off_t)at) != sizeof(*record) || fsync(fd) < 0)
                fail("%s: writing record %" PRIu64, o->file, record->sequence);
}

/* Writes one record after the other, from the start again when the file is full. */
static void write_records(const Options *o, char *map, int fd, int ack)
{
        const uint64_t slots = o->size / RECORD_SIZE;
        const struct timespec pause = { .tv_nsec = (long)o->interval_usec * 1000 };
        Record record;

        for (uint64_t sequence = 1; !stop_requested; sequence++) {
                fill_record(&record, sequence);
                write_record(o, &record, (sequence - 1) % slots * RECORD_SIZE, map, fd);
                acknowledge(o, ack, sequence);
                if (o->interval_usec > 0)
                        nanosleep(&pause, NULL);
        }
}

/* Blocked around the test, so that a signal between test and sleep is not lost. */
static void sleep_until_told(void)
{
        sigset_t term, before;

        sigemptyset(&term);
        sigaddset(&term, SIGTERM);
        sigprocmask(SIG_BLOCK, &term, &before);
        while (!stop_requested)
                sigsuspend(&before);
}

/* ---- holding ---- */

static int open_file(const Options *o)
{
        int fd = open(o->file, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
        struct stat st;

        if (fd < 0)
                fail("%s", o->file);
        /* Device-dax has the size it has. */
        if (fstat(fd, &st) < 0)
                fail("%s", o->file);
        if (o->work != WORK_FD_ONLY && !S_ISCHR(st.st_mode) &&
                posix_fallocate(fd, 0, (off_t)o->size) != 0)
                fail("%s: no room for %zu bytes", o->file, o->size);
        return fd;
}

static char *map_file(const Options *o, int fd)
{
        char *map =
                mmap(NULL, o->size, PROT_READ | PROT_WRITE, MAP_SHARED_VALIDATE | MAP_SYNC, fd, 0);

        if (map == MAP_FAILED)
                fail("%s: mmap with MAP_SYNC", o->file);
        /* One write per 4 KiB page: the kernel's cost of a removal is counted in these. */
        for (size_t i = 0; i < o->size; i += PAGE)
                ((volatile char *)map)[i] = 0;
        if (o->fsync && fsync(fd) < 0)
                fail("%s: fsync", o->file);
        return map;
}

static void say_ready(const Options *o)
{
        if (o->ready) {
                int fd = open(o->ready, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

                if (fd < 0)
                        fail("%s", o->ready);
                close(fd);
        }
}

static int open_ack(const Options *o)
{
        int ack = -1;

        if (o->ack) {
                ack = open(o->ack, O_WRONLY | O_CREAT | (o->ack_last ? 0 : O_APPEND) | O_CLOEXEC,
                        0644);
                if (ack < 0)
                        fail("%s", o->ack);
                /* Its block and its size are there for good before the first record. */
                if (o->ack_last) {
                        acknowledge(o, ack, 0);
                        if (fsync(ack) < 0)
                                fail("%s", o->ack);
                }
        }
        return ack;
}

/* With --on-sigbus=stay it comes back to the setjmp and goes on living, without its data. */
static void work(const Options *o, char *map, int fd, int ack)
{
        if (sigsetjmp(after_sigbus, 1) == 0 && o->work == WORK_WRITE)
                write_records(o, map, fd, ack);
        else
                sleep_until_told();
}

/* Registered for io_uring and so pinned until the ring is closed: device-dax allows it, DAX files
 * do not (check_vma_flags(), mm/gup.c). */
static void pin(const Options *o, char *map)
{
        struct io_uring_params params = { 0 };
        struct iovec whole = { .iov_base = map, .iov_len = o->size };
        int ring = (int)syscall(SYS_io_uring_setup, 1, &params);

        if (ring < 0 ||
                syscall(SYS_io_uring_register, ring, IORING_REGISTER_BUFFERS, &whole, 1) < 0)
                fail("%s: io_uring", o->file);
}

static void use_memory(const Options *o)
{
        int fd = open_file(o);
        char *map = o->by_write ? NULL : map_file(o, fd);
        int ack = open_ack(o);

        if (o->pin)
                pin(o, map);

        if (o->mmap_only)
                close(fd);
        say_ready(o);
        work(o, map, fd, ack);
}

static int run(const Options *o)
{
        install_handlers(o);
        switch (o->work) {
        case WORK_CWD_ONLY:
                if (chdir(o->file) < 0)
                        fail("%s", o->file);
                break;
        case WORK_FD_ONLY:
                (void)open_file(o);
                break;
        default:
                use_memory(o);
                return 0;
        }
        say_ready(o);
        sleep_until_told();
        return 0;
}

/* ---- verifying ---- */

/* Finds the highest acknowledged sequence number; a torn last entry was not acknowledged. */
static uint64_t last_acknowledged(const char *path)
{
        uint64_t sequence, last = 0;
        FILE *f = fopen(path, "re");

        if (!f)
                fail("%s", path);
        while (fread(&sequence, sizeof(sequence), 1, f) == 1)
                last = sequence > last ? sequence : last;
        fclose(f);
        return last;
}

static bool record_intact(const Record *record, uint64_t slots, uint64_t slot)
{
        return record->magic == MAGIC && record->sequence > 0 &&
               (record->sequence - 1) % slots == slot &&
               record->checksum == record_checksum(record);
}

/*
 * In a file that was written round, slot N must hold the newest acknowledged record that belongs
 * there, or a newer one. The slot that came next may be half overwritten.
 */
static uint64_t expected_sequence(uint64_t last, uint64_t slots, uint64_t slot)
{
        if (last < slot + 1 || (last >= slots && last % slots == slot))
                return 0;
        return slot + 1 + (last - slot - 1) / slots * slots;
}

static int verify(const Options *o)
{
        uint64_t last = o->ack ? last_acknowledged(o->ack) : 0;
        uint64_t intact = 0, missing = 0, sum = UINT64_C(0xcbf29ce484222325), slots, slot = 0;
        struct stat st;
        Record record;
        FILE *f = fopen(o->file, "re");

        if (!f || fstat(fileno(f), &st) < 0)
                fail("%s", o->file);
        slots = (uint64_t)st.st_size / RECORD_SIZE;
        for (; slot < slots && fread(&record, sizeof(record), 1, f) == 1; slot++) {
                uint64_t expected = expected_sequence(last, slots, slot);
                bool good = record_intact(&record, slots, slot);

                if (good) {
                        intact++;
                        sum = fnv1a(sum, &record.checksum, sizeof(record.checksum));
                }
                if (expected > 0 && (!good || record.sequence < expected))
                        missing++;
        }
        if (ferror(f))
                fail("%s", o->file);
        fclose(f);
        for (; slot < slots; slot++)
                missing += expected_sequence(last, slots, slot) > 0;
        if (slots == 0)
                missing = last;
        printf("%" PRIu64 " records intact, checksum %016" PRIx64, intact, sum);
        if (o->ack)
                printf(", %" PRIu64 " acknowledged, %" PRIu64 " missing", last, missing);
        putchar('\n');
        return missing > 0 ? 1 : 0;
}

/* ---- options ---- */

static _Noreturn void usage(int status)
{
        fputs("usage: pmemapp [OPTION...] FILE\n"
              "       pmemapp --verify [--ack=LOG] FILE\n"
              "  --size=MIB           how much to map and touch (default 4)\n"
              "  --ack=LOG            acknowledge durable records there, on other storage\n"
              "  --interval=USEC      pause between records (default 1000)\n"
              "  --ready=PATH         made when the memory is in use\n"
              "  --on-term=exit|ignore\n"
              "  --on-sigbus=die|ignore|stay\n"
              "  --idle               map and touch, then sleep\n"
              "  --fd-only            only open FILE\n"
              "  --cwd-only           only sit in the directory FILE\n"
              "  --mmap-only          close the descriptor after mapping\n"
              "  --by-write           records by pwrite and fsync, without a mapping\n"
              "  --ack-last           LOG holds only the last one, in place: on persistent memory\n"
              "  --pin                register the mapping with io_uring (device-dax only)\n"
              "  --fsync              once after touching: without it a freeze does not stop the "
              "writing\n",
                status ? stderr : stdout);
        exit(status);
}

static const char *one_of(const char *value, const char *a, const char *b, const char *c)
{
        if (strcmp(value, a) != 0 && strcmp(value, b) != 0 && (!c || strcmp(value, c) != 0))
                usage(2);
        return value;
}

static uint64_t number(const char *text)
{
        char *end;
        unsigned long long value;

        errno = 0;
        value = strtoull(text, &end, 10);
        if (errno || end == text || *end || *text == '-' || value > 1000000)
                usage(2);
        return value;
}

static Options parse(int argc, char **argv)
{
        enum {
                SIZE = 256,
                ACK,
                INTERVAL,
                READY,
                ON_TERM,
                ON_SIGBUS,
                IDLE,
                FD,
                CWD,
                MMAP,
                BY_WRITE,
                ACK_LAST,
                PIN,
                FSYNC,
                VERIFY,
                HELP
        };
        static const struct option table[] = {
                { "size", required_argument, NULL, SIZE },
                { "ack", required_argument, NULL, ACK },
                { "interval", required_argument, NULL, INTERVAL },
                { "ready", required_argument, NULL, READY },
                { "on-term", required_argument, NULL, ON_TERM },
                { "on-sigbus", required_argument, NULL, ON_SIGBUS },
                { "idle", no_argument, NULL, IDLE },
                { "fd-only", no_argument, NULL, FD },
                { "cwd-only", no_argument, NULL, CWD },
                { "mmap-only", no_argument, NULL, MMAP },
                { "by-write", no_argument, NULL, BY_WRITE },
                { "ack-last", no_argument, NULL, ACK_LAST },
                { "pin", no_argument, NULL, PIN },
                { "fsync", no_argument, NULL, FSYNC },
                { "verify", no_argument, NULL, VERIFY },
                { "help", no_argument, NULL, HELP },
                { 0 },
        };
        Options o = { .size = 4, .interval_usec = 1000, .on_term = "exit", .on_sigbus = "die" };
        int c;

        while ((c = getopt_long(argc, argv, "", table, NULL)) >= 0) {
                switch (c) {
                case SIZE:
                        o.size = number(optarg);
                        break;
                case ACK:
                        o.ack = optarg;
                        break;
                case INTERVAL:
                        o.interval_usec = number(optarg);
                        break;
                case READY:
                        o.ready = optarg;
                        break;
                case ON_TERM:
                        o.on_term = one_of(optarg, "exit", "ignore", NULL);
                        break;
                case ON_SIGBUS:
                        o.on_sigbus = one_of(optarg, "die", "ignore", "stay");
                        break;
                case IDLE:
                        o.work = WORK_IDLE;
                        break;
                case FD:
                        o.work = WORK_FD_ONLY;
                        break;
                case CWD:
                        o.work = WORK_CWD_ONLY;
                        break;
                case MMAP:
                        o.mmap_only = true;
                        break;
                case BY_WRITE:
                        o.by_write = true;
                        break;
                case ACK_LAST:
                        o.ack_last = true;
                        break;
                case PIN:
                        o.pin = true;
                        break;
                case FSYNC:
                        o.fsync = true;
                        break;
                case VERIFY:
                        o.verify = true;
                        break;
                case HELP:
                        usage(0);
                default:
                        usage(2);
                }
        }
        if (optind + 1 != argc || o.size == 0 || o.interval_usec >= 1000000)
                usage(2);
        o.file = argv[optind];
        o.size <<= 20;
        return o;
}

int main(int argc, char **argv)
{
        const Options o = parse(argc, argv);

        return o.verify ? verify(&o) : run(&o);
}
