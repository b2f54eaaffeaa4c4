-- SPDX-License-Identifier: Apache-2.0
-- Cases: one root cause each, with participants, attachments, runs, fixes, statements and links. Coordinators and a
-- maintainer's link see a case; finders see only their own participation through my_participations().

CREATE TABLE clearwell.vulnerability_case (
    id text PRIMARY KEY,
    component text NOT NULL,
    title text NOT NULL,
    weaknesses text[] NOT NULL,
    marking text NOT NULL,
    letters text NOT NULL DEFAULT 'vfdpxa',
    first_received timestamptz NOT NULL,
    opened timestamptz NOT NULL,
    ends_at timestamptz NOT NULL,
    end_date_policy text NOT NULL,
    proven_at timestamptz,
    refused_at timestamptz,
    refusal text,
    fixed_at timestamptz,
    published_at timestamptz,
    extended_by text[] NOT NULL DEFAULT '{}',
    standing text NOT NULL GENERATED ALWAYS AS (CASE
        WHEN refused_at IS NOT NULL THEN 'refused' WHEN fixed_at IS NOT NULL THEN 'fixed'
        WHEN published_at IS NOT NULL THEN 'published' WHEN proven_at IS NULL THEN 'unproven' ELSE 'proven' END) STORED,
    embargo jsonb NOT NULL DEFAULT '{}',
    fires text[] NOT NULL DEFAULT '{}',
    clean text[] NOT NULL DEFAULT '{}',
    proof_id text,
    aliases text[] NOT NULL DEFAULT '{}',
    automatable jsonb NOT NULL DEFAULT '{}',       -- SSVC's decision points, each with value, source and date
    technical_impact jsonb NOT NULL DEFAULT '{}',
    merged_into text,
    advisory_id text,
    presented_at timestamptz,
    reminded integer[] NOT NULL DEFAULT '{}',
    priority bigint NOT NULL DEFAULT 0,
    priority_reasons jsonb NOT NULL DEFAULT '[]'
);
CREATE INDEX case_list ON clearwell.vulnerability_case (priority DESC, id) WHERE merged_into IS NULL;
CREATE INDEX case_open ON clearwell.vulnerability_case (ends_at) WHERE published_at IS NULL AND merged_into IS NULL;
CREATE INDEX case_component ON clearwell.vulnerability_case (component) WHERE proven_at IS NOT NULL;
ALTER TABLE clearwell.vulnerability_case ENABLE ROW LEVEL SECURITY;
CREATE POLICY coordinator ON clearwell.vulnerability_case USING ((SELECT clearwell.my_kind()) = 'coordinator');
CREATE POLICY linked ON clearwell.vulnerability_case FOR SELECT USING (id = (SELECT clearwell.my_case()));
CREATE POLICY systems ON clearwell.vulnerability_case
    USING ((SELECT clearwell.is_system('system:intake', 'system:sanity', 'system:dedupe', 'system:proving', 'system:case', 'system:distribution')));

CREATE TABLE clearwell.participant (
    id text PRIMARY KEY,
    case_id text NOT NULL,
    organization_id text,
    role text NOT NULL CHECK (role IN ('finder', 'reporter', 'vendor', 'deployer', 'coordinator', 'other')),
    report_state text NOT NULL DEFAULT 'received',
    contact text,
    contact_origin text,
    joined_at timestamptz NOT NULL,
    first_reported timestamptz NOT NULL,
    credited boolean NOT NULL DEFAULT true
);
CREATE UNIQUE INDEX participant_finder ON clearwell.participant (case_id, organization_id) WHERE organization_id IS NOT NULL;
CREATE INDEX participant_mine ON clearwell.participant (organization_id, id);
ALTER TABLE clearwell.participant ENABLE ROW LEVEL SECURITY;
CREATE POLICY coordinator ON clearwell.participant USING ((SELECT clearwell.my_kind()) = 'coordinator');
CREATE POLICY linked ON clearwell.participant FOR SELECT USING (id = (SELECT clearwell.my_participant()));
CREATE POLICY systems ON clearwell.participant USING ((SELECT clearwell.is_system('system:intake', 'system:dedupe', 'system:proving', 'system:case', 'system:distribution')));

-- What a finder sees of a joined case: its participation under an id of its own, the date, the state and the end date.
CREATE FUNCTION clearwell.my_participations(only_findings text[]) RETURNS TABLE (
    id text, first_reported timestamptz, standing text, letters text, ends_at timestamptz, published_at timestamptz, advisory_id text, finding_ids text[]
) STABLE SECURITY DEFINER SET search_path = clearwell LANGUAGE sql AS $$
    SELECT p.id, date_trunc('day', c.first_received, 'UTC'), c.standing, c.letters, c.ends_at, c.published_at, c.advisory_id,
           ARRAY(SELECT f.id FROM finding f WHERE f.case_id = c.id AND f.organization_id = p.organization_id ORDER BY f.id)
    FROM participant p JOIN vulnerability_case c ON c.id = p.case_id
    WHERE p.organization_id = clearwell.my_organization() AND p.role = 'finder'
      -- who has no finding in a case any more (it was split off, or went along with a merge) sees nothing more of it
      AND EXISTS (SELECT FROM finding f WHERE f.case_id = c.id AND f.organization_id = p.organization_id)
      AND (only_findings IS NULL
           OR p.case_id IN (SELECT f.case_id FROM finding f WHERE f.id = ANY (only_findings) AND f.organization_id = clearwell.my_organization()))
    ORDER BY p.id DESC LIMIT 1000
$$;

CREATE TABLE clearwell.attachment (
    id text PRIMARY KEY,
    case_id text NOT NULL,
    finding_id text NOT NULL,
    from_case_id text NOT NULL,
    rung text,
    evidence jsonb NOT NULL,
    attached_at timestamptz NOT NULL,
    attached_by text NOT NULL,
    detached_at timestamptz,
    detached_by text,
    reason text
);
CREATE INDEX attachment_case ON clearwell.attachment (case_id);
CREATE INDEX attachment_finding ON clearwell.attachment (finding_id);
ALTER TABLE clearwell.attachment ENABLE ROW LEVEL SECURITY;
CREATE POLICY coordinator ON clearwell.attachment USING ((SELECT clearwell.my_kind()) = 'coordinator');
CREATE POLICY systems ON clearwell.attachment USING ((SELECT clearwell.is_system('system:intake', 'system:sanity', 'system:dedupe', 'system:proving', 'system:case')));

CREATE TABLE clearwell.signature (
    key bytea NOT NULL,
    kind text NOT NULL,
    version integer NOT NULL,
    rung text NOT NULL,
    finding_id text NOT NULL,
    submission_id text NOT NULL,
    product_version text,
    proven boolean NOT NULL DEFAULT false
);
CREATE INDEX signature_key ON clearwell.signature (key);
CREATE INDEX signature_finding ON clearwell.signature (finding_id);
ALTER TABLE clearwell.signature ENABLE ROW LEVEL SECURITY;
CREATE POLICY systems ON clearwell.signature USING ((SELECT clearwell.is_system('system:intake', 'system:dedupe', 'system:proving')));

CREATE TABLE clearwell.run (
    id text PRIMARY KEY,
    proof_id text NOT NULL,
    finding_id text NOT NULL,
    case_id text NOT NULL,
    organization_id text NOT NULL,
    fix_id text,
    verdict text NOT NULL,
    reason text NOT NULL,
    body jsonb NOT NULL,
    started_at timestamptz NOT NULL,
    finished_at timestamptz NOT NULL
);
CREATE INDEX run_case ON clearwell.run (case_id, id);
CREATE INDEX run_finding ON clearwell.run (finding_id, id);
ALTER TABLE clearwell.run ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON clearwell.run FOR SELECT USING (organization_id = (SELECT clearwell.my_organization()) AND fix_id IS NULL);
CREATE POLICY coordinator ON clearwell.run USING ((SELECT clearwell.my_kind()) = 'coordinator');
CREATE POLICY linked ON clearwell.run FOR SELECT
    USING (case_id = (SELECT clearwell.my_case()) AND proof_id IN (SELECT p.id FROM clearwell.proof p WHERE p.marking <> 'TLP:RED'));
CREATE POLICY systems ON clearwell.run USING ((SELECT clearwell.is_system('system:proving', 'system:dedupe', 'system:distribution')));

CREATE TABLE clearwell.maintainer_contact (
    component text PRIMARY KEY,
    name text NOT NULL,
    contact text NOT NULL,
    origin text NOT NULL,
    open_reports_limit integer NOT NULL CHECK (open_reports_limit BETWEEN 1 AND 1000),
    recorded_by text NOT NULL,
    recorded_at timestamptz NOT NULL
);
ALTER TABLE clearwell.maintainer_contact ENABLE ROW LEVEL SECURITY;
CREATE POLICY coordinator ON clearwell.maintainer_contact USING ((SELECT clearwell.my_kind()) = 'coordinator');
CREATE POLICY systems ON clearwell.maintainer_contact FOR SELECT USING ((SELECT clearwell.is_system('system:case')));

CREATE TABLE clearwell.link (
    id text PRIMARY KEY,
    case_id text NOT NULL,
    participant_id text NOT NULL,
    hash bytea NOT NULL UNIQUE,
    acts text[] NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    revoked_at timestamptz,
    code_hash bytea,
    code_expires_at timestamptz,
    code_tries integer NOT NULL DEFAULT 0
);
ALTER TABLE clearwell.link ENABLE ROW LEVEL SECURITY;
CREATE POLICY coordinator ON clearwell.link USING ((SELECT clearwell.my_kind()) = 'coordinator');
CREATE POLICY linked ON clearwell.link USING (participant_id = (SELECT clearwell.my_participant()));
CREATE POLICY systems ON clearwell.link USING ((SELECT clearwell.is_system('system:case')));

CREATE TABLE clearwell.statement (
    id text PRIMARY KEY,
    case_id text NOT NULL,
    participant_id text NOT NULL,
    kind text NOT NULL,
    detail text NOT NULL,
    made_at timestamptz NOT NULL
);
CREATE INDEX statement_case ON clearwell.statement (case_id, id);
ALTER TABLE clearwell.statement ENABLE ROW LEVEL SECURITY;
CREATE POLICY coordinator ON clearwell.statement USING ((SELECT clearwell.my_kind()) = 'coordinator');
CREATE POLICY linked ON clearwell.statement USING (case_id = (SELECT clearwell.my_case()) AND participant_id = (SELECT clearwell.my_participant()));
CREATE POLICY systems ON clearwell.statement FOR SELECT USING ((SELECT clearwell.is_system('system:case')));

CREATE TABLE clearwell.fix (
    id text PRIMARY KEY,
    case_id text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('version', 'patch')),
    version text,
    patch_address text,
    claimed_by text NOT NULL,
    claimed_at timestamptz NOT NULL,
    state text NOT NULL CHECK (state IN ('claimed', 'verified', 'not_verified')),
    reason text NOT NULL DEFAULT '',
    diff_address text,
    diff_sha256 text,
    distributed_at timestamptz
);
CREATE INDEX fix_case ON clearwell.fix (case_id, id);
ALTER TABLE clearwell.fix ENABLE ROW LEVEL SECURITY;
CREATE POLICY coordinator ON clearwell.fix USING ((SELECT clearwell.my_kind()) = 'coordinator');
CREATE POLICY linked ON clearwell.fix USING (case_id = (SELECT clearwell.my_case()));
CREATE POLICY systems ON clearwell.fix USING ((SELECT clearwell.is_system('system:proving', 'system:distribution', 'system:case')));

-- Published advisories are public (TLP:CLEAR): the table says nothing about cases.
CREATE TABLE clearwell.advisory (
    id text PRIMARY KEY,
    aliases text[] NOT NULL DEFAULT '{}',
    public_id text NOT NULL UNIQUE,
    revision integer NOT NULL,
    body jsonb NOT NULL,
    published_at timestamptz NOT NULL
);
ALTER TABLE clearwell.advisory ENABLE ROW LEVEL SECURITY;
CREATE POLICY everyone ON clearwell.advisory FOR SELECT USING (true);
CREATE POLICY publishing ON clearwell.advisory USING ((SELECT clearwell.is_system('system:distribution')));

CREATE TABLE clearwell.advisory_component (
    component text NOT NULL,
    advisory_id text NOT NULL REFERENCES clearwell.advisory,
    PRIMARY KEY (component, advisory_id)
);
ALTER TABLE clearwell.advisory_component ENABLE ROW LEVEL SECURITY;
CREATE POLICY everyone ON clearwell.advisory_component FOR SELECT USING (true);
CREATE POLICY publishing ON clearwell.advisory_component USING ((SELECT clearwell.is_system('system:distribution')));
