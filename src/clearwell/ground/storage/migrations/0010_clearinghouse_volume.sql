-- SPDX-License-Identifier: Apache-2.0
-- Intake at volume: scans that are declared complete, quotas and turns of organizations, uploads that go on after a cut connection.

-- `scope` is the component that a report is about as a whole: scans of one scope by one tool are compared. `turn` is the job's priority.
ALTER TABLE clearwell.submission
    ADD COLUMN complete boolean NOT NULL DEFAULT false,
    ADD COLUMN scope text,
    ADD COLUMN turn integer NOT NULL DEFAULT 0;
CREATE INDEX submission_day ON clearwell.submission (organization_id, received_at);
CREATE INDEX submission_in_flight ON clearwell.submission (organization_id) WHERE state = 'received';
CREATE INDEX submission_scope ON clearwell.submission (organization_id, scope, tool, received_at) WHERE complete;
CREATE INDEX proof_day ON clearwell.proof (organization_id, received_at);

-- A later complete scan lacks what an earlier one had. It says when it was last seen; it closes nothing and goes when it is seen again.
CREATE TABLE clearwell.unseen (
    finding_id text PRIMARY KEY,
    organization_id text NOT NULL,
    last_seen_at timestamptz NOT NULL,
    missed_by text NOT NULL,
    missed_at timestamptz NOT NULL
);
CREATE INDEX unseen_missed ON clearwell.unseen (organization_id, missed_at);
ALTER TABLE clearwell.unseen ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON clearwell.unseen FOR SELECT USING (organization_id = (SELECT clearwell.my_organization()));
CREATE POLICY coordinator ON clearwell.unseen FOR SELECT USING ((SELECT clearwell.my_kind()) = 'coordinator');
CREATE POLICY intake ON clearwell.unseen USING ((SELECT clearwell.is_system('system:intake')));

-- What one organization may send; null is the hub's own setting.
CREATE TABLE clearwell.quota (
    organization_id text PRIMARY KEY REFERENCES clearwell.organization,
    findings_per_day bigint,
    bytes_per_day bigint,
    submissions_in_flight integer,
    proofs_per_day integer,
    set_at timestamptz NOT NULL
);
ALTER TABLE clearwell.quota ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON clearwell.quota FOR SELECT USING (organization_id = (SELECT clearwell.my_organization()));
CREATE POLICY identity ON clearwell.quota USING ((SELECT clearwell.is_system('system:identity')));

-- How much of the workers' time each organization's reports have been promised (start-time fair queueing): who used least comes first.
CREATE TABLE clearwell.intake_turn (
    organization_id text PRIMARY KEY,
    finish integer NOT NULL
);
ALTER TABLE clearwell.intake_turn ENABLE ROW LEVEL SECURITY;
CREATE POLICY intake ON clearwell.intake_turn USING ((SELECT clearwell.is_system('system:intake')));

CREATE TABLE clearwell.upload (
    id text PRIMARY KEY,
    organization_id text NOT NULL REFERENCES clearwell.organization,
    idempotency_key bytea NOT NULL,
    size bigint NOT NULL,
    received bigint NOT NULL DEFAULT 0,
    submission_id text,
    started_at timestamptz NOT NULL,
    CONSTRAINT upload_key UNIQUE (organization_id, idempotency_key)
);
CREATE INDEX upload_started ON clearwell.upload (started_at);
ALTER TABLE clearwell.upload ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON clearwell.upload USING (organization_id = (SELECT clearwell.my_organization()));
CREATE POLICY intake ON clearwell.upload USING ((SELECT clearwell.is_system('system:intake')));

CREATE TABLE clearwell.upload_piece (
    upload_id text NOT NULL REFERENCES clearwell.upload ON DELETE CASCADE,
    organization_id text NOT NULL,
    start bigint NOT NULL,
    address text NOT NULL,
    PRIMARY KEY (upload_id, start)
);
ALTER TABLE clearwell.upload_piece ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON clearwell.upload_piece USING (organization_id = (SELECT clearwell.my_organization()));
CREATE POLICY intake ON clearwell.upload_piece USING ((SELECT clearwell.is_system('system:intake')));
