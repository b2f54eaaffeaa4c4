-- SPDX-License-Identifier: Apache-2.0
-- Reports: submissions, findings, answers, proofs. A finder's organization sees its own; coordinators see all; systems by name.

CREATE TABLE clearwell.submission (
    id text PRIMARY KEY,
    organization_id text NOT NULL REFERENCES clearwell.organization,
    sent_by text NOT NULL,
    idempotency_key bytea,
    content bytea NOT NULL,
    address text NOT NULL,
    size bigint NOT NULL,
    name text NOT NULL,
    target jsonb,
    marking text NOT NULL,
    origin jsonb NOT NULL,
    state text NOT NULL CHECK (state IN ('received', 'parsed', 'unreadable')),
    format text,
    tool text,
    findings integer NOT NULL DEFAULT 0,
    batches integer NOT NULL DEFAULT 0,
    problems jsonb NOT NULL DEFAULT '[]',
    received_at timestamptz NOT NULL,
    parsed_at timestamptz,
    CONSTRAINT submission_key UNIQUE (organization_id, idempotency_key),
    CONSTRAINT submission_content UNIQUE (organization_id, content)
);
CREATE INDEX submission_recent ON clearwell.submission (organization_id, id);
ALTER TABLE clearwell.submission ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON clearwell.submission FOR SELECT USING (organization_id = (SELECT clearwell.my_organization()));
CREATE POLICY send ON clearwell.submission FOR INSERT WITH CHECK (organization_id = (SELECT clearwell.my_organization()));
CREATE POLICY coordinator ON clearwell.submission FOR SELECT USING ((SELECT clearwell.my_kind()) = 'coordinator');
CREATE POLICY intake ON clearwell.submission USING ((SELECT clearwell.is_system('system:intake')));

CREATE TABLE clearwell.finding (
    id text PRIMARY KEY,
    submission_id text NOT NULL,
    organization_id text NOT NULL,
    batch integer NOT NULL,
    position integer NOT NULL,
    component text,
    version text,
    title text NOT NULL,
    body jsonb NOT NULL,
    ai boolean NOT NULL,
    marking text NOT NULL,
    answer text NOT NULL CHECK (answer IN ('new', 'duplicate', 'needs_proof', 'refused', 'reproduced')),
    first_answer text NOT NULL,
    first_reason text NOT NULL,
    case_id text NOT NULL,
    has_proof boolean NOT NULL,
    is_proven boolean NOT NULL DEFAULT false,
    received_at timestamptz NOT NULL,
    ends_at timestamptz NOT NULL
);
CREATE UNIQUE INDEX finding_place ON clearwell.finding (submission_id, position);
CREATE INDEX finding_case ON clearwell.finding (case_id);
ALTER TABLE clearwell.finding ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON clearwell.finding FOR SELECT USING (organization_id = (SELECT clearwell.my_organization()));
CREATE POLICY coordinator ON clearwell.finding FOR SELECT USING ((SELECT clearwell.my_kind()) = 'coordinator');
CREATE POLICY coordinator_moves ON clearwell.finding FOR UPDATE USING ((SELECT clearwell.my_kind()) = 'coordinator');
-- TLP:RED is for the recipients that its originator chose: it goes to no maintainer's link until the originator lowers it.
CREATE POLICY linked ON clearwell.finding FOR SELECT USING (case_id = (SELECT clearwell.my_case()) AND marking <> 'TLP:RED');
CREATE POLICY systems ON clearwell.finding USING ((SELECT clearwell.is_system('system:intake', 'system:sanity', 'system:dedupe', 'system:proving', 'system:case')));

CREATE TABLE clearwell.answer (
    finding_id text NOT NULL,
    organization_id text NOT NULL,
    number integer NOT NULL,
    answer text NOT NULL,
    reason text NOT NULL,
    at timestamptz NOT NULL,
    by text NOT NULL,
    PRIMARY KEY (finding_id, number)
);
ALTER TABLE clearwell.answer ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON clearwell.answer FOR SELECT USING (organization_id = (SELECT clearwell.my_organization()));
CREATE POLICY coordinator ON clearwell.answer USING ((SELECT clearwell.my_kind()) = 'coordinator');
CREATE POLICY systems ON clearwell.answer USING ((SELECT clearwell.is_system('system:intake', 'system:sanity', 'system:dedupe', 'system:proving', 'system:case')));

CREATE TABLE clearwell.appeal (
    id text PRIMARY KEY,
    finding_id text NOT NULL REFERENCES clearwell.finding,
    organization_id text NOT NULL,
    reason text NOT NULL,
    made_by text NOT NULL,
    made_at timestamptz NOT NULL,
    decided_by text,
    decided_at timestamptz,
    upheld boolean
);
CREATE UNIQUE INDEX appeal_open ON clearwell.appeal (finding_id) WHERE decided_at IS NULL;
ALTER TABLE clearwell.appeal ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON clearwell.appeal FOR SELECT USING (organization_id = (SELECT clearwell.my_organization()));
CREATE POLICY appeal ON clearwell.appeal FOR INSERT WITH CHECK (organization_id = (SELECT clearwell.my_organization()));
CREATE POLICY coordinator ON clearwell.appeal USING ((SELECT clearwell.my_kind()) = 'coordinator');

CREATE TABLE clearwell.proof (
    id text PRIMARY KEY,
    finding_id text NOT NULL,
    organization_id text NOT NULL,
    case_id text NOT NULL,
    address text NOT NULL,
    folder_sha256 text NOT NULL,
    size bigint NOT NULL,
    marking text NOT NULL,
    received_at timestamptz NOT NULL
);
CREATE INDEX proof_finding ON clearwell.proof (finding_id);
CREATE INDEX proof_case ON clearwell.proof (case_id);
ALTER TABLE clearwell.proof ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON clearwell.proof FOR SELECT USING (organization_id = (SELECT clearwell.my_organization()));
CREATE POLICY coordinator ON clearwell.proof USING ((SELECT clearwell.my_kind()) = 'coordinator');
CREATE POLICY linked ON clearwell.proof FOR SELECT USING (case_id = (SELECT clearwell.my_case()) AND marking <> 'TLP:RED');
CREATE POLICY systems ON clearwell.proof
    USING ((SELECT clearwell.is_system('system:intake', 'system:dedupe', 'system:proving', 'system:sanity', 'system:case')));

CREATE TABLE clearwell.proof_read (
    id text PRIMARY KEY,
    proof_id text NOT NULL,
    organization_id text NOT NULL,
    reader text NOT NULL,
    purpose text NOT NULL,
    at timestamptz NOT NULL,
    entry_id text NOT NULL
);
CREATE INDEX proof_read_proof ON clearwell.proof_read (proof_id, id);
ALTER TABLE clearwell.proof_read ENABLE ROW LEVEL SECURITY;
CREATE POLICY contributor ON clearwell.proof_read FOR SELECT USING (organization_id = (SELECT clearwell.my_organization()));
CREATE POLICY writing ON clearwell.proof_read FOR INSERT WITH CHECK (true);
CREATE POLICY coordinator ON clearwell.proof_read FOR SELECT USING ((SELECT clearwell.my_kind()) = 'coordinator');
