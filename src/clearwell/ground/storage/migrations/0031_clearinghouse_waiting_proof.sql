-- SPDX-License-Identifier: Apache-2.0
-- A proof that waits for its run when a person joins its case with an unproven one still runs (its answer stays `new`). Until it fires,
-- its sender only sent again what others reported: it learns no more of the case than `known` says.

CREATE OR REPLACE FUNCTION clearwell.my_participations(only_findings text[]) RETURNS TABLE (
    id text, first_reported timestamptz, standing text, letters text, ends_at timestamptz, published_at timestamptz, advisory_id text, finding_ids text[]
) STABLE SECURITY DEFINER SET search_path = clearwell LANGUAGE sql AS $$
    SELECT p.id, date_trunc('day', c.first_received, 'UTC'), CASE WHEN sees.all_of_it THEN c.standing END,
           CASE WHEN sees.all_of_it THEN c.letters END, CASE WHEN sees.all_of_it THEN c.ends_at END, c.published_at, c.advisory_id,
           ARRAY(SELECT f.id FROM finding f WHERE f.case_id = c.id AND f.organization_id = p.organization_id ORDER BY f.id)
    FROM participant p JOIN vulnerability_case c ON c.id = p.case_id
    CROSS JOIN LATERAL (SELECT c.published_at IS NOT NULL OR c.refused_at IS NOT NULL OR EXISTS (
        SELECT FROM finding f WHERE f.case_id = c.id AND f.organization_id = p.organization_id
        AND (f.is_proven OR (f.answer NOT IN ('duplicate', 'refused') AND NOT (f.answer = 'new' AND EXISTS (
            SELECT FROM attachment a WHERE a.finding_id = f.id AND a.case_id = c.id AND a.rung = 'L4' AND a.detached_at IS NULL))))) AS all_of_it) sees
    WHERE p.organization_id = clearwell.my_organization() AND p.role = 'finder'
      -- who has no finding in a case any more (it was split off, or went along with a merge) sees nothing more of it
      AND EXISTS (SELECT FROM finding f WHERE f.case_id = c.id AND f.organization_id = p.organization_id)
      AND (only_findings IS NULL
           OR p.case_id IN (SELECT f.case_id FROM finding f WHERE f.id = ANY (only_findings) AND f.organization_id = clearwell.my_organization()))
    ORDER BY p.id DESC LIMIT 1000
$$;
