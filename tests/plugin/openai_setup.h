/* SPDX-License-Identifier: ISC */
#ifndef OPENAI_SETUP_H
#define OPENAI_SETUP_H
/* What the tests of groq and openai share: a provider on the fake host. */
#include "fake_host.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define OPENAI_KEY "sk-test-0123456789"

const struct aic_plugin *aicaller_plugin_groq(void);
const struct aic_plugin *aicaller_plugin_openai(void);

struct setup {
    struct vsched *v;
    struct fake_host *fake;
    const struct aic_plugin *plugin;
    void *self;
};

/* `settings` ends with {NULL, NULL} and lives as long as the setup. */
static inline void setup_begin(struct setup *s, const struct aic_plugin *plugin,
                               const struct fake_setting *settings)
{
    *s = (struct setup){.v = vsched_create(7), .plugin = plugin};
    s->fake = fake_host_create(s->v);
    assert_int_equal(fake_provider_create(s->fake, plugin, settings, &s->self), AIC_OK);
}

/* Nothing may be left behind: request, timer, or secret in the log. */
static inline void setup_finish(struct setup *s)
{
    s->plugin->destroy(s->self);
    const char *log = fake_log(s->fake);
    assert_true(!log || !strstr(log, OPENAI_KEY));
    assert_int_equal(vsched_timers(s->v), 0);
    fake_host_destroy(s->fake);
    vsched_destroy(s->v);
}

/* Whether the plugin refuses these settings, with this in its log. */
static inline void setup_refuses(const struct aic_plugin *plugin,
                                 const struct fake_setting *settings, const char *why)
{
    void *self = NULL;
    struct vsched *v = vsched_create(7);
    struct fake_host *fake = fake_host_create(v);
    assert_int_equal(fake_provider_create(fake, plugin, settings, &self), AIC_ERROR_CONFIG);
    assert_null(self);
    assert_non_null(strstr(fake_log(fake), why));
    assert_null(strstr(fake_log(fake), OPENAI_KEY));
    fake_host_destroy(fake);
    vsched_destroy(v);
}

static inline void assert_has(const char *text, const char *part)
{
    if (!text || !strstr(text, part)) {
        fail_msg("no \"%s\" in: %s", part, text ? text : "(nothing)");
    }
}

#endif
