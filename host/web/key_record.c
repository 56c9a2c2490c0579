/* SPDX-License-Identifier: ISC */
#include "web/key_record.h"

#include "base/timefmt.h"
#include "json.h"

void key_record_write(struct aic_buf *to, const struct key_record *record, const char *key,
                      char id[UUID_TEXT])
{
    char hash[API_KEY_HASH];
    char prefix[API_KEY_PREFIX];
    struct aic_json_writer w;
    (void)api_key_hash(aic_str(key), hash);
    (void)aic_str_copy(aic_str(key), prefix, sizeof(prefix));
    uuid7_make(id);
    aic_json_writer_init(&w, to);
    aic_json_open(&w, '{');
    aic_json_member_text(&w, "key_id", id);
    aic_json_member_text(&w, "name", record->name);
    aic_json_member_text(&w, "key_hash", hash);
    aic_json_member_text(&w, "prefix", prefix);
    aic_json_key(&w, "scopes");
    aic_json_open(&w, '[');
    for (uint32_t scope = 1; scope <= API_SCOPE_ALL; scope <<= 1) {
        if (record->scopes & scope) {
            aic_json_put(&w, aic_str(api_scope_name(scope)));
        }
    }
    aic_json_close(&w, ']');
    if (record->per_minute > 0) {
        aic_json_key(&w, "limits");
        aic_json_open(&w, '{');
        aic_json_member_int(&w, "per_minute", record->per_minute);
        aic_json_close(&w, '}');
    }
    if (record->expires_wall_us > 0) {
        char expires[TIME_TEXT];
        time_format(expires, record->expires_wall_us);
        aic_json_member_text(&w, "expires_at", expires);
    }
    if (record->created_by) {
        aic_json_member_text(&w, "created_by", record->created_by);
    }
    aic_json_close(&w, '}');
}
