/* SPDX-License-Identifier: ISC */
/* The description of the API and the routes of the web layer, held against each other: what is
 * described is served, what is served is described, and the same scope is needed. */
#include "net_peer.h"
#include "net_port.h"
#include "net_rig.h"
#include "web/assets.h"
#include "web/web_private.h"

#include "io/loop.h"
#include "io/shm.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

static const char *const method_names[] = {"get", "post", "put", "patch", "delete"};
static const uint32_t method_bits[] = {AIC_METHOD_GET, AIC_METHOD_POST, AIC_METHOD_PUT,
                                       AIC_METHOD_PATCH, AIC_METHOD_DELETE};

/* A web layer with everything that brings routes along; nothing is asked of it. */
struct scene {
    struct link *link;
    struct calls *calls;
    struct shm *shm;
    struct web *web;
    struct agents agents;
    int master;
    uint32_t described[WEB_ROUTES]; /* methods of each route that the description has */
    size_t problems;
};

static void tell(struct scene *scene, const char *what, const char *method, const char *path)
{
    print_message("%s: %s %s\n", what, method, path);
    scene->problems++;
}

static void begin(void *data)
{
    struct scene *scene = data;
    static char nothing;
    struct loop *loop = net_rig_loop(net_port.rig);
    const struct link_handler handler = {.data = NULL};
    const struct calls_hooks hooks = {.data = NULL};
    int pair[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair),
                     0);
    scene->master = pair[0];
    scene->link = link_create(loop, pair[1], &handler);
    scene->shm = calloc(1, sizeof(*scene->shm));
    const struct calls_settings calls = {
        .sched = loop_sched(loop), .link = scene->link, .max_calls = 1};
    scene->calls = calls_create(&calls, &hooks);
    const struct web_settings web = {.server = net_port.server,
                                     .sched = loop_sched(loop),
                                     .link = scene->link,
                                     .calls = scene->calls,
                                     .storage = (struct storage *)(void *)&nothing,
                                     .shm = scene->shm,
                                     .agents = &scene->agents};
    scene->web = web_create(&web);
    assert_non_null(scene->web);
}

static void end(void *data)
{
    struct scene *scene = data;
    web_stop(scene->web);
    calls_destroy(scene->calls);
    web_destroy(scene->web);
    link_destroy(scene->link);
    free(scene->shm);
    close(scene->master);
}

static struct aic_json *read_description(void)
{
    static char text[1 << 20];
    FILE *file = fopen(TEST_SOURCE "/schema/openapi.json", "re");
    assert_non_null(file);
    size_t length = fread(text, 1, sizeof(text), file);
    assert_int_equal(fclose(file), 0);
    struct aic_json *root = aic_json_parse((struct aic_str){text, length}, 0);
    assert_true(aic_json_is_object(root));
    return root;
}

/* "/calls/{id}/hangup/" with something in the braces that such a path can have. */
static void fill_in(const char *path, char to[256])
{
    const char *filling = strstr(path, "{file}") ? "style.css"
                          : strncmp(path, "/admin", 6) == 0
                              ? "ada"
                              : "01a203c4-5150-7038-b7cb-7a34a8e1fa27";
    const char *open = strchr(path, '{');
    const char *close = open ? strchr(open, '}') : NULL;
    if (close) {
        (void)snprintf(to, 256, "%.*s%s%s", (int)(open - path), path, filling, close + 1);
    } else {
        (void)snprintf(to, 256, "%s", path);
    }
}

static bool matches(const struct web_route *route, const char *path)
{
    size_t own = strlen(route->path);
    if (route->path[own - 1] == '*') {
        return strncmp(route->path, path, own - 1) == 0 &&
               (!route->exists || route->exists(aic_str(path)));
    }
    return strcmp(route->path, path) == 0;
}

/* What one who shows a key or has a session needs; NONE where it is not asked for. */
static uint32_t scope_of(const struct aic_json *security, const char *scheme)
{
    for (size_t i = 0; i < aic_json_count(security); i++) {
        struct aic_str word =
            aic_json_text(aic_json_at(aic_json_get(aic_json_at(security, i), scheme), 0));
        if (word.len > 0) {
            return api_scope_find(word);
        }
    }
    return API_SCOPE_NONE;
}

static bool takes_anybody(const struct aic_json *security)
{
    for (size_t i = 0; i < aic_json_count(security); i++) {
        if (aic_json_count(aic_json_at(security, i)) == 0) {
            return true;
        }
    }
    return false;
}

static void check_operation(struct scene *scene, const struct aic_json *root, const char *path,
                            size_t method, const struct aic_json *operation)
{
    char real[256];
    const struct web *web = scene->web;
    fill_in(path, real);
    for (size_t i = 0; i < web->route_count; i++) {
        const struct web_route *route = &web->routes[i];
        if (!(route->methods & method_bits[method]) || !matches(route, real)) {
            continue;
        }
        const struct aic_json *own = aic_json_get(operation, "security");
        const struct aic_json *security = own ? own : aic_json_get(root, "security");
        scene->described[i] |= method_bits[method];
        if (scope_of(security, "session") != route->scope ||
            (!route->needs_session && scope_of(security, "apiKey") != route->scope)) {
            tell(scene, "needs another scope than described", method_names[method], path);
        }
        if (route->needs_session == takes_anybody(security)) {
            tell(scene, "says wrongly whether a session is needed", method_names[method], path);
        }
        return;
    }
    tell(scene, "is described and not served", method_names[method], path);
}

struct walk {
    struct scene *scene;
    const struct aic_json *root;
};

static int check_path(void *data, const char *path, const struct aic_json *item)
{
    const struct walk *walk = data;
    for (size_t i = 0; i < sizeof(method_names) / sizeof(method_names[0]); i++) {
        const struct aic_json *operation = aic_json_get(item, method_names[i]);
        struct aic_str tag = aic_json_text(aic_json_at(aic_json_get(operation, "tags"), 0));
        /* Those of carriers are served by plugins. */
        if (operation && !aic_str_equal(tag, "Carriers")) {
            check_operation(walk->scene, walk->root, path, i, operation);
        }
    }
    return 0;
}

/* A page's style lies beside it where its page does, and a folder is described by one path. */
static bool is_file(const char *path)
{
    size_t length = strlen(path);
    return strncmp(path, "/static/", 8) == 0 ||
           (length > 4 && strcmp(path + length - 4, ".css") == 0);
}

static void test_the_description_and_the_routes_are_the_same(void **state)
{
    (void)state;
    struct scene scene = {.web = NULL};
    net_rig_call(net_port.rig, begin, &scene);
    struct aic_json *root = read_description();
    struct walk walk = {&scene, root};
    (void)aic_json_each(aic_json_get(root, "paths"), check_path, &walk);
    assert_true(scene.web->route_count > 20);
    for (size_t i = 0; i < scene.web->route_count; i++) {
        const struct web_route *route = &scene.web->routes[i];
        if (scene.described[i] != route->methods && !is_file(route->path)) {
            tell(&scene, "is served and not described", "", route->path);
        }
    }
    aic_json_free(root);
    net_rig_call(net_port.rig, end, &scene);
    assert_int_equal(scene.problems, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_the_description_and_the_routes_are_the_same,
                                        net_port_set_up, net_port_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
