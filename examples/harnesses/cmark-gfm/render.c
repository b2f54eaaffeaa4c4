/* SPDX-License-Identifier: Apache-2.0 */
/* Reads Markdown from stdin, renders it with the named extensions and prints the length of the HTML. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "cmark-gfm.h"
#include "cmark-gfm-extension_api.h"
#include "cmark-gfm-core-extensions.h"

int main(int argc, char **argv)
{
  size_t room = 1 << 16, size = 0, got;
  char *markdown = malloc(room);
  cmark_parser *parser;
  cmark_node *document;
  char *html;
  int i;

  while (markdown != NULL && (got = fread(markdown + size, 1, room - size, stdin)) > 0) {
    size += got;
    if (size == room)
      markdown = realloc(markdown, room *= 2);
  }
  if (markdown == NULL)
    return 1;

  cmark_gfm_core_extensions_ensure_registered();
  parser = cmark_parser_new(CMARK_OPT_DEFAULT);
  for (i = 1; i < argc; i++) {
    cmark_syntax_extension *extension = cmark_find_syntax_extension(argv[i]);
    if (extension == NULL) {
      fprintf(stderr, "no extension %s\n", argv[i]);
      return 1;
    }
    cmark_parser_attach_syntax_extension(parser, extension);
  }
  cmark_parser_feed(parser, markdown, size);
  document = cmark_parser_finish(parser);
  html = cmark_render_html(document, CMARK_OPT_DEFAULT, cmark_parser_get_syntax_extensions(parser));
  printf("html %zu\n", strlen(html));

  free(html);
  cmark_node_free(document);
  cmark_parser_free(parser);
  free(markdown);
  return 0;
}
