/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The append-only file of one removal. It appears under its name only when its head (request and
 * plan) is complete: it is written unnamed (O_TMPFILE) and linked, so that a daemon killed in
 * between leaves nothing. Room for what follows is reserved at once, so that a full /run stops a
 * removal before its first step and not between freeze and thaw. */

#include "ledger.h"

#include <fcntl.h>
#include <inttypes.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "util/fault.h"
#include "util/own-file.h"
#include "util/text.h"

#define LEDGER_HEAD "pmemremoved-ledger 1\n"
#define LEDGER_SUFFIX ".ledger"
#define LEDGER_MAX (64U * 1024 * 1024)
#define LEDGER_RESERVE (256 * 1024)
#define LAST_ID "last-id"
/* More removals than a machine can see; what is above was not written by us. */
#define ID_MAX (UINT64_MAX / 2)

Ledger *ledger_free(Ledger *l)
{
        if (!l)
                return NULL;
        (void)safe_close(l->fd);
        free(l->path);
        request_free(l->request);
        plan_free(l->plan);
        for (size_t i = 0; i < l->n_records; i++)
                record_free(l->records[i]);
        free(l->records);
        free(l);
        return NULL;
}

int ledger_path(const char *dir, uint64_t id, char **ret)
{
        *ret = string_printf("%s/%" PRIu64 LEDGER_SUFFIX, dir, id);
        return *ret ? 0 : -ENOMEM;
}

static int write_all(int fd, const char *buf, size_t size)
{
        while (size > 0) {
                ssize_t n = write(fd, buf, size);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return -errno;
                buf += n;
                size -= (size_t)n;
        }
        return 0;
}

static int highest_id(const char *dir, uint64_t *ret)
{
        _cleanup_(freep) uint64_t *ids = NULL;
        size_t n = 0;
        int r;

        r = ledger_list(dir, &ids, &n);
        *ret = r == 0 && n > 0 ? ids[n - 1] : 0;
        return r;
}

/* Ids count up in a file of their own: a finished ledger may be deleted, its id is never given to
 * another removal as long as the machine runs. Of a file that is not ours, is no number, or is
 * locked by somebody, nothing can be known: no id then. An empty one is new. */
static int next_id(const char *dir, int dir_fd, uint64_t *ret)
{
        _cleanup_(closep) int fd = own_file_open(dir_fd, LAST_ID, O_RDWR | O_CREAT);
        char buf[32] = "";
        uint64_t id = 0, highest;
        ssize_t n;
        int size, r;

        if (fd < 0)
                return fd;
        if (flock(fd, LOCK_EX | LOCK_NB) < 0)
                return -errno;
        n = pread(fd, buf, sizeof(buf) - 1, 0);
        if (n < 0)
                return -errno;
        buf[strcspn(buf, "\n")] = '\0';
        if (n > 0 && (parse_u64(buf, &id) < 0 || id >= ID_MAX))
                return -EBADMSG;
        r = highest_id(dir, &highest);
        if (r < 0)
                return r;
        *ret = MAX_OF(id, highest) + 1;
        if (*ret >= ID_MAX)
                return -EOVERFLOW;
        size = snprintf(buf, sizeof(buf), "%" PRIu64 "\n", *ret);
        n = pwrite(fd, buf, (size_t)size, 0);
        if (n != size)
                return n < 0 ? -errno : -EIO;
        return fdatasync(fd) < 0 ? -errno : 0;
}

static int head_text(const Ledger *l, char **ret)
{
        _cleanup_(record_freep) Record *request = NULL;
        _cleanup_(freep) char *line = NULL, *plan = NULL;
        int r;

        r = request_to_record(l->request, &request);
        if (r == 0)
                r = record_setf(request, "id", "%" PRIu64, l->id);
        if (r == 0)
                r = plan_seal(l->plan);
        if (r == 0)
                r = record_set(request, "digest", l->plan->id);
        if (r == 0)
                r = plan_print(l->plan, &plan);
        if (r < 0)
                return r;
        line = record_print(request);
        if (!line)
                return -ENOMEM;
        *ret = string_printf(LEDGER_HEAD "%s\n%s", line, plan);
        return *ret ? 0 : -ENOMEM;
}

static int write_head(Ledger *l, int dir_fd)
{
        _cleanup_(freep) char *text = NULL;
        char self[64], name[64];
        int r;

        r = head_text(l, &text);
        if (r < 0)
                return r;
        r = write_all(l->fd, text, strlen(text));
        if (r < 0)
                return r;
        if (fallocate(l->fd, FALLOC_FL_KEEP_SIZE, 0, (off_t)strlen(text) + LEDGER_RESERVE) < 0 &&
                errno != EOPNOTSUPP)
                return -errno;
        if (fdatasync(l->fd) < 0)
                return -errno;
        (void)snprintf(self, sizeof(self), "/proc/self/fd/%d", l->fd);
        (void)snprintf(name, sizeof(name), "%" PRIu64 LEDGER_SUFFIX, l->id);
        if (linkat(AT_FDCWD, self, dir_fd, name, AT_SYMLINK_FOLLOW) < 0)
                return -errno;
        if (fsync(dir_fd) >= 0)
                return 0;
        r = -errno;
        /* Or the next daemon would find a removal that was never begun, and recover it. */
        (void)unlinkat(dir_fd, name, 0);
        return r;
}

/* The caller keeps its own request and plan: the ledger gets what a reader would get, parsed from
 * its own text. */
static int adopt_copies(Ledger *l, const Request *req, const Plan *plan)
{
        _cleanup_(record_freep) Record *r = NULL;
        _cleanup_(freep) char *text = NULL;
        int e;

        e = request_to_record(req, &r);
        if (e == 0)
                e = request_from_record(r, &l->request);
        if (e == 0)
                e = plan_print(plan, &text);
        if (e == 0)
                e = plan_parse(text, policy_find_step, &l->plan, NULL);
        return e;
}

int ledger_create(const char *dir, const Request *req, const Plan *plan, Ledger **ret)
{
        _cleanup_(ledger_freep) Ledger *l = calloc(1, sizeof(*l));
        _cleanup_(closep) int dir_fd = -EBADF;
        int r;

        if (!l)
                return -ENOMEM;
        l->fd = -EBADF;
        l->torn_at = -1;
        if (mkdir(dir, 0700) < 0 && errno != EEXIST)
                return -errno;
        dir_fd = own_folder_open(dir);
        if (dir_fd < 0)
                return dir_fd;
        r = adopt_copies(l, req, plan);
        if (r == 0)
                r = next_id(dir, dir_fd, &l->id);
        if (r == 0)
                r = ledger_path(dir, l->id, &l->path);
        if (r < 0)
                return r;
        l->fd = openat(dir_fd, ".", O_TMPFILE | O_RDWR | O_APPEND | O_CLOEXEC, 0600);
        if (l->fd < 0 || flock(l->fd, LOCK_EX | LOCK_NB) < 0)
                return -errno;
        r = write_head(l, dir_fd);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(l);
        return 0;
}

/* A ledger orders this program to mount, bind and thaw: one that others could have written is
 * refused, never obeyed. */
static int check_owner(int fd)
{
        struct stat st;
        int r;

        r = own_file_check(fd);
        if (r < 0)
                return r;
        if (fstat(fd, &st) < 0)
                return -errno;
        return st.st_size > (off_t)LEDGER_MAX ? -EFBIG : 0;
}

static int read_all(int fd, char **ret, size_t *ret_size)
{
        _cleanup_(freep) char *buf = NULL;
        struct stat st;
        size_t got = 0;

        if (fstat(fd, &st) < 0)
                return -errno;
        buf = malloc((size_t)st.st_size + 1);
        if (!buf)
                return -ENOMEM;
        while (got < (size_t)st.st_size) {
                ssize_t n = pread(fd, buf + got, (size_t)st.st_size - got, (off_t)got);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return -errno;
                if (n == 0)
                        break;
                got += (size_t)n;
        }
        buf[got] = '\0';
        *ret = TAKE_PTR(buf);
        *ret_size = got;
        return 0;
}

static int make_room(Ledger *l)
{
        Record **grown = reallocarray(l->records, l->n_records + 1, sizeof(Record *));

        if (!grown)
                return -ENOMEM;
        l->records = grown;
        return 0;
}

static int parse_records(Ledger *l, const char *text, const char *start)
{
        while (*text) {
                _cleanup_(record_freep) Record *rec = NULL;
                _cleanup_(freep) char *line = NULL;
                const char *nl = strchr(text, '\n');
                int r;

                if (!nl) {
                        l->torn_at = text - start;
                        return 0;
                }
                line = strndup(text, (size_t)(nl - text));
                if (!line)
                        return -ENOMEM;
                r = record_parse(line, &rec);
                if (r == 0)
                        r = make_room(l);
                if (r < 0)
                        return r;
                l->records[l->n_records++] = TAKE_PTR(rec);
                text = nl + 1;
        }
        return 0;
}

static int parse_request(Ledger *l, const char *line, char **ret_digest)
{
        _cleanup_(record_freep) Record *rec = NULL;
        int r;

        r = record_parse(line, &rec);
        if (r == 0)
                r = record_get_u64(rec, "id", &l->id);
        if (r == 0)
                r = request_from_record(rec, &l->request);
        if (r == 0)
                r = free_and_strdup(ret_digest, strempty(record_get(rec, "digest")));
        return r;
}

static int parse_ledger(Ledger *l, const char *text, StepLookup lookup)
{
        _cleanup_(freep) char *line = NULL, *digest = NULL;
        const char *start = text, *nl;
        int r;

        if (strncmp(text, LEDGER_HEAD, strlen(LEDGER_HEAD)) != 0)
                return strncmp(text, "pmemremoved-ledger ", 19) == 0 ? -EPROTONOSUPPORT : -EBADMSG;
        text += strlen(LEDGER_HEAD);
        nl = strchr(text, '\n');
        if (!nl)
                return -EBADMSG;
        line = strndup(text, (size_t)(nl - text));
        if (!line)
                return -ENOMEM;
        r = parse_request(l, line, &digest);
        if (r == 0)
                r = plan_parse(nl + 1, lookup, &l->plan, &text);
        l->old = !digest || !*digest;
        /* Another word in the place of one can be as good a plan, but is not the one that was made.
         * A daemon that was replaced in the middle of a removal may have written none. */
        if (r == 0 && *digest && !streq(digest, l->plan->id))
                r = -EBADMSG;
        if (r == 0)
                r = parse_records(l, text, start);
        return r;
}

/* Whatever a parser found missing or too large: to people it is a text that is damaged, and "No
 * such file" is only said of a ledger that is not there. */
static int cause_of(int err)
{
        return err == 0 || err == -ENOMEM || err == -EPROTONOSUPPORT ? err : -EBADMSG;
}

int ledger_open_fd(int fd, StepLookup lookup, Ledger **ret)
{
        _cleanup_(ledger_freep) Ledger *l = calloc(1, sizeof(*l));
        _cleanup_(freep) char *text = NULL;
        size_t size = 0;
        int r;

        if (!l)
                return -ENOMEM;
        l->fd = -EBADF;
        l->torn_at = -1;
        r = check_owner(fd);
        if (r == 0)
                r = read_all(fd, &text, &size);
        if (r == 0 && strlen(text) != size)
                r = -EBADMSG;
        if (r == 0)
                r = cause_of(parse_ledger(l, text, lookup));
        if (r < 0)
                return r;
        l->fd = fd;
        *ret = TAKE_PTR(l);
        return 0;
}

int ledger_load(const char *path, StepLookup lookup, Ledger **ret)
{
        _cleanup_(closep) int fd = own_file_open(AT_FDCWD, path, O_RDWR | O_APPEND);
        int r;

        if (fd < 0)
                return fd;
        r = ledger_open_fd(fd, lookup, ret);
        if (r < 0)
                return r;
        (void)TAKE_FD(fd);
        (*ret)->path = strdup(path);
        if (!(*ret)->path) {
                *ret = ledger_free(*ret);
                return -ENOMEM;
        }
        return 0;
}

int ledger_load_id(const char *dir, uint64_t id, StepLookup lookup, Ledger **ret)
{
        _cleanup_(ledger_freep) Ledger *l = NULL;
        _cleanup_(freep) char *path = NULL;
        int r;

        r = ledger_path(dir, id, &path);
        if (r == 0)
                r = ledger_load(path, lookup, &l);
        if (r < 0)
                return r;
        /* A copy, perhaps; two removals of one id would be told as one. */
        if (l->id != id)
                return -ESTALE;
        *ret = TAKE_PTR(l);
        return 0;
}

int ledger_lock(Ledger *l, bool wait)
{
        if (flock(l->fd, LOCK_EX | (wait ? 0 : LOCK_NB)) < 0)
                return -errno;
        return 0;
}

/* The line as a whole, unless a test wants it torn. */
static int write_line(int fd, const Record *rec, const char *line)
{
        size_t size = strlen(line), whole;
        char what[128];
        int r;

        (void)snprintf(
                what, sizeof(what), "%s%s%s", rec->verb, rec->name ? " " : "", strempty(rec->name));
        r = fault_point("write-before", what);
        if (r < 0)
                return r;
        whole = fault_tear(what, size);
        r = write_all(fd, line, whole);
        if (r == 0 && whole < size) {
                (void)fault_point("torn", what);
                r = -ENOSPC;
        }
        if (r == 0 && fdatasync(fd) < 0)
                r = -errno;
        return r < 0 ? r : fault_point("write-after", what);
}

/* What is left of a line that could not be written, by us or by who wrote before us: the next one
 * must not be glued to it, or nobody could read the ledger any more. */
static int cut_torn(Ledger *l)
{
        if (l->torn_at < 0)
                return 0;
        if (ftruncate(l->fd, l->torn_at) < 0)
                return -errno;
        /* That gave back the room that was reserved (shmem_setattr(), mm/shmem.c, 6.1: whatever
         * lies behind the new end is freed). Where there is none any more, it goes on without. */
        (void)fallocate(l->fd, FALLOC_FL_KEEP_SIZE, l->torn_at, LEDGER_RESERVE);
        l->torn_at = -1;
        return 0;
}

int ledger_append(Ledger *l, const Record *rec)
{
        _cleanup_(record_freep) Record *copy = record_copy(rec);
        _cleanup_(freep) char *word = copy ? record_print(copy) : NULL;
        _cleanup_(freep) char *line = word ? string_printf("%s\n", word) : NULL;
        struct stat st;
        int r;

        if (!line)
                return -ENOMEM;
        /* Before it is written: what was written has been said, and is not called a failure. */
        r = make_room(l);
        if (r == 0)
                r = cut_torn(l);
        if (r < 0)
                return r;
        if (fstat(l->fd, &st) < 0)
                return -errno;
        r = write_line(l->fd, rec, line);
        /* A full /run takes as much of it as fits into the last page. */
        if (r < 0)
                l->torn_at = (long)st.st_size;
        else
                l->records[l->n_records++] = TAKE_PTR(copy);
        return r;
}

static int compare_ids(const void *a, const void *b)
{
        uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

        return x < y ? -1 : x > y;
}

/* The id of "7.ledger"; -EINVAL for any other name. */
static int name_id(const char *name, uint64_t *ret)
{
        char digits[24];
        size_t n = strlen(name), suffix = strlen(LEDGER_SUFFIX);

        if (n <= suffix || n - suffix >= sizeof(digits) || !streq(name + n - suffix, LEDGER_SUFFIX))
                return -EINVAL;
        (void)snprintf(digits, sizeof(digits), "%.*s", (int)(n - suffix), name);
        /* "07" would be listed as 7 is. */
        if (*digits == '0' || parse_u64(digits, ret) < 0 || *ret >= ID_MAX)
                return -EINVAL;
        return 0;
}

int ledger_list(const char *dir, uint64_t **ret, size_t *ret_n)
{
        _cleanup_(closedirp) DIR *d = opendir(dir);
        _cleanup_(freep) uint64_t *ids = NULL;
        size_t n = 0;

        if (!d && errno != ENOENT)
                return -errno;
        for (struct dirent *e; d && (e = readdir(d));) {
                uint64_t id, *grown;

                if (name_id(e->d_name, &id) < 0)
                        continue;
                grown = reallocarray(ids, n + 1, sizeof(*ids));
                if (!grown)
                        return -ENOMEM;
                ids = grown;
                ids[n++] = id;
        }
        if (n > 0)
                qsort(ids, n, sizeof(*ids), compare_ids);
        *ret = TAKE_PTR(ids);
        *ret_n = n;
        return 0;
}

const Record *ledger_last(const Ledger *l, const char *verb)
{
        for (size_t i = l->n_records; i > 0; i--)
                if (streq(l->records[i - 1]->verb, verb))
                        return l->records[i - 1];
        return NULL;
}

bool ledger_finished(const Ledger *l, const char **ret_result)
{
        const Record *r = ledger_last(l, "finished");

        if (r && ret_result)
                *ret_result = strempty(record_get(r, "result"));
        return r;
}

/* A run turns round past it only where the kernel had not begun, and then never again. */
bool ledger_committed(const Ledger *l)
{
        for (size_t i = l->n_records; i > 0; i--) {
                const char *verb = l->records[i - 1]->verb;

                if (streq(verb, "committed") || streq(verb, "rollback"))
                        return streq(verb, "committed");
        }
        return false;
}

unsigned ledger_rung(const Ledger *l)
{
        const Record *r = ledger_last(l, "climb");
        uint64_t rung;

        return r && r->name && parse_u64(r->name, &rung) == 0 ? (unsigned)rung : 1;
}

/* The last of these words about this step wins: a step that was reverted has not begun. */
static bool step_said(const Ledger *l, unsigned step, const char *verb)
{
        char number[16];

        (void)snprintf(number, sizeof(number), "%u", step);
        for (size_t i = l->n_records; i > 0; i--) {
                const Record *r = l->records[i - 1];

                if (!r->name || !streq(r->name, number))
                        continue;
                if (streq(r->verb, "reverted"))
                        return false;
                if (streq(r->verb, verb))
                        return true;
        }
        return false;
}

bool ledger_began(const Ledger *l, unsigned step)
{
        return step_said(l, step, "begin");
}

bool ledger_ended(const Ledger *l, unsigned step)
{
        return step_said(l, step, "end");
}
