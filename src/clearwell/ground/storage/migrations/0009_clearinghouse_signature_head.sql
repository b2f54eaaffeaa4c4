-- SPDX-License-Identifier: Apache-2.0
-- Signatures know their finding's case, and of all with one key, case and version only the first is indexed by key (a head): a look-up
-- costs the same however often a flaw was reported. The trigger keeps both true when a finding moves or is refused.

ALTER TABLE clearwell.signature ADD COLUMN case_id text, ADD COLUMN is_head boolean NOT NULL DEFAULT true,
    ADD COLUMN is_refused boolean NOT NULL DEFAULT false;
UPDATE clearwell.signature s SET case_id = f.case_id, is_refused = (f.answer = 'refused') FROM clearwell.finding f WHERE f.id = s.finding_id;
DELETE FROM clearwell.signature WHERE case_id IS NULL;
ALTER TABLE clearwell.signature ALTER COLUMN case_id SET NOT NULL;
DROP INDEX clearwell.signature_key;
CREATE INDEX signature_head ON clearwell.signature (key) WHERE is_head;
CREATE INDEX signature_rest ON clearwell.signature (case_id, key) WHERE NOT is_head;

CREATE FUNCTION clearwell.move_signatures() RETURNS trigger SECURITY DEFINER SET search_path = clearwell LANGUAGE plpgsql AS $$
BEGIN
    -- Of what stays behind, the first of each key and version: one row, not all, or a refusal would undo the heads of a whole flood.
    UPDATE signature SET is_head = true WHERE ctid = ANY (ARRAY(
        SELECT DISTINCT ON (stays.key, stays.product_version) stays.ctid
        FROM signature moves JOIN signature stays ON stays.key = moves.key AND stays.case_id = OLD.case_id
        WHERE moves.finding_id = NEW.id AND stays.finding_id <> NEW.id AND NOT stays.is_head AND NOT stays.is_refused
        ORDER BY stays.key, stays.product_version, stays.finding_id));
    UPDATE signature SET case_id = NEW.case_id, is_refused = (NEW.answer = 'refused'), is_head = true WHERE finding_id = NEW.id;
    RETURN NULL;
END
$$;
CREATE TRIGGER move_signatures AFTER UPDATE OF case_id, answer ON clearwell.finding FOR EACH ROW
    WHEN (OLD.case_id IS DISTINCT FROM NEW.case_id OR (OLD.answer = 'refused') IS DISTINCT FROM (NEW.answer = 'refused'))
    EXECUTE FUNCTION clearwell.move_signatures();
