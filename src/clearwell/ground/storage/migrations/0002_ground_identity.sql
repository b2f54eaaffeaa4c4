-- SPDX-License-Identifier: Apache-2.0
-- Organizations, people, tokens, sessions and two-person proposals.

CREATE TABLE clearwell.organization (
    id text PRIMARY KEY,
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    kind text NOT NULL CHECK (kind IN ('lab', 'maintainer', 'operator', 'coordinator', 'agency', 'auditor', 'developer')),
    sector text,
    size text CHECK (size IN ('small', 'medium', 'large')),
    system_class text CHECK (system_class IN ('fceb', 'nss', 'dow', 'ic', 'slt', 'ci_operator', 'oss', 'other')),
    time_zone text NOT NULL DEFAULT 'UTC',
    created_at timestamptz NOT NULL
);
ALTER TABLE clearwell.organization ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON clearwell.organization FOR SELECT USING (id = (SELECT clearwell.my_organization()));
CREATE POLICY coordinator ON clearwell.organization FOR SELECT USING ((SELECT clearwell.my_kind()) = 'coordinator');
CREATE POLICY identity ON clearwell.organization USING ((SELECT clearwell.is_system('system:identity')));
CREATE POLICY matching ON clearwell.organization FOR SELECT USING ((SELECT clearwell.is_system('system:distribution')) AND kind IN ('operator', 'agency'));

CREATE TABLE clearwell.person (
    id text PRIMARY KEY,
    organization_id text NOT NULL REFERENCES clearwell.organization,
    name text NOT NULL,
    email text,
    created_at timestamptz NOT NULL
);
ALTER TABLE clearwell.person ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON clearwell.person FOR SELECT USING (organization_id = (SELECT clearwell.my_organization()));
CREATE POLICY identity ON clearwell.person USING ((SELECT clearwell.is_system('system:identity')));

CREATE TABLE clearwell.token (
    id text PRIMARY KEY,
    person_id text NOT NULL REFERENCES clearwell.person,
    organization_id text NOT NULL REFERENCES clearwell.organization,
    label text NOT NULL,
    hash bytea NOT NULL UNIQUE,
    scopes text[] NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    revoked_at timestamptz
);
ALTER TABLE clearwell.token ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON clearwell.token FOR SELECT USING (organization_id = (SELECT clearwell.my_organization()));
CREATE POLICY identity ON clearwell.token USING ((SELECT clearwell.is_system('system:identity')));

CREATE TABLE clearwell.session (
    hash bytea PRIMARY KEY,
    person_id text NOT NULL REFERENCES clearwell.person,
    token_id text REFERENCES clearwell.token,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL
);
ALTER TABLE clearwell.session ENABLE ROW LEVEL SECURITY;
CREATE POLICY identity ON clearwell.session USING ((SELECT clearwell.is_system('system:identity')));

CREATE TABLE clearwell.proposal (
    id text PRIMARY KEY,
    organization_id text NOT NULL REFERENCES clearwell.organization,
    act text NOT NULL,
    subject text NOT NULL,
    payload jsonb NOT NULL,
    proposed_by text NOT NULL REFERENCES clearwell.person,
    proposed_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    confirmed_by text REFERENCES clearwell.person,
    confirmed_at timestamptz,
    withdrawn_at timestamptz,
    CONSTRAINT two_people CHECK (confirmed_by IS NULL OR confirmed_by <> proposed_by)
);
CREATE INDEX proposal_open ON clearwell.proposal (act, subject) WHERE confirmed_at IS NULL AND withdrawn_at IS NULL;
ALTER TABLE clearwell.proposal ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON clearwell.proposal USING (organization_id = (SELECT clearwell.my_organization()));
