-- SPDX-License-Identifier: Apache-2.0
-- Orders for proving workers on hosts of their own. Their role, clearwell_prover, has no right on any table: it may call the three
-- functions of the schema `prover`, which hand out one sealed order at a time and take its sealed result.

CREATE TABLE clearwell.work_order (
    id text PRIMARY KEY,
    key text NOT NULL UNIQUE,
    proof_id text NOT NULL,
    about jsonb NOT NULL,
    job jsonb NOT NULL,
    sealed bytea NOT NULL,
    wrapped_key bytea NOT NULL,
    placed_at timestamptz NOT NULL,
    not_for text,
    not_for_until timestamptz,
    attempts integer NOT NULL DEFAULT 0,
    lease text,
    leased_until timestamptz,
    handed_at timestamptz,
    result bytea CHECK (length(result) <= 67108864),
    escaped text CHECK (length(escaped) <= 500)
);
CREATE INDEX work_order_waiting ON clearwell.work_order (placed_at) WHERE handed_at IS NULL;
CREATE INDEX work_order_proof ON clearwell.work_order (proof_id);
ALTER TABLE clearwell.work_order ENABLE ROW LEVEL SECURITY;
CREATE POLICY systems ON clearwell.work_order USING ((SELECT clearwell.is_system('system:proving')));

-- A cell of the kill matrix bears its worker's signed statement; one that was drawn for a second run decides nothing until then.
ALTER TABLE clearwell.kill ADD COLUMN worker text;
ALTER TABLE clearwell.kill ADD COLUMN statement text;
ALTER TABLE clearwell.kill ADD COLUMN is_settled boolean NOT NULL DEFAULT true;

CREATE SCHEMA prover;
REVOKE ALL ON SCHEMA prover FROM PUBLIC;

-- (Bodies in plpgsql are read when they run: the job queue's own schema is installed after the migrations.)

-- Hand out the oldest order that waits, sealed, under a lease of so many seconds. None while an alarm stands. One whose workers died three
-- times is handed back without a result: the job that placed it hears of it.
CREATE FUNCTION prover.take(worker text, seconds integer) RETURNS TABLE (taken text, taken_lease text, taken_sealed bytea)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = procrastinate, pg_temp AS $$
DECLARE
    gone jsonb;
BEGIN
    IF seconds NOT BETWEEN 5 AND 3600 THEN
        RAISE EXCEPTION 'a lease lasts between 5 and 3600 seconds';
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
        SET attempts = attempts + 1, lease = gen_random_uuid()::text || gen_random_uuid()::text,
            leased_until = now() + make_interval(secs => seconds)
        WHERE w.id = (
            SELECT o.id FROM clearwell.work_order o
            WHERE o.handed_at IS NULL AND (o.leased_until IS NULL OR o.leased_until < now())
            AND (o.not_for IS DISTINCT FROM worker OR o.not_for_until < now())
            ORDER BY o.placed_at, o.id LIMIT 1 FOR UPDATE SKIP LOCKED)
        RETURNING w.id, w.lease, w.sealed;
END $$;

-- Go on holding an order; false when it is held no more.
CREATE FUNCTION prover.extend(held text, own_lease text, seconds integer) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = procrastinate, pg_temp AS $$
BEGIN
    IF seconds NOT BETWEEN 5 AND 3600 THEN
        RAISE EXCEPTION 'a lease lasts between 5 and 3600 seconds';
    END IF;
    UPDATE clearwell.work_order SET leased_until = now() + make_interval(secs => seconds)
    WHERE id = held AND lease = own_lease AND handed_at IS NULL;
    RETURN FOUND;
END $$;

-- Hand in what an order showed, sealed; the job that placed the order is deferred again. `way_out` says how a run got out of its box:
-- nothing is handed out any more from then on. False when the order is held no more.
CREATE FUNCTION prover.hand_in(held text, own_lease text, sealed_result bytea, way_out text) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = procrastinate, pg_temp AS $$
DECLARE
    again jsonb;
BEGIN
    UPDATE clearwell.work_order SET result = sealed_result, escaped = left(way_out, 500), handed_at = now(), lease = NULL
    WHERE id = held AND lease = own_lease AND handed_at IS NULL RETURNING job INTO again;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    PERFORM procrastinate.procrastinate_defer_jobs_v1(
        ARRAY[jsonb_populate_record(NULL::procrastinate.procrastinate_job_to_defer_v1, again)]);
    RETURN true;
END $$;

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA prover FROM PUBLIC;
