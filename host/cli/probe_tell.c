/* SPDX-License-Identifier: ISC */
#include "cli/probe.h"

#include "json.h"

#include <stdio.h>

static const char *state_name(enum probe_state state)
{
    static const char *const names[] = {"unasked", "ok", "failed", "unasked"};
    return names[state];
}

void probe_result_write(const struct probe_result *result, struct aic_json_writer *w)
{
    aic_json_open(w, '{');
    aic_json_member_text(w, "provider", result->provider);
    aic_json_member_text(w, "role", result->role);
    aic_json_member_text(w, "plugin", result->setup->plugin->id);
    aic_json_member_text(w, "state", state_name(result->state));
    if (result->state == PROBE_FAILED) {
        aic_json_member_text(w, "category", result->category);
        aic_json_member_text(w, "message", result->message);
        aic_json_member_text(w, "advice", result->advice);
    }
    if (result->note[0]) {
        aic_json_member_text(w, "note", result->note);
    }
    aic_json_close(w, '}');
}

void probe_result_print(const struct probe_result *result)
{
    (void)printf("%-7s  %-12s ", state_name(result->state), result->provider);
    if (result->state == PROBE_FAILED) {
        (void)printf("%-9s  %s: %s\n%9s%s\n", result->role, result->category, result->message, "",
                     result->advice);
    } else if (result->state == PROBE_UNASKED) {
        (void)printf("%-9s  nothing to ask\n", result->role);
    } else if (result->note[0]) {
        (void)printf("%-9s  %s\n", result->role, result->note);
    } else {
        (void)printf("%s\n", result->role);
    }
}
