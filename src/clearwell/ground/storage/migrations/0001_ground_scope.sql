-- SPDX-License-Identifier: Apache-2.0
-- As whom a transaction sees rows: settings of the transaction, read by every row policy. Unset means nobody.

CREATE FUNCTION clearwell.my_organization() RETURNS text STABLE PARALLEL SAFE LANGUAGE sql
    AS $$ SELECT NULLIF(current_setting('clearwell.organization', true), '') $$;

CREATE FUNCTION clearwell.my_kind() RETURNS text STABLE PARALLEL SAFE LANGUAGE sql
    AS $$ SELECT NULLIF(current_setting('clearwell.kind', true), '') $$;

CREATE FUNCTION clearwell.my_person() RETURNS text STABLE PARALLEL SAFE LANGUAGE sql
    AS $$ SELECT NULLIF(current_setting('clearwell.person', true), '') $$;

CREATE FUNCTION clearwell.my_system() RETURNS text STABLE PARALLEL SAFE LANGUAGE sql
    AS $$ SELECT NULLIF(current_setting('clearwell.system', true), '') $$;

CREATE FUNCTION clearwell.my_case() RETURNS text STABLE PARALLEL SAFE LANGUAGE sql
    AS $$ SELECT NULLIF(current_setting('clearwell.case', true), '') $$;

CREATE FUNCTION clearwell.my_participant() RETURNS text STABLE PARALLEL SAFE LANGUAGE sql
    AS $$ SELECT NULLIF(current_setting('clearwell.participant', true), '') $$;

CREATE FUNCTION clearwell.is_system(VARIADIC names text[]) RETURNS boolean STABLE PARALLEL SAFE LANGUAGE sql
    AS $$ SELECT COALESCE(NULLIF(current_setting('clearwell.system', true), '') = ANY (names), false) $$;
