-- SPDX-License-Identifier: Apache-2.0
-- Asking before sending: keyed hashes of what was asked, alarms, and salted hashes for scrutineer's claim check (off unless a salt is set).

CREATE TABLE clearwell.asked_signature (
    organization_id text NOT NULL REFERENCES clearwell.organization,
    keyed_hash bytea NOT NULL,
    positive boolean NOT NULL,
    asked_at timestamptz NOT NULL
);
CREATE INDEX asked_signature_recent ON clearwell.asked_signature (organization_id, asked_at);
CREATE INDEX asked_signature_old ON clearwell.asked_signature (asked_at);
ALTER TABLE clearwell.asked_signature ENABLE ROW LEVEL SECURITY;
CREATE POLICY systems ON clearwell.asked_signature USING ((SELECT clearwell.is_system('system:dedupe')));

CREATE TABLE clearwell.asking_alarm (
    organization_id text NOT NULL REFERENCES clearwell.organization,
    day date NOT NULL,
    asked integer NOT NULL,
    positive integer NOT NULL,
    raised_at timestamptz NOT NULL,
    PRIMARY KEY (organization_id, day)
);
ALTER TABLE clearwell.asking_alarm ENABLE ROW LEVEL SECURITY;
CREATE POLICY coordinator ON clearwell.asking_alarm FOR SELECT USING ((SELECT clearwell.my_kind()) = 'coordinator');
CREATE POLICY systems ON clearwell.asking_alarm USING ((SELECT clearwell.is_system('system:dedupe')));

CREATE TABLE clearwell.claim_hash (
    finding_id text NOT NULL,
    salt_mark bytea NOT NULL,
    hash bytea,
    PRIMARY KEY (finding_id, salt_mark)
);
CREATE INDEX claim_hash_hash ON clearwell.claim_hash (hash) WHERE hash IS NOT NULL;
ALTER TABLE clearwell.claim_hash ENABLE ROW LEVEL SECURITY;
CREATE POLICY systems ON clearwell.claim_hash USING ((SELECT clearwell.is_system('system:dedupe')));
