/* deploy.h -- deploys as they are told: ours, Railway's webhook, GitHub's deployment_status; pure. */
#ifndef NABAT_INGEST_DEPLOY_H
#define NABAT_INGEST_DEPLOY_H

#include "core/deploy.h"
#include "core/err.h"

#include <jansson.h>
#include <stdbool.h>

/* What became of reading one. */
enum deploy_read {
    DEPLOY_READ,
    DEPLOY_IGNORED, /* of a kind that puts nothing out: a build that began, one that failed */
    DEPLOY_WRONG    /* `err` says what is missing */
};

/* {"name", "release", "environment", "url", "actor", "deployed_at", "id"}: one of name, release, version, commit is needed.
 * The deploy BORROWS from `json`. */
enum deploy_read deploy_read_native(const json_t *json, struct deploy *deploy, struct err *err);
/* docs.railway.com/observability/webhooks: the form of {"type": "Deployment.…", "details", "resource"}, and the older one of
 * {"type": "DEPLOY", "status", "deployment", "environment"}. Names of types differ in case between releases of Railway. */
enum deploy_read deploy_read_railway(const json_t *json, struct deploy *deploy, struct err *err);
/* GitHub's webhook event deployment_status: only a success counts. */
enum deploy_read deploy_read_github(const json_t *json, struct deploy *deploy, struct err *err);

#endif
