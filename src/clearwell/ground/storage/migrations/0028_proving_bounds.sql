-- SPDX-License-Identifier: Apache-2.0
-- An order has a longest time for which one worker may hold it, however often it holds on to it: a worker that hangs, or was stolen, keeps
-- no proof for good. A worker that let that time pass is not given the same order again for ten minutes: another takes it up.

ALTER TABLE clearwell.work_order ADD COLUMN most_seconds integer NOT NULL DEFAULT 3600 CHECK (most_seconds BETWEEN 5 AND 86400);
ALTER TABLE clearwell.work_order ADD COLUMN held_until timestamptz;

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
            held_until = now() + make_interval(secs => most_seconds),
            leased_until = now() + make_interval(secs => least(seconds, most_seconds))
        WHERE w.id = (
            SELECT o.id FROM clearwell.work_order o
            WHERE o.handed_at IS NULL AND (o.leased_until IS NULL OR o.leased_until < now())
            AND (o.not_for IS DISTINCT FROM worker OR o.not_for_until < now())
            AND (o.leased_until IS NULL OR o.leased_until IS DISTINCT FROM o.held_until OR o.taken_by IS DISTINCT FROM worker
                OR o.leased_until < now() - interval '10 minutes')
            ORDER BY o.placed_at, o.id LIMIT 1 FOR UPDATE SKIP LOCKED)
        RETURNING w.id, w.lease, w.sealed;
END $$;

-- Go on holding an order, to its longest time and no further; false when it is held no more. What was over is not taken up again so.
CREATE OR REPLACE FUNCTION prover.extend(held text, own_lease text, seconds integer) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = procrastinate, pg_temp AS $$
BEGIN
    IF (seconds BETWEEN 5 AND 3600) IS NOT TRUE THEN
        RAISE EXCEPTION 'a lease lasts between 5 and 3600 seconds';
    END IF;
    UPDATE clearwell.work_order SET leased_until = least(now() + make_interval(secs => seconds), held_until)
    WHERE id = held AND lease = own_lease AND handed_at IS NULL AND held_until > now();
    RETURN FOUND;
END $$;
