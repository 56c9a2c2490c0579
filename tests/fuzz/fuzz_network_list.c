/* SPDX-License-Identifier: ISC */
/* What the parser takes holds its own first address, and only networks of the right size. */
#include "io/http_address.h"

#include "buf.h"

#include <netinet/in.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct aic_str text = {(const char *)data, size};
    struct http_network network;
    if (http_network_parse(text, &network) != AIC_OK) {
        return 0;
    }
    char *copy = aic_str_dup(text);
    const char *const list[] = {copy, NULL};
    struct sockaddr_in6 address = {.sin6_family = AF_INET6};
    memcpy(&address.sin6_addr, network.bytes, 16);
    bool is_wide = network.bits < 96;
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    bool is_mapped = memcmp(network.bytes, mapped, 12) == 0;
    if (network.bits > 128 ||
        (!(is_wide && is_mapped) && !http_address_in((const struct sockaddr *)&address, list))) {
        abort();
    }
    free(copy);
    return 0;
}
