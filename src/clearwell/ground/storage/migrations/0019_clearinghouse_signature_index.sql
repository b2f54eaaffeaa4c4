-- SPDX-License-Identifier: Apache-2.0
-- Signatures at scale (ADR 25): one row for each finding holds all that it states, and only the first finding of each key, case and
-- version has rows that are looked up by key (heads). Ids lie as the 128 bits that they are.

ALTER INDEX clearwell.signature_head RENAME TO signature_head_before;  -- its name is wanted

-- An id's UUID, and back: the spelling of vocabulary/ids.py.
CREATE FUNCTION clearwell.uuid_of(id text) RETURNS uuid IMMUTABLE STRICT PARALLEL SAFE LANGUAGE plpgsql AS $$
DECLARE
    digits text := split_part(id, '_', 2);
    bits bit(130) := 0::bit(130);
BEGIN
    IF digits !~ '^[0-7][0-9a-hjkmnp-tv-z]{25}$' THEN
        RAISE EXCEPTION 'not an id: %', id;
    END IF;
    FOR n IN 1..26 LOOP
        bits := (bits << 5) | (strpos('0123456789abcdefghjkmnpqrstvwxyz', substr(digits, n, 1)) - 1)::bit(130);
    END LOOP;
    RETURN (lpad(to_hex(substring(bits FROM 3 FOR 32)::bit(32)::integer), 8, '0') || lpad(to_hex(substring(bits FROM 35 FOR 32)::bit(32)::integer), 8, '0')
         || lpad(to_hex(substring(bits FROM 67 FOR 32)::bit(32)::integer), 8, '0') || lpad(to_hex(substring(bits FROM 99 FOR 32)::bit(32)::integer), 8, '0'))::uuid;
END
$$;
CREATE FUNCTION clearwell.id_of(kind text, value uuid) RETURNS text IMMUTABLE STRICT PARALLEL SAFE LANGUAGE plpgsql AS $$
DECLARE
    bits bit(130) := B'00' || ('x' || replace(value::text, '-', ''))::bit(128);
    id text := kind || '_';
BEGIN
    FOR n IN 0..25 LOOP
        id := id || substr('0123456789abcdefghjkmnpqrstvwxyz', substring(bits FROM 1 + 5 * n FOR 5)::bit(5)::integer + 1, 1);
    END LOOP;
    RETURN id;
END
$$;

-- `stated` holds one record for each signature: a byte for its kind, one for the rule's version, one that says whether it asks for
-- `product_version` (1) or for none (0), one for the key's length, then the key. Kinds: dedupe/store.py.
CREATE TABLE clearwell.signature_set (
    finding uuid NOT NULL,
    submission uuid NOT NULL,
    in_case uuid NOT NULL,
    refused smallint NOT NULL DEFAULT 0,
    is_proven boolean NOT NULL DEFAULT false,
    product_version text,
    stated bytea NOT NULL
);
COMMENT ON COLUMN clearwell.signature_set.refused IS '0: it stands; 1: refused; 2: refused because its proof ran and did not fire';
COMMENT ON COLUMN clearwell.signature_set.is_proven IS 'seen in the run of its proof, a row beside that of what the report states';

CREATE TABLE clearwell.signature_head (
    finding uuid NOT NULL,
    kind smallint NOT NULL,
    refused smallint NOT NULL DEFAULT 0,
    is_proven boolean NOT NULL DEFAULT false,
    key bytea NOT NULL
);

CREATE FUNCTION clearwell.stated_signatures(stated bytea)
    RETURNS TABLE (kind smallint, rule_version smallint, is_bound boolean, key bytea) IMMUTABLE STRICT PARALLEL SAFE LANGUAGE plpgsql AS $$
DECLARE
    at integer := 0;
BEGIN
    WHILE at < length(stated) LOOP
        kind := get_byte(stated, at);
        rule_version := get_byte(stated, at + 1);
        is_bound := get_byte(stated, at + 2) = 1;
        key := substring(stated FROM at + 5 FOR get_byte(stated, at + 3));
        RETURN NEXT;
        at := at + 4 + length(key);
    END LOOP;
END
$$;

INSERT INTO clearwell.signature_set (finding, submission, in_case, refused, is_proven, product_version, stated)
SELECT clearwell.uuid_of(finding_id), clearwell.uuid_of(min(submission_id)), clearwell.uuid_of(min(case_id)),
       CASE WHEN NOT bool_or(is_refused) THEN 0 WHEN EXISTS (
           SELECT FROM clearwell.answer a WHERE a.finding_id = s.finding_id AND a.answer = 'refused' AND a.by = 'system:proving') THEN 2 ELSE 1 END,
       proven, max(product_version),
       string_agg(set_byte(set_byte(set_byte(set_byte('\x00000000'::bytea,
           0, array_position(array['proof', 'external-id', 'report', 'fingerprint', 'order', 'call-sites', 'crash-lines', 'crash', 'location', 'file'], kind)),
           1, version), 2, (product_version IS NOT NULL)::integer), 3, length(key)) || key, ''::bytea)
FROM clearwell.signature s GROUP BY finding_id, proven;
INSERT INTO clearwell.signature_head (finding, kind, refused, is_proven, key)
SELECT clearwell.uuid_of(finding_id),
       array_position(array['proof', 'external-id', 'report', 'fingerprint', 'order', 'call-sites', 'crash-lines', 'crash', 'location', 'file'], kind),
       CASE WHEN NOT is_refused THEN 0 WHEN EXISTS (
           SELECT FROM clearwell.answer a WHERE a.finding_id = s.finding_id AND a.answer = 'refused' AND a.by = 'system:proving') THEN 2 ELSE 1 END,
       proven, key
FROM clearwell.signature s WHERE is_head;
DROP TRIGGER move_signatures ON clearwell.finding;
DROP FUNCTION clearwell.move_signatures();
DROP TABLE clearwell.signature;

CREATE INDEX signature_set_finding ON clearwell.signature_set (finding);
CREATE INDEX signature_head_key ON clearwell.signature_head USING hash (key);
ALTER TABLE clearwell.signature_set ENABLE ROW LEVEL SECURITY;
ALTER TABLE clearwell.signature_head ENABLE ROW LEVEL SECURITY;
CREATE POLICY systems ON clearwell.signature_set USING ((SELECT clearwell.is_system('system:intake', 'system:dedupe', 'system:proving')));
CREATE POLICY systems ON clearwell.signature_head USING ((SELECT clearwell.is_system('system:intake', 'system:dedupe', 'system:proving')));

-- Findings that moved or were refused take their signatures along, as heads; of what stays behind in a case the first of each key and
-- version becomes a head where none is left. One statement for all that moved together: a case of ten thousand moves at once.
CREATE FUNCTION clearwell.move_signatures() RETURNS trigger SECURITY DEFINER SET search_path = clearwell LANGUAGE plpgsql AS $$
DECLARE
    ids text[];
BEGIN
    SELECT array_agg(n.id) INTO ids FROM before o JOIN after n ON n.id = o.id
    WHERE o.case_id <> n.case_id OR (o.answer = 'refused') <> (n.answer = 'refused');
    IF ids IS NULL THEN
        RETURN NULL;
    END IF;
    WITH moved AS MATERIALIZED (
        SELECT s.finding, o.case_id AS from_case, uuid_of(n.case_id) AS to_case, s.is_proven, k.kind, k.key,
               CASE WHEN k.is_bound THEN s.product_version END AS version,
               CASE WHEN n.answer <> 'refused' THEN 0 WHEN EXISTS (
                   SELECT FROM answer a WHERE a.finding_id = n.id AND a.answer = 'refused' AND a.by = 'system:proving') THEN 2 ELSE 1 END AS refused
        FROM before o JOIN after n ON n.id = o.id JOIN signature_set s ON s.finding = uuid_of(n.id)
        CROSS JOIN LATERAL stated_signatures(s.stated) k
        WHERE n.id = ANY (ids)
    ), carried AS (
        UPDATE signature_set s SET in_case = m.to_case, refused = m.refused
        FROM (SELECT DISTINCT finding, to_case, refused FROM moved) m WHERE s.finding = m.finding
    ), heads AS (
        UPDATE signature_head h SET refused = m.refused FROM moved m
        WHERE h.key = m.key AND h.finding = m.finding AND h.is_proven = m.is_proven
        RETURNING h.key, h.finding, h.is_proven
    ), made AS (
        INSERT INTO signature_head (finding, kind, refused, is_proven, key)
        SELECT finding, kind, refused, is_proven, key FROM moved
        WHERE (key, finding, is_proven) NOT IN (SELECT key, finding, is_proven FROM heads)
    ), left_behind AS MATERIALIZED (
        SELECT DISTINCT m.from_case, m.key, m.version FROM moved m JOIN heads h USING (key, finding, is_proven)
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
CREATE TRIGGER move_signatures AFTER UPDATE ON clearwell.finding REFERENCING OLD TABLE AS before NEW TABLE AS after
    FOR EACH STATEMENT EXECUTE FUNCTION clearwell.move_signatures();
