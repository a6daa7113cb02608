/* oracle.c -- runs libhttp-parser over one message. */
#include "tests/fuzz/oracle.h"

#include <http_parser.h>

static int on_complete(http_parser *p)
{
    http_parser_pause(p, 1);
    return 0;
}

bool oracle_accepts(const char *bytes, size_t size, size_t end)
{
    http_parser parser;
    http_parser_settings settings;
    http_parser_settings_init(&settings);
    settings.on_message_complete = on_complete;
    http_parser_init(&parser, HTTP_REQUEST);
    size_t theirs = http_parser_execute(&parser, &settings, bytes, size);
    /* paused on the last byte of the message, it reports the byte before */
    return HTTP_PARSER_ERRNO(&parser) == HPE_PAUSED && (theirs == end || theirs + 1 == end);
}
