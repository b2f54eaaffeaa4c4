-- SPDX-License-Identifier: Apache-2.0
-- Trust in proving: alarms that stop it, and the signed statement behind each run.

CREATE TABLE clearwell.proving_alarm (
    id text PRIMARY KEY,
    proof_id text NOT NULL,
    raised_at timestamptz NOT NULL,
    reason text NOT NULL,
    resumed_at timestamptz,
    resumed_by text,
    because text
);
ALTER TABLE clearwell.proving_alarm ENABLE ROW LEVEL SECURITY;
CREATE POLICY systems ON clearwell.proving_alarm USING ((SELECT clearwell.is_system('system:proving', 'system:identity')));
CREATE POLICY coordinator ON clearwell.proving_alarm USING ((SELECT clearwell.my_kind()) = 'coordinator');

ALTER TABLE clearwell.run ADD COLUMN statement text;
ALTER TABLE clearwell.run ADD COLUMN worker text;
