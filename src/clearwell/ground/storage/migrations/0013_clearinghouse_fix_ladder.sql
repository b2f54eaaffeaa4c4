-- SPDX-License-Identifier: Apache-2.0
-- Fixes on their ladder, the kill matrix (fixes x proofs), and how cases stand to each other by their fixes (rung L3).

-- Every rung that a claimed fix was tried on, what refuted it and what a person must look at.
ALTER TABLE clearwell.fix ADD COLUMN ladder jsonb;

CREATE TABLE clearwell.kill (
    fix_id text NOT NULL,
    proof_id text NOT NULL,
    outcome text NOT NULL CHECK (outcome IN ('killed', 'fires', 'unknown')),
    reason text NOT NULL,
    ran_at timestamptz NOT NULL,
    PRIMARY KEY (fix_id, proof_id)
);
CREATE INDEX kill_proof ON clearwell.kill (proof_id);
ALTER TABLE clearwell.kill ENABLE ROW LEVEL SECURITY;
CREATE POLICY coordinator ON clearwell.kill FOR SELECT USING ((SELECT clearwell.my_kind()) = 'coordinator');
CREATE POLICY systems ON clearwell.kill USING ((SELECT clearwell.is_system('system:proving')));

-- `case_id` < `other_id`; the relation is the first one's to the other.
CREATE TABLE clearwell.fix_relation (
    case_id text NOT NULL,
    other_id text NOT NULL,
    relation text NOT NULL CHECK (relation IN ('same_root_cause', 'subsumes', 'is_subsumed', 'different', 'unknown')),
    evidence jsonb NOT NULL,
    decided_at timestamptz NOT NULL,
    PRIMARY KEY (case_id, other_id),
    CHECK (case_id < other_id)
);
CREATE INDEX fix_relation_other ON clearwell.fix_relation (other_id);
ALTER TABLE clearwell.fix_relation ENABLE ROW LEVEL SECURITY;
CREATE POLICY coordinator ON clearwell.fix_relation FOR SELECT USING ((SELECT clearwell.my_kind()) = 'coordinator');
CREATE POLICY systems ON clearwell.fix_relation USING ((SELECT clearwell.is_system('system:proving')));
