-- SPDX-License-Identifier: Apache-2.0
-- Inventories and actions: an operator's own rows, and nobody else's (never 3). No policy here names a system, a coordinator or a
-- second organization: background work must act as the operator itself.

CREATE TABLE clearwell.asset (
    id text PRIMARY KEY,
    organization_id text NOT NULL,
    name text NOT NULL,
    exposed text NOT NULL CHECK (exposed IN ('true', 'false', 'unknown')),
    mission text NOT NULL DEFAULT 'unknown',
    created_at timestamptz NOT NULL,
    CONSTRAINT asset_name UNIQUE (organization_id, name)
);
ALTER TABLE clearwell.asset ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON clearwell.asset USING (organization_id = (SELECT clearwell.my_organization()));

CREATE TABLE clearwell.inventory (
    id text PRIMARY KEY,
    organization_id text NOT NULL,
    asset_id text NOT NULL,
    format text NOT NULL,
    sha256 text NOT NULL,
    components integer NOT NULL,
    received_at timestamptz NOT NULL,
    is_current boolean NOT NULL
);
CREATE UNIQUE INDEX inventory_current ON clearwell.inventory (organization_id, asset_id) WHERE is_current;
ALTER TABLE clearwell.inventory ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON clearwell.inventory USING (organization_id = (SELECT clearwell.my_organization()));

CREATE TABLE clearwell.installed (
    inventory_id text NOT NULL,
    organization_id text NOT NULL,
    asset_id text NOT NULL,
    component text NOT NULL,
    version text,
    found_in text
);
CREATE INDEX installed_component ON clearwell.installed (organization_id, component);
CREATE INDEX installed_inventory ON clearwell.installed (inventory_id);
ALTER TABLE clearwell.installed ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON clearwell.installed USING (organization_id = (SELECT clearwell.my_organization()));

CREATE TABLE clearwell.action (
    id text PRIMARY KEY,
    organization_id text NOT NULL,
    asset_id text NOT NULL,
    advisory_id text NOT NULL,
    component text NOT NULL,
    installed_version text,
    fixed_version text,
    status text NOT NULL CHECK (status IN ('affected', 'unknown')),
    receipt text NOT NULL CHECK (receipt IN ('told', 'received', 'planned', 'installed')),
    planned_for date,
    priority bigint NOT NULL,
    outcome text NOT NULL,
    due_on date,
    reasons jsonb NOT NULL,
    why text NOT NULL,
    told_at timestamptz NOT NULL,
    received_at timestamptz,
    planned_at timestamptz,
    installed_at timestamptz,
    CONSTRAINT action_once UNIQUE (organization_id, asset_id, advisory_id, component)
);
CREATE INDEX action_list ON clearwell.action (organization_id, priority DESC, id) WHERE receipt <> 'installed';
ALTER TABLE clearwell.action ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON clearwell.action USING (organization_id = (SELECT clearwell.my_organization()));
