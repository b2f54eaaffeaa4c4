-- SPDX-License-Identifier: Apache-2.0
-- The version of the component that a case's reports name, in the spelling by which signatures compare; null while none names one. Two
-- versions never join, not through a report that names none: so the case must know what its reports said, whichever signature is asked.

ALTER TABLE clearwell.vulnerability_case ADD COLUMN version text;
