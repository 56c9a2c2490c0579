/* SPDX-License-Identifier: ISC */
#include "cli/tunnel_client.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { LINE_MAX_BYTES = 16 * 1024, END_MS = 5000, STEP_MS = 20, ENVIRONMENT = 64 };

/* In the order in which they are looked for. */
static const struct {
    const char *name;
    enum tunnel_kind kind;
} known[] = {{"ngrok", TUNNEL_NGROK}, {"cloudflared", TUNNEL_CLOUDFLARED}};

enum { KNOWN = sizeof(known) / sizeof(known[0]) };

enum tunnel_kind tunnel_client_kind(const char *name)
{
    for (size_t i = 0; i < KNOWN; i++) {
        if (strcmp(known[i].name, name) == 0) {
            return known[i].kind;
        }
    }
    return TUNNEL_NONE;
}

static bool find_program(const char *name, char path[PATH_MAX])
{
    const char *at = getenv("PATH");
    while (at && *at) {
        size_t length = strcspn(at, ":");
        struct stat info;
        int written = snprintf(path, PATH_MAX, "%.*s/%s", (int)length, at, name);
        if (length > 0 && written < PATH_MAX && access(path, X_OK) == 0 && stat(path, &info) == 0 &&
            S_ISREG(info.st_mode)) {
            return true;
        }
        at += length + (at[length] == ':');
    }
    return false;
}

/* What a tunnel client needs of our environment: vendors' keys are none of its business. */
static void keep_environment(char *kept[ENVIRONMENT])
{
    static const char *const names[] = {"PATH=",        "HOME=",        "USER=",     "LANG=",
                                        "TZ=",          "XDG_",         "NGROK_",    "TUNNEL_",
                                        "http_proxy=",  "https_proxy=", "no_proxy=", "HTTP_PROXY=",
                                        "HTTPS_PROXY=", "NO_PROXY=",    "SSL_CERT_"};
    size_t count = 0;
    for (size_t i = 0; environ[i]; i++) {
        bool is_kept = false;
        for (size_t k = 0; k < sizeof(names) / sizeof(names[0]) && !is_kept; k++) {
            is_kept = strncmp(environ[i], names[k], strlen(names[k])) == 0;
        }
        if (is_kept && count + 1 < ENVIRONMENT) {
            kept[count++] = environ[i];
        }
    }
    kept[count] = NULL;
}

/* In the child. */
static void become(enum tunnel_kind kind, const char *path, const char *address, int out)
{
    char url[128];
    char *kept[ENVIRONMENT];
    (void)snprintf(url, sizeof(url), "http://%s", address);
    const char *const ngrok[] = {"ngrok", "http", url, "--log=stdout", "--log-format=json", NULL};
    const char *const cloudflared[] = {"cloudflared", "tunnel", "--no-autoupdate",
                                       "--url",       url,      NULL};
    const char *const *words = kind == TUNNEL_NGROK ? ngrok : cloudflared;
    char *argv[8] = {NULL};
    for (size_t i = 0; words[i]; i++) {
        argv[i] = strdup(words[i]);
    }
    int in = open("/dev/null", O_RDONLY | O_CLOEXEC);
    keep_environment(kept);
    if (in >= 0 && dup2(in, STDIN_FILENO) >= 0 && dup2(out, STDOUT_FILENO) >= 0 &&
        dup2(out, STDERR_FILENO) >= 0) {
        (void)execve(path, argv, kept);
    }
    _exit(127);
}

static int32_t spawn(struct tunnel_client *client, const char *path, const char *address,
                     const sigset_t *mask)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) {
        return AIC_ERROR_IO;
    }
    pid_t parent = getpid();
    pid_t child = fork();
    if (child == 0) {
        /* Out of the terminal's group: an interrupt is for the server first. */
        (void)setpgid(0, 0);
        (void)prctl(PR_SET_PDEATHSIG, SIGTERM);
        (void)sigprocmask(SIG_SETMASK, mask, NULL);
        if (getppid() == parent) {
            become(client->kind, path, address, ends[1]);
        }
        _exit(127);
    }
    (void)close(ends[1]);
    if (child < 0) {
        (void)close(ends[0]);
        return AIC_ERROR_IO;
    }
    (void)fcntl(ends[0], F_SETFL, O_NONBLOCK);
    client->pid = child;
    client->fd = ends[0];
    return AIC_OK;
}

int32_t tunnel_client_start(struct tunnel_client *client, enum tunnel_kind wanted,
                            const char *address, const sigset_t *mask)
{
    char path[PATH_MAX];
    *client = (struct tunnel_client){.fd = -1};
    aic_buf_init(&client->line, LINE_MAX_BYTES);
    for (size_t i = 0; i < KNOWN; i++) {
        bool is_wanted = wanted == TUNNEL_NONE || wanted == known[i].kind;
        if (is_wanted && find_program(known[i].name, path)) {
            client->kind = known[i].kind;
            client->name = known[i].name;
            return spawn(client, path, address, mask);
        }
    }
    return AIC_ERROR_NOT_FOUND;
}

static void take_line(struct tunnel_client *client)
{
    struct tunnel_news news;
    tunnel_line(client->kind, aic_buf_view(&client->line), &news);
    if (news.url[0] && !client->news.url[0]) {
        memcpy(client->news.url, news.url, sizeof(news.url));
    }
    if (news.why[0]) {
        memcpy(client->news.why, news.why, sizeof(news.why));
    }
    aic_buf_clear(&client->line);
}

void tunnel_client_read(struct tunnel_client *client)
{
    char bytes[4096];
    ssize_t got = read(client->fd, bytes, sizeof(bytes));
    for (; got > 0; got = read(client->fd, bytes, sizeof(bytes))) {
        for (ssize_t i = 0; i < got; i++) {
            if (bytes[i] == '\n') {
                take_line(client);
            } else {
                (void)aic_buf_char(&client->line, bytes[i]);
            }
        }
    }
    if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
        take_line(client);
        (void)close(client->fd);
        client->fd = -1;
    }
}

static bool has_ended(pid_t pid)
{
    pid_t ended = waitpid(pid, NULL, WNOHANG);
    return ended == pid || (ended < 0 && errno == ECHILD);
}

void tunnel_client_stop(struct tunnel_client *client)
{
    const struct timespec step = {.tv_nsec = STEP_MS * 1000000L};
    if (client->pid > 0) {
        bool is_gone = kill(client->pid, SIGTERM) != 0;
        for (int waited_ms = 0; waited_ms < END_MS && !is_gone; waited_ms += STEP_MS) {
            is_gone = has_ended(client->pid);
            (void)(is_gone ? 0 : nanosleep(&step, NULL));
        }
        if (!is_gone && kill(client->pid, SIGKILL) == 0) {
            (void)waitpid(client->pid, NULL, 0);
        }
        client->pid = 0;
    }
    if (client->fd >= 0) {
        (void)close(client->fd);
        client->fd = -1;
    }
    aic_buf_finish(&client->line);
}
