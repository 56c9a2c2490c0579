/* SPDX-License-Identifier: ISC */
#include "cli/doctor.h"

#include "buf.h"

#include <stdarg.h>
#include <stdlib.h>

enum { TEXT_MAX = 4096 };

static void keep(struct doctor *doctor, enum finding_state state, const char *what,
                 struct aic_buf *seen, struct aic_buf *remedy)
{
    char *text = aic_buf_detach(seen);
    char *advice = remedy ? aic_buf_detach(remedy) : NULL;
    doctor->warnings += state == FINDING_WARN;
    doctor->failures += state == FINDING_FAIL;
    if (!text || doctor->count == FINDINGS_MAX) {
        free(text);
        free(advice);
        return;
    }
    doctor->list[doctor->count++] = (struct finding){state, what, text, advice};
}

void doctor_ok(struct doctor *doctor, const char *what, const char *format, ...)
{
    va_list args;
    struct aic_buf seen;
    aic_buf_init(&seen, TEXT_MAX);
    va_start(args, format);
    (void)aic_buf_vprintf(&seen, format, args);
    va_end(args);
    keep(doctor, FINDING_OK, what, &seen, NULL);
}

void doctor_bad(struct doctor *doctor, enum finding_state state, const char *what,
                const char *remedy, const char *format, ...)
{
    va_list args;
    struct aic_buf seen;
    struct aic_buf advice;
    aic_buf_init(&seen, TEXT_MAX);
    aic_buf_init(&advice, TEXT_MAX);
    va_start(args, format);
    (void)aic_buf_vprintf(&seen, format, args);
    va_end(args);
    (void)aic_buf_text(&advice, remedy);
    keep(doctor, state, what, &seen, &advice);
}

void doctor_finish(struct doctor *doctor)
{
    for (size_t i = 0; i < doctor->count; i++) {
        free(doctor->list[i].seen);
        free(doctor->list[i].remedy);
    }
    doctor->count = 0;
}
