-- SPDX-License-Identifier: Apache-2.0
-- Sealed evidence: which blobs exist, and who holds a key to each. A holder is a submission or a case.

CREATE TABLE clearwell.holder_key (
    holder text PRIMARY KEY,
    wrapped_key bytea NOT NULL,
    created_at timestamptz NOT NULL
);
ALTER TABLE clearwell.holder_key ENABLE ROW LEVEL SECURITY;
CREATE POLICY blobs ON clearwell.holder_key USING ((SELECT clearwell.is_system('system:blobs')));

CREATE TABLE clearwell.blob_hold (
    address text NOT NULL,
    holder text NOT NULL,
    file text NOT NULL,
    wrapped_key bytea NOT NULL,
    size bigint NOT NULL,
    PRIMARY KEY (address, holder)
);
CREATE INDEX blob_hold_holder ON clearwell.blob_hold (holder);
CREATE INDEX blob_hold_file ON clearwell.blob_hold (file);
ALTER TABLE clearwell.blob_hold ENABLE ROW LEVEL SECURITY;
CREATE POLICY blobs ON clearwell.blob_hold USING ((SELECT clearwell.is_system('system:blobs')));

CREATE TABLE clearwell.mail (
    id text PRIMARY KEY,
    sealed bytea,
    created_at timestamptz NOT NULL,
    sent_at timestamptz
);
ALTER TABLE clearwell.mail ENABLE ROW LEVEL SECURITY;
CREATE POLICY writing ON clearwell.mail FOR INSERT WITH CHECK (true);
CREATE POLICY post ON clearwell.mail USING ((SELECT clearwell.is_system('system:post')));
