/* client.c -- the one-file client, compiled once for this program. */
#define NABAT_CLIENT_IMPLEMENTATION
#include "c/nabat_client.h"
