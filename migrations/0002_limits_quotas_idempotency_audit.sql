-- Rate limits, quotas, key rotation, callers of other issuers, repeated requests and the audit log.

-- Quotas of an account; none is unlimited.
ALTER TABLE accounts
    ADD COLUMN concurrent_executions_quota integer CHECK (concurrent_executions_quota >= 0),
    ADD COLUMN sandboxes_quota integer CHECK (sandboxes_quota >= 0),
    ADD COLUMN disk_quota_bytes bigint CHECK (disk_quota_bytes >= 0),
    ADD COLUMN cpu_seconds_quota integer CHECK (cpu_seconds_quota >= 0);

-- After a rotation the secret before it works until `previous_until`. A caller whose tokens another issuer signs has a
-- key of its own too, with a secret that nobody knows: limits, revocation and the audit log are the same for both.
ALTER TABLE api_keys
    ADD COLUMN previous_hash bytea CHECK (length(previous_hash) = 32),
    ADD COLUMN previous_until timestamptz,
    ADD COLUMN issuer text,
    ADD COLUMN subject text,
    ADD CHECK ((issuer IS NULL) = (subject IS NULL)),
    ADD UNIQUE (issuer, subject);

CREATE INDEX executions_open_account ON executions (account_id) WHERE completed_at IS NULL;

-- Requests of a key in the present minute. Unlogged: a crash of the server forgets a minute of counting, and no request
-- waits for the disk.
CREATE UNLOGGED TABLE rate_counts (
    subject uuid NOT NULL,
    class text NOT NULL,
    minute bigint NOT NULL,
    count integer NOT NULL,
    PRIMARY KEY (subject, class)
) WITH (fillfactor = 50);

-- Failed authentications of an address in the present minute.
CREATE UNLOGGED TABLE failed_authentications (
    address inet PRIMARY KEY,
    minute bigint NOT NULL,
    count integer NOT NULL
) WITH (fillfactor = 50);

-- What a request with an Idempotency-Key did. The answer of an execution is read from the execution; another answer is
-- kept here, encrypted with a key that the database does not have, since it may hold a secret.
CREATE TABLE idempotency_keys (
    account_id uuid NOT NULL REFERENCES accounts ON DELETE CASCADE,
    key text NOT NULL CHECK (length(key) BETWEEN 1 AND 255),
    -- SHA-256 over method, path and body.
    request_hash bytea NOT NULL CHECK (length(request_hash) = 32),
    execution_id uuid,
    response bytea,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (account_id, key),
    CHECK ((execution_id IS NULL) <> (response IS NULL))
);
CREATE INDEX idempotency_keys_created ON idempotency_keys (created_at);

-- Who changed what, when, from where, with which outcome. No foreign keys: the log outlives what it tells of.
CREATE TABLE audit_log (
    id uuid PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT now(),
    account_id uuid,
    key_id uuid,
    request_id text NOT NULL,
    address inet,
    method text NOT NULL,
    path text NOT NULL,
    status integer NOT NULL
);
CREATE INDEX audit_log_account ON audit_log (account_id, id);

-- The smallest UUIDv7 of a moment.
CREATE FUNCTION uuid_at(moment timestamptz) RETURNS uuid
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    AS $$ SELECT (lpad(to_hex((extract(epoch FROM moment) * 1000)::bigint), 12, '0') || repeat('0', 20))::uuid $$;

-- Counts a failed authentication; true when the address has had its share of the minute.
CREATE FUNCTION count_failure(from_address inet) RETURNS boolean
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
    RETURN counted > 60;
END $$;

-- Times are read as the wire has them.
DROP FUNCTION to_microseconds;

DROP FUNCTION admit_execution;
DROP FUNCTION authenticate;

-- Authenticates, counts and authorises a request, in this order, in one call.
--
-- `hash` is that of the secret; none says that the caller showed a token whose signature the worker has verified, which
-- may allow `only` a part of what its key may. `acting` is the account that an administrator works for.
--
-- `outcome` is admitted, unauthenticated (a wrong secret, an unknown, an expired and a revoked key are told apart by
-- nobody), throttled (unauthenticated once too often), limited, forbidden (`missing` says what for) or no_account. The
-- hashes are of random secrets, so the time that a comparison takes tells nothing that could be used.
CREATE FUNCTION admit(
    key uuid, hash bytea, only_ text[], needs text, class_ text, address inet, acting uuid,
    OUT outcome text, OUT account uuid, OUT granted text[], OUT missing text, OUT rate_limit integer,
    OUT rate_remaining integer, OUT rate_reset bigint)
    LANGUAGE plpgsql AS $$
DECLARE
    found api_keys;
    moment timestamptz := clock_timestamp();
    present bigint := floor(extract(epoch FROM moment) / 60);
    counted integer;
BEGIN
    SELECT * INTO found FROM api_keys WHERE id = key;
    IF found.id IS NULL OR found.revoked_at IS NOT NULL OR found.expires_at <= moment
        OR (hash IS NULL AND only_ IS NULL)
        OR (hash IS NOT NULL AND found.secret_hash <> hash
            AND NOT coalesce(found.previous_hash = hash AND found.previous_until > moment, false)) THEN
        outcome := 'unauthenticated';
        IF count_failure(address) THEN
            outcome := 'throttled';
            rate_limit := 60;
            rate_remaining := 0;
            rate_reset := (present + 1) * 60;
        END IF;
        RETURN;
    END IF;
    account := found.account_id;
    granted := found.permissions;
    IF only_ IS NOT NULL THEN
        SELECT coalesce(array_agg(p), '{}') INTO granted FROM unnest(only_) p
        WHERE p = ANY (found.permissions) OR 'admin' = ANY (found.permissions);
    END IF;

    rate_limit := CASE class_
        WHEN 'standard' THEN found.standard_limit
        WHEN 'execution' THEN found.execution_limit
        WHEN 'upload' THEN found.upload_limit END;
    IF rate_limit > 0 THEN
        INSERT INTO rate_counts AS r (subject, class, minute, count) VALUES (key, class_, present, 1)
        ON CONFLICT (subject, class) DO UPDATE SET
            count = CASE WHEN r.minute >= present THEN least(r.count + 1, 1000000000) ELSE 1 END,
            -- A request that waited for its turn over the end of a minute counts for the later one.
            minute = greatest(r.minute, present)
        RETURNING r.count, r.minute INTO counted, present;
        rate_remaining := greatest(rate_limit - counted, 0);
        rate_reset := (present + 1) * 60;
        IF counted > rate_limit THEN
            outcome := 'limited';
            RETURN;
        END IF;
    ELSE
        rate_limit := NULL;
    END IF;

    -- To the minute: a write for each request would cost more than it tells.
    IF found.last_used_at IS NULL OR found.last_used_at < moment - interval '1 minute' THEN
        UPDATE api_keys SET last_used_at = moment
        WHERE id = key AND (last_used_at IS NULL OR last_used_at < moment - interval '1 minute');
    END IF;

    IF needs IS NOT NULL AND NOT (needs = ANY (granted) OR 'admin' = ANY (granted)) THEN
        outcome := 'forbidden';
        missing := needs;
    ELSIF acting IS NOT NULL AND acting <> account THEN
        IF NOT 'admin' = ANY (granted) THEN
            outcome := 'forbidden';
            missing := 'admin';
        ELSIF NOT EXISTS (SELECT FROM accounts WHERE id = acting) THEN
            outcome := 'no_account';
        ELSE
            account := acting;
            outcome := 'admitted';
        END IF;
    ELSE
        outcome := 'admitted';
    END IF;
END $$;

-- Processor time of an account's executions that ended today (UTC), in microseconds.
CREATE FUNCTION cpu_today(of_account uuid) RETURNS bigint
    LANGUAGE sql STABLE STRICT AS $$
    SELECT coalesce(sum(cpu_us), 0)::bigint FROM executions
    WHERE account_id = of_account AND completed_at >= date_trunc('day', now(), 'UTC')
        -- By the index on account and id: an execution ends within a day of its making.
        AND id >= uuid_at(date_trunc('day', now(), 'UTC') - interval '1 day')
$$;

-- Admits a request to execute and notes the execution, its Idempotency-Key and its line in the audit log: all or none,
-- in one round trip. Besides admit()'s outcomes: repeated (`earlier` is the execution that the key stands for),
-- mismatched (the key stands for another request) and quota (`missing` says which; `retry` is in seconds).
CREATE FUNCTION admit_execution(
    key uuid, hash bytea, only_ text[], address_ inet, acting uuid, execution uuid, runtime_ text, template_ text,
    timeout_ms_ integer, memory_bytes_ bigint, cpu_millicores_ integer, process_limit_ integer, spec_ text, owner_ uuid,
    created_us bigint, request_ text, path_ text, idempotency_ text, request_hash_ bytea,
    OUT outcome text, OUT account uuid, OUT granted text[], OUT missing text, OUT rate_limit integer,
    OUT rate_remaining integer, OUT rate_reset bigint, OUT earlier uuid, OUT retry integer)
    LANGUAGE plpgsql AS $$
DECLARE
    quotas accounts;
    noted idempotency_keys;
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
        owner, created_at)
    VALUES (
        execution, account, key, 'queued', runtime_, template_, timeout_ms_, memory_bytes_, cpu_millicores_,
        process_limit_, spec_, owner_, from_microseconds(created_us));
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

-- The key of a caller whose token another issuer has signed; made, with an account of its own, at the first request.
CREATE FUNCTION external_key(issuer_ text, subject_ text, permissions_ text[]) RETURNS uuid
    LANGUAGE plpgsql AS $$
DECLARE
    found api_keys;
    new_account uuid := gen_random_uuid();
    title text := left(issuer_ || ' ' || subject_, 200);
BEGIN
    SELECT * INTO found FROM api_keys k WHERE k.issuer = issuer_ AND k.subject = subject_;
    IF found.id IS NULL THEN
        PERFORM pg_advisory_xact_lock(hashtextextended(issuer_ || ' ' || subject_, 1));
        SELECT * INTO found FROM api_keys k WHERE k.issuer = issuer_ AND k.subject = subject_;
    END IF;
    IF found.id IS NULL THEN
        INSERT INTO accounts (id, name) VALUES (new_account, title)
        ON CONFLICT (name) DO UPDATE SET name = excluded.name || ' ' || new_account RETURNING id INTO new_account;
        INSERT INTO api_keys (id, account_id, name, secret_hash, permissions, issuer, subject)
        VALUES (
            gen_random_uuid(), new_account, title, sha256(gen_random_uuid()::text::bytea || gen_random_uuid()::text::bytea),
            permissions_, issuer_, subject_)
        RETURNING * INTO found;
    ELSIF found.permissions <> permissions_ THEN
        UPDATE api_keys SET permissions = permissions_ WHERE id = found.id;
    END IF;
    RETURN found.id;
END $$;
