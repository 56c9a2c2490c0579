/* SPDX-License-Identifier: ISC */
/* A worker that serves lines of text: each connection sends commands and gets one line for each.
 * What happens to the worker itself is appended to <state_dir>/events. */
#include "line_server.h"

#include "io/link.h"
#include "io/loop.h"
#include "io/master.h"
#include "io/now.h"
#include "io/shm.h"

#include "buf.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { LINE = 8192 };

struct listener {
    struct loop_watch *watch;
    int fd;
};

struct worker {
    struct master_worker born;
    struct loop *loop;
    struct sched *sched;
    struct link *link;
    struct shm_worker *slot;
    struct listener listeners[MASTER_LISTENERS];
    int events_fd;
    int spool_dir_fd;
    int connections;
    bool is_draining;
    bool is_refusing;
    char spool[MASTER_SPOOL_NAME + 4];
    char marker[64];
    char adopt[16];
};

struct conn {
    struct worker *worker;
    struct loop_watch *watch;
    int fd;
    int waiting; /* for answers of the line */
    bool is_closed;
    char call_id[64]; /* asked for by "claim" */
    size_t used;
    char line[LINE];
};

static struct worker the_worker; /* one per process */

static void note(struct worker *worker, const char *event, const char *text)
{
    char line[LINE];
    int length = snprintf(line, sizeof(line), "%d %lld %s %s\n", (int)getpid(),
                          (long long)worker->born.generation, event, text);
    if (length > 0 && write(worker->events_fd, line, (size_t)length) < 0) {
        abort();
    }
}

static void leave_if_done(struct worker *worker)
{
    if (worker->is_draining && worker->connections == 0 && atomic_load(&worker->slot->calls) == 0) {
        loop_stop(worker->loop);
    }
}

static void say(struct conn *conn, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void say(struct conn *conn, const char *format, ...)
{
    char line[LINE];
    va_list args;
    va_start(args, format);
    int length = vsnprintf(line, sizeof(line) - 1, format, args);
    va_end(args);
    if (length < 0 || (size_t)length > sizeof(line) - 2) {
        length = (int)sizeof(line) - 2;
    }
    line[length] = '\n';
    (void)send(conn->fd, line, (size_t)length + 1, MSG_NOSIGNAL);
}

static void conn_release(struct conn *conn)
{
    if (conn->is_closed && conn->waiting == 0) {
        struct worker *worker = conn->worker;
        (void)close(conn->fd);
        free(conn);
        worker->connections--;
        leave_if_done(worker);
    }
}

static void on_reply(void *data, int32_t status, struct aic_str answer)
{
    struct conn *conn = data;
    conn->waiting--;
    say(conn, "%d %.*s", (int)status, (int)(answer.len < 4000 ? answer.len : 4000),
        answer.ptr ? answer.ptr : "");
    conn_release(conn);
}

static void on_claimed(void *data, int32_t status, struct aic_str answer)
{
    struct conn *conn = data;
    if (status == AIC_OK) {
        atomic_fetch_add(&conn->worker->slot->calls, 1);
    }
    on_reply(data, status, answer);
}

static void who(struct conn *conn)
{
    const struct worker *worker = conn->worker;
    char program[256] = "";
    (void)readlink("/proc/self/exe", program, sizeof(program) - 1);
    say(conn,
        "{\"pid\":%d,\"worker\":%d,\"generation\":%lld,\"marker\":\"%s\",\"refusing\":%d,"
        "\"spool\":\"%s\",\"program\":\"%s\"}",
        (int)getpid(), worker->born.worker, (long long)worker->born.generation, worker->marker,
        worker->is_refusing, worker->spool, program);
}

static void read_plugin(struct conn *conn)
{
    char path[64];
    char text[256] = "";
    (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", conn->worker->born.plugins[0].fd);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd >= 0 && read(fd, text, sizeof(text) - 1) < 0) {
        text[0] = '\0';
    }
    if (fd >= 0) {
        (void)close(fd);
    }
    say(conn, "%s", text);
}

static void count_fds(struct conn *conn)
{
    char text[512] = "";
    size_t used = 0;
    for (int fd = 0; fd < 256 && used < sizeof(text) - 8; fd++) {
        if (fcntl(fd, F_GETFD) >= 0) {
            used += (size_t)snprintf(text + used, sizeof(text) - used, " %d", fd);
        }
    }
    say(conn, "%s", text);
}

static void spin(void)
{
    for (volatile int turn = 0;; turn++) {
    }
}

static void misbehave(const char *how)
{
    (void)signal(SIGABRT, SIG_DFL); /* not a sanitizer's */
    if (strcmp(how, "crash") == 0) {
        abort();
    } else if (strcmp(how, "spin") == 0) {
        spin();
    } else if (strcmp(how, "exit") == 0) {
        _exit(0);
    }
}

/* Commands about calls; false when it is none of them. */
static bool run_call_command(struct conn *conn, const char *word, char *rest)
{
    struct worker *worker = conn->worker;
    char call_id[64] = "";
    char summary[64];
    (void)snprintf(call_id, sizeof(call_id), "%s", rest);
    (void)snprintf(summary, sizeof(summary), "{\"pid\":%d}", (int)getpid());
    if (strcmp(word, "claim") == 0) {
        conn->waiting++;
        link_claim_call(worker->link, call_id, aic_str(summary), on_claimed, conn);
    } else if (strcmp(word, "release") == 0) {
        link_release_call(worker->link, call_id);
        atomic_fetch_sub(&worker->slot->calls, 1);
        say(conn, "released");
        leave_if_done(worker);
    } else if (strcmp(word, "relay") == 0) {
        conn->waiting++;
        link_relay(worker->link, call_id, "echo", AIC_STR("{\"x\":1}"), on_reply, conn);
    } else if (strcmp(word, "token") == 0) {
        conn->waiting++;
        link_use_token(worker->link, call_id, now_wall_us() + 60000000, on_reply, conn);
    } else if (strcmp(word, "take") == 0) {
        conn->waiting++;
        const struct link_bucket bucket = {
            .name = call_id, .amount = 1, .limit = 3, .window_ms = 3600000};
        link_take(worker->link, &bucket, on_reply, conn);
    } else if (strcmp(word, "list") == 0) {
        conn->waiting++;
        link_list_calls(worker->link, on_reply, conn);
    } else {
        return false;
    }
    return true;
}

static void run_command(struct conn *conn)
{
    char *rest = strchr(conn->line, ' ');
    if (rest) {
        *rest++ = '\0';
    } else {
        rest = conn->line + strlen(conn->line);
    }
    const char *word = conn->line;
    if (run_call_command(conn, word, rest)) {
        return;
    }
    if (strcmp(word, "who") == 0) {
        who(conn);
    } else if (strcmp(word, "plugin") == 0) {
        read_plugin(conn);
    } else if (strcmp(word, "fds") == 0) {
        count_fds(conn);
    } else if (strcmp(word, "environment") == 0) {
        const char *value = getenv(rest);
        say(conn, "%s", value ? value : "(unset)");
    } else if (strcmp(word, "count") == 0) {
        atomic_fetch_add(&conn->worker->slot->counters[7], 1);
        say(conn, "counted");
    } else if (strcmp(word, "publish") == 0) {
        link_publish(conn->worker->link, "test.topic", aic_str(rest));
        say(conn, "published");
    } else {
        misbehave(word);
        say(conn, "what?");
    }
}

static void conn_readable(void *data)
{
    struct conn *conn = data;
    ssize_t got = recv(conn->fd, conn->line + conn->used, LINE - 1 - conn->used, MSG_DONTWAIT);
    if (got < 0 && errno == EAGAIN) {
        return;
    }
    if (got <= 0) {
        loop_watch_stop(conn->watch);
        conn->is_closed = true;
        conn_release(conn);
        return;
    }
    conn->used += (size_t)got;
    char *end;
    while ((end = memchr(conn->line, '\n', conn->used)) != NULL) {
        size_t length = (size_t)(end - conn->line) + 1;
        *end = '\0';
        run_command(conn);
        conn->used -= length;
        memmove(conn->line, conn->line + length, conn->used);
    }
}

static void accept_one(void *data)
{
    struct listener *listener = data;
    int fd = accept4(listener->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0) {
        return;
    }
    struct conn *conn = calloc(1, sizeof(*conn));
    conn->worker = &the_worker;
    conn->fd = fd;
    conn->watch = loop_watch_start(the_worker.loop, fd, conn_readable, conn);
    the_worker.connections++;
}

static void on_request(void *data, const struct link_request *request)
{
    struct worker *worker = data;
    char body[LINE];
    (void)snprintf(body, sizeof(body), "%.*s", (int)request->body.len,
                   request->body.ptr ? request->body.ptr : "");
    note(worker, request->kind, body);
    if (strcmp(request->kind, "die") == 0) {
        misbehave("crash");
    }
    if (strcmp(request->kind, "silent") == 0) {
        return;
    }
    int32_t status = AIC_OK;
    if (strcmp(request->kind, "spool.adopt") == 0) {
        char *name = strstr(body, ":\"");
        name = name ? name + 2 : body;
        name[strcspn(name, "\"")] = '\0';
        if (strcmp(worker->adopt, "keep") != 0) {
            status = unlinkat(worker->spool_dir_fd, name, 0) == 0 ? AIC_OK : AIC_ERROR_NOT_FOUND;
        }
    }
    link_answer(worker->link, request->id, status, status == AIC_OK ? request->body : AIC_STR(""));
}

static void stop_listening(struct worker *worker)
{
    for (size_t i = 0; i < worker->born.listen_count; i++) {
        struct listener *listener = &worker->listeners[i];
        if (listener->watch) {
            loop_watch_stop(listener->watch);
            listener->watch = NULL;
            (void)close(listener->fd);
        }
    }
}

static void on_drain(void *data)
{
    struct worker *worker = data;
    note(worker, "drain", "");
    worker->is_draining = true;
    stop_listening(worker);
    leave_if_done(worker);
}

static void on_stop_new_calls(void *data)
{
    struct worker *worker = data;
    note(worker, "stop_new_calls", "");
    worker->is_refusing = true;
}

static void on_stop(void *data)
{
    struct worker *worker = data;
    note(worker, "stop", "");
    if (strcmp(worker->adopt, "stubborn") != 0) {
        loop_stop(worker->loop);
    }
}

static void on_published(void *data, const char *topic, struct aic_str body)
{
    char text[256];
    (void)snprintf(text, sizeof(text), "%s %.*s", topic, (int)body.len, body.ptr);
    note(data, "published", text);
}

static void beat(void *data)
{
    struct worker *worker = data;
    atomic_fetch_add(&worker->slot->heartbeat, 1);
    (void)sched_timer_start(worker->sched, sched_now(worker->sched) + 100000, beat, worker);
}

static void open_state(struct worker *worker)
{
    char path[MASTER_PATH + 64];
    (void)snprintf(path, sizeof(path), "%s/events", worker->born.state_dir);
    worker->events_fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    (void)snprintf(path, sizeof(path), "%s/spool", worker->born.state_dir);
    worker->spool_dir_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    (void)snprintf(worker->spool, sizeof(worker->spool), "%s.db", worker->born.spool);
    int spool =
        openat(worker->spool_dir_fd, worker->spool, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (worker->events_fd < 0 || spool < 0) {
        abort();
    }
    (void)close(spool);
}

static void listen_all(struct worker *worker)
{
    for (size_t i = 0; i < worker->born.listen_count; i++) {
        struct listener *listener = &worker->listeners[i];
        listener->fd = worker->born.listen_fds[i];
        listener->watch = loop_watch_start(worker->loop, listener->fd, accept_one, listener);
    }
}

int worker_main(void)
{
    struct worker *worker = &the_worker;
    char start[32];
    if (master_worker_read(&worker->born) != AIC_OK) {
        return 1;
    }
    char *config = aic_str_dup(worker->born.config);
    conf_value(config, "marker", "none", worker->marker, sizeof(worker->marker));
    conf_value(config, "adopt", "ok", worker->adopt, sizeof(worker->adopt));
    conf_value(config, "start", "good", start, sizeof(start));
    free(config);
    open_state(worker);
    misbehave(start);
    struct shm *shm = shm_map(worker->born.shm_fd);
    struct link_handler handler = {.request = on_request,
                                   .drain = on_drain,
                                   .stop_new_calls = on_stop_new_calls,
                                   .stop = on_stop,
                                   .published = on_published,
                                   .data = worker};
    worker->slot = &shm->workers[worker->born.worker];
    worker->loop = loop_create(&(struct loop_options){.pool_threads = 1});
    worker->sched = loop_sched(worker->loop);
    worker->link = link_create(worker->loop, worker->born.link_fd, &handler);
    listen_all(worker);
    beat(worker);
    note(worker, "start", worker->marker);
    if (strcmp(start, "never ready") != 0) {
        link_ready(worker->link);
    }
    loop_run(worker->loop);
    note(worker, "leave", "");
    (void)unlinkat(worker->spool_dir_fd, worker->spool, 0);
    _exit(0);
}
