-- SPDX-License-Identifier: Apache-2.0
-- Intake, last points: the columns by which a table is read.

-- Field -> name of the column that holds it, as the sender said; a later reading of the sealed bytes goes by it too.
ALTER TABLE clearwell.submission ADD COLUMN columns jsonb NOT NULL DEFAULT '{}';
