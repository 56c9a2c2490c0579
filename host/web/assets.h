/* SPDX-License-Identifier: ISC */
#ifndef WEB_ASSETS_H
#define WEB_ASSETS_H
/* The files of static/, as they lie in the program; the table is made by the build. */
#include <aicaller/abi.h>

struct asset {
    const char *path; /* under which it is served */
    const char *type;
    const char *etag;      /* in quotes */
    const char *gzip_etag; /* of the same, compressed */
    const unsigned char *data;
    const unsigned char *end;
    const unsigned char *gzip;
    const unsigned char *gzip_end;
};

extern const struct asset assets[];
extern const size_t asset_count;

#endif
