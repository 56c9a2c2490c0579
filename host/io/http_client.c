/* SPDX-License-Identifier: ISC */
#include "io/http_client.h"

#include "io/http_request.h"
#include "io/loop.h"

#include <uv.h>

enum { ORIGINS = 32, ORIGIN_BYTES = 128, WARM_US = 20000000, MAX_IDLE = 64, MAX_OPEN = 1024 };

/* When a request last went to an origin: then a connection is likely to be open. */
struct origin {
    char name[ORIGIN_BYTES];
    int64_t used_us;
};

struct http_client {
    struct loop *loop;
    struct sched *sched;
    CURLM *multi;
    struct sched_timer *timer; /* curl's */
    struct aic_http *requests;
    char *ca_file;
    char *user_agent;
    bool is_in_curl; /* curl may not be called back from inside */
    bool has_changes;
    struct origin origins[ORIGINS];
};

struct socket_watch {
    uv_poll_t poll; /* first: a handle is its watch */
    struct http_client *client;
    curl_socket_t fd;
};

static void settle(struct http_client *client);

static void act(struct http_client *client, curl_socket_t fd, int events)
{
    int running = 0;
    client->is_in_curl = true;
    (void)curl_multi_socket_action(client->multi, fd, events, &running);
    client->is_in_curl = false;
    settle(client);
}

/* What curl wants to have watched */

static void socket_ready(uv_poll_t *handle, int status, int events)
{
    struct socket_watch *watch = (struct socket_watch *)handle;
    int flags = status < 0 ? CURL_CSELECT_ERR : 0;
    flags |= events & UV_READABLE ? CURL_CSELECT_IN : 0;
    flags |= events & UV_WRITABLE ? CURL_CSELECT_OUT : 0;
    act(watch->client, watch->fd, flags);
}

static void free_watch(uv_handle_t *handle)
{
    free(handle);
}

static struct socket_watch *watch_create(struct http_client *client, curl_socket_t fd)
{
    struct socket_watch *watch = calloc(1, sizeof(*watch));
    if (!watch) {
        return NULL;
    }
    watch->client = client;
    watch->fd = fd;
    if (uv_poll_init_socket(loop_uv(client->loop), &watch->poll, fd) != 0) {
        free(watch);
        return NULL;
    }
    return watch;
}

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *data, void *assigned)
{
    (void)easy;
    struct http_client *client = data;
    struct socket_watch *watch = assigned;
    if (what == CURL_POLL_REMOVE) {
        if (watch) {
            (void)uv_poll_stop(&watch->poll);
            uv_close((uv_handle_t *)&watch->poll, free_watch);
            curl_multi_assign(client->multi, fd, NULL);
        }
        return 0;
    }
    if (!watch) {
        watch = watch_create(client, fd);
        if (!watch) {
            return -1;
        }
        curl_multi_assign(client->multi, fd, watch);
    }
    int events = what == CURL_POLL_IN    ? UV_READABLE
                 : what == CURL_POLL_OUT ? UV_WRITABLE
                                         : UV_READABLE | UV_WRITABLE;
    return uv_poll_start(&watch->poll, events, socket_ready) == 0 ? 0 : -1;
}

static void on_timer(void *data)
{
    struct http_client *client = data;
    client->timer = NULL;
    act(client, CURL_SOCKET_TIMEOUT, 0);
}

static int set_timer(CURLM *multi, long timeout_ms, void *data)
{
    (void)multi;
    struct http_client *client = data;
    sched_timer_stop(client->sched, client->timer);
    client->timer = NULL;
    if (timeout_ms < 0) {
        return 0;
    }
    int64_t deadline_us = sched_now(client->sched) + (int64_t)timeout_ms * 1000;
    client->timer = sched_timer_start(client->sched, deadline_us, on_timer, client);
    return client->timer ? 0 : -1;
}

/* Requests */

static void unlink_request(struct aic_http *request)
{
    *request->where = request->next;
    if (request->next) {
        request->next->where = request->where;
    }
}

/* Takes a request away from curl and out of the list. Not inside of curl. */
static void detach(struct aic_http *request)
{
    struct http_client *client = request->client;
    if (request->is_added) {
        request->is_added = false;
        client->is_in_curl = true;
        (void)curl_multi_remove_handle(client->multi, request->easy);
        client->is_in_curl = false;
    }
    sched_timer_stop(client->sched, request->timer);
    request->timer = NULL;
}

static void drop(struct aic_http *request)
{
    detach(request);
    unlink_request(request);
    http_request_destroy(request);
}

static void on_deadline(void *data)
{
    struct aic_http *request = data;
    request->timer = NULL;
    if (sched_now(request->sched) < http_request_deadline(request)) {
        http_client_rearm(request);
        return;
    }
    struct http_client *client = request->client;
    detach(request);
    request->is_ending = true;
    http_request_end_late(request);
    drop(request);
    settle(client);
}

void http_client_rearm(struct aic_http *request)
{
    sched_timer_stop(request->sched, request->timer);
    request->timer =
        sched_timer_start(request->sched, http_request_deadline(request), on_deadline, request);
}

static void finish(struct aic_http *request, CURLcode result)
{
    detach(request);
    request->is_ending = true;
    http_request_end(request, result);
    drop(request);
}

static void add(struct aic_http *request)
{
    struct http_client *client = request->client;
    client->is_in_curl = true;
    CURLMcode code = curl_multi_add_handle(client->multi, request->easy);
    client->is_in_curl = false;
    request->is_added = code == CURLM_OK;
}

/* Does what had to wait while curl was running: requests that were started or cancelled. */
static void apply_changes(struct http_client *client)
{
    client->has_changes = false;
    struct aic_http *next = NULL;
    for (struct aic_http *request = client->requests; request; request = next) {
        next = request->next;
        if (request->is_ending) {
            continue;
        }
        if (request->is_cancelled) {
            drop(request);
        } else if (!request->is_added) {
            /* Should curl refuse it, the connect deadline ends it. */
            add(request);
        }
    }
}

static struct aic_http *next_finished(struct http_client *client, CURLcode *result)
{
    int left = 0;
    CURLMsg *message = curl_multi_info_read(client->multi, &left);
    while (message && message->msg != CURLMSG_DONE) {
        message = curl_multi_info_read(client->multi, &left);
    }
    if (!message) {
        return NULL;
    }
    void *request = NULL;
    *result = message->data.result;
    curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &request);
    return request;
}

/* After each visit to curl: delivers ends. Their functions may start and cancel requests at will.
 */
static void settle(struct http_client *client)
{
    CURLcode result = CURLE_OK;
    struct aic_http *request = NULL;
    if (client->has_changes) {
        apply_changes(client);
    }
    while ((request = next_finished(client, &result)) != NULL) {
        finish(request, result);
    }
}

int32_t http_client_start(struct http_client *client, const struct aic_http_request *params,
                          const struct http_rules *rules,
                          void (*event)(void *data, const struct aic_http_event *event), void *data,
                          struct aic_http **request)
{
    struct aic_http *new = NULL;
    int32_t status = http_request_create(client->sched, params, rules, &new);
    if (status != AIC_OK) {
        return status;
    }
    if (client->ca_file) {
        curl_easy_setopt(new->easy, CURLOPT_CAINFO, client->ca_file);
    }
    if (client->user_agent) {
        curl_easy_setopt(new->easy, CURLOPT_USERAGENT, client->user_agent);
    }
    new->client = client;
    new->event = event;
    new->data = data;
    http_client_rearm(new);
    if (!new->timer) {
        http_request_destroy(new);
        return AIC_ERROR_MEMORY;
    }
    new->next = client->requests;
    new->where = &client->requests;
    if (new->next) {
        new->next->where = &new->next;
    }
    client->requests = new;
    if (client->is_in_curl) {
        client->has_changes = true;
    } else {
        add(new);
    }
    *request = new;
    return AIC_OK;
}

void http_client_cancel(struct http_client *client, struct aic_http *request)
{
    if (!request) {
        return;
    }
    request->is_cancelled = true;
    if (request->is_ending) {
        return; /* from inside its own last events */
    }
    if (client->is_in_curl) {
        client->has_changes = true;
    } else {
        drop(request);
    }
}

/* Warm connections */

/* "https://host:port" of a URL; false when it does not fit. */
static bool origin_of(const char *url, char to[ORIGIN_BYTES])
{
    CURLU *parsed = curl_url();
    char *scheme = NULL;
    char *host = NULL;
    char *port = NULL;
    bool is_good = parsed && curl_url_set(parsed, CURLUPART_URL, url, 0) == CURLUE_OK &&
                   curl_url_get(parsed, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK &&
                   curl_url_get(parsed, CURLUPART_HOST, &host, 0) == CURLUE_OK &&
                   curl_url_get(parsed, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) == CURLUE_OK;
    int length = is_good ? snprintf(to, ORIGIN_BYTES, "%s://%s:%s", scheme, host, port) : -1;
    curl_free(scheme);
    curl_free(host);
    curl_free(port);
    curl_url_cleanup(parsed);
    return length > 0 && length < ORIGIN_BYTES;
}

/* Remembers the use of an origin; returns when it was used before, 0 for never. */
static int64_t touch_origin(struct http_client *client, const char *name)
{
    struct origin *entry = &client->origins[0];
    for (size_t i = 0; i < ORIGINS; i++) {
        struct origin *at = &client->origins[i];
        if (strcmp(at->name, name) == 0) {
            entry = at;
            break;
        }
        entry = at->used_us < entry->used_us ? at : entry;
    }
    bool is_known = strcmp(entry->name, name) == 0;
    int64_t before_us = is_known ? entry->used_us : 0;
    (void)aic_str_copy(aic_str(name), entry->name, sizeof(entry->name));
    entry->used_us = sched_now(client->sched);
    return before_us;
}

void http_client_warm(struct http_client *client, const char *url, const struct http_rules *rules)
{
    char origin[ORIGIN_BYTES];
    if (!url || !origin_of(url, origin)) {
        return;
    }
    int64_t before_us = touch_origin(client, origin);
    if (before_us > 0 && sched_now(client->sched) - before_us < WARM_US) {
        return;
    }
    /* A connection that curl has opened for nothing (CONNECT_ONLY) is not used again, so a small
     * question without credentials has to be asked. */
    const struct aic_http_request params = {
        .size = sizeof(params), .method = "HEAD", .url = origin};
    struct aic_http *request = NULL;
    (void)http_client_start(client, &params, rules, NULL, NULL, &request);
}

/* Life */

struct http_client *http_client_create(struct loop *loop, const struct http_client_options *options)
{
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        return NULL;
    }
    struct http_client *client = calloc(1, sizeof(*client));
    if (!client) {
        curl_global_cleanup();
        return NULL;
    }
    client->loop = loop;
    client->sched = loop_sched(loop);
    client->multi = curl_multi_init();
    bool is_good = client->multi != NULL;
    if (is_good && options && options->ca_file) {
        client->ca_file = aic_str_dup(aic_str(options->ca_file));
        is_good = client->ca_file != NULL;
    }
    if (is_good && options && options->user_agent) {
        client->user_agent = aic_str_dup(aic_str(options->user_agent));
        is_good = client->user_agent != NULL;
    }
    if (!is_good) {
        http_client_destroy(client);
        return NULL;
    }
    curl_multi_setopt(client->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    curl_multi_setopt(client->multi, CURLMOPT_SOCKETDATA, client);
    curl_multi_setopt(client->multi, CURLMOPT_TIMERFUNCTION, set_timer);
    curl_multi_setopt(client->multi, CURLMOPT_TIMERDATA, client);
    curl_multi_setopt(client->multi, CURLMOPT_PIPELINING, CURLPIPE_MULTIPLEX);
    curl_multi_setopt(client->multi, CURLMOPT_MAXCONNECTS, (long)MAX_IDLE);
    curl_multi_setopt(client->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, (long)MAX_OPEN);
    return client;
}

void http_client_destroy(struct http_client *client)
{
    if (!client) {
        return;
    }
    while (client->requests) {
        drop(client->requests);
    }
    /* Still calls the socket function, so that all watches close. */
    curl_multi_cleanup(client->multi);
    sched_timer_stop(client->sched, client->timer);
    free(client->ca_file);
    free(client->user_agent);
    free(client);
    curl_global_cleanup();
}
