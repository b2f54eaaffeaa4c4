-- SPDX-License-Identifier: Apache-2.0
-- A finder takes part in its case and sees how far it is and when it ends. The answer to what only says again what is held says less: what
-- `known` would say. `said_again`: this organization neither opened the case nor proved the flaw (a proof of its own that still waits for
-- its run, in a case that a person joined, proves nothing yet), and nothing of it is public.

DROP FUNCTION clearwell.my_participations(text[]);
CREATE FUNCTION clearwell.my_participations(only_findings text[]) RETURNS TABLE (
    id text, first_reported timestamptz, standing text, letters text, ends_at timestamptz, published_at timestamptz, advisory_id text,
    finding_ids text[], said_again boolean
) STABLE SECURITY DEFINER SET search_path = clearwell LANGUAGE sql AS $$
    SELECT p.id, date_trunc('day', c.first_received, 'UTC'), c.standing, c.letters, c.ends_at, c.published_at, c.advisory_id,
           ARRAY(SELECT f.id FROM finding f WHERE f.case_id = c.id AND f.organization_id = p.organization_id ORDER BY f.id),
           c.published_at IS NULL AND c.refused_at IS NULL AND NOT EXISTS (
               SELECT FROM finding f WHERE f.case_id = c.id AND f.organization_id = p.organization_id
               AND (f.is_proven OR (f.answer NOT IN ('duplicate', 'refused') AND NOT (f.answer = 'new' AND EXISTS (
                   SELECT FROM attachment a
                   WHERE a.finding_id = f.id AND a.case_id = c.id AND a.rung = 'L4' AND a.detached_at IS NULL)))))
    FROM participant p JOIN vulnerability_case c ON c.id = p.case_id
    WHERE p.organization_id = clearwell.my_organization() AND p.role = 'finder'
      -- who has no finding in a case any more (it was split off, or went along with a merge) sees nothing more of it
      AND EXISTS (SELECT FROM finding f WHERE f.case_id = c.id AND f.organization_id = p.organization_id)
      AND (only_findings IS NULL
           OR p.case_id IN (SELECT f.case_id FROM finding f WHERE f.id = ANY (only_findings) AND f.organization_id = clearwell.my_organization()))
    ORDER BY p.id DESC LIMIT 1000
$$;
