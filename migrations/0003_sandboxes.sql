-- Persistent sandboxes: what they are, how they stand, and what happened to them.

CREATE TABLE sandboxes (
    id uuid PRIMARY KEY,
    account_id uuid NOT NULL REFERENCES accounts,
    key_id uuid,
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    runtime text NOT NULL,
    template text NOT NULL,
    -- `deleting` is told to nobody: for its account the sandbox is gone.
    status text NOT NULL CHECK (status IN ('creating', 'running', 'stopped', 'error', 'deleting')),
    -- Why it stands so, when nobody asked for it.
    reason text,
    memory_bytes bigint NOT NULL,
    cpu_millicores integer NOT NULL,
    process_limit integer NOT NULL,
    disk_bytes bigint NOT NULL,
    network_enabled boolean NOT NULL DEFAULT false,
    allowed_hosts text[] NOT NULL DEFAULT '{}',
    -- Names and values, as a JSON object.
    environment text NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    started_at timestamptz,
    last_activity timestamptz NOT NULL,
    ttl_seconds integer CHECK (ttl_seconds > 0),
    expires_at timestamptz,
    idle_seconds integer CHECK (idle_seconds > 0),
    on_idle text NOT NULL DEFAULT 'stop' CHECK (on_idle IN ('stop', 'delete')),
    CHECK ((ttl_seconds IS NULL) = (expires_at IS NULL))
);
CREATE INDEX sandboxes_account ON sandboxes (account_id, id);
-- What a sweep looks for.
CREATE INDEX sandboxes_unsettled ON sandboxes (id) WHERE status IN ('creating', 'deleting');
CREATE INDEX sandboxes_expiry ON sandboxes (expires_at) WHERE expires_at IS NOT NULL AND status <> 'deleting';
CREATE INDEX sandboxes_idle ON sandboxes (last_activity) WHERE idle_seconds IS NOT NULL AND status = 'running';

-- No foreign key: events outlive the sandbox, for whoever asks where it went.
CREATE TABLE sandbox_events (
    id uuid PRIMARY KEY,
    sandbox_id uuid NOT NULL,
    account_id uuid NOT NULL,
    at timestamptz NOT NULL DEFAULT now(),
    event text NOT NULL,
    reason text
);
CREATE INDEX sandbox_events_sandbox ON sandbox_events (sandbox_id, id);
CREATE INDEX sandbox_events_at ON sandbox_events (at);

ALTER TABLE executions
    ADD COLUMN sandbox_id uuid,
    ADD COLUMN context_id text,
    -- The rich results of a cell, as a JSON array.
    ADD COLUMN results text;
CREATE INDEX executions_sandbox ON executions (sandbox_id, id) WHERE sandbox_id IS NOT NULL;

-- How many failed authentications an address has in a minute is the operator's to say, for whom many come from one address:
-- ALTER DATABASE soulbox SET soulbox.failed_authentications = 600.
CREATE OR REPLACE FUNCTION count_failure(from_address inet) RETURNS boolean
    LANGUAGE plpgsql AS $$
DECLARE
    present bigint := floor(extract(epoch FROM clock_timestamp()) / 60);
    -- Whoever has one address of IPv6 has the 2^64 of its network (RFC 4291, section 2.5.1).
    origin inet := CASE WHEN family(from_address) = 6 THEN network(set_masklen(from_address, 64)) ELSE from_address END;
    counted integer;
BEGIN
    IF origin IS NULL THEN
        RETURN false;
    END IF;
    INSERT INTO failed_authentications AS f (address, minute, count) VALUES (origin, present, 1)
    ON CONFLICT (address) DO UPDATE SET
        count = CASE WHEN f.minute = present THEN least(f.count + 1, 1000000) ELSE 1 END, minute = present
    RETURNING count INTO counted;
    RETURN counted > coalesce(nullif(current_setting('soulbox.failed_authentications', true), '')::integer, 60);
END $$;

DROP FUNCTION admit_execution;

-- Admits a request to execute and notes the execution, its Idempotency-Key and its line in the audit log: all or none,
-- in one round trip. Besides admit()'s outcomes: repeated (`earlier` is the execution that the key stands for),
-- mismatched (the key stands for another request), quota (`missing` says which; `retry` is in seconds), no_sandbox, and
-- not_running (`missing` is how the sandbox stands).
CREATE FUNCTION admit_execution(
    key uuid, hash bytea, only_ text[], address_ inet, acting uuid, execution uuid, runtime_ text, template_ text,
    timeout_ms_ integer, memory_bytes_ bigint, cpu_millicores_ integer, process_limit_ integer, spec_ text, owner_ uuid,
    created_us bigint, request_ text, path_ text, idempotency_ text, request_hash_ bytea, sandbox_ uuid, context_ text,
    OUT outcome text, OUT account uuid, OUT granted text[], OUT missing text, OUT rate_limit integer,
    OUT rate_remaining integer, OUT rate_reset bigint, OUT earlier uuid, OUT retry integer)
    LANGUAGE plpgsql AS $$
DECLARE
    quotas accounts;
    noted idempotency_keys;
    standing text;
BEGIN
    SELECT a.outcome, a.account, a.granted, a.missing, a.rate_limit, a.rate_remaining, a.rate_reset
    INTO outcome, account, granted, missing, rate_limit, rate_remaining, rate_reset
    FROM admit(key, hash, only_, 'execute', 'execution', address_, acting) a;
    IF outcome <> 'admitted' THEN
        RETURN;
    END IF;

    IF idempotency_ IS NOT NULL THEN
        -- Waits for a request with the same key that is being noted at this moment.
        PERFORM pg_advisory_xact_lock(hashtextextended(account::text || idempotency_, 0));
        SELECT * INTO noted FROM idempotency_keys i
        WHERE i.account_id = account AND i.key = idempotency_ AND i.created_at > now() - interval '24 hours';
        IF FOUND THEN
            outcome := CASE WHEN noted.request_hash = request_hash_ AND noted.execution_id IS NOT NULL
                THEN 'repeated' ELSE 'mismatched' END;
            earlier := noted.execution_id;
            RETURN;
        END IF;
    END IF;

    IF sandbox_ IS NOT NULL THEN
        -- Held until the execution is noted: a sandbox is not deleted between the two.
        SELECT s.status INTO standing FROM sandboxes s
        WHERE s.id = sandbox_ AND s.account_id = account AND s.status <> 'deleting' FOR NO KEY UPDATE;
        IF NOT FOUND THEN
            outcome := 'no_sandbox';
            RETURN;
        END IF;
        IF standing NOT IN ('creating', 'running') THEN
            outcome := 'not_running';
            missing := standing;
            RETURN;
        END IF;
        UPDATE sandboxes SET last_activity = now() WHERE id = sandbox_;
    END IF;

    SELECT * INTO quotas FROM accounts a WHERE a.id = account;
    IF quotas.concurrent_executions_quota IS NOT NULL THEN
        -- One at a time for an account with a quota: counting and noting are one act.
        PERFORM FROM accounts a WHERE a.id = account FOR NO KEY UPDATE;
        IF (SELECT count(*) FROM executions e WHERE e.account_id = account AND e.completed_at IS NULL)
            >= quotas.concurrent_executions_quota THEN
            outcome := 'quota';
            missing := 'concurrent_executions';
            retry := 5;
            RETURN;
        END IF;
    END IF;
    IF quotas.cpu_seconds_quota IS NOT NULL AND cpu_today(account) >= quotas.cpu_seconds_quota::bigint * 1000000 THEN
        outcome := 'quota';
        missing := 'cpu_seconds_per_day';
        retry := ceil(extract(epoch FROM date_trunc('day', now(), 'UTC') + interval '1 day' - now()));
        RETURN;
    END IF;

    INSERT INTO executions (
        id, account_id, key_id, status, runtime, template, timeout_ms, memory_bytes, cpu_millicores, process_limit, spec,
        owner, created_at, sandbox_id, context_id)
    VALUES (
        execution, account, key, 'queued', runtime_, template_, timeout_ms_, memory_bytes_, cpu_millicores_,
        process_limit_, spec_, owner_, from_microseconds(created_us), sandbox_, context_);
    IF idempotency_ IS NOT NULL THEN
        INSERT INTO idempotency_keys AS i (account_id, key, request_hash, execution_id)
        VALUES (account, idempotency_, request_hash_, execution)
        -- By its name: `key` alone would be the argument.
        ON CONFLICT ON CONSTRAINT idempotency_keys_pkey DO UPDATE SET
            request_hash = excluded.request_hash, execution_id = excluded.execution_id, response = NULL,
            created_at = now();
    END IF;
    INSERT INTO audit_log (id, account_id, key_id, request_id, address, method, path, status)
    VALUES (
        execution, account, key, request_, address_, 'POST', path_, CASE WHEN owner_ IS NULL THEN 202 ELSE 200 END);
    IF owner_ IS NULL THEN
        PERFORM pg_notify('soulbox_queue', '');
    END IF;
END $$;
