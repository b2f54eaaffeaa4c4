-- SPDX-License-Identifier: Apache-2.0
-- Keys that lie together (ADR 30): the index of keys is a tree, and a key begins with where it lies, its component and file, so that a
-- scan's look-ups and writes touch neighboring pages. And what is refused is no head, unless its proof ran and spoke against it: a heap
-- of refused reports of one key is not walked through by each later one.

DROP INDEX clearwell.signature_head_key;
DELETE FROM clearwell.signature_head WHERE refused = 1 OR (refused = 2 AND kind <> 1);
CREATE INDEX signature_head_key ON clearwell.signature_head (key);
ALTER TABLE clearwell.signature_head
    ADD CONSTRAINT only_what_stands_or_a_proof_that_spoke_against CHECK (refused = 0 OR (refused = 2 AND kind = 1));

-- The last finding whose keys got the six bytes that they begin with; no row when all have them (dedupe/nearing.py).
CREATE TABLE clearwell.nearing (after text NOT NULL);
INSERT INTO clearwell.nearing SELECT '' WHERE EXISTS (SELECT FROM clearwell.signature_set);
ALTER TABLE clearwell.nearing ENABLE ROW LEVEL SECURITY;
CREATE POLICY everybody ON clearwell.nearing FOR SELECT USING (true);

CREATE OR REPLACE FUNCTION clearwell.move_signatures() RETURNS trigger SECURITY DEFINER SET search_path = clearwell LANGUAGE plpgsql AS $$
DECLARE
    ids text[];
BEGIN
    SELECT array_agg(n.id) INTO ids FROM before o JOIN after n ON n.id = o.id
    WHERE o.case_id <> n.case_id OR (o.answer = 'refused') <> (n.answer = 'refused');
    IF ids IS NULL THEN
        RETURN NULL;
    END IF;
    WITH told AS MATERIALIZED (
        SELECT s.finding, o.case_id AS from_case, uuid_of(n.case_id) AS to_case, s.is_proven, k.kind, k.key,
               CASE WHEN k.is_bound THEN s.product_version END AS version,
               CASE WHEN n.answer <> 'refused' THEN 0 WHEN EXISTS (
                   SELECT FROM answer a WHERE a.finding_id = n.id AND a.answer = 'refused' AND a.by = 'system:proving') THEN 2 ELSE 1 END AS refused
        FROM before o JOIN after n ON n.id = o.id JOIN signature_set s ON s.finding = uuid_of(n.id)
        CROSS JOIN LATERAL stated_signatures(s.stated) k
        WHERE n.id = ANY (ids)
    ), moved AS MATERIALIZED (
        SELECT t.*, t.refused = 0 OR (t.refused = 2 AND t.kind = 1) AS may_head FROM told t
    ), carried AS (
        UPDATE signature_set s SET in_case = m.to_case, refused = m.refused
        FROM (SELECT DISTINCT finding, to_case, refused FROM moved) m WHERE s.finding = m.finding
    ), kept AS (
        UPDATE signature_head h SET refused = m.refused FROM moved m
        WHERE m.may_head AND h.key = m.key AND h.finding = m.finding AND h.is_proven = m.is_proven
        RETURNING h.key, h.finding, h.is_proven
    ), dropped AS (
        DELETE FROM signature_head h USING moved m
        WHERE NOT m.may_head AND h.key = m.key AND h.finding = m.finding AND h.is_proven = m.is_proven
        RETURNING h.key, h.finding, h.is_proven
    ), made AS (
        INSERT INTO signature_head (finding, kind, refused, is_proven, key)
        SELECT finding, kind, refused, is_proven, key FROM moved
        WHERE may_head AND (key, finding, is_proven) NOT IN (SELECT key, finding, is_proven FROM kept)
    ), left_behind AS MATERIALIZED (
        SELECT DISTINCT m.from_case, m.key, m.version
        FROM moved m JOIN (SELECT * FROM kept UNION ALL SELECT * FROM dropped) h USING (key, finding, is_proven)
    ), staying AS MATERIALIZED (
        SELECT s.finding, f.case_id, s.is_proven, k.kind, k.key, CASE WHEN k.is_bound THEN s.product_version END AS version,
               EXISTS (SELECT FROM signature_head h WHERE h.key = k.key AND h.finding = s.finding AND h.is_proven = s.is_proven) AS is_head
        FROM finding f JOIN signature_set s ON s.finding = uuid_of(f.id) CROSS JOIN LATERAL stated_signatures(s.stated) k
        WHERE f.case_id IN (SELECT from_case FROM left_behind) AND f.id <> ALL (ids) AND f.answer <> 'refused'
        AND k.key IN (SELECT key FROM left_behind)
    )
    INSERT INTO signature_head (finding, kind, is_proven, key)
    SELECT DISTINCT ON (b.from_case, b.key, b.version) s.finding, s.kind, s.is_proven, s.key
    FROM left_behind b JOIN staying s ON s.case_id = b.from_case AND s.key = b.key AND s.version IS NOT DISTINCT FROM b.version
    WHERE NOT EXISTS (
        SELECT FROM staying h WHERE h.is_head AND h.case_id = b.from_case AND h.key = b.key AND h.version IS NOT DISTINCT FROM b.version)
    ORDER BY b.from_case, b.key, b.version, s.finding;
    RETURN NULL;
END
$$;
