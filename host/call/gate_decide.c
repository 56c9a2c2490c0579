/* SPDX-License-Identifier: ISC */
#include "call/gate_decide.h"

#include <stdio.h>
#include <string.h>

const char *gate_reason_name(enum gate_reason reason)
{
    static const char *const names[GATE_REASONS] = {
        [GATE_ALLOWED] = "",
        [GATE_NOT_CONFIGURED] = "outbound_not_configured",
        [GATE_NUMBER_INVALID] = "number_invalid",
        [GATE_NUMBER_SHORT] = "number_short",
        [GATE_NUMBER_UNKNOWN] = "number_unknown",
        [GATE_NUMBER_TYPE] = "number_type",
        [GATE_DESTINATION] = "destination_not_allowed",
        [GATE_DISCLOSURE] = "no_disclosure",
        [GATE_ZONE_UNKNOWN] = "zone_unknown",
        [GATE_HOURS] = "outside_hours",
        [GATE_DO_NOT_CALL] = "do_not_call",
        [GATE_STORAGE] = "storage_unavailable",
        [GATE_PER_MINUTE] = "limit_per_minute",
        [GATE_PER_HOUR] = "limit_per_hour",
        [GATE_PER_DAY] = "limit_per_day",
        [GATE_CONCURRENT] = "limit_concurrent",
        [GATE_COST] = "limit_cost",
        [GATE_QUEUE] = "limit_queue",
    };
    return (size_t)reason < GATE_REASONS ? names[reason] : "";
}

int32_t gate_reason_status(enum gate_reason reason)
{
    if (reason == GATE_ALLOWED) {
        return AIC_OK;
    }
    if (reason == GATE_STORAGE) {
        return AIC_ERROR_CLOSED;
    }
    return reason >= GATE_PER_MINUTE ? AIC_ERROR_BUSY : AIC_ERROR_DENIED;
}

static void say(struct gate_verdict *verdict, enum gate_reason reason, const char *text)
{
    verdict->reason = reason;
    (void)snprintf(verdict->text, sizeof(verdict->text), "%s", text);
}

/* Types that cost the caller a fortune, or that nobody talks on. */
static bool is_refused_type(enum number_type type)
{
    return type == NUMBER_PREMIUM_RATE || type == NUMBER_SHARED_COST || type == NUMBER_PERSONAL ||
           type == NUMBER_PAGER || type == NUMBER_VOICEMAIL;
}

static void judge_number(const struct gate_rules *rules, const struct gate_facts *facts,
                         struct gate_verdict *verdict)
{
    const struct number *number = &facts->number;
    if (number->kind == NUMBER_SHORT) {
        say(verdict, GATE_NUMBER_SHORT,
            "service and emergency numbers are not dialled, nor numbers that lack digits");
    } else if (number->kind != NUMBER_KNOWN && number->kind != NUMBER_UNKNOWN) {
        say(verdict, GATE_NUMBER_INVALID,
            "write the number as +, country code and number, digits only, such as +919876543210");
    } else if (number->kind == NUMBER_UNKNOWN && !gate_rules_allow_prefix(rules, facts->to)) {
        say(verdict, GATE_NUMBER_UNKNOWN,
            "no such number is known; if it is new, put its beginning into outbound.allow, such as "
            "\"+4420\"");
    } else if (is_refused_type(number->type)) {
        verdict->reason = GATE_NUMBER_TYPE;
        (void)snprintf(verdict->text, sizeof(verdict->text),
                       "this is a number of type %s, which is never dialled",
                       number_type_name(number->type));
    } else if (strcmp(number->region, "001") == 0) {
        say(verdict, GATE_NUMBER_TYPE,
            "satellite and other numbers that belong to no country are never dialled");
    }
}

static void judge_destination(const struct gate_rules *rules, const struct gate_facts *facts,
                              struct gate_verdict *verdict)
{
    const char *region = facts->number.region;
    if (gate_rules_allow_prefix(rules, facts->to) || gate_rules_allow_region(rules, region)) {
        return;
    }
    verdict->reason = GATE_DESTINATION;
    (void)snprintf(verdict->text, sizeof(verdict->text),
                   "%s is not in outbound.allow: add \"%s\" or a beginning of the number", region,
                   region);
}

static void judge_greeting(const struct gate_facts *facts, struct gate_verdict *verdict)
{
    if (!facts->has_greeting) {
        say(verdict, GATE_DISCLOSURE,
            "the agent has no greeting: who is called has to be told first who calls and that it "
            "is a machine");
    }
}

static void judge_hours(const struct gate_rules *rules, const struct gate_facts *facts,
                        struct gate_verdict *verdict)
{
    static const char *const days[] = {"Monday", "Tuesday",  "Wednesday", "Thursday",
                                       "Friday", "Saturday", "Sunday"};
    const struct gate_window *window = gate_rules_window(rules, facts->number.region);
    if (facts->clock_count == 0) {
        say(verdict, GATE_ZONE_UNKNOWN, "the time zone of this number is not known");
    }
    for (size_t i = 0; i < facts->clock_count && verdict->reason == GATE_ALLOWED; i++) {
        const struct gate_clock *clock = &facts->clocks[i];
        int minute = clock->time.minute;
        if (!clock->is_known) {
            verdict->reason = GATE_ZONE_UNKNOWN;
            (void)snprintf(verdict->text, sizeof(verdict->text),
                           "the time in %s is not known: install the package tzdata", clock->zone);
        } else if (minute < window->from_minute || minute >= window->until_minute ||
                   !(window->days >> clock->time.weekday & 1)) {
            verdict->reason = GATE_HOURS;
            (void)snprintf(verdict->text, sizeof(verdict->text),
                           "it is %s, %02d:%02d in %s; there one is called from %02d:%02d to "
                           "%02d:%02d%s",
                           days[clock->time.weekday], minute / 60, minute % 60, clock->zone,
                           window->from_minute / 60, window->from_minute % 60,
                           window->until_minute / 60, window->until_minute % 60,
                           window->days >> clock->time.weekday & 1 ? "" : ", not on this day");
        }
    }
}

/* The option that sets a limit. */
static const char *limit_option(enum gate_reason reason)
{
    switch (reason) {
    case GATE_PER_MINUTE:
        return "outbound.max_per_minute";
    case GATE_PER_HOUR:
        return "outbound.max_per_hour";
    case GATE_PER_DAY:
        return "outbound.max_per_day";
    case GATE_COST:
        return "limits.max_cost_per_day";
    default:
        return "outbound.max_concurrent";
    }
}

static void judge_storage(const struct gate_facts *facts, struct gate_verdict *verdict)
{
    bool is_unasked = facts->is_final &&
                      (facts->do_not_call == GATE_NOT_ASKED || facts->reserved == GATE_NOT_ASKED);
    if (facts->do_not_call == GATE_OBJECTION) {
        say(verdict, GATE_DO_NOT_CALL, "this number is on the do-not-call list");
    } else if (facts->do_not_call == GATE_NO_ANSWER || facts->reserved == GATE_NO_ANSWER ||
               is_unasked) {
        say(verdict, GATE_STORAGE,
            "the storage does not answer, so the do-not-call list and the limits are not known");
    } else if (facts->reserved == GATE_OBJECTION) {
        verdict->reason = facts->over;
        verdict->retry_after_ms = facts->retry_after_ms;
        (void)snprintf(verdict->text, sizeof(verdict->text),
                       "there is no room for another call now under %s", limit_option(facts->over));
    }
}

void gate_decide(const struct gate_rules *rules, const struct gate_facts *facts,
                 struct gate_verdict *verdict)
{
    *verdict = (struct gate_verdict){.reason = GATE_ALLOWED};
    if (!gate_rules_dial(rules)) {
        say(verdict, GATE_NOT_CONFIGURED,
            "nobody may be dialled yet: say where in the configuration, such as outbound = { allow "
            "= [ \"IN\" ]; };");
        return;
    }
    judge_number(rules, facts, verdict);
    if (verdict->reason == GATE_ALLOWED) {
        judge_destination(rules, facts, verdict);
    }
    if (verdict->reason == GATE_ALLOWED) {
        judge_greeting(facts, verdict);
    }
    if (verdict->reason == GATE_ALLOWED) {
        judge_hours(rules, facts, verdict);
    }
    if (verdict->reason == GATE_ALLOWED) {
        judge_storage(facts, verdict);
    }
    if (verdict->reason == GATE_ALLOWED && facts->is_late) {
        say(verdict, GATE_QUEUE, "too many calls wait for their turn; see calls_per_second");
    }
}
