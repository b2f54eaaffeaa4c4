-- SPDX-License-Identifier: Apache-2.0
--
-- PostgreSQL database dump
--

\restrict clearwell

-- Dumped from database version 18.4
-- Dumped by pg_dump version 18.4

SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET transaction_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;

--
-- Name: clearwell; Type: SCHEMA; Schema: -; Owner: -
--

CREATE SCHEMA clearwell;


--
-- Name: clearwell_migrations; Type: SCHEMA; Schema: -; Owner: -
--

CREATE SCHEMA clearwell_migrations;


--
-- Name: is_system(text[]); Type: FUNCTION; Schema: clearwell; Owner: -
--

CREATE FUNCTION clearwell.is_system(VARIADIC names text[]) RETURNS boolean
    LANGUAGE sql STABLE PARALLEL SAFE
    AS $$ SELECT COALESCE(NULLIF(current_setting('clearwell.system', true), '') = ANY (names), false) $$;


--
-- Name: my_case(); Type: FUNCTION; Schema: clearwell; Owner: -
--

CREATE FUNCTION clearwell.my_case() RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
    AS $$ SELECT NULLIF(current_setting('clearwell.case', true), '') $$;


--
-- Name: my_kind(); Type: FUNCTION; Schema: clearwell; Owner: -
--

CREATE FUNCTION clearwell.my_kind() RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
    AS $$ SELECT NULLIF(current_setting('clearwell.kind', true), '') $$;


--
-- Name: my_organization(); Type: FUNCTION; Schema: clearwell; Owner: -
--

CREATE FUNCTION clearwell.my_organization() RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
    AS $$ SELECT NULLIF(current_setting('clearwell.organization', true), '') $$;


--
-- Name: my_participant(); Type: FUNCTION; Schema: clearwell; Owner: -
--

CREATE FUNCTION clearwell.my_participant() RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
    AS $$ SELECT NULLIF(current_setting('clearwell.participant', true), '') $$;


--
-- Name: my_participations(text[]); Type: FUNCTION; Schema: clearwell; Owner: -
--

CREATE FUNCTION clearwell.my_participations(only_findings text[]) RETURNS TABLE(id text, first_reported timestamp with time zone, standing text, letters text, ends_at timestamp with time zone, published_at timestamp with time zone, advisory_id text, finding_ids text[])
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'clearwell'
    AS $$
    SELECT p.id, date_trunc('day', c.first_received, 'UTC'), c.standing, c.letters, c.ends_at, c.published_at, c.advisory_id,
           ARRAY(SELECT f.id FROM finding f WHERE f.case_id = c.id AND f.organization_id = p.organization_id ORDER BY f.id)
    FROM participant p JOIN vulnerability_case c ON c.id = p.case_id
    WHERE p.organization_id = clearwell.my_organization() AND p.role = 'finder'
      -- who has no finding in a case any more (it was split off, or went along with a merge) sees nothing more of it
      AND EXISTS (SELECT FROM finding f WHERE f.case_id = c.id AND f.organization_id = p.organization_id)
      AND (only_findings IS NULL
           OR p.case_id IN (SELECT f.case_id FROM finding f WHERE f.id = ANY (only_findings) AND f.organization_id = clearwell.my_organization()))
    ORDER BY p.id DESC LIMIT 1000
$$;


--
-- Name: my_person(); Type: FUNCTION; Schema: clearwell; Owner: -
--

CREATE FUNCTION clearwell.my_person() RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
    AS $$ SELECT NULLIF(current_setting('clearwell.person', true), '') $$;


--
-- Name: my_system(); Type: FUNCTION; Schema: clearwell; Owner: -
--

CREATE FUNCTION clearwell.my_system() RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
    AS $$ SELECT NULLIF(current_setting('clearwell.system', true), '') $$;


SET default_tablespace = '';

SET default_table_access_method = heap;

--
-- Name: action; Type: TABLE; Schema: clearwell; Owner: -
--

CREATE TABLE clearwell.action (
    id text NOT NULL,
    organization_id text NOT NULL,
    asset_id text NOT NULL,
    advisory_id text NOT NULL,
    component text NOT NULL,
    installed_version text,
    fixed_version text,
    status text NOT NULL,
    receipt text NOT NULL,
    planned_for date,
    priority bigint NOT NULL,
    outcome text NOT NULL,
    due_on date,
    reasons jsonb NOT NULL,
    why text NOT NULL,
    told_at timestamp with time zone NOT NULL,
    received_at timestamp with time zone,
    planned_at timestamp with time zone,
    installed_at timestamp with time zone,
    CONSTRAINT action_receipt_check CHECK ((receipt = ANY (ARRAY['told'::text, 'received'::text, 'planned'::text, 'installed'::text]))),
    CONSTRAINT action_status_check CHECK ((status = ANY (ARRAY['affected'::text, 'unknown'::text])))
);


--
-- Name: advisory; Type: TABLE; Schema: clearwell; Owner: -
--

CREATE TABLE clearwell.advisory (
    id text NOT NULL,
    aliases text[] DEFAULT '{}'::text[] NOT NULL,
    public_id text NOT NULL,
    revision integer NOT NULL,
    body jsonb NOT NULL,
    published_at timestamp with time zone NOT NULL
);


--
-- Name: advisory_component; Type: TABLE; Schema: clearwell; Owner: -
--

CREATE TABLE clearwell.advisory_component (
    component text NOT NULL,
    advisory_id text NOT NULL
);


--
-- Name: answer; Type: TABLE; Schema: clearwell; Owner: -
--

CREATE TABLE clearwell.answer (
    finding_id text NOT NULL,
    organization_id text NOT NULL,
    number integer NOT NULL,
    answer text NOT NULL,
    reason text NOT NULL,
    at timestamp with time zone NOT NULL,
    by text NOT NULL
);


--
-- Name: appeal; Type: TABLE; Schema: clearwell; Owner: -
--

CREATE TABLE clearwell.appeal (
    id text NOT NULL,
    finding_id text NOT NULL,
    organization_id text NOT NULL,
    reason text NOT NULL,
    made_by text NOT NULL,
    made_at timestamp with time zone NOT NULL,
    decided_by text,
    decided_at timestamp with time zone,
    upheld boolean
);


--
-- Name: asset; Type: TABLE; Schema: clearwell; Owner: -
--

CREATE TABLE clearwell.asset (
    id text NOT NULL,
    organization_id text NOT NULL,
    name text NOT NULL,
    exposed text NOT NULL,
    mission text DEFAULT 'unknown'::text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    CONSTRAINT asset_exposed_check CHECK ((exposed = ANY (ARRAY['true'::text, 'false'::text, 'unknown'::text])))
);


--
-- Name: attachment; Type: TABLE; Schema: clearwell; Owner: -
--

CREATE TABLE clearwell.attachment (
    id text NOT NULL,
    case_id text NOT NULL,
    finding_id text NOT NULL,
    from_case_id text NOT NULL,
    rung text,
    evidence jsonb NOT NULL,
    attached_at timestamp with time zone NOT NULL,
    attached_by text NOT NULL,
    detached_at timestamp with time zone,
    detached_by text,
    reason text
);


--
-- Name: blob_hold; Type: TABLE; Schema: clearwell; Owner: -
--

CREATE TABLE clearwell.blob_hold (
    address text NOT NULL,
    holder text NOT NULL,
    file text NOT NULL,
    wrapped_key bytea NOT NULL,
    size bigint NOT NULL
);


--
-- Name: finding; Type: TABLE; Schema: clearwell; Owner: -
--

CREATE TABLE clearwell.finding (
    id text NOT NULL,
    submission_id text NOT NULL,
    organization_id text NOT NULL,
    batch integer NOT NULL,
    "position" integer NOT NULL,
    component text,
    version text,
    title text NOT NULL,
    body jsonb NOT NULL,
    ai boolean NOT NULL,
    marking text NOT NULL,
    answer text NOT NULL,
    first_answer text NOT NULL,
    first_reason text NOT NULL,
    case_id text NOT NULL,
    has_proof boolean NOT NULL,
    is_proven boolean DEFAULT false NOT NULL,
    received_at timestamp with time zone NOT NULL,
    ends_at timestamp with time zone NOT NULL,
    CONSTRAINT finding_answer_check CHECK ((answer = ANY (ARRAY['new'::text, 'duplicate'::text, 'needs_proof'::text, 'refused'::text, 'reproduced'::text])))
);


--
-- Name: fix; Type: TABLE; Schema: clearwell; Owner: -
--

CREATE TABLE clearwell.fix (
    id text NOT NULL,
    case_id text NOT NULL,
    kind text NOT NULL,
    version text,
    patch_address text,
    claimed_by text NOT NULL,
    claimed_at timestamp with time zone NOT NULL,
    state text NOT NULL,
    reason text DEFAULT ''::text NOT NULL,
    diff_address text,
    diff_sha256 text,
    distributed_at timestamp with time zone,
    CONSTRAINT fix_kind_check CHECK ((kind = ANY (ARRAY['version'::text, 'patch'::text]))),
    CONSTRAINT fix_state_check CHECK ((state = ANY (ARRAY['claimed'::text, 'verified'::text, 'not_verified'::text])))
);


--
-- Name: holder_key; Type: TABLE; Schema: clearwell; Owner: -
--

CREATE TABLE clearwell.holder_key (
    holder text NOT NULL,
    wrapped_key bytea NOT NULL,
    created_at timestamp with time zone NOT NULL
);


--
-- Name: installed; Type: TABLE; Schema: clearwell; Owner: -
--

CREATE TABLE clearwell.installed (
    inventory_id text NOT NULL,
    organization_id text NOT NULL,
    asset_id text NOT NULL,
    component text NOT NULL,
    version text,
    found_in text
);


--
-- Name: inventory; Type: TABLE; Schema: clearwell; Owner: -
--

CREATE TABLE clearwell.inventory (
    id text NOT NULL,
    organization_id text NOT NULL,
    asset_id text NOT NULL,
    format text NOT NULL,
    sha256 text NOT NULL,
    components integer NOT NULL,
    received_at timestamp with time zone NOT NULL,
    is_current boolean NOT NULL
);


--
-- Name: job_failure; Type: TABLE; Schema: clearwell; Owner: -
--

CREATE TABLE clearwell.job_failure (
    job_id bigint NOT NULL,
    at timestamp with time zone DEFAULT now() NOT NULL,
    error text NOT NULL
);


--
-- Name: ledger_entry; Type: TABLE; Schema: clearwell; Owner: -
--

CREATE TABLE clearwell.ledger_entry (
    id text NOT NULL,
    type text NOT NULL,
    about text,
    written_at timestamp with time zone NOT NULL,
    body bytea NOT NULL,
    log_index bigint,
    CONSTRAINT ledger_entry_body_check CHECK ((length(body) <= 65535))
);


--
-- Name: ledger_salt; Type: TABLE; Schema: clearwell; Owner: -
--

CREATE TABLE clearwell.ledger_salt (
    entry_id text NOT NULL,
    field text NOT NULL,
    organization_id text,
    case_id text,
    salt bytea NOT NULL
);


--
-- Name: link; Type: TABLE; Schema: clearwell; Owner: -
--

CREATE TABLE clearwell.link (
    id text NOT NULL,
    case_id text NOT NULL,
    participant_id text NOT NULL,
    hash bytea NOT NULL,
    acts text[] NOT NULL,
    created_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    revoked_at timestamp with time zone,
    code_hash bytea,
    code_expires_at timestamp with time zone,
    code_tries integer DEFAULT 0 NOT NULL
);


--
-- Name: mail; Type: TABLE; Schema: clearwell; Owner: -
--

CREATE TABLE clearwell.mail (
    id text NOT NULL,
    sealed bytea,
    created_at timestamp with time zone NOT NULL,
    sent_at timestamp with time zone
);


--
-- Name: maintainer_contact; Type: TABLE; Schema: clearwell; Owner: -
--

CREATE TABLE clearwell.maintainer_contact (
    component text NOT NULL,
    name text NOT NULL,
    contact text NOT NULL,
    origin text NOT NULL,
    open_reports_limit integer NOT NULL,
    recorded_by text NOT NULL,
    recorded_at timestamp with time zone NOT NULL,
    CONSTRAINT maintainer_contact_open_reports_limit_check CHECK (((open_reports_limit >= 1) AND (open_reports_limit <= 1000)))
);


--
-- Name: organization; Type: TABLE; Schema: clearwell; Owner: -
--

CREATE TABLE clearwell.organization (
    id text NOT NULL,
    name text NOT NULL,
    kind text NOT NULL,
    sector text,
    size text,
    system_class text,
    time_zone text DEFAULT 'UTC'::text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    CONSTRAINT organization_kind_check CHECK ((kind = ANY (ARRAY['lab'::text, 'maintainer'::text, 'operator'::text, 'coordinator'::text, 'agency'::text, 'auditor'::text, 'developer'::text]))),
    CONSTRAINT organization_name_check CHECK (((length(name) >= 1) AND (length(name) <= 200))),
    CONSTRAINT organization_size_check CHECK ((size = ANY (ARRAY['small'::text, 'medium'::text, 'large'::text]))),
    CONSTRAINT organization_system_class_check CHECK ((system_class = ANY (ARRAY['fceb'::text, 'nss'::text, 'dow'::text, 'ic'::text, 'slt'::text, 'ci_operator'::text, 'oss'::text, 'other'::text])))
);


--
-- Name: participant; Type: TABLE; Schema: clearwell; Owner: -
--

CREATE TABLE clearwell.participant (
    id text NOT NULL,
    case_id text NOT NULL,
    organization_id text,
    role text NOT NULL,
    report_state text DEFAULT 'received'::text NOT NULL,
    contact text,
    contact_origin text,
    joined_at timestamp with time zone NOT NULL,
    first_reported timestamp with time zone NOT NULL,
    credited boolean DEFAULT true NOT NULL,
    CONSTRAINT participant_role_check CHECK ((role = ANY (ARRAY['finder'::text, 'reporter'::text, 'vendor'::text, 'deployer'::text, 'coordinator'::text, 'other'::text])))
);


--
-- Name: person; Type: TABLE; Schema: clearwell; Owner: -
--

CREATE TABLE clearwell.person (
    id text NOT NULL,
    organization_id text NOT NULL,
    name text NOT NULL,
    email text,
    created_at timestamp with time zone NOT NULL
);


--
-- Name: proof; Type: TABLE; Schema: clearwell; Owner: -
--

CREATE TABLE clearwell.proof (
    id text NOT NULL,
    finding_id text NOT NULL,
    organization_id text NOT NULL,
    case_id text NOT NULL,
    address text NOT NULL,
    folder_sha256 text NOT NULL,
    size bigint NOT NULL,
    marking text NOT NULL,
    received_at timestamp with time zone NOT NULL
);


--
-- Name: proof_read; Type: TABLE; Schema: clearwell; Owner: -
--

CREATE TABLE clearwell.proof_read (
    id text NOT NULL,
    proof_id text NOT NULL,
    organization_id text NOT NULL,
    reader text NOT NULL,
    purpose text NOT NULL,
    at timestamp with time zone NOT NULL,
    entry_id text NOT NULL
);


--
-- Name: proposal; Type: TABLE; Schema: clearwell; Owner: -
--

CREATE TABLE clearwell.proposal (
    id text NOT NULL,
    organization_id text NOT NULL,
    act text NOT NULL,
    subject text NOT NULL,
    payload jsonb NOT NULL,
    proposed_by text NOT NULL,
    proposed_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    confirmed_by text,
    confirmed_at timestamp with time zone,
    withdrawn_at timestamp with time zone,
    CONSTRAINT two_people CHECK (((confirmed_by IS NULL) OR (confirmed_by <> proposed_by)))
);


--
-- Name: run; Type: TABLE; Schema: clearwell; Owner: -
--

CREATE TABLE clearwell.run (
    id text NOT NULL,
    proof_id text NOT NULL,
    finding_id text NOT NULL,
    case_id text NOT NULL,
    organization_id text NOT NULL,
    fix_id text,
    verdict text NOT NULL,
    reason text NOT NULL,
    body jsonb NOT NULL,
    started_at timestamp with time zone NOT NULL,
    finished_at timestamp with time zone NOT NULL
);


--
-- Name: session; Type: TABLE; Schema: clearwell; Owner: -
--

CREATE TABLE clearwell.session (
    hash bytea NOT NULL,
    person_id text NOT NULL,
    token_id text,
    created_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL
);


--
-- Name: signature; Type: TABLE; Schema: clearwell; Owner: -
--

CREATE TABLE clearwell.signature (
    key bytea NOT NULL,
    kind text NOT NULL,
    version integer NOT NULL,
    rung text NOT NULL,
    finding_id text NOT NULL,
    submission_id text NOT NULL,
    product_version text,
    proven boolean DEFAULT false NOT NULL
);


--
-- Name: statement; Type: TABLE; Schema: clearwell; Owner: -
--

CREATE TABLE clearwell.statement (
    id text NOT NULL,
    case_id text NOT NULL,
    participant_id text NOT NULL,
    kind text NOT NULL,
    detail text NOT NULL,
    made_at timestamp with time zone NOT NULL
);


--
-- Name: submission; Type: TABLE; Schema: clearwell; Owner: -
--

CREATE TABLE clearwell.submission (
    id text NOT NULL,
    organization_id text NOT NULL,
    sent_by text NOT NULL,
    idempotency_key bytea,
    content bytea NOT NULL,
    address text NOT NULL,
    size bigint NOT NULL,
    name text NOT NULL,
    target jsonb,
    marking text NOT NULL,
    origin jsonb NOT NULL,
    state text NOT NULL,
    format text,
    tool text,
    findings integer DEFAULT 0 NOT NULL,
    batches integer DEFAULT 0 NOT NULL,
    problems jsonb DEFAULT '[]'::jsonb NOT NULL,
    received_at timestamp with time zone NOT NULL,
    parsed_at timestamp with time zone,
    CONSTRAINT submission_state_check CHECK ((state = ANY (ARRAY['received'::text, 'parsed'::text, 'unreadable'::text])))
);


--
-- Name: token; Type: TABLE; Schema: clearwell; Owner: -
--

CREATE TABLE clearwell.token (
    id text NOT NULL,
    person_id text NOT NULL,
    organization_id text NOT NULL,
    label text NOT NULL,
    hash bytea NOT NULL,
    scopes text[] NOT NULL,
    created_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    revoked_at timestamp with time zone
);


--
-- Name: vulnerability_case; Type: TABLE; Schema: clearwell; Owner: -
--

CREATE TABLE clearwell.vulnerability_case (
    id text NOT NULL,
    component text NOT NULL,
    title text NOT NULL,
    weaknesses text[] NOT NULL,
    marking text NOT NULL,
    letters text DEFAULT 'vfdpxa'::text NOT NULL,
    first_received timestamp with time zone NOT NULL,
    opened timestamp with time zone NOT NULL,
    ends_at timestamp with time zone NOT NULL,
    end_date_policy text NOT NULL,
    proven_at timestamp with time zone,
    refused_at timestamp with time zone,
    refusal text,
    fixed_at timestamp with time zone,
    published_at timestamp with time zone,
    extended_by text[] DEFAULT '{}'::text[] NOT NULL,
    standing text GENERATED ALWAYS AS (
CASE
    WHEN (refused_at IS NOT NULL) THEN 'refused'::text
    WHEN (fixed_at IS NOT NULL) THEN 'fixed'::text
    WHEN (published_at IS NOT NULL) THEN 'published'::text
    WHEN (proven_at IS NULL) THEN 'unproven'::text
    ELSE 'proven'::text
END) STORED NOT NULL,
    embargo jsonb DEFAULT '{}'::jsonb NOT NULL,
    fires text[] DEFAULT '{}'::text[] NOT NULL,
    clean text[] DEFAULT '{}'::text[] NOT NULL,
    proof_id text,
    aliases text[] DEFAULT '{}'::text[] NOT NULL,
    automatable jsonb DEFAULT '{}'::jsonb NOT NULL,
    technical_impact jsonb DEFAULT '{}'::jsonb NOT NULL,
    merged_into text,
    advisory_id text,
    presented_at timestamp with time zone,
    reminded integer[] DEFAULT '{}'::integer[] NOT NULL,
    priority bigint DEFAULT 0 NOT NULL,
    priority_reasons jsonb DEFAULT '[]'::jsonb NOT NULL
);


--
-- Name: _yoyo_log; Type: TABLE; Schema: clearwell_migrations; Owner: -
--

CREATE TABLE clearwell_migrations._yoyo_log (
    id character varying(36) NOT NULL,
    migration_hash character varying(64),
    migration_id character varying(255),
    operation character varying(10),
    username character varying(255),
    hostname character varying(255),
    comment character varying(255),
    created_at_utc timestamp without time zone
);


--
-- Name: _yoyo_migration; Type: TABLE; Schema: clearwell_migrations; Owner: -
--

CREATE TABLE clearwell_migrations._yoyo_migration (
    migration_hash character varying(64) NOT NULL,
    migration_id character varying(255),
    applied_at_utc timestamp without time zone
);


--
-- Name: _yoyo_version; Type: TABLE; Schema: clearwell_migrations; Owner: -
--

CREATE TABLE clearwell_migrations._yoyo_version (
    version integer NOT NULL,
    installed_at_utc timestamp without time zone
);


--
-- Name: yoyo_lock; Type: TABLE; Schema: clearwell_migrations; Owner: -
--

CREATE TABLE clearwell_migrations.yoyo_lock (
    locked integer DEFAULT 1 NOT NULL,
    ctime timestamp without time zone,
    pid integer NOT NULL
);


--
-- Data for Name: action; Type: TABLE DATA; Schema: clearwell; Owner: -
--

COPY clearwell.action (id, organization_id, asset_id, advisory_id, component, installed_version, fixed_version, status, receipt, planned_for, priority, outcome, due_on, reasons, why, told_at, received_at, planned_at, installed_at) FROM stdin;
\.


--
-- Data for Name: advisory; Type: TABLE DATA; Schema: clearwell; Owner: -
--

COPY clearwell.advisory (id, aliases, public_id, revision, body, published_at) FROM stdin;
\.


--
-- Data for Name: advisory_component; Type: TABLE DATA; Schema: clearwell; Owner: -
--

COPY clearwell.advisory_component (component, advisory_id) FROM stdin;
\.


--
-- Data for Name: answer; Type: TABLE DATA; Schema: clearwell; Owner: -
--

COPY clearwell.answer (finding_id, organization_id, number, answer, reason, at, by) FROM stdin;
\.


--
-- Data for Name: appeal; Type: TABLE DATA; Schema: clearwell; Owner: -
--

COPY clearwell.appeal (id, finding_id, organization_id, reason, made_by, made_at, decided_by, decided_at, upheld) FROM stdin;
\.


--
-- Data for Name: asset; Type: TABLE DATA; Schema: clearwell; Owner: -
--

COPY clearwell.asset (id, organization_id, name, exposed, mission, created_at) FROM stdin;
asset_01m6dqs9mnex6t0nw68dkx2sh5	org_01m6dqs9mde5n8n6q3wtat1eha	portal	unknown	unknown	2026-11-02 09:00:00.02+00
\.


--
-- Data for Name: attachment; Type: TABLE DATA; Schema: clearwell; Owner: -
--

COPY clearwell.attachment (id, case_id, finding_id, from_case_id, rung, evidence, attached_at, attached_by, detached_at, detached_by, reason) FROM stdin;
attach_01m6dqs9neferbg5qeakah6m0n	case_01m6dqs9nbf1xr9dwrchbatm5m	finding_01m6dqs9nae6qvgaxeng4hxyyr	case_01m6dqs9nbf1xr9dwrchbatm5m	\N	[]	2026-11-02 09:00:00.04+00	system:intake	\N	\N	\N
attach_01m6dqs9nkf1g81qmkhq5p6shd	case_01m6dqs9ngftft0k0z2j43wy8t	finding_01m6dqs9nff4h8q8gg0861v7r3	case_01m6dqs9ngftft0k0z2j43wy8t	\N	[]	2026-11-02 09:00:00.04+00	system:intake	\N	\N	\N
attach_01m6dqs9nvfj0rxkmbs0es3g3k	case_01m6dqs9nrfqwazxqfawx7039k	finding_01m6dqs9nqebcsd8p5sw7x9amh	case_01m6dqs9nrfqwazxqfawx7039k	\N	[]	2026-11-02 09:00:00.041+00	system:intake	\N	\N	\N
attach_01m6dqs9p0fzm9bjs273q19q2y	case_01m6dqs9nxejya9nx5yfjb6wj7	finding_01m6dqs9nwfbmvdzv60bja1dnp	case_01m6dqs9nxejya9nx5yfjb6wj7	\N	[]	2026-11-02 09:00:00.041+00	system:intake	\N	\N	\N
\.


--
-- Data for Name: blob_hold; Type: TABLE DATA; Schema: clearwell; Owner: -
--

COPY clearwell.blob_hold (address, holder, file, wrapped_key, size) FROM stdin;
705e49ea9043dfb224324790ea7e26063d8e86df4f7c937276cad4b583101933	sub_01m6dqs9mtfq4rhh6vr8v1dn9r	f9370dfcbcac97c67c922ddca83d3425	\\x549b932f0162b6663c0371fb102b3ad642f22556b6a78e07030412e8990c9693cc3d0eebaeedc6f9a530095650263f9375c432c2ad6723ff59a4f1c8	341
705e49ea9043dfb224324790ea7e26063d8e86df4f7c937276cad4b583101933	sub_01m6dqs9myeg29n82jtkwjn5ne	f9370dfcbcac97c67c922ddca83d3425	\\xa8911d673bd6eaa2498a0e67a56308dc2ebf3618741d26edd0e3dd4c8013c1ebbe112d36434b0841e46b8d6ab6b85041f8b8a77a4c757f8797255821	341
\.


--
-- Data for Name: finding; Type: TABLE DATA; Schema: clearwell; Owner: -
--

COPY clearwell.finding (id, submission_id, organization_id, batch, "position", component, version, title, body, ai, marking, answer, first_answer, first_reason, case_id, has_proof, is_proven, received_at, ends_at) FROM stdin;
finding_01m6dqs9nae6qvgaxeng4hxyyr	sub_01m6dqs9myeg29n82jtkwjn5ne	org_01m6dqs9m5e98bakaj870dx91r	0	0	model:acme/router	\N	a heap overflow	{"rule": null, "crash": null, "proof": null, "title": "a heap overflow", "format": "clearwell-report", "origin": {"tool": "scout"}, "message": "in the parser", "product": {"model": "router", "vendor": "acme"}, "remarks": [], "severity": null, "locations": [], "weaknesses": [{"id": "CWE-787", "from": "weakness", "source": "stated"}], "external_id": null, "fingerprints": [], "preconditions": []}	f	TLP:AMBER	needs_proof	needs_proof	not known here; send a proof (docs/reference/proof.md) to have it reproduced	case_01m6dqs9nbf1xr9dwrchbatm5m	f	f	2026-11-02 09:00:00.029+00	2027-01-31 09:00:00.029+00
finding_01m6dqs9nff4h8q8gg0861v7r3	sub_01m6dqs9myeg29n82jtkwjn5ne	org_01m6dqs9m5e98bakaj870dx91r	0	1	model:acme/router	\N	a path escape	{"rule": null, "crash": null, "proof": null, "title": "a path escape", "format": "clearwell-report", "origin": {"tool": "scout"}, "message": "in the server", "product": {"model": "router", "vendor": "acme"}, "remarks": [], "severity": null, "locations": [], "weaknesses": [{"id": "CWE-22", "from": "weakness", "source": "stated"}], "external_id": null, "fingerprints": [], "preconditions": []}	f	TLP:AMBER	needs_proof	needs_proof	not known here; send a proof (docs/reference/proof.md) to have it reproduced	case_01m6dqs9ngftft0k0z2j43wy8t	f	f	2026-11-02 09:00:00.029+00	2027-01-31 09:00:00.029+00
finding_01m6dqs9nqebcsd8p5sw7x9amh	sub_01m6dqs9mtfq4rhh6vr8v1dn9r	org_01m6dqs9m1fc9bx651vxjyht13	0	0	model:acme/router	\N	a heap overflow	{"rule": null, "crash": null, "proof": null, "title": "a heap overflow", "format": "clearwell-report", "origin": {"tool": "scout"}, "message": "in the parser", "product": {"model": "router", "vendor": "acme"}, "remarks": [], "severity": null, "locations": [], "weaknesses": [{"id": "CWE-787", "from": "weakness", "source": "stated"}], "external_id": null, "fingerprints": [], "preconditions": []}	f	TLP:AMBER	needs_proof	needs_proof	not known here; send a proof (docs/reference/proof.md) to have it reproduced	case_01m6dqs9nrfqwazxqfawx7039k	f	f	2026-11-02 09:00:00.025+00	2027-01-31 09:00:00.025+00
finding_01m6dqs9nwfbmvdzv60bja1dnp	sub_01m6dqs9mtfq4rhh6vr8v1dn9r	org_01m6dqs9m1fc9bx651vxjyht13	0	1	model:acme/router	\N	a path escape	{"rule": null, "crash": null, "proof": null, "title": "a path escape", "format": "clearwell-report", "origin": {"tool": "scout"}, "message": "in the server", "product": {"model": "router", "vendor": "acme"}, "remarks": [], "severity": null, "locations": [], "weaknesses": [{"id": "CWE-22", "from": "weakness", "source": "stated"}], "external_id": null, "fingerprints": [], "preconditions": []}	f	TLP:AMBER	needs_proof	needs_proof	not known here; send a proof (docs/reference/proof.md) to have it reproduced	case_01m6dqs9nxejya9nx5yfjb6wj7	f	f	2026-11-02 09:00:00.025+00	2027-01-31 09:00:00.025+00
\.


--
-- Data for Name: fix; Type: TABLE DATA; Schema: clearwell; Owner: -
--

COPY clearwell.fix (id, case_id, kind, version, patch_address, claimed_by, claimed_at, state, reason, diff_address, diff_sha256, distributed_at) FROM stdin;
\.


--
-- Data for Name: holder_key; Type: TABLE DATA; Schema: clearwell; Owner: -
--

COPY clearwell.holder_key (holder, wrapped_key, created_at) FROM stdin;
sub_01m6dqs9mtfq4rhh6vr8v1dn9r	\\x4f055e803c7213c488671c9fd0cf41c660e62970a340b7a465da7ca15896004acd50e3afd741ce25b420fb9ef8c2db1c062746b4993a58eb93976cc4	2026-11-20 13:40:01.494388+00
sub_01m6dqs9myeg29n82jtkwjn5ne	\\xed6fc3ce3b29a59d2c805caf14362cd302b826409a0b7bee90be8f700bd50cc76064ab955d08fe45fcebed27af3dbefaa9259745c5327b161fbf952c	2026-11-20 13:40:01.5007+00
\.


--
-- Data for Name: installed; Type: TABLE DATA; Schema: clearwell; Owner: -
--

COPY clearwell.installed (inventory_id, organization_id, asset_id, component, version, found_in) FROM stdin;
inv_01m6dqs9mpf7gakn6ezk2kv2zc	org_01m6dqs9mde5n8n6q3wtat1eha	asset_01m6dqs9mnex6t0nw68dkx2sh5	pkg:pypi/jinja2	3.1.3	line 1
\.


--
-- Data for Name: inventory; Type: TABLE DATA; Schema: clearwell; Owner: -
--

COPY clearwell.inventory (id, organization_id, asset_id, format, sha256, components, received_at, is_current) FROM stdin;
inv_01m6dqs9mpf7gakn6ezk2kv2zc	org_01m6dqs9mde5n8n6q3wtat1eha	asset_01m6dqs9mnex6t0nw68dkx2sh5	pip-freeze	6f31b15f86d594a64de6b1c096bec1d1aa3dfea9b7b2ef6d07f2f52e0162905a	1	2026-11-02 09:00:00.02+00	t
\.


--
-- Data for Name: job_failure; Type: TABLE DATA; Schema: clearwell; Owner: -
--

COPY clearwell.job_failure (job_id, at, error) FROM stdin;
\.


--
-- Data for Name: ledger_entry; Type: TABLE DATA; Schema: clearwell; Owner: -
--

COPY clearwell.ledger_entry (id, type, about, written_at, body, log_index) FROM stdin;
entry_01m6dqs9mje0ab2q70z9k4bwz1	contact.recorded	\N	2026-11-02 09:00:00.019+00	\\x7b226174223a22323032362d31312d30325430393a30303a30302e3031393030305a222c226279223a22706572736f6e5f30316d36647173396d61666b3776337661387a61633668767379222c226964223a22656e7472795f30316d36647173396d6a65306162327137307a396b3462777a31222c227061796c6f6164223a7b22636f6d706f6e656e74223a7b2273616c7465645f736861323536223a2239323633333434323133323663306533393339336462353062303262323766346230303239383438636431346131393463646236343530623262393462626461227d2c226f726967696e223a227265676973747279227d2c2274797065223a22636f6e746163742e7265636f72646564227d	0
entry_01m6dqs9mqefgs3jewkrsx9sjh	inventory.received	\N	2026-11-02 09:00:00.024+00	\\x7b226174223a22323032362d31312d30325430393a30303a30302e3032343030305a222c226279223a226f70657261746f72222c226964223a22656e7472795f30316d36647173396d7165666773336a65776b72737839736a68222c227061796c6f6164223a7b22696e76656e746f7279223a7b2273616c7465645f736861323536223a2236316163373032353735356438356130373632346566386263613364633437353738396530356632353235646438336139643664633930613838333632613538227d2c226f7267616e697a6174696f6e223a7b2273616c7465645f736861323536223a2230653732373034346263373766343166613234353161353233636464613133313365303230303064666433323730623663643336626439333262386162306635227d7d2c2274797065223a22696e76656e746f72792e7265636569766564227d	1
entry_01m6dqs9mvfa6ve0ek041w42e5	submission.received	sub_01m6dqs9mtfq4rhh6vr8v1dn9r	2026-11-02 09:00:00.028+00	\\x7b226174223a22323032362d31312d30325430393a30303a30302e3032383030305a222c226279223a22706572736f6e5f30316d36647173396d3265796e72716534716a376a6b65356539222c226964223a22656e7472795f30316d36647173396d76666136766530656b3034317734326535222c227061796c6f6164223a7b22636f6e74656e74223a7b2273616c7465645f736861323536223a2236636532646233323636343832616138336534613738343433363737323133386438616663346264363830623332396461323232326337336234313937636161227d2c226f7267616e697a6174696f6e223a226f72675f30316d36647173396d31666339627836353176786a7968743133222c2273697a65223a3334312c227375626d697373696f6e223a227375625f30316d36647173396d74667134726868367672387631646e3972227d2c2274797065223a227375626d697373696f6e2e7265636569766564227d	2
entry_01m6dqs9mzfex8kcyrc3nbmndw	submission.received	sub_01m6dqs9myeg29n82jtkwjn5ne	2026-11-02 09:00:00.032+00	\\x7b226174223a22323032362d31312d30325430393a30303a30302e3033323030305a222c226279223a22706572736f6e5f30316d36647173396d3666656561747168767a66617136616a34222c226964223a22656e7472795f30316d36647173396d7a666578386b63797263336e626d6e6477222c227061796c6f6164223a7b22636f6e74656e74223a7b2273616c7465645f736861323536223a2231353633326431383966303765393663396232326330623739343236633161316230663139626164623130643538323362393837323134353561633133623634227d2c226f7267616e697a6174696f6e223a226f72675f30316d36647173396d3565393862616b616a3837306478393172222c2273697a65223a3334312c227375626d697373696f6e223a227375625f30316d36647173396d79656732396e38326a746b776a6e356e65227d2c2274797065223a227375626d697373696f6e2e7265636569766564227d	3
entry_01m6dqs9n2f9xbf1be9r6jzwhc	operator.matched	\N	2026-11-02 09:00:00.035+00	\\x7b226174223a22323032362d31312d30325430393a30303a30302e3033353030305a222c226279223a226f70657261746f72222c226964223a22656e7472795f30316d36647173396e3266397862663162653972366a7a776863222c227061796c6f6164223a7b226f7267616e697a6174696f6e223a7b2273616c7465645f736861323536223a2265366165623335653962666465663738376132376530393236393666323533663237386664353464383764643265653339666163653964626262346635356366227d2c22726573756c74223a7b2273616c7465645f736861323536223a2230633564636638383039376339666135623464616331386631393236326531643066303665623466643465323861313361613162636234353439366133646562227d7d2c2274797065223a226f70657261746f722e6d617463686564227d	4
entry_01m6dqs9n4epx924qxte5f1yrx	submission.read	sub_01m6dqs9mtfq4rhh6vr8v1dn9r	2026-11-02 09:00:00.037+00	\\x7b226174223a22323032362d31312d30325430393a30303a30302e3033373030305a222c226279223a2273797374656d3a696e74616b65222c226964223a22656e7472795f30316d36647173396e3465707839323471787465356631797278222c227061796c6f6164223a7b22707572706f7365223a22746f20626520706172736564222c227375626d697373696f6e223a227375625f30316d36647173396d74667134726868367672387631646e3972227d2c2274797065223a227375626d697373696f6e2e72656164227d	5
entry_01m6dqs9n6fjztz8pega9ygmfq	submission.read	sub_01m6dqs9myeg29n82jtkwjn5ne	2026-11-02 09:00:00.039+00	\\x7b226174223a22323032362d31312d30325430393a30303a30302e3033393030305a222c226279223a2273797374656d3a696e74616b65222c226964223a22656e7472795f30316d36647173396e36666a7a747a38706567613979676d6671222c227061796c6f6164223a7b22707572706f7365223a22746f20626520706172736564222c227375626d697373696f6e223a227375625f30316d36647173396d79656732396e38326a746b776a6e356e65227d2c2274797065223a227375626d697373696f6e2e72656164227d	6
entry_01m6dqs9nmfqv8awtff1nsat4x	batch.answered	sub_01m6dqs9myeg29n82jtkwjn5ne	2026-11-02 09:00:00.053+00	\\x7b226174223a22323032362d31312d30325430393a30303a30302e3035333030305a222c226279223a2273797374656d3a696e74616b65222c226964223a22656e7472795f30316d36647173396e6d667176386177746666316e7361743478222c227061796c6f6164223a7b226261746368223a302c226475706c6963617465223a302c2266696e64696e6773223a322c226e656564735f70726f6f66223a322c226e6577223a302c22726f6f74223a2264643863646237666430653064373633343465306139623564373037633538383238383938656661613333386239633434616232633561633662633935323231222c227375626d697373696f6e223a227375625f30316d36647173396d79656732396e38326a746b776a6e356e65227d2c2274797065223a2262617463682e616e737765726564227d	7
entry_01m6dqs9p1efw8xfcgnvs79z2j	batch.answered	sub_01m6dqs9mtfq4rhh6vr8v1dn9r	2026-11-02 09:00:00.066+00	\\x7b226174223a22323032362d31312d30325430393a30303a30302e3036363030305a222c226279223a2273797374656d3a696e74616b65222c226964223a22656e7472795f30316d3664717339703165667738786663676e767337397a326a222c227061796c6f6164223a7b226261746368223a302c226475706c6963617465223a302c2266696e64696e6773223a322c226e656564735f70726f6f66223a322c226e6577223a302c22726f6f74223a2236356538343534666435336530396665643739303466363361376637353164373330666130376132353761363730383761333237393462616363613634663662222c227375626d697373696f6e223a227375625f30316d36647173396d74667134726868367672387631646e3972227d2c2274797065223a2262617463682e616e737765726564227d	8
entry_01m6dqs9p3egtrwqjbwztzvhnm	batch.checked	sub_01m6dqs9myeg29n82jtkwjn5ne	2026-11-02 09:00:00.068+00	\\x7b226174223a22323032362d31312d30325430393a30303a30302e3036383030305a222c226279223a2273797374656d3a73616e697479222c226964223a22656e7472795f30316d366471733970336567747277716a62777a747a76686e6d222c227061796c6f6164223a7b226261746368223a302c22636865636b6564223a302c2272656675736564223a302c227375626d697373696f6e223a227375625f30316d36647173396d79656732396e38326a746b776a6e356e65227d2c2274797065223a2262617463682e636865636b6564227d	9
entry_01m6dqs9p6fb9tn55q6jxff2j4	batch.checked	sub_01m6dqs9mtfq4rhh6vr8v1dn9r	2026-11-02 09:00:00.071+00	\\x7b226174223a22323032362d31312d30325430393a30303a30302e3037313030305a222c226279223a2273797374656d3a73616e697479222c226964223a22656e7472795f30316d36647173397036666239746e353571366a786666326a34222c227061796c6f6164223a7b226261746368223a302c22636865636b6564223a302c2272656675736564223a302c227375626d697373696f6e223a227375625f30316d36647173396d74667134726868367672387631646e3972227d2c2274797065223a2262617463682e636865636b6564227d	10
entry_01m6dqs9pafvv8bm7f1vb0aq3v	extension.proposed	case_01m6dqs9nxejya9nx5yfjb6wj7	2026-11-02 09:00:00.075+00	\\x7b226174223a22323032362d31312d30325430393a30303a30302e3037353030305a222c226279223a22706572736f6e5f30316d36647173396d61666b3776337661387a61633668767379222c226964223a22656e7472795f30316d3664717339706166767638626d37663176623061713376222c227061796c6f6164223a7b2263617365223a22636173655f30316d36647173396e78656a7961396e783579666a6236776a37222c2270726f706f73616c223a2270726f706f73616c5f30316d36647173397039667237727a746a647170706572717a68227d2c2274797065223a22657874656e73696f6e2e70726f706f736564227d	11
\.


--
-- Data for Name: ledger_salt; Type: TABLE DATA; Schema: clearwell; Owner: -
--

COPY clearwell.ledger_salt (entry_id, field, organization_id, case_id, salt) FROM stdin;
entry_01m6dqs9mje0ab2q70z9k4bwz1	component	\N	\N	\\xb696afa51d3175000f7ca0b8307e8652
entry_01m6dqs9mqefgs3jewkrsx9sjh	organization	org_01m6dqs9mde5n8n6q3wtat1eha	\N	\\x81dfcf985030df8bca00505c9825bd67
entry_01m6dqs9mqefgs3jewkrsx9sjh	inventory	org_01m6dqs9mde5n8n6q3wtat1eha	\N	\\xa9194cd9643df7a5d19bdb22af47b599
entry_01m6dqs9mvfa6ve0ek041w42e5	content	org_01m6dqs9m1fc9bx651vxjyht13	\N	\\x4cb44067842d2896740bbe50fc40e321
entry_01m6dqs9mzfex8kcyrc3nbmndw	content	org_01m6dqs9m5e98bakaj870dx91r	\N	\\x3a8c0e7a508a4f47c40f66282fcce1d5
entry_01m6dqs9n2f9xbf1be9r6jzwhc	organization	org_01m6dqs9mde5n8n6q3wtat1eha	\N	\\x7e1f9cbbf9064cfab2a0e8dff4e963aa
entry_01m6dqs9n2f9xbf1be9r6jzwhc	result	org_01m6dqs9mde5n8n6q3wtat1eha	\N	\\xf0e6dc070a7e43387b81d5b80d6ff158
\.


--
-- Data for Name: link; Type: TABLE DATA; Schema: clearwell; Owner: -
--

COPY clearwell.link (id, case_id, participant_id, hash, acts, created_at, expires_at, revoked_at, code_hash, code_expires_at, code_tries) FROM stdin;
\.


--
-- Data for Name: mail; Type: TABLE DATA; Schema: clearwell; Owner: -
--

COPY clearwell.mail (id, sealed, created_at, sent_at) FROM stdin;
\.


--
-- Data for Name: maintainer_contact; Type: TABLE DATA; Schema: clearwell; Owner: -
--

COPY clearwell.maintainer_contact (component, name, contact, origin, open_reports_limit, recorded_by, recorded_at) FROM stdin;
pkg:npm/minimist	the maintainer	dev@minimist.example	registry	2	person_01m6dqs9mafk7v3va8zac6hvsy	2026-11-02 09:00:00.017+00
\.


--
-- Data for Name: organization; Type: TABLE DATA; Schema: clearwell; Owner: -
--

COPY clearwell.organization (id, name, kind, sector, size, system_class, time_zone, created_at) FROM stdin;
org_01m6dqs9m1fc9bx651vxjyht13	a lab	lab	\N	\N	\N	UTC	2026-11-02 09:00:00.003+00
org_01m6dqs9m5e98bakaj870dx91r	a lab	lab	\N	\N	\N	UTC	2026-11-02 09:00:00.007+00
org_01m6dqs9m9eb58h59vzathnsva	a coordinator	coordinator	\N	\N	\N	UTC	2026-11-02 09:00:00.011+00
org_01m6dqs9mde5n8n6q3wtat1eha	a operator	operator	health	small	ci_operator	UTC	2026-11-02 09:00:00.015+00
\.


--
-- Data for Name: participant; Type: TABLE DATA; Schema: clearwell; Owner: -
--

COPY clearwell.participant (id, case_id, organization_id, role, report_state, contact, contact_origin, joined_at, first_reported, credited) FROM stdin;
part_01m6dqs9ncekeahqr5r7dtk2ja	case_01m6dqs9nbf1xr9dwrchbatm5m	org_01m6dqs9m5e98bakaj870dx91r	finder	received	\N	\N	2026-11-02 09:00:00.04+00	2026-11-02 09:00:00.029+00	t
part_01m6dqs9nhee79tqt3xrvcj9kn	case_01m6dqs9ngftft0k0z2j43wy8t	org_01m6dqs9m5e98bakaj870dx91r	finder	received	\N	\N	2026-11-02 09:00:00.04+00	2026-11-02 09:00:00.029+00	t
part_01m6dqs9nse35b9tj8er1ymvr1	case_01m6dqs9nrfqwazxqfawx7039k	org_01m6dqs9m1fc9bx651vxjyht13	finder	received	\N	\N	2026-11-02 09:00:00.041+00	2026-11-02 09:00:00.025+00	t
part_01m6dqs9nyeqmr1w8b9gbra8s1	case_01m6dqs9nxejya9nx5yfjb6wj7	org_01m6dqs9m1fc9bx651vxjyht13	finder	received	\N	\N	2026-11-02 09:00:00.041+00	2026-11-02 09:00:00.025+00	t
\.


--
-- Data for Name: person; Type: TABLE DATA; Schema: clearwell; Owner: -
--

COPY clearwell.person (id, organization_id, name, email, created_at) FROM stdin;
person_01m6dqs9m2eynrqe4qj7jke5e9	org_01m6dqs9m1fc9bx651vxjyht13	somebody	\N	2026-11-02 09:00:00.004+00
person_01m6dqs9m6feeatqhvzfaq6aj4	org_01m6dqs9m5e98bakaj870dx91r	somebody	\N	2026-11-02 09:00:00.008+00
person_01m6dqs9mafk7v3va8zac6hvsy	org_01m6dqs9m9eb58h59vzathnsva	somebody	\N	2026-11-02 09:00:00.012+00
person_01m6dqs9mefnv8x4jyz3kn5ty4	org_01m6dqs9mde5n8n6q3wtat1eha	somebody	\N	2026-11-02 09:00:00.016+00
\.


--
-- Data for Name: proof; Type: TABLE DATA; Schema: clearwell; Owner: -
--

COPY clearwell.proof (id, finding_id, organization_id, case_id, address, folder_sha256, size, marking, received_at) FROM stdin;
\.


--
-- Data for Name: proof_read; Type: TABLE DATA; Schema: clearwell; Owner: -
--

COPY clearwell.proof_read (id, proof_id, organization_id, reader, purpose, at, entry_id) FROM stdin;
\.


--
-- Data for Name: proposal; Type: TABLE DATA; Schema: clearwell; Owner: -
--

COPY clearwell.proposal (id, organization_id, act, subject, payload, proposed_by, proposed_at, expires_at, confirmed_by, confirmed_at, withdrawn_at) FROM stdin;
proposal_01m6dqs9p9fr7rztjdqpperqzh	org_01m6dqs9m9eb58h59vzathnsva	extend_embargo	case_01m6dqs9nxejya9nx5yfjb6wj7	{"until": "2027-01-31T23:00:00.025000+00:00"}	person_01m6dqs9mafk7v3va8zac6hvsy	2026-11-02 09:00:00.072+00	2026-11-05 09:00:00.072+00	\N	\N	\N
\.


--
-- Data for Name: run; Type: TABLE DATA; Schema: clearwell; Owner: -
--

COPY clearwell.run (id, proof_id, finding_id, case_id, organization_id, fix_id, verdict, reason, body, started_at, finished_at) FROM stdin;
\.


--
-- Data for Name: session; Type: TABLE DATA; Schema: clearwell; Owner: -
--

COPY clearwell.session (hash, person_id, token_id, created_at, expires_at) FROM stdin;
\.


--
-- Data for Name: signature; Type: TABLE DATA; Schema: clearwell; Owner: -
--

COPY clearwell.signature (key, kind, version, rung, finding_id, submission_id, product_version, proven) FROM stdin;
\.


--
-- Data for Name: statement; Type: TABLE DATA; Schema: clearwell; Owner: -
--

COPY clearwell.statement (id, case_id, participant_id, kind, detail, made_at) FROM stdin;
\.


--
-- Data for Name: submission; Type: TABLE DATA; Schema: clearwell; Owner: -
--

COPY clearwell.submission (id, organization_id, sent_by, idempotency_key, content, address, size, name, target, marking, origin, state, format, tool, findings, batches, problems, received_at, parsed_at) FROM stdin;
sub_01m6dqs9myeg29n82jtkwjn5ne	org_01m6dqs9m5e98bakaj870dx91r	person_01m6dqs9m6feeatqhvzfaq6aj4	\N	\\x64a6083447a007ee4b14a24584736fa9a283e6226da24ce19b471b1d1d5a30d4	705e49ea9043dfb224324790ea7e26063d8e86df4f7c937276cad4b583101933	341	report.json	\N	TLP:AMBER	{}	parsed	clearwell-report	scout	2	1	[]	2026-11-02 09:00:00.029+00	2026-11-02 09:00:00.054+00
sub_01m6dqs9mtfq4rhh6vr8v1dn9r	org_01m6dqs9m1fc9bx651vxjyht13	person_01m6dqs9m2eynrqe4qj7jke5e9	\N	\\x64a6083447a007ee4b14a24584736fa9a283e6226da24ce19b471b1d1d5a30d4	705e49ea9043dfb224324790ea7e26063d8e86df4f7c937276cad4b583101933	341	report.json	\N	TLP:AMBER	{}	parsed	clearwell-report	scout	2	1	[]	2026-11-02 09:00:00.025+00	2026-11-02 09:00:00.069+00
\.


--
-- Data for Name: token; Type: TABLE DATA; Schema: clearwell; Owner: -
--

COPY clearwell.token (id, person_id, organization_id, label, hash, scopes, created_at, expires_at, revoked_at) FROM stdin;
\.


--
-- Data for Name: vulnerability_case; Type: TABLE DATA; Schema: clearwell; Owner: -
--

COPY clearwell.vulnerability_case (id, component, title, weaknesses, marking, letters, first_received, opened, ends_at, end_date_policy, proven_at, refused_at, refusal, fixed_at, published_at, extended_by, embargo, fires, clean, proof_id, aliases, automatable, technical_impact, merged_into, advisory_id, presented_at, reminded, priority, priority_reasons) FROM stdin;
case_01m6dqs9nbf1xr9dwrchbatm5m	model:acme/router	a heap overflow	{CWE-787}	TLP:AMBER	vfdpxa	2026-11-02 09:00:00.029+00	2026-11-02 09:00:00.04+00	2027-01-31 09:00:00.029+00	1	\N	\N	\N	\N	\N	{}	{"state": "active", "terms": {"ends_at": "2027-01-31T09:00:00.029000Z", "proposed_at": "2026-11-02T09:00:00.029000Z", "proposed_by": "part_01m6dqs9ncekeahqr5r7dtk2ja"}, "parties": [{"consent": "signatory", "participant": "part_01m6dqs9ncekeahqr5r7dtk2ja", "signed_until": "2027-01-31T09:00:00.029000Z"}], "ended_at": null, "proposal": null, "ended_because": null}	{}	{}	\N	{}	{}	{}	\N	\N	\N	{}	0	[]
case_01m6dqs9ngftft0k0z2j43wy8t	model:acme/router	a path escape	{CWE-22}	TLP:AMBER	vfdpxa	2026-11-02 09:00:00.029+00	2026-11-02 09:00:00.04+00	2027-01-31 09:00:00.029+00	1	\N	\N	\N	\N	\N	{}	{"state": "active", "terms": {"ends_at": "2027-01-31T09:00:00.029000Z", "proposed_at": "2026-11-02T09:00:00.029000Z", "proposed_by": "part_01m6dqs9nhee79tqt3xrvcj9kn"}, "parties": [{"consent": "signatory", "participant": "part_01m6dqs9nhee79tqt3xrvcj9kn", "signed_until": "2027-01-31T09:00:00.029000Z"}], "ended_at": null, "proposal": null, "ended_because": null}	{}	{}	\N	{}	{}	{}	\N	\N	\N	{}	0	[]
case_01m6dqs9nrfqwazxqfawx7039k	model:acme/router	a heap overflow	{CWE-787}	TLP:AMBER	vfdpxa	2026-11-02 09:00:00.025+00	2026-11-02 09:00:00.041+00	2027-01-31 09:00:00.025+00	1	\N	\N	\N	\N	\N	{}	{"state": "active", "terms": {"ends_at": "2027-01-31T09:00:00.025000Z", "proposed_at": "2026-11-02T09:00:00.025000Z", "proposed_by": "part_01m6dqs9nse35b9tj8er1ymvr1"}, "parties": [{"consent": "signatory", "participant": "part_01m6dqs9nse35b9tj8er1ymvr1", "signed_until": "2027-01-31T09:00:00.025000Z"}], "ended_at": null, "proposal": null, "ended_because": null}	{}	{}	\N	{}	{}	{}	\N	\N	\N	{}	0	[]
case_01m6dqs9nxejya9nx5yfjb6wj7	model:acme/router	a path escape	{CWE-22}	TLP:AMBER	vfdpxa	2026-11-02 09:00:00.025+00	2026-11-02 09:00:00.041+00	2027-01-31 09:00:00.025+00	1	\N	\N	\N	\N	\N	{}	{"state": "active", "terms": {"ends_at": "2027-01-31T09:00:00.025000Z", "proposed_at": "2026-11-02T09:00:00.025000Z", "proposed_by": "part_01m6dqs9nyeqmr1w8b9gbra8s1"}, "parties": [{"consent": "signatory", "participant": "part_01m6dqs9nyeqmr1w8b9gbra8s1", "signed_until": "2027-01-31T09:00:00.025000Z"}], "ended_at": null, "proposal": null, "ended_because": null}	{}	{}	\N	{}	{}	{}	\N	\N	\N	{}	0	[]
\.


--
-- Data for Name: _yoyo_log; Type: TABLE DATA; Schema: clearwell_migrations; Owner: -
--

COPY clearwell_migrations._yoyo_log (id, migration_hash, migration_id, operation, username, hostname, comment, created_at_utc) FROM stdin;
e25e8fec-e4e7-11f1-b537-02fc00000001	ab7b348892f8a59e439783c930a16792928ca3dcae5d31a26d189c8ff51178a6	0001_ground_scope	apply	root	localhost	\N	2026-11-20 13:40:01.162471
e263bec2-e4e7-11f1-b537-02fc00000001	328befe10b2484ee09a6695fcb41687f7f20a782e13c420f7f854c99fc359d21	0002_ground_identity	apply	root	localhost	\N	2026-11-20 13:40:01.196341
e266cf54-e4e7-11f1-b537-02fc00000001	d4d3c2f7e9c1cae9b7e745fc348ed96f230e9625a101cbd8f1c0c2bba5fa75e2	0003_ground_ledger	apply	root	localhost	\N	2026-11-20 13:40:01.216403
e269d0fa-e4e7-11f1-b537-02fc00000001	619336dbe93ae2ff369c37ad39555b5e18b433808865720c05a06b717815e03c	0004_ground_blob	apply	root	localhost	\N	2026-11-20 13:40:01.236109
e270f0e2-e4e7-11f1-b537-02fc00000001	71300cc6b16f63e1f361447687c4e2ad7caa0c82ab8aa6a22d5da14ae5368135	0005_clearinghouse_report	apply	root	localhost	\N	2026-11-20 13:40:01.282828
e27c71ec-e4e7-11f1-b537-02fc00000001	65f43565379a7b108d66b8716d7f162931922b1e040af8087e15087ec083cdea	0006_clearinghouse_case	apply	root	localhost	\N	2026-11-20 13:40:01.358247
e2822466-e4e7-11f1-b537-02fc00000001	572b18fdaf941977473e105f7b033710b1b3a59abc2946678c13e317a62d7469	0007_inventory	apply	root	localhost	\N	2026-11-20 13:40:01.395543
e2849444-e4e7-11f1-b537-02fc00000001	581391e09334bcddef32584a0b42b02073d5233bd3d1bcbf8589103490b3aa6e	0008_ground_jobs	apply	root	localhost	\N	2026-11-20 13:40:01.411508
\.


--
-- Data for Name: _yoyo_migration; Type: TABLE DATA; Schema: clearwell_migrations; Owner: -
--

COPY clearwell_migrations._yoyo_migration (migration_hash, migration_id, applied_at_utc) FROM stdin;
ab7b348892f8a59e439783c930a16792928ca3dcae5d31a26d189c8ff51178a6	0001_ground_scope	2026-11-20 13:40:01.165366
328befe10b2484ee09a6695fcb41687f7f20a782e13c420f7f854c99fc359d21	0002_ground_identity	2026-11-20 13:40:01.198119
d4d3c2f7e9c1cae9b7e745fc348ed96f230e9625a101cbd8f1c0c2bba5fa75e2	0003_ground_ledger	2026-11-20 13:40:01.217778
619336dbe93ae2ff369c37ad39555b5e18b433808865720c05a06b717815e03c	0004_ground_blob	2026-11-20 13:40:01.237643
71300cc6b16f63e1f361447687c4e2ad7caa0c82ab8aa6a22d5da14ae5368135	0005_clearinghouse_report	2026-11-20 13:40:01.284876
65f43565379a7b108d66b8716d7f162931922b1e040af8087e15087ec083cdea	0006_clearinghouse_case	2026-11-20 13:40:01.359074
572b18fdaf941977473e105f7b033710b1b3a59abc2946678c13e317a62d7469	0007_inventory	2026-11-20 13:40:01.397047
581391e09334bcddef32584a0b42b02073d5233bd3d1bcbf8589103490b3aa6e	0008_ground_jobs	2026-11-20 13:40:01.412138
\.


--
-- Data for Name: _yoyo_version; Type: TABLE DATA; Schema: clearwell_migrations; Owner: -
--

COPY clearwell_migrations._yoyo_version (version, installed_at_utc) FROM stdin;
2	2026-11-20 13:40:01.096895
\.


--
-- Data for Name: yoyo_lock; Type: TABLE DATA; Schema: clearwell_migrations; Owner: -
--

COPY clearwell_migrations.yoyo_lock (locked, ctime, pid) FROM stdin;
\.


--
-- Name: action action_once; Type: CONSTRAINT; Schema: clearwell; Owner: -
--

ALTER TABLE ONLY clearwell.action
    ADD CONSTRAINT action_once UNIQUE (organization_id, asset_id, advisory_id, component);


--
-- Name: action action_pkey; Type: CONSTRAINT; Schema: clearwell; Owner: -
--

ALTER TABLE ONLY clearwell.action
    ADD CONSTRAINT action_pkey PRIMARY KEY (id);


--
-- Name: advisory_component advisory_component_pkey; Type: CONSTRAINT; Schema: clearwell; Owner: -
--

ALTER TABLE ONLY clearwell.advisory_component
    ADD CONSTRAINT advisory_component_pkey PRIMARY KEY (component, advisory_id);


--
-- Name: advisory advisory_pkey; Type: CONSTRAINT; Schema: clearwell; Owner: -
--

ALTER TABLE ONLY clearwell.advisory
    ADD CONSTRAINT advisory_pkey PRIMARY KEY (id);


--
-- Name: advisory advisory_public_id_key; Type: CONSTRAINT; Schema: clearwell; Owner: -
--

ALTER TABLE ONLY clearwell.advisory
    ADD CONSTRAINT advisory_public_id_key UNIQUE (public_id);


--
-- Name: answer answer_pkey; Type: CONSTRAINT; Schema: clearwell; Owner: -
--

ALTER TABLE ONLY clearwell.answer
    ADD CONSTRAINT answer_pkey PRIMARY KEY (finding_id, number);


--
-- Name: appeal appeal_pkey; Type: CONSTRAINT; Schema: clearwell; Owner: -
--

ALTER TABLE ONLY clearwell.appeal
    ADD CONSTRAINT appeal_pkey PRIMARY KEY (id);


--
-- Name: asset asset_name; Type: CONSTRAINT; Schema: clearwell; Owner: -
--

ALTER TABLE ONLY clearwell.asset
    ADD CONSTRAINT asset_name UNIQUE (organization_id, name);


--
-- Name: asset asset_pkey; Type: CONSTRAINT; Schema: clearwell; Owner: -
--

ALTER TABLE ONLY clearwell.asset
    ADD CONSTRAINT asset_pkey PRIMARY KEY (id);


--
-- Name: attachment attachment_pkey; Type: CONSTRAINT; Schema: clearwell; Owner: -
--

ALTER TABLE ONLY clearwell.attachment
    ADD CONSTRAINT attachment_pkey PRIMARY KEY (id);


--
-- Name: blob_hold blob_hold_pkey; Type: CONSTRAINT; Schema: clearwell; Owner: -
--

ALTER TABLE ONLY clearwell.blob_hold
    ADD CONSTRAINT blob_hold_pkey PRIMARY KEY (address, holder);


--
-- Name: finding finding_pkey; Type: CONSTRAINT; Schema: clearwell; Owner: -
--

ALTER TABLE ONLY clearwell.finding
    ADD CONSTRAINT finding_pkey PRIMARY KEY (id);


--
-- Name: fix fix_pkey; Type: CONSTRAINT; Schema: clearwell; Owner: -
--

ALTER TABLE ONLY clearwell.fix
    ADD CONSTRAINT fix_pkey PRIMARY KEY (id);


--
-- Name: holder_key holder_key_pkey; Type: CONSTRAINT; Schema: clearwell; Owner: -
--

ALTER TABLE ONLY clearwell.holder_key
    ADD CONSTRAINT holder_key_pkey PRIMARY KEY (holder);


--
-- Name: inventory inventory_pkey; Type: CONSTRAINT; Schema: clearwell; Owner: -
--

ALTER TABLE ONLY clearwell.inventory
    ADD CONSTRAINT inventory_pkey PRIMARY KEY (id);


--
-- Name: ledger_entry ledger_entry_log_index_key; Type: CONSTRAINT; Schema: clearwell; Owner: -
--

ALTER TABLE ONLY clearwell.ledger_entry
    ADD CONSTRAINT ledger_entry_log_index_key UNIQUE (log_index);


--
-- Name: ledger_entry ledger_entry_pkey; Type: CONSTRAINT; Schema: clearwell; Owner: -
--

ALTER TABLE ONLY clearwell.ledger_entry
    ADD CONSTRAINT ledger_entry_pkey PRIMARY KEY (id);


--
-- Name: ledger_salt ledger_salt_pkey; Type: CONSTRAINT; Schema: clearwell; Owner: -
--

ALTER TABLE ONLY clearwell.ledger_salt
    ADD CONSTRAINT ledger_salt_pkey PRIMARY KEY (entry_id, field);


--
-- Name: link link_hash_key; Type: CONSTRAINT; Schema: clearwell; Owner: -
--

ALTER TABLE ONLY clearwell.link
    ADD CONSTRAINT link_hash_key UNIQUE (hash);


--
-- Name: link link_pkey; Type: CONSTRAINT; Schema: clearwell; Owner: -
--

ALTER TABLE ONLY clearwell.link
    ADD CONSTRAINT link_pkey PRIMARY KEY (id);


--
-- Name: mail mail_pkey; Type: CONSTRAINT; Schema: clearwell; Owner: -
--

ALTER TABLE ONLY clearwell.mail
    ADD CONSTRAINT mail_pkey PRIMARY KEY (id);


--
-- Name: maintainer_contact maintainer_contact_pkey; Type: CONSTRAINT; Schema: clearwell; Owner: -
--

ALTER TABLE ONLY clearwell.maintainer_contact
    ADD CONSTRAINT maintainer_contact_pkey PRIMARY KEY (component);


--
-- Name: organization organization_pkey; Type: CONSTRAINT; Schema: clearwell; Owner: -
--

ALTER TABLE ONLY clearwell.organization
    ADD CONSTRAINT organization_pkey PRIMARY KEY (id);


--
-- Name: participant participant_pkey; Type: CONSTRAINT; Schema: clearwell; Owner: -
--

ALTER TABLE ONLY clearwell.participant
    ADD CONSTRAINT participant_pkey PRIMARY KEY (id);


--
-- Name: person person_pkey; Type: CONSTRAINT; Schema: clearwell; Owner: -
--

ALTER TABLE ONLY clearwell.person
    ADD CONSTRAINT person_pkey PRIMARY KEY (id);


--
-- Name: proof proof_pkey; Type: CONSTRAINT; Schema: clearwell; Owner: -
--

ALTER TABLE ONLY clearwell.proof
    ADD CONSTRAINT proof_pkey PRIMARY KEY (id);


--
-- Name: proof_read proof_read_pkey; Type: CONSTRAINT; Schema: clearwell; Owner: -
--

ALTER TABLE ONLY clearwell.proof_read
    ADD CONSTRAINT proof_read_pkey PRIMARY KEY (id);


--
-- Name: proposal proposal_pkey; Type: CONSTRAINT; Schema: clearwell; Owner: -
--

ALTER TABLE ONLY clearwell.proposal
    ADD CONSTRAINT proposal_pkey PRIMARY KEY (id);


--
-- Name: run run_pkey; Type: CONSTRAINT; Schema: clearwell; Owner: -
--

ALTER TABLE ONLY clearwell.run
    ADD CONSTRAINT run_pkey PRIMARY KEY (id);


--
-- Name: session session_pkey; Type: CONSTRAINT; Schema: clearwell; Owner: -
--

ALTER TABLE ONLY clearwell.session
    ADD CONSTRAINT session_pkey PRIMARY KEY (hash);


--
-- Name: statement statement_pkey; Type: CONSTRAINT; Schema: clearwell; Owner: -
--

ALTER TABLE ONLY clearwell.statement
    ADD CONSTRAINT statement_pkey PRIMARY KEY (id);


--
-- Name: submission submission_content; Type: CONSTRAINT; Schema: clearwell; Owner: -
--

ALTER TABLE ONLY clearwell.submission
    ADD CONSTRAINT submission_content UNIQUE (organization_id, content);


--
-- Name: submission submission_key; Type: CONSTRAINT; Schema: clearwell; Owner: -
--

ALTER TABLE ONLY clearwell.submission
    ADD CONSTRAINT submission_key UNIQUE (organization_id, idempotency_key);


--
-- Name: submission submission_pkey; Type: CONSTRAINT; Schema: clearwell; Owner: -
--

ALTER TABLE ONLY clearwell.submission
    ADD CONSTRAINT submission_pkey PRIMARY KEY (id);


--
-- Name: token token_hash_key; Type: CONSTRAINT; Schema: clearwell; Owner: -
--

ALTER TABLE ONLY clearwell.token
    ADD CONSTRAINT token_hash_key UNIQUE (hash);


--
-- Name: token token_pkey; Type: CONSTRAINT; Schema: clearwell; Owner: -
--

ALTER TABLE ONLY clearwell.token
    ADD CONSTRAINT token_pkey PRIMARY KEY (id);


--
-- Name: vulnerability_case vulnerability_case_pkey; Type: CONSTRAINT; Schema: clearwell; Owner: -
--

ALTER TABLE ONLY clearwell.vulnerability_case
    ADD CONSTRAINT vulnerability_case_pkey PRIMARY KEY (id);


--
-- Name: _yoyo_log _yoyo_log_pkey; Type: CONSTRAINT; Schema: clearwell_migrations; Owner: -
--

ALTER TABLE ONLY clearwell_migrations._yoyo_log
    ADD CONSTRAINT _yoyo_log_pkey PRIMARY KEY (id);


--
-- Name: _yoyo_migration _yoyo_migration_pkey; Type: CONSTRAINT; Schema: clearwell_migrations; Owner: -
--

ALTER TABLE ONLY clearwell_migrations._yoyo_migration
    ADD CONSTRAINT _yoyo_migration_pkey PRIMARY KEY (migration_hash);


--
-- Name: _yoyo_version _yoyo_version_pkey; Type: CONSTRAINT; Schema: clearwell_migrations; Owner: -
--

ALTER TABLE ONLY clearwell_migrations._yoyo_version
    ADD CONSTRAINT _yoyo_version_pkey PRIMARY KEY (version);


--
-- Name: yoyo_lock yoyo_lock_pkey; Type: CONSTRAINT; Schema: clearwell_migrations; Owner: -
--

ALTER TABLE ONLY clearwell_migrations.yoyo_lock
    ADD CONSTRAINT yoyo_lock_pkey PRIMARY KEY (locked);


--
-- Name: action_list; Type: INDEX; Schema: clearwell; Owner: -
--

CREATE INDEX action_list ON clearwell.action USING btree (organization_id, priority DESC, id) WHERE (receipt <> 'installed'::text);


--
-- Name: appeal_open; Type: INDEX; Schema: clearwell; Owner: -
--

CREATE UNIQUE INDEX appeal_open ON clearwell.appeal USING btree (finding_id) WHERE (decided_at IS NULL);


--
-- Name: attachment_case; Type: INDEX; Schema: clearwell; Owner: -
--

CREATE INDEX attachment_case ON clearwell.attachment USING btree (case_id);


--
-- Name: attachment_finding; Type: INDEX; Schema: clearwell; Owner: -
--

CREATE INDEX attachment_finding ON clearwell.attachment USING btree (finding_id);


--
-- Name: blob_hold_file; Type: INDEX; Schema: clearwell; Owner: -
--

CREATE INDEX blob_hold_file ON clearwell.blob_hold USING btree (file);


--
-- Name: blob_hold_holder; Type: INDEX; Schema: clearwell; Owner: -
--

CREATE INDEX blob_hold_holder ON clearwell.blob_hold USING btree (holder);


--
-- Name: case_component; Type: INDEX; Schema: clearwell; Owner: -
--

CREATE INDEX case_component ON clearwell.vulnerability_case USING btree (component) WHERE (proven_at IS NOT NULL);


--
-- Name: case_list; Type: INDEX; Schema: clearwell; Owner: -
--

CREATE INDEX case_list ON clearwell.vulnerability_case USING btree (priority DESC, id) WHERE (merged_into IS NULL);


--
-- Name: case_open; Type: INDEX; Schema: clearwell; Owner: -
--

CREATE INDEX case_open ON clearwell.vulnerability_case USING btree (ends_at) WHERE ((published_at IS NULL) AND (merged_into IS NULL));


--
-- Name: finding_case; Type: INDEX; Schema: clearwell; Owner: -
--

CREATE INDEX finding_case ON clearwell.finding USING btree (case_id);


--
-- Name: finding_place; Type: INDEX; Schema: clearwell; Owner: -
--

CREATE UNIQUE INDEX finding_place ON clearwell.finding USING btree (submission_id, "position");


--
-- Name: fix_case; Type: INDEX; Schema: clearwell; Owner: -
--

CREATE INDEX fix_case ON clearwell.fix USING btree (case_id, id);


--
-- Name: installed_component; Type: INDEX; Schema: clearwell; Owner: -
--

CREATE INDEX installed_component ON clearwell.installed USING btree (organization_id, component);


--
-- Name: installed_inventory; Type: INDEX; Schema: clearwell; Owner: -
--

CREATE INDEX installed_inventory ON clearwell.installed USING btree (inventory_id);


--
-- Name: inventory_current; Type: INDEX; Schema: clearwell; Owner: -
--

CREATE UNIQUE INDEX inventory_current ON clearwell.inventory USING btree (organization_id, asset_id) WHERE is_current;


--
-- Name: job_failure_job; Type: INDEX; Schema: clearwell; Owner: -
--

CREATE INDEX job_failure_job ON clearwell.job_failure USING btree (job_id);


--
-- Name: ledger_about; Type: INDEX; Schema: clearwell; Owner: -
--

CREATE INDEX ledger_about ON clearwell.ledger_entry USING btree (about, type);


--
-- Name: ledger_waiting; Type: INDEX; Schema: clearwell; Owner: -
--

CREATE INDEX ledger_waiting ON clearwell.ledger_entry USING btree (id) WHERE (log_index IS NULL);


--
-- Name: participant_finder; Type: INDEX; Schema: clearwell; Owner: -
--

CREATE UNIQUE INDEX participant_finder ON clearwell.participant USING btree (case_id, organization_id) WHERE (organization_id IS NOT NULL);


--
-- Name: participant_mine; Type: INDEX; Schema: clearwell; Owner: -
--

CREATE INDEX participant_mine ON clearwell.participant USING btree (organization_id, id);


--
-- Name: proof_case; Type: INDEX; Schema: clearwell; Owner: -
--

CREATE INDEX proof_case ON clearwell.proof USING btree (case_id);


--
-- Name: proof_finding; Type: INDEX; Schema: clearwell; Owner: -
--

CREATE INDEX proof_finding ON clearwell.proof USING btree (finding_id);


--
-- Name: proof_read_proof; Type: INDEX; Schema: clearwell; Owner: -
--

CREATE INDEX proof_read_proof ON clearwell.proof_read USING btree (proof_id, id);


--
-- Name: proposal_open; Type: INDEX; Schema: clearwell; Owner: -
--

CREATE INDEX proposal_open ON clearwell.proposal USING btree (act, subject) WHERE ((confirmed_at IS NULL) AND (withdrawn_at IS NULL));


--
-- Name: run_case; Type: INDEX; Schema: clearwell; Owner: -
--

CREATE INDEX run_case ON clearwell.run USING btree (case_id, id);


--
-- Name: run_finding; Type: INDEX; Schema: clearwell; Owner: -
--

CREATE INDEX run_finding ON clearwell.run USING btree (finding_id, id);


--
-- Name: signature_finding; Type: INDEX; Schema: clearwell; Owner: -
--

CREATE INDEX signature_finding ON clearwell.signature USING btree (finding_id);


--
-- Name: signature_key; Type: INDEX; Schema: clearwell; Owner: -
--

CREATE INDEX signature_key ON clearwell.signature USING btree (key);


--
-- Name: statement_case; Type: INDEX; Schema: clearwell; Owner: -
--

CREATE INDEX statement_case ON clearwell.statement USING btree (case_id, id);


--
-- Name: submission_recent; Type: INDEX; Schema: clearwell; Owner: -
--

CREATE INDEX submission_recent ON clearwell.submission USING btree (organization_id, id);


--
-- Name: advisory_component advisory_component_advisory_id_fkey; Type: FK CONSTRAINT; Schema: clearwell; Owner: -
--

ALTER TABLE ONLY clearwell.advisory_component
    ADD CONSTRAINT advisory_component_advisory_id_fkey FOREIGN KEY (advisory_id) REFERENCES clearwell.advisory(id);


--
-- Name: appeal appeal_finding_id_fkey; Type: FK CONSTRAINT; Schema: clearwell; Owner: -
--

ALTER TABLE ONLY clearwell.appeal
    ADD CONSTRAINT appeal_finding_id_fkey FOREIGN KEY (finding_id) REFERENCES clearwell.finding(id);


--
-- Name: ledger_salt ledger_salt_entry_id_fkey; Type: FK CONSTRAINT; Schema: clearwell; Owner: -
--

ALTER TABLE ONLY clearwell.ledger_salt
    ADD CONSTRAINT ledger_salt_entry_id_fkey FOREIGN KEY (entry_id) REFERENCES clearwell.ledger_entry(id);


--
-- Name: person person_organization_id_fkey; Type: FK CONSTRAINT; Schema: clearwell; Owner: -
--

ALTER TABLE ONLY clearwell.person
    ADD CONSTRAINT person_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES clearwell.organization(id);


--
-- Name: proposal proposal_confirmed_by_fkey; Type: FK CONSTRAINT; Schema: clearwell; Owner: -
--

ALTER TABLE ONLY clearwell.proposal
    ADD CONSTRAINT proposal_confirmed_by_fkey FOREIGN KEY (confirmed_by) REFERENCES clearwell.person(id);


--
-- Name: proposal proposal_organization_id_fkey; Type: FK CONSTRAINT; Schema: clearwell; Owner: -
--

ALTER TABLE ONLY clearwell.proposal
    ADD CONSTRAINT proposal_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES clearwell.organization(id);


--
-- Name: proposal proposal_proposed_by_fkey; Type: FK CONSTRAINT; Schema: clearwell; Owner: -
--

ALTER TABLE ONLY clearwell.proposal
    ADD CONSTRAINT proposal_proposed_by_fkey FOREIGN KEY (proposed_by) REFERENCES clearwell.person(id);


--
-- Name: session session_person_id_fkey; Type: FK CONSTRAINT; Schema: clearwell; Owner: -
--

ALTER TABLE ONLY clearwell.session
    ADD CONSTRAINT session_person_id_fkey FOREIGN KEY (person_id) REFERENCES clearwell.person(id);


--
-- Name: session session_token_id_fkey; Type: FK CONSTRAINT; Schema: clearwell; Owner: -
--

ALTER TABLE ONLY clearwell.session
    ADD CONSTRAINT session_token_id_fkey FOREIGN KEY (token_id) REFERENCES clearwell.token(id);


--
-- Name: submission submission_organization_id_fkey; Type: FK CONSTRAINT; Schema: clearwell; Owner: -
--

ALTER TABLE ONLY clearwell.submission
    ADD CONSTRAINT submission_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES clearwell.organization(id);


--
-- Name: token token_organization_id_fkey; Type: FK CONSTRAINT; Schema: clearwell; Owner: -
--

ALTER TABLE ONLY clearwell.token
    ADD CONSTRAINT token_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES clearwell.organization(id);


--
-- Name: token token_person_id_fkey; Type: FK CONSTRAINT; Schema: clearwell; Owner: -
--

ALTER TABLE ONLY clearwell.token
    ADD CONSTRAINT token_person_id_fkey FOREIGN KEY (person_id) REFERENCES clearwell.person(id);


--
-- Name: action; Type: ROW SECURITY; Schema: clearwell; Owner: -
--

ALTER TABLE clearwell.action ENABLE ROW LEVEL SECURITY;

--
-- Name: advisory; Type: ROW SECURITY; Schema: clearwell; Owner: -
--

ALTER TABLE clearwell.advisory ENABLE ROW LEVEL SECURITY;

--
-- Name: advisory_component; Type: ROW SECURITY; Schema: clearwell; Owner: -
--

ALTER TABLE clearwell.advisory_component ENABLE ROW LEVEL SECURITY;

--
-- Name: answer; Type: ROW SECURITY; Schema: clearwell; Owner: -
--

ALTER TABLE clearwell.answer ENABLE ROW LEVEL SECURITY;

--
-- Name: appeal; Type: ROW SECURITY; Schema: clearwell; Owner: -
--

ALTER TABLE clearwell.appeal ENABLE ROW LEVEL SECURITY;

--
-- Name: appeal appeal; Type: POLICY; Schema: clearwell; Owner: -
--

CREATE POLICY appeal ON clearwell.appeal FOR INSERT WITH CHECK ((organization_id = ( SELECT clearwell.my_organization() AS my_organization)));


--
-- Name: asset; Type: ROW SECURITY; Schema: clearwell; Owner: -
--

ALTER TABLE clearwell.asset ENABLE ROW LEVEL SECURITY;

--
-- Name: attachment; Type: ROW SECURITY; Schema: clearwell; Owner: -
--

ALTER TABLE clearwell.attachment ENABLE ROW LEVEL SECURITY;

--
-- Name: blob_hold; Type: ROW SECURITY; Schema: clearwell; Owner: -
--

ALTER TABLE clearwell.blob_hold ENABLE ROW LEVEL SECURITY;

--
-- Name: blob_hold blobs; Type: POLICY; Schema: clearwell; Owner: -
--

CREATE POLICY blobs ON clearwell.blob_hold USING (( SELECT clearwell.is_system(VARIADIC ARRAY['system:blobs'::text]) AS is_system));


--
-- Name: holder_key blobs; Type: POLICY; Schema: clearwell; Owner: -
--

CREATE POLICY blobs ON clearwell.holder_key USING (( SELECT clearwell.is_system(VARIADIC ARRAY['system:blobs'::text]) AS is_system));


--
-- Name: proof_read contributor; Type: POLICY; Schema: clearwell; Owner: -
--

CREATE POLICY contributor ON clearwell.proof_read FOR SELECT USING ((organization_id = ( SELECT clearwell.my_organization() AS my_organization)));


--
-- Name: answer coordinator; Type: POLICY; Schema: clearwell; Owner: -
--

CREATE POLICY coordinator ON clearwell.answer USING ((( SELECT clearwell.my_kind() AS my_kind) = 'coordinator'::text));


--
-- Name: appeal coordinator; Type: POLICY; Schema: clearwell; Owner: -
--

CREATE POLICY coordinator ON clearwell.appeal USING ((( SELECT clearwell.my_kind() AS my_kind) = 'coordinator'::text));


--
-- Name: attachment coordinator; Type: POLICY; Schema: clearwell; Owner: -
--

CREATE POLICY coordinator ON clearwell.attachment USING ((( SELECT clearwell.my_kind() AS my_kind) = 'coordinator'::text));


--
-- Name: finding coordinator; Type: POLICY; Schema: clearwell; Owner: -
--

CREATE POLICY coordinator ON clearwell.finding FOR SELECT USING ((( SELECT clearwell.my_kind() AS my_kind) = 'coordinator'::text));


--
-- Name: fix coordinator; Type: POLICY; Schema: clearwell; Owner: -
--

CREATE POLICY coordinator ON clearwell.fix USING ((( SELECT clearwell.my_kind() AS my_kind) = 'coordinator'::text));


--
-- Name: ledger_salt coordinator; Type: POLICY; Schema: clearwell; Owner: -
--

CREATE POLICY coordinator ON clearwell.ledger_salt FOR SELECT USING (((case_id IS NOT NULL) AND (( SELECT clearwell.my_kind() AS my_kind) = 'coordinator'::text)));


--
-- Name: link coordinator; Type: POLICY; Schema: clearwell; Owner: -
--

CREATE POLICY coordinator ON clearwell.link USING ((( SELECT clearwell.my_kind() AS my_kind) = 'coordinator'::text));


--
-- Name: maintainer_contact coordinator; Type: POLICY; Schema: clearwell; Owner: -
--

CREATE POLICY coordinator ON clearwell.maintainer_contact USING ((( SELECT clearwell.my_kind() AS my_kind) = 'coordinator'::text));


--
-- Name: organization coordinator; Type: POLICY; Schema: clearwell; Owner: -
--

CREATE POLICY coordinator ON clearwell.organization FOR SELECT USING ((( SELECT clearwell.my_kind() AS my_kind) = 'coordinator'::text));


--
-- Name: participant coordinator; Type: POLICY; Schema: clearwell; Owner: -
--

CREATE POLICY coordinator ON clearwell.participant USING ((( SELECT clearwell.my_kind() AS my_kind) = 'coordinator'::text));


--
-- Name: proof coordinator; Type: POLICY; Schema: clearwell; Owner: -
--

CREATE POLICY coordinator ON clearwell.proof USING ((( SELECT clearwell.my_kind() AS my_kind) = 'coordinator'::text));


--
-- Name: proof_read coordinator; Type: POLICY; Schema: clearwell; Owner: -
--

CREATE POLICY coordinator ON clearwell.proof_read FOR SELECT USING ((( SELECT clearwell.my_kind() AS my_kind) = 'coordinator'::text));


--
-- Name: run coordinator; Type: POLICY; Schema: clearwell; Owner: -
--

CREATE POLICY coordinator ON clearwell.run USING ((( SELECT clearwell.my_kind() AS my_kind) = 'coordinator'::text));


--
-- Name: statement coordinator; Type: POLICY; Schema: clearwell; Owner: -
--

CREATE POLICY coordinator ON clearwell.statement USING ((( SELECT clearwell.my_kind() AS my_kind) = 'coordinator'::text));


--
-- Name: submission coordinator; Type: POLICY; Schema: clearwell; Owner: -
--

CREATE POLICY coordinator ON clearwell.submission FOR SELECT USING ((( SELECT clearwell.my_kind() AS my_kind) = 'coordinator'::text));


--
-- Name: vulnerability_case coordinator; Type: POLICY; Schema: clearwell; Owner: -
--

CREATE POLICY coordinator ON clearwell.vulnerability_case USING ((( SELECT clearwell.my_kind() AS my_kind) = 'coordinator'::text));


--
-- Name: finding coordinator_moves; Type: POLICY; Schema: clearwell; Owner: -
--

CREATE POLICY coordinator_moves ON clearwell.finding FOR UPDATE USING ((( SELECT clearwell.my_kind() AS my_kind) = 'coordinator'::text));


--
-- Name: advisory everyone; Type: POLICY; Schema: clearwell; Owner: -
--

CREATE POLICY everyone ON clearwell.advisory FOR SELECT USING (true);


--
-- Name: advisory_component everyone; Type: POLICY; Schema: clearwell; Owner: -
--

CREATE POLICY everyone ON clearwell.advisory_component FOR SELECT USING (true);


--
-- Name: finding; Type: ROW SECURITY; Schema: clearwell; Owner: -
--

ALTER TABLE clearwell.finding ENABLE ROW LEVEL SECURITY;

--
-- Name: fix; Type: ROW SECURITY; Schema: clearwell; Owner: -
--

ALTER TABLE clearwell.fix ENABLE ROW LEVEL SECURITY;

--
-- Name: holder_key; Type: ROW SECURITY; Schema: clearwell; Owner: -
--

ALTER TABLE clearwell.holder_key ENABLE ROW LEVEL SECURITY;

--
-- Name: organization identity; Type: POLICY; Schema: clearwell; Owner: -
--

CREATE POLICY identity ON clearwell.organization USING (( SELECT clearwell.is_system(VARIADIC ARRAY['system:identity'::text]) AS is_system));


--
-- Name: person identity; Type: POLICY; Schema: clearwell; Owner: -
--

CREATE POLICY identity ON clearwell.person USING (( SELECT clearwell.is_system(VARIADIC ARRAY['system:identity'::text]) AS is_system));


--
-- Name: session identity; Type: POLICY; Schema: clearwell; Owner: -
--

CREATE POLICY identity ON clearwell.session USING (( SELECT clearwell.is_system(VARIADIC ARRAY['system:identity'::text]) AS is_system));


--
-- Name: token identity; Type: POLICY; Schema: clearwell; Owner: -
--

CREATE POLICY identity ON clearwell.token USING (( SELECT clearwell.is_system(VARIADIC ARRAY['system:identity'::text]) AS is_system));


--
-- Name: installed; Type: ROW SECURITY; Schema: clearwell; Owner: -
--

ALTER TABLE clearwell.installed ENABLE ROW LEVEL SECURITY;

--
-- Name: submission intake; Type: POLICY; Schema: clearwell; Owner: -
--

CREATE POLICY intake ON clearwell.submission USING (( SELECT clearwell.is_system(VARIADIC ARRAY['system:intake'::text]) AS is_system));


--
-- Name: inventory; Type: ROW SECURITY; Schema: clearwell; Owner: -
--

ALTER TABLE clearwell.inventory ENABLE ROW LEVEL SECURITY;

--
-- Name: ledger_salt; Type: ROW SECURITY; Schema: clearwell; Owner: -
--

ALTER TABLE clearwell.ledger_salt ENABLE ROW LEVEL SECURITY;

--
-- Name: link; Type: ROW SECURITY; Schema: clearwell; Owner: -
--

ALTER TABLE clearwell.link ENABLE ROW LEVEL SECURITY;

--
-- Name: finding linked; Type: POLICY; Schema: clearwell; Owner: -
--

CREATE POLICY linked ON clearwell.finding FOR SELECT USING (((case_id = ( SELECT clearwell.my_case() AS my_case)) AND (marking <> 'TLP:RED'::text)));


--
-- Name: fix linked; Type: POLICY; Schema: clearwell; Owner: -
--

CREATE POLICY linked ON clearwell.fix USING ((case_id = ( SELECT clearwell.my_case() AS my_case)));


--
-- Name: link linked; Type: POLICY; Schema: clearwell; Owner: -
--

CREATE POLICY linked ON clearwell.link USING ((participant_id = ( SELECT clearwell.my_participant() AS my_participant)));


--
-- Name: participant linked; Type: POLICY; Schema: clearwell; Owner: -
--

CREATE POLICY linked ON clearwell.participant FOR SELECT USING ((id = ( SELECT clearwell.my_participant() AS my_participant)));


--
-- Name: proof linked; Type: POLICY; Schema: clearwell; Owner: -
--

CREATE POLICY linked ON clearwell.proof FOR SELECT USING (((case_id = ( SELECT clearwell.my_case() AS my_case)) AND (marking <> 'TLP:RED'::text)));


--
-- Name: run linked; Type: POLICY; Schema: clearwell; Owner: -
--

CREATE POLICY linked ON clearwell.run FOR SELECT USING (((case_id = ( SELECT clearwell.my_case() AS my_case)) AND (proof_id IN ( SELECT p.id
   FROM clearwell.proof p
  WHERE (p.marking <> 'TLP:RED'::text)))));


--
-- Name: statement linked; Type: POLICY; Schema: clearwell; Owner: -
--

CREATE POLICY linked ON clearwell.statement USING (((case_id = ( SELECT clearwell.my_case() AS my_case)) AND (participant_id = ( SELECT clearwell.my_participant() AS my_participant))));


--
-- Name: vulnerability_case linked; Type: POLICY; Schema: clearwell; Owner: -
--

CREATE POLICY linked ON clearwell.vulnerability_case FOR SELECT USING ((id = ( SELECT clearwell.my_case() AS my_case)));


--
-- Name: mail; Type: ROW SECURITY; Schema: clearwell; Owner: -
--

ALTER TABLE clearwell.mail ENABLE ROW LEVEL SECURITY;

--
-- Name: maintainer_contact; Type: ROW SECURITY; Schema: clearwell; Owner: -
--

ALTER TABLE clearwell.maintainer_contact ENABLE ROW LEVEL SECURITY;

--
-- Name: organization matching; Type: POLICY; Schema: clearwell; Owner: -
--

CREATE POLICY matching ON clearwell.organization FOR SELECT USING ((( SELECT clearwell.is_system(VARIADIC ARRAY['system:distribution'::text]) AS is_system) AND (kind = ANY (ARRAY['operator'::text, 'agency'::text]))));


--
-- Name: organization; Type: ROW SECURITY; Schema: clearwell; Owner: -
--

ALTER TABLE clearwell.organization ENABLE ROW LEVEL SECURITY;

--
-- Name: action own; Type: POLICY; Schema: clearwell; Owner: -
--

CREATE POLICY own ON clearwell.action USING ((organization_id = ( SELECT clearwell.my_organization() AS my_organization)));


--
-- Name: answer own; Type: POLICY; Schema: clearwell; Owner: -
--

CREATE POLICY own ON clearwell.answer FOR SELECT USING ((organization_id = ( SELECT clearwell.my_organization() AS my_organization)));


--
-- Name: appeal own; Type: POLICY; Schema: clearwell; Owner: -
--

CREATE POLICY own ON clearwell.appeal FOR SELECT USING ((organization_id = ( SELECT clearwell.my_organization() AS my_organization)));


--
-- Name: asset own; Type: POLICY; Schema: clearwell; Owner: -
--

CREATE POLICY own ON clearwell.asset USING ((organization_id = ( SELECT clearwell.my_organization() AS my_organization)));


--
-- Name: finding own; Type: POLICY; Schema: clearwell; Owner: -
--

CREATE POLICY own ON clearwell.finding FOR SELECT USING ((organization_id = ( SELECT clearwell.my_organization() AS my_organization)));


--
-- Name: installed own; Type: POLICY; Schema: clearwell; Owner: -
--

CREATE POLICY own ON clearwell.installed USING ((organization_id = ( SELECT clearwell.my_organization() AS my_organization)));


--
-- Name: inventory own; Type: POLICY; Schema: clearwell; Owner: -
--

CREATE POLICY own ON clearwell.inventory USING ((organization_id = ( SELECT clearwell.my_organization() AS my_organization)));


--
-- Name: ledger_salt own; Type: POLICY; Schema: clearwell; Owner: -
--

CREATE POLICY own ON clearwell.ledger_salt FOR SELECT USING ((organization_id = ( SELECT clearwell.my_organization() AS my_organization)));


--
-- Name: organization own; Type: POLICY; Schema: clearwell; Owner: -
--

CREATE POLICY own ON clearwell.organization FOR SELECT USING ((id = ( SELECT clearwell.my_organization() AS my_organization)));


--
-- Name: person own; Type: POLICY; Schema: clearwell; Owner: -
--

CREATE POLICY own ON clearwell.person FOR SELECT USING ((organization_id = ( SELECT clearwell.my_organization() AS my_organization)));


--
-- Name: proof own; Type: POLICY; Schema: clearwell; Owner: -
--

CREATE POLICY own ON clearwell.proof FOR SELECT USING ((organization_id = ( SELECT clearwell.my_organization() AS my_organization)));


--
-- Name: proposal own; Type: POLICY; Schema: clearwell; Owner: -
--

CREATE POLICY own ON clearwell.proposal USING ((organization_id = ( SELECT clearwell.my_organization() AS my_organization)));


--
-- Name: run own; Type: POLICY; Schema: clearwell; Owner: -
--

CREATE POLICY own ON clearwell.run FOR SELECT USING (((organization_id = ( SELECT clearwell.my_organization() AS my_organization)) AND (fix_id IS NULL)));


--
-- Name: submission own; Type: POLICY; Schema: clearwell; Owner: -
--

CREATE POLICY own ON clearwell.submission FOR SELECT USING ((organization_id = ( SELECT clearwell.my_organization() AS my_organization)));


--
-- Name: token own; Type: POLICY; Schema: clearwell; Owner: -
--

CREATE POLICY own ON clearwell.token FOR SELECT USING ((organization_id = ( SELECT clearwell.my_organization() AS my_organization)));


--
-- Name: participant; Type: ROW SECURITY; Schema: clearwell; Owner: -
--

ALTER TABLE clearwell.participant ENABLE ROW LEVEL SECURITY;

--
-- Name: person; Type: ROW SECURITY; Schema: clearwell; Owner: -
--

ALTER TABLE clearwell.person ENABLE ROW LEVEL SECURITY;

--
-- Name: mail post; Type: POLICY; Schema: clearwell; Owner: -
--

CREATE POLICY post ON clearwell.mail USING (( SELECT clearwell.is_system(VARIADIC ARRAY['system:post'::text]) AS is_system));


--
-- Name: proof; Type: ROW SECURITY; Schema: clearwell; Owner: -
--

ALTER TABLE clearwell.proof ENABLE ROW LEVEL SECURITY;

--
-- Name: proof_read; Type: ROW SECURITY; Schema: clearwell; Owner: -
--

ALTER TABLE clearwell.proof_read ENABLE ROW LEVEL SECURITY;

--
-- Name: proposal; Type: ROW SECURITY; Schema: clearwell; Owner: -
--

ALTER TABLE clearwell.proposal ENABLE ROW LEVEL SECURITY;

--
-- Name: advisory publishing; Type: POLICY; Schema: clearwell; Owner: -
--

CREATE POLICY publishing ON clearwell.advisory USING (( SELECT clearwell.is_system(VARIADIC ARRAY['system:distribution'::text]) AS is_system));


--
-- Name: advisory_component publishing; Type: POLICY; Schema: clearwell; Owner: -
--

CREATE POLICY publishing ON clearwell.advisory_component USING (( SELECT clearwell.is_system(VARIADIC ARRAY['system:distribution'::text]) AS is_system));


--
-- Name: run; Type: ROW SECURITY; Schema: clearwell; Owner: -
--

ALTER TABLE clearwell.run ENABLE ROW LEVEL SECURITY;

--
-- Name: submission send; Type: POLICY; Schema: clearwell; Owner: -
--

CREATE POLICY send ON clearwell.submission FOR INSERT WITH CHECK ((organization_id = ( SELECT clearwell.my_organization() AS my_organization)));


--
-- Name: session; Type: ROW SECURITY; Schema: clearwell; Owner: -
--

ALTER TABLE clearwell.session ENABLE ROW LEVEL SECURITY;

--
-- Name: signature; Type: ROW SECURITY; Schema: clearwell; Owner: -
--

ALTER TABLE clearwell.signature ENABLE ROW LEVEL SECURITY;

--
-- Name: statement; Type: ROW SECURITY; Schema: clearwell; Owner: -
--

ALTER TABLE clearwell.statement ENABLE ROW LEVEL SECURITY;

--
-- Name: submission; Type: ROW SECURITY; Schema: clearwell; Owner: -
--

ALTER TABLE clearwell.submission ENABLE ROW LEVEL SECURITY;

--
-- Name: answer systems; Type: POLICY; Schema: clearwell; Owner: -
--

CREATE POLICY systems ON clearwell.answer USING (( SELECT clearwell.is_system(VARIADIC ARRAY['system:intake'::text, 'system:sanity'::text, 'system:dedupe'::text, 'system:proving'::text, 'system:case'::text]) AS is_system));


--
-- Name: attachment systems; Type: POLICY; Schema: clearwell; Owner: -
--

CREATE POLICY systems ON clearwell.attachment USING (( SELECT clearwell.is_system(VARIADIC ARRAY['system:intake'::text, 'system:sanity'::text, 'system:dedupe'::text, 'system:proving'::text, 'system:case'::text]) AS is_system));


--
-- Name: finding systems; Type: POLICY; Schema: clearwell; Owner: -
--

CREATE POLICY systems ON clearwell.finding USING (( SELECT clearwell.is_system(VARIADIC ARRAY['system:intake'::text, 'system:sanity'::text, 'system:dedupe'::text, 'system:proving'::text, 'system:case'::text]) AS is_system));


--
-- Name: fix systems; Type: POLICY; Schema: clearwell; Owner: -
--

CREATE POLICY systems ON clearwell.fix USING (( SELECT clearwell.is_system(VARIADIC ARRAY['system:proving'::text, 'system:distribution'::text, 'system:case'::text]) AS is_system));


--
-- Name: link systems; Type: POLICY; Schema: clearwell; Owner: -
--

CREATE POLICY systems ON clearwell.link USING (( SELECT clearwell.is_system(VARIADIC ARRAY['system:case'::text]) AS is_system));


--
-- Name: maintainer_contact systems; Type: POLICY; Schema: clearwell; Owner: -
--

CREATE POLICY systems ON clearwell.maintainer_contact FOR SELECT USING (( SELECT clearwell.is_system(VARIADIC ARRAY['system:case'::text]) AS is_system));


--
-- Name: participant systems; Type: POLICY; Schema: clearwell; Owner: -
--

CREATE POLICY systems ON clearwell.participant USING (( SELECT clearwell.is_system(VARIADIC ARRAY['system:intake'::text, 'system:dedupe'::text, 'system:proving'::text, 'system:case'::text, 'system:distribution'::text]) AS is_system));


--
-- Name: proof systems; Type: POLICY; Schema: clearwell; Owner: -
--

CREATE POLICY systems ON clearwell.proof USING (( SELECT clearwell.is_system(VARIADIC ARRAY['system:intake'::text, 'system:dedupe'::text, 'system:proving'::text, 'system:sanity'::text, 'system:case'::text]) AS is_system));


--
-- Name: run systems; Type: POLICY; Schema: clearwell; Owner: -
--

CREATE POLICY systems ON clearwell.run USING (( SELECT clearwell.is_system(VARIADIC ARRAY['system:proving'::text, 'system:dedupe'::text, 'system:distribution'::text]) AS is_system));


--
-- Name: signature systems; Type: POLICY; Schema: clearwell; Owner: -
--

CREATE POLICY systems ON clearwell.signature USING (( SELECT clearwell.is_system(VARIADIC ARRAY['system:intake'::text, 'system:dedupe'::text, 'system:proving'::text]) AS is_system));


--
-- Name: statement systems; Type: POLICY; Schema: clearwell; Owner: -
--

CREATE POLICY systems ON clearwell.statement FOR SELECT USING (( SELECT clearwell.is_system(VARIADIC ARRAY['system:case'::text]) AS is_system));


--
-- Name: vulnerability_case systems; Type: POLICY; Schema: clearwell; Owner: -
--

CREATE POLICY systems ON clearwell.vulnerability_case USING (( SELECT clearwell.is_system(VARIADIC ARRAY['system:intake'::text, 'system:sanity'::text, 'system:dedupe'::text, 'system:proving'::text, 'system:case'::text, 'system:distribution'::text]) AS is_system));


--
-- Name: token; Type: ROW SECURITY; Schema: clearwell; Owner: -
--

ALTER TABLE clearwell.token ENABLE ROW LEVEL SECURITY;

--
-- Name: vulnerability_case; Type: ROW SECURITY; Schema: clearwell; Owner: -
--

ALTER TABLE clearwell.vulnerability_case ENABLE ROW LEVEL SECURITY;

--
-- Name: ledger_salt writing; Type: POLICY; Schema: clearwell; Owner: -
--

CREATE POLICY writing ON clearwell.ledger_salt FOR INSERT WITH CHECK (true);


--
-- Name: mail writing; Type: POLICY; Schema: clearwell; Owner: -
--

CREATE POLICY writing ON clearwell.mail FOR INSERT WITH CHECK (true);


--
-- Name: proof_read writing; Type: POLICY; Schema: clearwell; Owner: -
--

CREATE POLICY writing ON clearwell.proof_read FOR INSERT WITH CHECK (true);


--
-- PostgreSQL database dump complete
--

\unrestrict clearwell

