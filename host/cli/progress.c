/* SPDX-License-Identifier: ISC */
#include "cli/progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

enum { BAR = 30, TERMINAL_US = 200000, LINES_US = 5000000 };

static int64_t now_us(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

void progress_begin(struct progress *progress, const char *what)
{
    int64_t now = now_us();
    *progress = (struct progress){
        .what = what, .begun_us = now, .told_us = now, .is_terminal = isatty(STDERR_FILENO) == 1};
}

static void print_bar(double part)
{
    char bar[BAR + 1];
    int full = (int)(part * BAR);
    for (int i = 0; i < BAR; i++) {
        bar[i] = i < full ? '#' : '.';
    }
    bar[BAR] = '\0';
    (void)fprintf(stderr, "[%s] %3d%%  ", bar, (int)(part * 100));
}

static void print_line(const struct progress *progress, double part, int64_t spent_us)
{
    double rate = spent_us > 0 ? (double)progress->rows * 1e6 / (double)spent_us : 0;
    (void)fprintf(stderr, "%s%-12s ", progress->is_terminal ? "\r" : "", progress->what);
    if (part >= 0) {
        print_bar(part < 1 ? part : 1);
    }
    (void)fprintf(stderr, "%" PRIu64 " rows, %.0f/s%s", progress->rows, rate,
                  progress->is_terminal ? "\033[K" : "\n");
}

void progress_tell(struct progress *progress, uint64_t rows, double part)
{
    int64_t now = now_us();
    progress->rows = rows;
    if (now - progress->told_us < (progress->is_terminal ? TERMINAL_US : LINES_US)) {
        return;
    }
    progress->told_us = now;
    progress->was_told = true;
    print_line(progress, part, now - progress->begun_us);
}

void progress_end(struct progress *progress)
{
    if (progress->is_terminal && progress->was_told) {
        print_line(progress, 1, now_us() - progress->begun_us);
        (void)fputc('\n', stderr);
    }
}
