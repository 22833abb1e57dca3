/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The planner: fork without exec of a child that scans and decides, writes the verdict as text into
 * a memfd and leaves. Scans may block for as long as the kernel likes (libndctl waits for device
 * locks, /proc for mmap locks), so none of them ever runs in the daemon.
 *
 * While a filesystem is frozen a scan could hang on it, and would lengthen the frozen window by the
 * processor time it takes; a question that comes then waits for the thaw, within its deadline. */

#include "planner.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "manager-inhibitors.h"
#include "messages.h"
#include "reap.h"
#include "sys/privileges.h"
#include "topology.h"
#include "util/log.h"
#include "util/text.h"
#include "worker-blocked.h"

#define DEADLINE_USEC (60 * USEC_PER_SEC)
/* The scan gives up by itself first, because it then knows what it was waiting for. */
#define SCAN_USEC (55 * USEC_PER_SEC)
#define ANSWER_MAX (256L * 1024 * 1024)
#define GRAPH_HEAD "graph\n"

struct Planner {
        Manager *manager;
        const Request *request;
        uid_t uid;
        PlannerDone done;
        void *userdata;
        pid_t pid; /* 0: not started */
        int fd;
        bool lost; /* its answer is not waited for any more, but its process does not end */
        sd_event_source *exit;
        sd_event_source *timer;
};

static void planner_answer_done(PlannerAnswer *a)
{
        verdict_free(a->verdict);
        graph_free(a->graph);
}

static void planner_free(Planner *p)
{
        Manager *m = p->manager;

        for (size_t i = 0; i < m->n_planners; i++)
                if (m->planners[i] == p) {
                        m->planners[i] = m->planners[--m->n_planners];
                        break;
                }
        (void)sd_event_source_disable_unref(p->timer);
        if (p->pid > 0)
                reap_later(p->exit);
        else
                (void)sd_event_source_disable_unref(p->exit);
        (void)safe_close(p->fd);
        free(p);
}

/* Frees the planner first: the callback may ask the next question. */
static void deliver(Planner *p, PlannerAnswer *a)
{
        PlannerDone done = p->done;
        void *userdata = p->userdata;
        Manager *m = p->manager;

        planner_free(p);
        done(a, userdata);
        planner_answer_done(a);
        manager_settle(m);
}

static void deliver_failure(Planner *p, FailureKind kind, int err, const char *sentence)
{
        PlannerAnswer a = { 0 };

        (void)failure_set(&a.failure, kind, err, NULL, "%s", sentence);
        deliver(p, &a);
}

size_t planner_n_asked(const Manager *m)
{
        size_t n = 0;

        for (size_t i = 0; i < m->n_planners; i++)
                n += !m->planners[i]->lost;
        return n;
}

/* --- child --- */

static int child_graph(Graph *g, char **ret)
{
        _cleanup_(freep) char *text = NULL;
        int r;

        r = graph_print(g, &text);
        if (r < 0)
                return r;
        *ret = string_printf(GRAPH_HEAD "%s", text);
        return *ret ? 0 : -ENOMEM;
}

static int child_answer(const Planner *p, char **ret, Failure *f)
{
        _cleanup_(graph_freep) Graph *g = NULL;
        _cleanup_(verdict_freep) Verdict *v = NULL;
        int r;

        r = topology_scan(p->request ? TOPOLOGY_PROCESSES : TOPOLOGY_HOLDERS,
                usec_add(now_usec(), SCAN_USEC), &g, f);
        if (r < 0)
                return r;
        if (!p->request)
                return child_graph(g, ret);
        for (size_t i = 0; i < inhibitors_count(p->manager) && r == 0; i++)
                r = policy_add_inhibitor(g, inhibitors_at(p->manager, i));
        if (r == 0)
                r = manager_mark_leaving(p->manager, g, now_usec());
        if (r < 0)
                return r;
        r = policy_decide(p->manager->config, g, p->request, &v, f);
        if (r < 0)
                return r;
        return verdict_print(v, g, ret);
}

static int write_all(int fd, const char *text)
{
        size_t left = strlen(text);

        while (left > 0) {
                ssize_t n = write(fd, text, left);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return -errno;
                text += n;
                left -= (size_t)n;
        }
        return 0;
}

/* The daemon's bus, event loop and sockets are copies here that must not be touched, least of all
 * be cleaned up: their descriptors are closed under them, and the end is _exit(). */
static _Noreturn void planner_child(const Planner *p, pid_t parent)
{
        _cleanup_(freep) char *text = NULL;
        Failure f = { 0 };
        sigset_t none;
        int fd, r;

        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        (void)prctl(PR_SET_NAME, "pmr-planner");
        (void)sigemptyset(&none);
        (void)sigprocmask(SIG_SETMASK, &none, NULL);
        fd = dup2(p->fd, STDERR_FILENO + 1);
        if (fd < 0 || getppid() != parent)
                _exit(EXIT_FAILURE);
        (void)close_range(STDERR_FILENO + 2, ~0U, 0);
        (void)privileges_lower(PRIVILEGES_PLANNER, 0);
        r = child_answer(p, &text, &f);
        if (r < 0) {
                (void)failure_set(&f, FAILURE_FAILED, r, NULL,
                        "the machine could not be examined: %s", strerror(-r));
                r = verdict_print_failure(&f, &text);
        }
        if (r == 0)
                r = write_all(fd, text);
        _exit(r < 0 ? EXIT_FAILURE : EXIT_SUCCESS);
}

/* --- parent --- */

static int read_answer(int fd, char **ret)
{
        _cleanup_(freep) char *text = NULL;
        struct stat st;
        size_t got = 0;

        if (fstat(fd, &st) < 0)
                return -errno;
        if (st.st_size > ANSWER_MAX)
                return -EFBIG;
        text = malloc((size_t)st.st_size + 1);
        if (!text)
                return -ENOMEM;
        while (got < (size_t)st.st_size) {
                ssize_t n = pread(fd, text + got, (size_t)st.st_size - got, (off_t)got);

                if (n <= 0)
                        return n < 0 ? -errno : -EIO;
                got += (size_t)n;
        }
        text[got] = '\0';
        *ret = TAKE_PTR(text);
        return 0;
}

static int parse_answer(const char *text, PlannerAnswer *a)
{
        unsigned line;

        if (strncmp(text, GRAPH_HEAD, strlen(GRAPH_HEAD)) == 0)
                return graph_parse(text + strlen(GRAPH_HEAD), &a->graph, &line);
        return verdict_parse(text, &a->verdict, &a->graph, &a->failure);
}

static int on_exit_of_planner(sd_event_source *s, const siginfo_t *si, void *userdata)
{
        _cleanup_(freep) char *text = NULL;
        PlannerAnswer a = { 0 };
        Planner *p = userdata;
        int r;

        if (!p)
                return reap_done(s);
        p->pid = 0;
        if (p->lost) {
                planner_free(p);
                return 0;
        }
        if (si->si_code != CLD_EXITED || si->si_status != EXIT_SUCCESS) {
                char sentence[128];

                (void)snprintf(sentence, sizeof(sentence), "the planner died (%s %d)",
                        si->si_code == CLD_EXITED ? "exit status" : "signal", si->si_status);
                deliver_failure(p, FAILURE_FAILED, -ECHILD, sentence);
                return 0;
        }
        r = read_answer(p->fd, &text);
        if (r == 0)
                r = parse_answer(text, &a);
        if (r < 0)
                (void)failure_set(&a.failure, FAILURE_FAILED, r, NULL,
                        "the planner's answer cannot be read: %s", strerror(-r));
        deliver(p, &a);
        return 0;
}

/* In the kernel's sleep it dies later or never; the answer does not wait for that. Until it is dead
 * it has its place among the planners all the same, or each new question would add a sleeper. */
static void abandon(Planner *p, const char *sentence)
{
        PlannerDone done = p->done;
        PlannerAnswer a = { 0 };

        p->lost = true;
        p->timer = sd_event_source_disable_unref(p->timer);
        (void)failure_set(&a.failure, FAILURE_TIMED_OUT, -ETIMEDOUT, NULL, "%s", sentence);
        done(&a, p->userdata);
        planner_answer_done(&a);
        manager_settle(p->manager);
}

static int on_deadline(sd_event_source *s, uint64_t usec, void *userdata)
{
        char where[512], sentence[640];
        Planner *p = userdata;
        bool blocked;

        if (p->pid == 0) {
                deliver_failure(p, FAILURE_TIMED_OUT, -ETIMEDOUT,
                        "a filesystem is frozen by another removal and stays so; nothing was "
                        "examined");
                return 0;
        }
        blocked = worker_blocked_text(p->pid, where, sizeof(where));
        (void)snprintf(sentence, sizeof(sentence),
                "examining the machine took more than a minute%s%s; nothing was done",
                blocked ? ": " : "", blocked ? where : "");
        if (blocked)
                log_event(LOG_WARNING, MESSAGE_BLOCKED, NULL, "A planner: %s", where);
        (void)kill(p->pid, SIGKILL);
        abandon(p, sentence);
        return 0;
}

static int planner_start(Planner *p)
{
        pid_t parent = getpid();
        int r;

        p->fd = memfd_create("pmemremoved-plan", MFD_CLOEXEC);
        if (p->fd < 0)
                return -errno;
        p->pid = fork();
        if (p->pid < 0) {
                p->pid = 0;
                return -errno;
        }
        if (p->pid == 0)
                planner_child(p, parent);
        r = sd_event_add_child(p->manager->event, &p->exit, p->pid, WEXITED, on_exit_of_planner, p);
        if (r < 0) {
                reap_unwatched(p->pid);
                p->pid = 0;
        }
        return r;
}

static int planner_add(Planner *p)
{
        Manager *m = p->manager;
        Planner **grown = reallocarray(m->planners, m->n_planners + 1, sizeof(Planner *));

        if (!grown)
                return -ENOMEM;
        m->planners = grown;
        m->planners[m->n_planners++] = p;
        return sd_event_add_time(m->event, &p->timer, CLOCK_MONOTONIC,
                usec_add(now_usec(), DEADLINE_USEC), 0, on_deadline, p);
}

/* A user's sleeper keeps his place, although his question has been answered: or he would take one
 * after the other until root has none. */
static int check_guest(const Manager *m, uid_t uid, Failure *f)
{
        size_t own = 0, guests = 0;

        for (size_t i = 0; i < m->n_planners; i++) {
                const Planner *p = m->planners[i];

                guests += p->uid != 0 && p->uid != PLANNER_NOBODY;
                own += p->uid == uid;
        }
        if (uid == 0 || uid == PLANNER_NOBODY ||
                (own < LIMIT_QUESTIONS_USER && guests < LIMIT_QUESTIONS_GUESTS))
                return 0;
        return failure_set(f, FAILURE_LIMIT_EXCEEDED, 0, NULL,
                "%zu processes for questions of user %u are there, and %zu for those of all users, "
                "some of which may sleep in the kernel; there can be no more than %d and %d",
                own, uid, guests, LIMIT_QUESTIONS_USER, LIMIT_QUESTIONS_GUESTS);
}

static int check_places(const Manager *m, uid_t uid, Failure *f)
{
        bool sleepers = m->n_planners > planner_n_asked(m);

        if (m->stopping)
                return failure_set(f, FAILURE_CANCELLED, 0, NULL, "the daemon is stopping");
        /* Where one sleeps, the next one would. */
        if (m->n_planners >= LIMIT_QUESTIONS || (uid == PLANNER_NOBODY && sleepers))
                return failure_set(f, FAILURE_LIMIT_EXCEEDED, 0, NULL,
                        "%zu questions are being answered already, and the processes of %zu "
                        "earlier ones sleep in the kernel",
                        planner_n_asked(m), m->n_planners - planner_n_asked(m));
        return check_guest(m, uid, f);
}

int planner_ask(
        Manager *m, const Request *req, uid_t uid, PlannerDone done, void *userdata, Failure *f)
{
        Planner *p;
        int r;

        r = check_places(m, uid, f);
        if (r < 0)
                return r;
        p = calloc(1, sizeof(*p));
        if (!p)
                return -ENOMEM;
        *p = (Planner){ .manager = m,
                .request = req,
                .uid = uid,
                .done = done,
                .userdata = userdata,
                .fd = -EBADF };
        r = planner_add(p);
        if (r == 0 && !manager_frozen(m))
                r = planner_start(p);
        if (r < 0) {
                planner_free(p);
                return failure_set(
                        f, FAILURE_FAILED, r, NULL, "no planner can be started: %s", strerror(-r));
        }
        manager_settle(m);
        return 0;
}

void planner_start_waiting(Manager *m)
{
        for (size_t i = 0; i < m->n_planners; i++) {
                Planner *p = m->planners[i];

                if (p->pid > 0 || manager_frozen(m))
                        continue;
                if (planner_start(p) < 0) {
                        deliver_failure(p, FAILURE_FAILED, -EAGAIN, "no planner can be started");
                        i = (size_t)-1;
                }
        }
}

void planner_abort_all(Manager *m)
{
        while (m->n_planners > 0) {
                Planner *p = m->planners[0];

                if (p->pid > 0)
                        (void)kill(p->pid, SIGKILL);
                if (p->lost)
                        planner_free(p);
                else
                        deliver_failure(p, FAILURE_CANCELLED, -ECANCELED, "the daemon is stopping");
        }
        free(m->planners);
        m->planners = NULL;
}
