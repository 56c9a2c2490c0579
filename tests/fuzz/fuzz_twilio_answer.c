/* SPDX-License-Identifier: ISC */
/* An answer of the REST API: its status in three digits, then the body. */
#include "twilio/listing.h"
#include "twilio/problem.h"

#include "utf8.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
    if (!holds) {
        abort();
    }
}

static bool is_known(void *data, struct aic_str call_sid)
{
    (void)data;
    return aic_str_equal(call_sid, "CA1");
}

static void check_problem(int32_t status, const struct aic_json *body, struct aic_str request_id)
{
    struct twilio_problem problem;
    struct twilio_problem copy;
    twilio_problem_read(&problem, status, body, request_id);
    const struct aic_error *error = &problem.error;
    check(error->category != AIC_CATEGORY_NONE && error->scope != AIC_SCOPE_NONE);
    check(error->message.len > 0 && aic_utf8_valid(error->message));
    for (size_t i = 0; i < error->message.len; i++) {
        check((unsigned char)error->message.ptr[i] >= ' ');
    }
    check(aic_utf8_valid(error->code) && aic_utf8_valid(error->request_id));
    twilio_problem_copy(&copy, "Twilio can not be reached: ", error);
    check(copy.error.category == error->category && aic_utf8_valid(copy.error.message));
    check(copy.error.message.ptr == copy.message);
    (void)twilio_problem_is_over(&problem);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 3) {
        return 0;
    }
    int32_t status = 0;
    for (size_t i = 0; i < 3; i++) {
        status = status * 10 + data[i] % 10;
    }
    struct aic_str text = {(const char *)data + 3, size - 3};
    struct aic_json *body = aic_json_parse(text, 1 << 16);
    check_problem(status, body, (struct aic_str){text.ptr, text.len < 80 ? text.len : 80});
    char call_sid[TWILIO_LISTING_SID_BYTES] = "";
    const struct twilio_listing wanted = {.to = AIC_STR("+15551230001"),
                                          .from = AIC_STR("+15005550006"),
                                          .now_s = 1767607200,
                                          .age_s = 60,
                                          .is_known = is_known};
    int count = twilio_listing_find(&wanted, body, call_sid);
    check(count >= -1 && (count > 0) == (call_sid[0] != '\0'));
    check(strcmp(call_sid, "CA1") != 0);
    int64_t date = twilio_date(text);
    check(date >= -1 && date < INT64_C(253402300801));
    aic_json_free(body);
    return 0;
}
