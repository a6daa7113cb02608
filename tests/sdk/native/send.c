/* send.c -- sentry-native as its documentation starts it; a crash is sent at the next start. */
#include <sentry.h>
#include <stdlib.h>
#include <string.h>

static void pay(void)
{
    *(volatile char *)8 = 1;
}

static sentry_value_t message(const char *text)
{
    return sentry_value_new_message_event(SENTRY_LEVEL_INFO, "bot", text);
}

static void scope(void)
{
    sentry_value_t user = sentry_value_new_object();
    sentry_value_set_by_key(user, "id", sentry_value_new_string("42"));
    sentry_value_set_by_key(user, "email", sentry_value_new_string("ann@example.org"));
    sentry_set_user(user);
    sentry_set_tag("plan", "pro");
    sentry_set_tag("chat_id", "-100777");
    sentry_add_breadcrumb(sentry_value_new_breadcrumb("default", "step one"));
    sentry_value_t event = sentry_value_new_event();
    sentry_event_add_exception(event, sentry_value_new_exception("CardError", "card 7 is declined"));
    sentry_capture_event(event);
}

int main(int argc, char **argv)
{
    const char *step = argc > 1 ? argv[1] : "message";
    sentry_options_t *options = sentry_options_new();
    sentry_options_set_dsn(options, getenv("SENTRY_DSN"));
    sentry_options_set_release(options, getenv("APP_RELEASE"));
    sentry_options_set_environment(options, "staging");
    sentry_options_set_database_path(options, getenv("STATE_FOLDER"));
    sentry_init(options);
    if (strcmp(step, "unhandled") == 0)
        pay();
    else if (strcmp(step, "message") == 0)
        sentry_capture_event(message("hello from here"));
    else if (strcmp(step, "scope") == 0)
        scope();
    sentry_close();
    return 0;
}
