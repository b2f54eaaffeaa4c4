-- SPDX-License-Identifier: Apache-2.0
-- The runs of a report's own proof go with the report when cases are joined or split: a fix is tried on every proof of its case that
-- reproduced, also on one that ran before its case was joined. Runs of a fix stay with the fix's case.

CREATE POLICY judged ON clearwell.run USING ((SELECT clearwell.is_system('system:case')));

UPDATE clearwell.run r SET case_id = f.case_id
FROM clearwell.finding f WHERE f.id = r.finding_id AND r.fix_id IS NULL AND r.case_id <> f.case_id;
