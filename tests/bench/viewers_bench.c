/* SPDX-License-Identifier: ISC */
/*
 * Looks on at live calls, many times over: opens so many streams of /calls/events/ and reads all
 * that comes. A few of the viewers look at what they get and say how old each event was.
 *
 *     viewers_bench --server PORT [--viewers 1000]
 *
 * A line "ready" on standard output says that all have their snapshot. A line on standard input
 * ends it; figures are one line of JSON. tests/bench/viewers_load runs it.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    READERS = 10, /* who look at what they get */
    ROOM = 1 << 20,
    SAMPLES = 1 << 20,
    TIME_TEXT = 24 /* "2026-11-22T12:17:03.250Z" */
};

struct viewer {
    int fd;
    bool has_snapshot;
    bool reads;
    char *text; /* of one who reads: the rest of the last piece */
    size_t length;
};

static struct world {
    struct viewer *viewers;
    int count;
    int ready;
    int lost;
    uint64_t bytes;
    uint64_t reads;
    uint64_t events; /* of those who look */
    int32_t *ages_ms;
    size_t age_count;
} world;

static int64_t wall_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int connect_to(int port)
{
    static const char request[] = "GET /calls/events/ HTTP/1.1\r\nHost: localhost\r\n\r\n";
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof(to)) != 0 ||
        send(fd, request, sizeof(request) - 1, MSG_NOSIGNAL) != (ssize_t)sizeof(request) - 1) {
        perror("viewers_bench: connect");
        exit(1);
    }
    return fd;
}

/* How old an event is, by its "at"; -1 when it has none. */
static int64_t age_ms(const char *event, int64_t now_ms)
{
    const char *at = strstr(event, "\"at\":\"");
    struct tm tm = {0};
    const char *rest = at ? strptime(at + 6, "%Y-%m-%dT%H:%M:%S", &tm) : NULL;
    if (!rest || *rest != '.') {
        return -1;
    }
    return now_ms - ((int64_t)timegm(&tm) * 1000 + strtol(rest + 1, NULL, 10));
}

static void look_at(struct viewer *viewer, size_t more)
{
    int64_t now_ms = wall_ms();
    char *begin = viewer->text;
    char *end;
    viewer->length += more;
    viewer->text[viewer->length] = '\0';
    while ((end = strstr(begin, "\n\n"))) {
        *end = '\0';
        int64_t age = age_ms(begin, now_ms);
        if (age >= 0) {
            world.events++;
            if (world.age_count < SAMPLES) {
                world.ages_ms[world.age_count++] = (int32_t)age;
            }
        }
        begin = end + 2;
    }
    viewer->length -= (size_t)(begin - viewer->text);
    memmove(viewer->text, begin, viewer->length);
}

static void take(struct viewer *viewer)
{
    static char scratch[ROOM];
    bool looks = viewer->reads || !viewer->has_snapshot;
    char *to = viewer->reads ? viewer->text + viewer->length : scratch;
    size_t room = viewer->reads ? ROOM - 1 - viewer->length : sizeof(scratch) - 1;
    /* What nobody looks at is not copied either. */
    ssize_t got = recv(viewer->fd, to, room, MSG_DONTWAIT | (looks ? 0 : MSG_TRUNC));
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
        return;
    }
    if (got <= 0) {
        world.lost++;
        (void)close(viewer->fd);
        viewer->fd = -1;
        return;
    }
    world.bytes += (uint64_t)got;
    world.reads++;
    if (!viewer->has_snapshot) {
        to[got] = '\0';
        viewer->has_snapshot = strstr(to, "event: snapshot") != NULL;
        world.ready += viewer->has_snapshot;
    }
    if (viewer->reads) {
        look_at(viewer, (size_t)got);
    }
}

static int compare(const void *a, const void *b)
{
    return *(const int32_t *)a - *(const int32_t *)b;
}

static void print_figures(void)
{
    struct rusage usage;
    (void)getrusage(RUSAGE_SELF, &usage);
    double cpu_s = (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
                   (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
    qsort(world.ages_ms, world.age_count, sizeof(*world.ages_ms), compare);
    size_t last = world.age_count > 0 ? world.age_count - 1 : 0;
    (void)printf("{\"viewers\":%d,\"lost\":%d,\"bytes\":%llu,\"reads\":%llu,\"events\":%llu,"
                 "\"age_median_ms\":%d,\"age_p99_ms\":%d,\"age_max_ms\":%d,\"cpu_s\":%.2f}\n",
                 world.count, world.lost, (unsigned long long)world.bytes,
                 (unsigned long long)world.reads,
                 (unsigned long long)world.events / (world.count < READERS ? 1 : READERS),
                 (int)world.ages_ms[last / 2], (int)world.ages_ms[last * 99 / 100],
                 (int)world.ages_ms[last], cpu_s);
}

static void watch(int epoll_fd, int fd, uint32_t index)
{
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = index};
    if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event) != 0) {
        perror("viewers_bench: epoll_ctl");
        exit(1);
    }
}

static void run(int epoll_fd)
{
    bool is_told = false;
    for (;;) {
        struct epoll_event events[256];
        int count = epoll_wait(epoll_fd, events, 256, -1);
        for (int i = 0; i < count; i++) {
            uint32_t index = events[i].data.u32;
            if (index == (uint32_t)world.count) {
                return; /* a line on standard input, or its end */
            }
            if (world.viewers[index].fd >= 0) {
                take(&world.viewers[index]);
            }
        }
        if (!is_told && world.ready == world.count) {
            is_told = true;
            (void)puts("ready");
            (void)fflush(stdout);
        }
    }
}

int main(int argc, char **argv)
{
    static const struct option options[] = {{"server", required_argument, NULL, 's'},
                                            {"viewers", required_argument, NULL, 'v'},
                                            {NULL, 0, NULL, 0}};
    int port = 0;
    world.count = 1000;
    for (int option = 0; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (option == 's') {
            port = (int)strtol(optarg, NULL, 10);
        } else if (option == 'v') {
            world.count = (int)strtol(optarg, NULL, 10);
        }
    }
    if (port <= 0 || world.count <= 0) {
        (void)fprintf(stderr, "usage: viewers_bench --server PORT [--viewers 1000]\n");
        return 2;
    }
    struct rlimit limit = {.rlim_cur = (rlim_t)world.count + 64, .rlim_max = RLIM_INFINITY};
    (void)getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
    int epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    world.viewers = calloc((size_t)world.count, sizeof(*world.viewers));
    world.ages_ms = calloc(SAMPLES, sizeof(*world.ages_ms));
    if (epoll_fd < 0 || !world.viewers || !world.ages_ms) {
        perror("viewers_bench");
        return 1;
    }
    for (int i = 0; i < world.count; i++) {
        struct viewer *viewer = &world.viewers[i];
        *viewer = (struct viewer){.fd = connect_to(port), .reads = i < READERS};
        viewer->text = viewer->reads ? malloc(ROOM) : NULL;
        viewer->reads = viewer->text != NULL;
        watch(epoll_fd, viewer->fd, (uint32_t)i);
    }
    watch(epoll_fd, STDIN_FILENO, (uint32_t)world.count);
    run(epoll_fd);
    print_figures();
    for (int i = 0; i < world.count; i++) {
        free(world.viewers[i].text);
    }
    free(world.viewers);
    free(world.ages_ms);
    return 0;
}
