-- Snapshots of sandboxes. A row is also the job that takes or removes the snapshot.

CREATE TABLE snapshots (
    id uuid PRIMARY KEY,
    account_id uuid NOT NULL REFERENCES accounts,
    -- No foreign key: a snapshot may outlive its sandbox.
    sandbox_id uuid NOT NULL,
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    description text NOT NULL DEFAULT '',
    type text NOT NULL CHECK (type IN ('full', 'incremental')),
    parent_id uuid REFERENCES snapshots,
    compress boolean NOT NULL,
    memory boolean NOT NULL,
    -- Names and values, as a JSON object.
    tags text NOT NULL DEFAULT '{}',
    status text NOT NULL DEFAULT 'creating' CHECK (status IN ('creating', 'completed', 'failed', 'deleting')),
    error text,
    done_bytes bigint NOT NULL DEFAULT 0,
    total_bytes bigint NOT NULL DEFAULT 0,
    size_bytes bigint,
    disk_bytes bigint NOT NULL,
    pause_us bigint,
    created_at timestamptz NOT NULL,
    estimated_at timestamptz NOT NULL,
    started_at timestamptz,
    finished_at timestamptz,
    owner uuid,
    leased_until timestamptz,
    attempts integer NOT NULL DEFAULT 0,
    CHECK ((type = 'incremental') = (parent_id IS NOT NULL))
);
CREATE INDEX snapshots_account ON snapshots (account_id, id);
CREATE INDEX snapshots_sandbox ON snapshots (sandbox_id, id);
CREATE INDEX snapshots_parent ON snapshots (parent_id) WHERE parent_id IS NOT NULL;
CREATE INDEX snapshots_unsettled ON snapshots (id) WHERE status IN ('creating', 'deleting');
