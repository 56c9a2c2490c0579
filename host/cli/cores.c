/* SPDX-License-Identifier: ISC */
#include "cli/cores.h"

#include <sys/resource.h>

static void limit_to(rlim_t wanted)
{
    struct rlimit limit = {0};
    if (getrlimit(RLIMIT_CORE, &limit) == 0) {
        limit.rlim_cur = wanted < limit.rlim_max ? wanted : limit.rlim_max;
        (void)setrlimit(RLIMIT_CORE, &limit);
    }
}

void cores_forbid(void)
{
    /* 0 would still be given to a program that core_pattern names; 1 is not, and is too small for
     * any file. The hard limit stays, so that cores_allow can go back. */
    limit_to(1);
}

void cores_allow(void)
{
    limit_to(RLIM_INFINITY);
}
