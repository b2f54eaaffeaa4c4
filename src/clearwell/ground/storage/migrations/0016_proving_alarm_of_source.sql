-- SPDX-License-Identifier: Apache-2.0
-- An alarm may be about a look at cited source, which belongs to no proof; coordinators read alarms and answer them, and make none.

ALTER TABLE clearwell.proving_alarm ALTER COLUMN proof_id DROP NOT NULL;
DROP POLICY coordinator ON clearwell.proving_alarm;
CREATE POLICY coordinator ON clearwell.proving_alarm FOR SELECT USING ((SELECT clearwell.my_kind()) = 'coordinator');
CREATE POLICY coordinator_answers ON clearwell.proving_alarm FOR UPDATE USING ((SELECT clearwell.my_kind()) = 'coordinator');
