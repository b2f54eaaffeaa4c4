/* SPDX-License-Identifier: Apache-2.0 */
/* Pail: small things to do with text. Every function holds one planted flaw, for Clearwell's own tests; use none of it. */
#ifndef PAIL_H
#define PAIL_H

#include <stddef.h>

int pail_label(const char *text, size_t size, char *out, size_t room);
int pail_queue(const char *text, size_t size);
int pail_pairs(const char *text, size_t size);
int pail_canvas(const char *text, size_t size);
int pail_greet(const char *text, const char *note, char *out, size_t room);
int pail_lookup(const char *key);
int pail_save(const char *name);
int pail_measure(const char *name);
int pail_depth(const char *text, size_t size);
int pail_last(const char *text, size_t size);

#endif
