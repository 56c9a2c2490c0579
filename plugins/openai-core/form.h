/* SPDX-License-Identifier: ISC */
#ifndef OPENAI_FORM_H
#define OPENAI_FORM_H
/* A body of type multipart/form-data (RFC 7578). Pure. */
#include "json.h"

enum { OPENAI_BOUNDARY_BYTES = 48 };

struct openai_form {
    struct aic_buf *to; /* its `failed` tells whether everything fitted */
    char boundary[OPENAI_BOUNDARY_BYTES];
};

/* The boundary is made of `random`, so that no content can hold it. */
void openai_form_begin(struct openai_form *form, struct aic_buf *to, const uint8_t random[16]);
/* `name` is ours or the operator's; quotes and line ends in it are escaped. */
void openai_form_field(struct openai_form *form, const char *name, struct aic_str value);
/* One field for each member; an array gives several of one name. */
void openai_form_members(struct openai_form *form, const struct aic_json *object);
/* Begins a file, whose bytes the caller appends. */
void openai_form_file(struct openai_form *form, const char *name, const char *file,
                      const char *type);
void openai_form_end(struct openai_form *form);

#endif
