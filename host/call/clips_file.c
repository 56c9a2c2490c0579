/* SPDX-License-Identifier: ISC */
#include "call/clips_private.h"

#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A file is this word, the number of bytes that follow, and 16 bit samples. */
static const char magic[8] = "AICCLIP";

struct head {
    char magic[8];
    uint64_t bytes;
};

/* What a voice sounds like depends on its settings; its keys do not belong here. */
static void add_settings(const struct provider *provider, struct aic_buf *to)
{
    const struct aic_config *config = &provider->config;
    aic_buf_printf(to, "%s\n%s\n%s\n", provider->name, provider->plugin->id,
                   provider->plugin->version);
    for (uint32_t i = 0; i < provider->plugin->option_count; i++) {
        struct aic_option option = {.name = NULL};
        uint32_t size = provider->plugin->option_size;
        memcpy(&option, (const char *)provider->plugin->options + (size_t)i * size,
               size < sizeof(option) ? size : sizeof(option));
        const char *text =
            option.type == AIC_OPTION_SECRET ? NULL : config->get_string(config, option.name);
        aic_buf_printf(to, "%s=%s,%lld,%g\n", option.name, text ? text : "",
                       (long long)config->get_int(config, option.name),
                       config->get_double(config, option.name));
    }
}

void clip_name(struct clip *clip)
{
    struct aic_buf all;
    uint8_t hash[EVP_MAX_MD_SIZE];
    unsigned length = 0;
    aic_buf_init(&all, 1 << 20);
    add_settings(clip->agent->tts.providers[0], &all);
    aic_buf_printf(&all, "%s\n%s\n", clip->agent->voice, clip->agent->language);
    aic_buf_text(&all, clip->text);
    struct aic_str text = aic_buf_view(&all);
    if (!all.failed && EVP_Digest(text.ptr, text.len, hash, &length, EVP_sha256(), NULL) == 1) {
        for (size_t i = 0; i < (CLIP_NAME - 1) / 2; i++) {
            (void)snprintf(clip->name + 2 * i, 3, "%02x", hash[i]);
        }
    }
    aic_buf_finish(&all);
}

static bool read_all(int fd, void *to, size_t bytes)
{
    size_t at = 0;
    while (at < bytes) {
        ssize_t got = read(fd, (char *)to + at, bytes - at);
        if (got <= 0) {
            return false;
        }
        at += (size_t)got;
    }
    return true;
}

static bool write_all(int fd, const void *from, size_t bytes)
{
    size_t at = 0;
    while (at < bytes) {
        ssize_t put = write(fd, (const char *)from + at, bytes - at);
        if (put <= 0) {
            return false;
        }
        at += (size_t)put;
    }
    return true;
}

static void read_from(int fd, struct clip *clip)
{
    struct head head;
    struct stat status;
    struct aic_buf bytes;
    if (!read_all(fd, &head, sizeof(head)) || memcmp(head.magic, magic, sizeof(magic)) != 0 ||
        head.bytes == 0 || head.bytes > CLIP_MAX_BYTES || head.bytes % 2 != 0 ||
        fstat(fd, &status) != 0 || (uint64_t)status.st_size != sizeof(head) + head.bytes) {
        return;
    }
    aic_buf_init(&bytes, CLIP_MAX_BYTES);
    if (aic_buf_reserve(&bytes, (size_t)head.bytes) == AIC_OK &&
        read_all(fd, bytes.data, (size_t)head.bytes)) {
        clip_set(clip, (const uint8_t *)bytes.data, (size_t)head.bytes);
    }
    aic_buf_finish(&bytes);
}

void clip_read(const struct clips *clips, struct clip *clip)
{
    struct aic_buf path;
    aic_buf_init(&path, 4096);
    aic_buf_printf(&path, "%s/%s.clip", clips->folder, clip->name);
    int fd = clip->name[0] ? open(path.data, O_RDONLY | O_CLOEXEC | O_NOFOLLOW) : -1;
    if (fd >= 0) {
        read_from(fd, clip);
        (void)close(fd);
    }
    aic_buf_finish(&path);
}

/* Writing is work for the pool: a slow disk must not hold up a voice. */

struct writing {
    struct aic_buf path;
    struct aic_buf temporary;
    struct aic_buf bytes; /* of the whole file */
};

static void write_file(void *data)
{
    struct writing *w = data;
    int fd = open(w->temporary.data, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    bool is_good = fd >= 0 && write_all(fd, w->bytes.data, w->bytes.len);
    if (fd >= 0) {
        is_good = close(fd) == 0 && is_good;
    }
    if (!is_good || rename(w->temporary.data, w->path.data) != 0) {
        log_warn("clips", "a sentence spoken ahead can not be kept", LOG_S("file", w->path.data),
                 LOG_S("reason", strerror(errno)));
        (void)unlink(w->temporary.data);
    }
}

static void file_is_written(void *data, int32_t status)
{
    struct writing *w = data;
    (void)status;
    aic_buf_finish(&w->path);
    aic_buf_finish(&w->temporary);
    aic_buf_finish(&w->bytes);
    free(w);
}

void clip_write(const struct clips *clips, const struct clip *clip)
{
    struct writing *w = clips->lane && clip->name[0] ? calloc(1, sizeof(*w)) : NULL;
    if (!w) {
        return;
    }
    struct aic_str audio = aic_buf_view(&clip->variants[0].audio);
    struct head head = {.bytes = audio.len};
    memcpy(head.magic, magic, sizeof(magic));
    aic_buf_init(&w->path, 4096);
    aic_buf_init(&w->temporary, 4096);
    aic_buf_init(&w->bytes, sizeof(head) + CLIP_MAX_BYTES);
    aic_buf_printf(&w->path, "%s/%s.clip", clips->folder, clip->name);
    aic_buf_printf(&w->temporary, "%s/%s.new", clips->folder, clip->name);
    aic_buf_add(&w->bytes, &head, sizeof(head));
    aic_buf_str(&w->bytes, audio);
    if (w->path.failed || w->temporary.failed || w->bytes.failed ||
        sched_lane_run(clips->settings.sched, clips->lane, write_file, file_is_written, w) !=
            AIC_OK) {
        file_is_written(w, AIC_ERROR_CANCELLED);
    }
}
