-- Accounts, their keys, executions and the files these leave behind.

CREATE TABLE accounts (
    id uuid PRIMARY KEY,
    name text NOT NULL UNIQUE CHECK (length(name) BETWEEN 1 AND 200),
    created_at timestamptz NOT NULL DEFAULT now()
);

-- Only the SHA-256 of a key's secret is here; nobody can read a key out of the database.
CREATE TABLE api_keys (
    id uuid PRIMARY KEY,
    account_id uuid NOT NULL REFERENCES accounts ON DELETE CASCADE,
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    secret_hash bytea NOT NULL CHECK (length(secret_hash) = 32),
    permissions text[] NOT NULL,
    -- Requests a minute; 0 is unlimited.
    standard_limit integer NOT NULL DEFAULT 100 CHECK (standard_limit >= 0),
    execution_limit integer NOT NULL DEFAULT 20 CHECK (execution_limit >= 0),
    upload_limit integer NOT NULL DEFAULT 10 CHECK (upload_limit >= 0),
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz,
    revoked_at timestamptz,
    last_used_at timestamptz
);
CREATE INDEX api_keys_account ON api_keys (account_id);

-- The workers and schedulers that live. An execution whose owner stops its heartbeat is lost.
CREATE TABLE processes (
    id uuid PRIMARY KEY,
    kind text NOT NULL,
    started_at timestamptz NOT NULL DEFAULT now(),
    heartbeat_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE executions (
    id uuid PRIMARY KEY,
    account_id uuid NOT NULL REFERENCES accounts ON DELETE CASCADE,
    key_id uuid,
    status text NOT NULL CHECK (status IN ('queued', 'running', 'completed', 'failed', 'timeout', 'cancelled')),
    runtime text NOT NULL,
    template text NOT NULL,
    timeout_ms integer NOT NULL,
    memory_bytes bigint NOT NULL,
    cpu_millicores integer NOT NULL,
    process_limit integer NOT NULL,
    -- What to run, as JSON; kept only while an asynchronous execution waits for the scheduler.
    spec text,
    -- The process that carries it out; none while it waits for the scheduler.
    owner uuid,
    created_at timestamptz NOT NULL,
    started_at timestamptz,
    completed_at timestamptz,
    stdout bytea NOT NULL DEFAULT '',
    stdout_truncated boolean NOT NULL DEFAULT false,
    stderr bytea NOT NULL DEFAULT '',
    stderr_truncated boolean NOT NULL DEFAULT false,
    has_compile boolean NOT NULL DEFAULT false,
    compile_exit_code integer,
    compile_output bytea NOT NULL DEFAULT '',
    compile_truncated boolean NOT NULL DEFAULT false,
    compile_us bigint,
    reason text,
    signal text,
    detail text,
    exit_code integer,
    wall_us bigint,
    cpu_us bigint,
    memory_peak bigint,
    queue_us bigint,
    CHECK ((status IN ('queued', 'running')) = (completed_at IS NULL))
);
CREATE INDEX executions_account ON executions (account_id, id);
CREATE INDEX executions_open ON executions (owner) WHERE completed_at IS NULL;
CREATE INDEX executions_waiting ON executions (id) WHERE status = 'queued' AND owner IS NULL;
CREATE INDEX executions_completed ON executions (completed_at) WHERE completed_at IS NOT NULL;

CREATE TABLE artifacts (
    execution_id uuid NOT NULL REFERENCES executions ON DELETE CASCADE,
    path text NOT NULL,
    size bigint NOT NULL,
    -- None when the file was too large to be kept.
    content bytea,
    PRIMARY KEY (execution_id, path)
);
-- Stored as it is: compressing and slicing back would cost more than it saves on files of a few kilobytes.
ALTER TABLE artifacts ALTER COLUMN content SET STORAGE EXTERNAL;

CREATE FUNCTION from_microseconds(us bigint) RETURNS timestamptz
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    AS $$ SELECT 'epoch'::timestamptz + us * interval '1 microsecond' $$;

CREATE FUNCTION to_microseconds(moment timestamptz) RETURNS bigint
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    AS $$ SELECT (extract(epoch FROM moment) * 1000000)::bigint $$;

-- Who a key belongs to. `outcome` is admitted, unauthenticated or forbidden; a wrong secret, an unknown, an expired and a
-- revoked key are told apart by nobody.
CREATE FUNCTION authenticate(key uuid, hash bytea, needs text)
    RETURNS TABLE (outcome text, account uuid, granted text[])
    LANGUAGE plpgsql AS $$
DECLARE
    found api_keys;
BEGIN
    SELECT * INTO found FROM api_keys WHERE id = key;
    IF found.id IS NULL OR found.secret_hash <> hash OR found.revoked_at IS NOT NULL
        OR found.expires_at <= clock_timestamp() THEN
        RETURN QUERY SELECT 'unauthenticated', NULL::uuid, NULL::text[];
        RETURN;
    END IF;
    -- To the minute: a write for each request would cost more than it tells.
    IF found.last_used_at IS NULL OR found.last_used_at < now() - interval '1 minute' THEN
        UPDATE api_keys SET last_used_at = now() WHERE id = key;
    END IF;
    IF needs IS NOT NULL AND NOT (needs = ANY (found.permissions) OR 'admin' = ANY (found.permissions)) THEN
        RETURN QUERY SELECT 'forbidden', found.account_id, found.permissions;
        RETURN;
    END IF;
    RETURN QUERY SELECT 'admitted', found.account_id, found.permissions;
END $$;

-- Authenticates and notes a new execution, both or neither, in one round trip.
CREATE FUNCTION admit_execution(
    key uuid, hash bytea, execution uuid, runtime_ text, template_ text, timeout_ms_ integer, memory_bytes_ bigint,
    cpu_millicores_ integer, process_limit_ integer, spec_ text, owner_ uuid, created_us bigint)
    RETURNS TABLE (outcome text, account uuid, granted text[])
    LANGUAGE plpgsql AS $$
BEGIN
    SELECT a.outcome, a.account, a.granted INTO outcome, account, granted FROM authenticate(key, hash, 'execute') a;
    IF outcome = 'admitted' THEN
        INSERT INTO executions (
            id, account_id, key_id, status, runtime, template, timeout_ms, memory_bytes, cpu_millicores, process_limit,
            spec, owner, created_at)
        VALUES (
            execution, account, key, 'queued', runtime_, template_, timeout_ms_, memory_bytes_, cpu_millicores_,
            process_limit_, spec_, owner_, from_microseconds(created_us));
        IF owner_ IS NULL THEN
            PERFORM pg_notify('soulbox_queue', '');
        END IF;
    END IF;
    RETURN NEXT;
END $$;
