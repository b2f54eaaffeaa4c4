-- SPDX-License-Identifier: Apache-2.0
-- What people found not to be one: remembered for ever and respected by every rule that joins. And regression candidates: a case that
-- bears the signature of one that was fixed is a case of its own, linked with that one.

CREATE TABLE clearwell.difference (
    one_case text NOT NULL,
    other_case text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('different', 'split')),
    reason text NOT NULL,
    decided_by text NOT NULL,
    decided_at timestamptz NOT NULL,
    PRIMARY KEY (one_case, other_case),
    CHECK (one_case < other_case)
);
CREATE INDEX difference_other ON clearwell.difference (other_case);
ALTER TABLE clearwell.difference ENABLE ROW LEVEL SECURITY;
CREATE POLICY coordinator ON clearwell.difference FOR SELECT USING ((SELECT clearwell.my_kind()) = 'coordinator');
CREATE POLICY systems ON clearwell.difference
    USING ((SELECT clearwell.is_system('system:intake', 'system:sanity', 'system:dedupe', 'system:proving', 'system:case')));

ALTER TABLE clearwell.vulnerability_case ADD COLUMN regression_of text;
CREATE INDEX case_merged ON clearwell.vulnerability_case (merged_into) WHERE merged_into IS NOT NULL;
CREATE INDEX case_regression ON clearwell.vulnerability_case (regression_of) WHERE regression_of IS NOT NULL;
