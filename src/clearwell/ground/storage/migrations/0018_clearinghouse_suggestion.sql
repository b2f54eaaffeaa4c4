-- SPDX-License-Identifier: Apache-2.0
-- Suggestions (rung L2): an inverted index on rare tokens of reports, and pairs of cases that may be one flaw, for a person's queue.

-- Reports that speak for their case, numbered: an index entry then takes 4 bytes instead of 34. A number is no id and leaves the index nowhere.
CREATE TABLE clearwell.sketched (
    number integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    finding_id text NOT NULL UNIQUE,
    version smallint NOT NULL
);
ALTER TABLE clearwell.sketched ENABLE ROW LEVEL SECURITY;
CREATE POLICY systems ON clearwell.sketched USING ((SELECT clearwell.is_system('system:dedupe')));

-- `token` is a hash of version, component and token; `seen` how many reports have it; `numbers` which, empty once they are too many.
CREATE TABLE clearwell.sketch_token (
    token bigint PRIMARY KEY,
    seen integer NOT NULL,
    numbers integer[] NOT NULL
);
ALTER TABLE clearwell.sketch_token ENABLE ROW LEVEL SECURITY;
CREATE POLICY systems ON clearwell.sketch_token USING ((SELECT clearwell.is_system('system:dedupe')));

CREATE TABLE clearwell.suggestion (
    one_case text NOT NULL,
    other_case text NOT NULL,
    one_finding text NOT NULL,
    other_finding text NOT NULL,
    score double precision NOT NULL,
    signals jsonb NOT NULL,
    version smallint NOT NULL,
    state text NOT NULL CHECK (state IN ('open', 'accepted', 'different', 'undone', 'withdrawn')),
    suggested_at timestamptz NOT NULL,
    decided_by text,
    decided_at timestamptz,
    PRIMARY KEY (one_case, other_case),
    CHECK (one_case < other_case)
);
CREATE INDEX suggestion_waiting ON clearwell.suggestion (score DESC, one_case, other_case) WHERE state IN ('open', 'undone');
CREATE INDEX suggestion_decided ON clearwell.suggestion (decided_at DESC) WHERE decided_at IS NOT NULL;
CREATE INDEX suggestion_other ON clearwell.suggestion (other_case);
ALTER TABLE clearwell.suggestion ENABLE ROW LEVEL SECURITY;
-- Whoever coordinates both cases: the policies of that table decide.
CREATE POLICY coordinator ON clearwell.suggestion FOR SELECT USING (
    (SELECT clearwell.my_kind()) = 'coordinator'
    AND EXISTS (SELECT FROM clearwell.vulnerability_case c WHERE c.id = one_case)
    AND EXISTS (SELECT FROM clearwell.vulnerability_case c WHERE c.id = other_case));
CREATE POLICY systems ON clearwell.suggestion USING ((SELECT clearwell.is_system('system:dedupe', 'system:case')));
