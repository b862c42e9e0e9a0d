-- Templates of users: what they are made of, the versions that were built, and how the builds went.

ALTER TABLE accounts ADD COLUMN templates_quota integer DEFAULT 20 CHECK (templates_quota >= 0);

CREATE TABLE templates (
    id uuid PRIMARY KEY,
    account_id uuid NOT NULL REFERENCES accounts,
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 64),
    runtime text NOT NULL,
    -- What new sandboxes are made from; none before the first build has succeeded.
    version integer,
    -- The version that was asked for last, whatever became of it.
    newest integer NOT NULL DEFAULT 1 CHECK (newest > 0),
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT now(),
    -- For its account it is gone from then on; the row goes when no image of it is left.
    deleted_at timestamptz,
    CHECK (version <= newest)
);
CREATE UNIQUE INDEX templates_name ON templates (account_id, name) WHERE deleted_at IS NULL;
CREATE INDEX templates_account ON templates (account_id, id);

CREATE TABLE template_versions (
    template_id uuid NOT NULL REFERENCES templates ON DELETE CASCADE,
    version integer NOT NULL CHECK (version > 0),
    -- Base, packages, variables, files, commands, as a JSON object.
    spec text NOT NULL,
    status text NOT NULL CHECK (status IN ('queued', 'building', 'ready', 'failed', 'cancelled')),
    log text NOT NULL DEFAULT '',
    -- Why it failed.
    error text,
    -- Name and version of each package that was installed, as a JSON object.
    packages_installed text NOT NULL DEFAULT '{}',
    size_bytes bigint,
    -- Whether the isolation service may have an image of it.
    has_image boolean NOT NULL DEFAULT false,
    attempts integer NOT NULL DEFAULT 0,
    -- The process that builds it, as long as it says so often enough.
    owner uuid,
    leased_until timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    started_at timestamptz,
    finished_at timestamptz,
    PRIMARY KEY (template_id, version),
    CHECK ((status IN ('queued', 'building')) = (finished_at IS NULL)),
    CHECK ((status = 'building') = (owner IS NOT NULL AND leased_until IS NOT NULL))
);
CREATE INDEX template_versions_waiting ON template_versions (created_at) WHERE finished_at IS NULL;
CREATE INDEX template_versions_images ON template_versions (template_id) WHERE has_image;

-- Which version of a user's template a sandbox is made from: it keeps that when a newer one is built.
ALTER TABLE sandboxes ADD COLUMN template_version integer;
CREATE INDEX sandboxes_template ON sandboxes (template, template_version) WHERE template_version IS NOT NULL;
CREATE INDEX executions_open_template ON executions (template) WHERE completed_at IS NULL;
