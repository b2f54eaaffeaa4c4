-- SPDX-License-Identifier: Apache-2.0
-- Why a job failed: the error's kind and place only, never its words (they may hold marked text).

CREATE TABLE clearwell.job_failure (
    job_id bigint NOT NULL,
    at timestamptz NOT NULL DEFAULT now(),
    error text NOT NULL
);
CREATE INDEX job_failure_job ON clearwell.job_failure (job_id);
