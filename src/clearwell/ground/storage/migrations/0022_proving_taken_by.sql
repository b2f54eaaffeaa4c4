-- SPDX-License-Identifier: Apache-2.0
-- Under which name an order was taken: its result counts only with that worker's signature. Else a worker that takes its own second run
-- under another's name would agree with itself.

ALTER TABLE clearwell.work_order ADD COLUMN taken_by text CHECK (length(taken_by) <= 200);

CREATE OR REPLACE FUNCTION prover.take(worker text, seconds integer) RETURNS TABLE (taken text, taken_lease text, taken_sealed bytea)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = procrastinate, pg_temp AS $$
DECLARE
    gone jsonb;
BEGIN
    IF (seconds BETWEEN 5 AND 3600) IS NOT TRUE THEN
        RAISE EXCEPTION 'a lease lasts between 5 and 3600 seconds';
    END IF;
    IF worker IS NULL THEN
        RAISE EXCEPTION 'an order is taken under a name';
    END IF;
    FOR gone IN UPDATE clearwell.work_order SET handed_at = now(), lease = NULL
            WHERE handed_at IS NULL AND attempts >= 3 AND leased_until < now() RETURNING job LOOP
        PERFORM procrastinate.procrastinate_defer_jobs_v1(
            ARRAY[jsonb_populate_record(NULL::procrastinate.procrastinate_job_to_defer_v1, gone)]);
    END LOOP;
    IF EXISTS (SELECT FROM clearwell.proving_alarm WHERE resumed_at IS NULL)
            OR EXISTS (SELECT FROM clearwell.work_order WHERE escaped IS NOT NULL) THEN
        RETURN;
    END IF;
    RETURN QUERY
        UPDATE clearwell.work_order w
        SET attempts = attempts + 1, lease = gen_random_uuid()::text || gen_random_uuid()::text, taken_by = worker,
            leased_until = now() + make_interval(secs => seconds)
        WHERE w.id = (
            SELECT o.id FROM clearwell.work_order o
            WHERE o.handed_at IS NULL AND (o.leased_until IS NULL OR o.leased_until < now())
            AND (o.not_for IS DISTINCT FROM worker OR o.not_for_until < now())
            ORDER BY o.placed_at, o.id LIMIT 1 FOR UPDATE SKIP LOCKED)
        RETURNING w.id, w.lease, w.sealed;
END $$;

CREATE OR REPLACE FUNCTION prover.extend(held text, own_lease text, seconds integer) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = procrastinate, pg_temp AS $$
BEGIN
    IF (seconds BETWEEN 5 AND 3600) IS NOT TRUE THEN
        RAISE EXCEPTION 'a lease lasts between 5 and 3600 seconds';
    END IF;
    UPDATE clearwell.work_order SET leased_until = now() + make_interval(secs => seconds)
    WHERE id = held AND lease = own_lease AND handed_at IS NULL;
    RETURN FOUND;
END $$;
