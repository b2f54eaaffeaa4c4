-- SPDX-License-Identifier: Apache-2.0
-- The ledger's rows, before and after the sequencer gave them their place. Bodies are public by design (they become static
-- tiles): sensitive values are in them only as salted hashes, and the salts stay here under row-level security.

CREATE TABLE clearwell.ledger_entry (
    id text PRIMARY KEY,
    type text NOT NULL,
    about text,
    written_at timestamptz NOT NULL,
    body bytea NOT NULL CHECK (length(body) <= 65535),
    log_index bigint UNIQUE
);
CREATE INDEX ledger_about ON clearwell.ledger_entry (about, type);
CREATE INDEX ledger_waiting ON clearwell.ledger_entry (id) WHERE log_index IS NULL;

CREATE TABLE clearwell.ledger_salt (
    entry_id text NOT NULL REFERENCES clearwell.ledger_entry,
    field text NOT NULL,
    organization_id text,
    case_id text,
    salt bytea NOT NULL,
    PRIMARY KEY (entry_id, field)
);
ALTER TABLE clearwell.ledger_salt ENABLE ROW LEVEL SECURITY;
CREATE POLICY writing ON clearwell.ledger_salt FOR INSERT WITH CHECK (true);
CREATE POLICY own ON clearwell.ledger_salt FOR SELECT USING (organization_id = (SELECT clearwell.my_organization()));
CREATE POLICY coordinator ON clearwell.ledger_salt FOR SELECT USING (case_id IS NOT NULL AND (SELECT clearwell.my_kind()) = 'coordinator');
