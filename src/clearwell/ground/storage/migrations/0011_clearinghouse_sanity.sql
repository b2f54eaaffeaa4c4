-- SPDX-License-Identifier: Apache-2.0
-- What sanity found for each finding, source archives sent along with reports, and what originators call no private word.

CREATE TABLE clearwell.sanity (
    finding_id text PRIMARY KEY,
    organization_id text NOT NULL,
    body jsonb NOT NULL,
    checked_at timestamptz NOT NULL
);
ALTER TABLE clearwell.sanity ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON clearwell.sanity FOR SELECT USING (organization_id = (SELECT clearwell.my_organization()));
CREATE POLICY coordinator ON clearwell.sanity FOR SELECT USING ((SELECT clearwell.my_kind()) = 'coordinator');
-- Whoever may see the finding may see what was looked up of it: the policies of that table decide.
CREATE POLICY linked ON clearwell.sanity FOR SELECT
    USING ((SELECT clearwell.my_case()) IS NOT NULL AND EXISTS (SELECT FROM clearwell.finding f WHERE f.id = finding_id));
CREATE POLICY sanity ON clearwell.sanity USING ((SELECT clearwell.is_system('system:sanity', 'system:proving')));

CREATE TABLE clearwell.source_archive (
    id text PRIMARY KEY,
    organization_id text NOT NULL REFERENCES clearwell.organization,
    sent_by text NOT NULL,
    name text NOT NULL,
    address text NOT NULL,
    size bigint NOT NULL,
    received_at timestamptz NOT NULL
);
ALTER TABLE clearwell.source_archive ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON clearwell.source_archive FOR SELECT USING (organization_id = (SELECT clearwell.my_organization()));
CREATE POLICY send ON clearwell.source_archive FOR INSERT WITH CHECK (organization_id = (SELECT clearwell.my_organization()));
CREATE POLICY coordinator ON clearwell.source_archive FOR SELECT USING ((SELECT clearwell.my_kind()) = 'coordinator');
CREATE POLICY sanity ON clearwell.source_archive FOR SELECT USING ((SELECT clearwell.is_system('system:sanity', 'system:proving')));

ALTER TABLE clearwell.submission ADD COLUMN source_id text REFERENCES clearwell.source_archive;
CREATE POLICY sanity ON clearwell.submission FOR SELECT USING ((SELECT clearwell.is_system('system:sanity')));

CREATE TABLE clearwell.false_hit (
    finding_id text NOT NULL,
    number integer NOT NULL,
    submission_id text NOT NULL,
    organization_id text NOT NULL,
    position integer NOT NULL,
    marked_by text NOT NULL,
    marked_at timestamptz NOT NULL,
    PRIMARY KEY (finding_id, number)
);
CREATE INDEX false_hit_submission ON clearwell.false_hit (submission_id);
ALTER TABLE clearwell.false_hit ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON clearwell.false_hit FOR SELECT USING (organization_id = (SELECT clearwell.my_organization()));
CREATE POLICY mark ON clearwell.false_hit FOR INSERT WITH CHECK (organization_id = (SELECT clearwell.my_organization()));
CREATE POLICY coordinator ON clearwell.false_hit FOR SELECT USING ((SELECT clearwell.my_kind()) = 'coordinator');
CREATE POLICY intake ON clearwell.false_hit FOR SELECT USING ((SELECT clearwell.is_system('system:intake')));
