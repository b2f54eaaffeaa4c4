-- SPDX-License-Identifier: Apache-2.0
-- Intake, last points: the columns by which a table is read, who joins an upload, the life of source archives.

-- Field -> name of the column that holds it, as the sender said; a later reading of the sealed bytes goes by it too.
ALTER TABLE clearwell.submission ADD COLUMN columns jsonb NOT NULL DEFAULT '{}';

-- Somebody makes this upload whole until then; others come back.
ALTER TABLE clearwell.upload ADD COLUMN joining_until timestamptz;

-- A source archive lives for a time from when it was sent last or named by a report; its row stays, its bytes go.
ALTER TABLE clearwell.source_archive ADD COLUMN sent_last_at timestamptz, ADD COLUMN destroyed_at timestamptz;
CREATE INDEX source_alive ON clearwell.source_archive (organization_id, address) WHERE destroyed_at IS NULL;
CREATE INDEX submission_source ON clearwell.submission (source_id) WHERE source_id IS NOT NULL;
CREATE POLICY intake ON clearwell.source_archive USING ((SELECT clearwell.is_system('system:intake')));

-- A keyed hash of the words that a false hit named: later patterns number otherwise and cut otherwise, the words stay what they are.
ALTER TABLE clearwell.false_hit ADD COLUMN word bytea;
DROP POLICY intake ON clearwell.false_hit;
CREATE POLICY intake ON clearwell.false_hit USING ((SELECT clearwell.is_system('system:intake')));
