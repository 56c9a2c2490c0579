/* SPDX-License-Identifier: ISC */
#include "cli/cli.h"

#include "cli/fetches.h"
#include "cli/net.h"
#include "cli/place.h"
#include "cli/tunnel_client.h"

#include "json.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/*
 * A public address for a machine behind a router. Signals are taken as messages, so that nothing is
 * missed between looking and waiting.
 */

enum { ADDRESS_MS = 30000, ADDRESS_TEXT = 96 };

static const char *const default_api = "http://127.0.0.1:4040";

struct tunnel {
    struct tunnel_client client;
    sigset_t mask; /* as it was */
    int signals;
    pid_t command; /* 0 = none runs */
    int status;    /* of the command */
    bool ends;     /* somebody asked for it */
};

static void complain(const char *text)
{
    (void)fprintf(stderr, "aicaller tunnel: %s\n", text);
}

static int64_t now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* How the tunnel reaches the server. */
static void write_address(const struct place *place, char to[ADDRESS_TEXT])
{
    static const char *const all[] = {"*", "::", "0.0.0.0", "localhost", ""};
    const char *host = place->listen;
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        host = strcmp(place->listen, all[i]) == 0 ? "127.0.0.1" : host;
    }
    bool is_v6 = strchr(host, ':') != NULL;
    (void)snprintf(to, ADDRESS_TEXT, "%s%.60s%s:%d", is_v6 ? "[" : "", host, is_v6 ? "]" : "",
                   (int)place->port);
}

/* An ngrok that runs already. */
static bool find_running(const char *api, int64_t port, char url[TUNNEL_URL])
{
    struct net net;
    struct fetched fetched = {.status = 0};
    if (!net_open(&net, NULL)) {
        return false;
    }
    (void)snprintf(fetched.url, sizeof(fetched.url), "%.400s/api/tunnels", api);
    fetches_run(&net, &fetched, 1, true);
    bool is_found =
        fetched.status == 200 && tunnel_list_find(aic_buf_view(&fetched.body), port, url);
    fetches_finish(&fetched, 1);
    net_close(&net);
    return is_found;
}

/* Signals */

static bool listen_to_signals(struct tunnel *tunnel)
{
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP, SIGUSR2, SIGCHLD};
    sigset_t set;
    (void)sigemptyset(&set);
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        (void)sigaddset(&set, numbers[i]);
    }
    if (sigprocmask(SIG_BLOCK, &set, &tunnel->mask) != 0) {
        return false;
    }
    tunnel->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    return tunnel->signals >= 0;
}

static void take_ended(struct tunnel *tunnel)
{
    int status = 0;
    if (tunnel->client.pid > 0 && waitpid(tunnel->client.pid, NULL, WNOHANG) > 0) {
        tunnel->client.pid = 0;
    }
    if (tunnel->command > 0 && waitpid(tunnel->command, &status, WNOHANG) > 0) {
        tunnel->command = 0;
        tunnel->status = WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_FAILED;
    }
}

static void take_signals(struct tunnel *tunnel)
{
    struct signalfd_siginfo info;
    while (read(tunnel->signals, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
        int number = (int)info.ssi_signo;
        if (number == SIGCHLD) {
            take_ended(tunnel);
        } else if (tunnel->command > 0) {
            (void)kill(tunnel->command, number);
        } else if (number != SIGUSR2) {
            tunnel->ends = true;
        }
    }
}

/* Waits for something to happen, at most so long; -1 = for ever. */
static void wait_once(struct tunnel *tunnel, int64_t most_ms)
{
    struct pollfd fds[] = {{.fd = tunnel->signals, .events = POLLIN},
                           {.fd = tunnel->client.fd, .events = POLLIN}};
    if (poll(fds, 2, (int)most_ms) <= 0) {
        return;
    }
    if (fds[1].revents) {
        tunnel_client_read(&tunnel->client);
    }
    if (fds[0].revents) {
        take_signals(tunnel);
    }
}

/* The address */

static bool wait_for_address(struct tunnel *tunnel)
{
    struct tunnel_client *client = &tunnel->client;
    int64_t until_ms = now_ms() + ADDRESS_MS;
    int64_t left_ms = ADDRESS_MS;
    while (!client->news.url[0] && client->pid > 0 && !tunnel->ends && left_ms > 0) {
        wait_once(tunnel, left_ms);
        left_ms = until_ms - now_ms();
    }
    if (!client->news.url[0] && client->fd >= 0) {
        tunnel_client_read(client);
    }
    if (client->news.url[0] && client->pid > 0) {
        return true;
    }
    if (!tunnel->ends) {
        (void)fprintf(stderr, "aicaller tunnel: %s %s%s%s\n", client->name,
                      left_ms > 0 ? "ended without an address" : "has told no address in 30 s",
                      client->news.why[0] ? ": " : "; run it by hand to see why", client->news.why);
    }
    return false;
}

static bool open_tunnel(struct tunnel *tunnel, const struct place *place, enum tunnel_kind wanted)
{
    char address[ADDRESS_TEXT];
    write_address(place, address);
    int32_t status = tunnel_client_start(&tunnel->client, wanted, address, &tunnel->mask);
    if (status == AIC_ERROR_NOT_FOUND) {
        complain("no tunnel client in PATH: install ngrok (https://ngrok.com/download) or "
                 "cloudflared (https://github.com/cloudflare/cloudflared), or put a proxy with a "
                 "public address in front");
    } else if (status != AIC_OK) {
        complain("the tunnel client can not be started");
    }
    return status == AIC_OK && wait_for_address(tunnel);
}

static void print_address(const struct tunnel_client *client, const char *url, bool as_json,
                          bool has_command)
{
    if (as_json) {
        struct aic_buf text;
        struct aic_json_writer w;
        aic_buf_init(&text, 4096);
        aic_json_writer_init(&w, &text);
        aic_json_open(&w, '{');
        aic_json_member_text(&w, "public_url", url);
        aic_json_member_text(&w, "client", client->name ? client->name : "ngrok");
        aic_json_member_int(&w, "pid", client->pid);
        aic_json_close(&w, '}');
        (void)printf("%s\n", text.data);
        aic_buf_finish(&text);
    } else {
        (void)printf("%s\n", url);
    }
    (void)fflush(stdout);
    if (!has_command && !as_json) {
        (void)fprintf(stderr,
                      "Use it: AICALLER_PUBLIC_URL=%s aicaller serve\n"
                      "and point your number there: AICALLER_PUBLIC_URL=%s aicaller number set\n"
                      "%s\n",
                      url, url,
                      client->pid > 0 ? "It lasts until this command is interrupted."
                                      : "It is of an ngrok that ran already.");
    }
}

/* The command behind "--" */

static void start_command(struct tunnel *tunnel, const struct cli_args *args, const char *url)
{
    pid_t child = fork();
    if (child == 0) {
        static char program[] = "aicaller";
        char *argv[CLI_WORDS + 2] = {program};
        for (size_t i = 0; i < args->word_count; i++) {
            argv[i + 1] = strdup(args->words[i]);
        }
        const char *config = cli_value(&command_tunnel, args, "config");
        (void)setenv("AICALLER_PUBLIC_URL", url, 1);
        if (config) {
            (void)setenv("AICALLER_CONF", config, 1);
        }
        (void)sigprocmask(SIG_SETMASK, &tunnel->mask, NULL);
        (void)execv("/proc/self/exe", argv);
        _exit(127);
    }
    tunnel->command = child > 0 ? child : 0;
    tunnel->status = EXIT_FAILED;
}

/* Until the command ends, or without one until somebody wants it to end. */
static int attend(struct tunnel *tunnel, bool has_command, bool is_ours)
{
    bool is_lost = false;
    while (has_command ? tunnel->command > 0 : !tunnel->ends && !is_lost) {
        wait_once(tunnel, -1);
        if (is_ours && tunnel->client.pid == 0 && !is_lost) {
            is_lost = true;
            (void)fprintf(stderr, "aicaller tunnel: %s has ended%s%s; its address is gone\n",
                          tunnel->client.name, tunnel->client.news.why[0] ? ": " : "",
                          tunnel->client.news.why);
            if (tunnel->command > 0) {
                (void)kill(tunnel->command, SIGTERM);
            }
        }
    }
    return is_lost ? EXIT_FAILED : has_command ? tunnel->status : EXIT_GOOD;
}

static int run_tunnel(const struct cli_args *args, const struct place *place,
                      enum tunnel_kind wanted)
{
    struct tunnel tunnel = {.client = {.fd = -1}, .signals = -1};
    const char *api = cli_value(&command_tunnel, args, "api");
    bool has_command = args->word_count > 0;
    char url[TUNNEL_URL] = "";
    int status = EXIT_FAILED;
    /* Signals first: threads that come into being take the mask along. */
    bool can_hear = listen_to_signals(&tunnel);
    bool is_running = can_hear && wanted != TUNNEL_CLOUDFLARED &&
                      find_running(api ? api : default_api, place->port, url);
    if (!can_hear) {
        complain(strerror(errno));
    } else if (is_running || open_tunnel(&tunnel, place, wanted)) {
        if (!is_running) {
            memcpy(url, tunnel.client.news.url, sizeof(url));
        }
        print_address(&tunnel.client, url, cli_value(&command_tunnel, args, "json"), has_command);
        if (has_command) {
            start_command(&tunnel, args, url);
        }
        status = is_running && !has_command ? EXIT_GOOD : attend(&tunnel, has_command, !is_running);
    }
    tunnel_client_stop(&tunnel.client);
    if (tunnel.signals >= 0) {
        (void)close(tunnel.signals);
    }
    return status;
}

static int run(const struct cli_args *args)
{
    const char *env = cli_value(&command_tunnel, args, "env");
    const char *name = cli_value(&command_tunnel, args, "client");
    enum tunnel_kind wanted = name ? tunnel_client_kind(name) : TUNNEL_NONE;
    if (name && wanted == TUNNEL_NONE) {
        complain("--client takes ngrok or cloudflared");
        return EXIT_USAGE;
    }
    if (env && conf_read_env(env) != 0) {
        return EXIT_FAILED;
    }
    struct config_problems problems = {.list = NULL};
    struct place place;
    int status = EXIT_BAD_CONFIG;
    if (place_load(&place, cli_value(&command_tunnel, args, "config"), &problems)) {
        status = run_tunnel(args, &place, wanted);
        place_finish(&place);
    } else {
        (void)conf_tell(&problems, false);
    }
    config_problems_finish(&problems);
    return status;
}

const struct cli_command command_tunnel = {
    .name = "tunnel",
    .words = "[-- COMMAND...]",
    .least_words = 0,
    .most_words = CLI_WORDS,
    .summary = "a public address for a machine behind a router",
    .more =
        "Finds an ngrok that leads to server.port, or starts ngrok or cloudflared from PATH, and\n"
        "prints the address. With a COMMAND, such as \"-- serve\", it is run with that address as\n"
        "its public_url, and the tunnel ends with it.",
    .options = {{"config", 'c', "FILE", "the configuration, for the command as well"},
                {"env", 0, "FILE", "NAME=value lines for env: values, for the command as well"},
                {"client", 0, "NAME", "ngrok or cloudflared; the first that is there otherwise"},
                {"api", 0, "URL", "of a running ngrok; http://127.0.0.1:4040 otherwise"},
                {"json", 0, NULL, "the address as a JSON object"}},
    .run = run,
};
