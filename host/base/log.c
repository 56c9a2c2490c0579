/* SPDX-License-Identifier: ISC */
#include "log.h"

#include "log_line.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { TEXT_MAX = 4096 };

/* Where lines go, and how that is done without ever waiting. */
struct sink {
    bool is_known;
    int fd;
    bool is_ours;   /* opened by us, non-blocking */
    bool is_socket; /* send() can be told not to wait */
    bool is_file;   /* never waits for a reader */
    bool is_terminal;
    bool is_journal;
    /* What is left of a line that went out in part; it must come before anything else. */
    char rest[LOG_LINE_MAX];
    size_t rest_len;
};

/* The log of the process. */
static struct {
    pthread_mutex_t lock;
    enum log_format format;
    int target;
    int worker;
    int generation;
    uint64_t unreported;
    struct mask_secrets secrets;
    struct sink sink;
} state = {.lock = PTHREAD_MUTEX_INITIALIZER, .target = STDERR_FILENO, .worker = -1};

static atomic_uint least_level = AIC_LOG_INFO;
static atomic_ullong dropped;

static bool is_journal(const struct stat *info)
{
    const char *stream = getenv("JOURNAL_STREAM");
    char own[64];
    (void)snprintf(own, sizeof(own), "%llu:%llu", (unsigned long long)info->st_dev,
                   (unsigned long long)info->st_ino);
    return stream && strcmp(stream, own) == 0;
}

/*
 * A pipe or terminal is opened once more: setting O_NONBLOCK on the descriptor we were given would
 * set it for everybody who shares it, the operator's shell among them.
 */
static void sink_open(struct sink *sink, int target)
{
    struct stat info;
    *sink = (struct sink){.is_known = true, .fd = target};
    if (fstat(target, &info) != 0) {
        sink->fd = -1;
        return;
    }
    sink->is_journal = is_journal(&info);
    sink->is_terminal = isatty(target) == 1;
    sink->is_socket = S_ISSOCK(info.st_mode);
    sink->is_file = S_ISREG(info.st_mode);
    if (sink->is_socket || sink->is_file) {
        return;
    }
    char path[32];
    (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", target);
    int fd = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
    if (fd >= 0) {
        sink->fd = fd;
        sink->is_ours = true;
    }
}

static void sink_close(struct sink *sink)
{
    if (sink->is_ours) {
        (void)close(sink->fd);
    }
    sink->is_known = false;
    sink->is_ours = false;
    sink->rest_len = 0;
}

/* Bytes that were taken at once; 0 for none. */
static size_t sink_push(const struct sink *sink, const char *data, size_t bytes)
{
    ssize_t done = -1;
    do {
        if (sink->is_socket) {
            done = send(sink->fd, data, bytes, MSG_DONTWAIT | MSG_NOSIGNAL);
            continue;
        }
        struct pollfd ready = {.fd = sink->fd, .events = POLLOUT};
        if (!sink->is_ours && !sink->is_file && poll(&ready, 1, 0) <= 0) {
            return 0;
        }
        done = write(sink->fd, data, bytes);
    } while (done < 0 && errno == EINTR);
    return done > 0 ? (size_t)done : 0;
}

/* False when the line is lost. */
static bool sink_write(struct sink *sink, const char *line, size_t bytes)
{
    if (sink->rest_len > 0) {
        size_t done = sink_push(sink, sink->rest, sink->rest_len);
        sink->rest_len -= done;
        memmove(sink->rest, sink->rest + done, sink->rest_len);
        if (sink->rest_len > 0) {
            return false;
        }
    }
    size_t done = sink_push(sink, line, bytes);
    if (done == 0) {
        return false;
    }
    sink->rest_len = bytes - done;
    memcpy(sink->rest, line + done, sink->rest_len);
    return true;
}

static int64_t wall_us(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static enum log_format format_in_use(void)
{
    if (state.format != LOG_FORMAT_AUTO) {
        return state.format;
    }
    return state.sink.is_terminal ? LOG_FORMAT_LOGFMT : LOG_FORMAT_JSON;
}

static void write_line(struct log_line *line)
{
    int saved_errno = errno;
    char text[LOG_LINE_MAX];
    line->wall_us = wall_us();
    pthread_mutex_lock(&state.lock);
    if (!state.sink.is_known) {
        sink_open(&state.sink, state.target);
    }
    line->has_priority = state.sink.is_journal;
    line->worker = state.worker;
    line->generation = state.generation;
    line->dropped = state.unreported;
    size_t length = log_line_format(text, format_in_use(), &state.secrets, line);
    if (sink_write(&state.sink, text, length)) {
        state.unreported = 0;
    } else {
        state.unreported++;
        atomic_fetch_add(&dropped, 1);
    }
    pthread_mutex_unlock(&state.lock);
    errno = saved_errno;
}

void log_fields(uint32_t level, const char *area, const char *message,
                const struct log_field *fields)
{
    if (!log_enabled(level)) {
        return;
    }
    struct log_line line = {.level = level, .area = area, .fields = fields};
    line.message = (struct aic_str){message, message ? strlen(message) : 0};
    write_line(&line);
}

void log_text(uint32_t level, const char *area, const char *format, ...)
{
    if (!log_enabled(level)) {
        return;
    }
    char text[TEXT_MAX + 1];
    va_list args;
    va_start(args, format);
    int length = vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    struct log_line line = {.level = level, .area = area};
    line.is_cut = length > TEXT_MAX;
    line.message = (struct aic_str){text, length < 0 ? 0 : strlen(text)};
    write_line(&line);
}

void log_setup(enum log_format format, uint32_t level)
{
    pthread_mutex_lock(&state.lock);
    state.format = format;
    pthread_mutex_unlock(&state.lock);
    atomic_store(&least_level, level);
}

void log_redirect(int fd)
{
    pthread_mutex_lock(&state.lock);
    sink_close(&state.sink);
    state.target = fd;
    pthread_mutex_unlock(&state.lock);
}

bool log_enabled(uint32_t level)
{
    return level >= atomic_load(&least_level);
}

void log_add_secret(const char *value)
{
    if (!value) {
        return;
    }
    pthread_mutex_lock(&state.lock);
    int32_t status = mask_add(&state.secrets, (struct aic_str){value, strlen(value)});
    pthread_mutex_unlock(&state.lock);
    if (status != AIC_OK) {
        /* Without memory to remember it, nothing could keep it out of the next line. */
        abort();
    }
}

void log_set_worker(int worker, int generation)
{
    pthread_mutex_lock(&state.lock);
    state.worker = worker;
    state.generation = generation;
    pthread_mutex_unlock(&state.lock);
}

uint64_t log_dropped(void)
{
    return atomic_load(&dropped);
}

size_t log_mask(char *to, size_t bytes, struct aic_str text)
{
    pthread_mutex_lock(&state.lock);
    size_t length = mask_text(&state.secrets, text, false, to, bytes);
    pthread_mutex_unlock(&state.lock);
    return length;
}
