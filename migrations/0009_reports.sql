-- Reports: what executions have used, added up by quarter of an hour and by day (UTC).
--
-- Whatever ends an execution leaves a row in `usage_pending` in the same transaction; `roll_up_usage` moves rows from there
-- into the tables of sums in one transaction. So each execution is in exactly one of both at any moment, whatever is
-- killed and whatever clocks say, and executions may be deleted at any time. A report adds the sums and what is pending in
-- one statement.

-- No identifier is null in these tables, since it belongs to a key: all zeros and '' stand for none. No foreign keys either:
-- what was used outlives who used it.
CREATE TABLE usage_pending (
    execution_id uuid NOT NULL,
    account_id uuid NOT NULL,
    key_id uuid NOT NULL,
    sandbox_id uuid NOT NULL,
    runtime text NOT NULL,
    status text NOT NULL,
    reason text NOT NULL,
    created_at timestamptz NOT NULL,
    completed_at timestamptz NOT NULL,
    cpu_us bigint NOT NULL,
    wall_us bigint NOT NULL,
    queue_us bigint NOT NULL,
    memory_peak bigint NOT NULL,
    -- The memory that it could have had, in whole MiB, times the milliseconds that its program ran.
    memory_mib_ms bigint NOT NULL,
    output_bytes bigint NOT NULL
) WITH (
    -- Rows live for seconds: what they leave is cleared away before it has to be read over.
    autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000, autovacuum_vacuum_insert_threshold = -1,
    autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 50000, autovacuum_vacuum_cost_delay = 0);

CREATE FUNCTION note_usage() RETURNS trigger
    LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO usage_pending VALUES (
        NEW.id, NEW.account_id, coalesce(NEW.key_id, '00000000-0000-0000-0000-000000000000'),
        coalesce(NEW.sandbox_id, '00000000-0000-0000-0000-000000000000'), NEW.runtime, NEW.status,
        coalesce(NEW.reason, ''), NEW.created_at, NEW.completed_at, coalesce(NEW.cpu_us, 0), coalesce(NEW.wall_us, 0),
        coalesce(NEW.queue_us, 0), coalesce(NEW.memory_peak, 0),
        (NEW.memory_bytes + 1048575) / 1048576 * (coalesce(NEW.wall_us, 0) / 1000),
        octet_length(NEW.stdout) + octet_length(NEW.stderr));
    RETURN NULL;
END $$;

-- Before the rows that are there already are noted: nothing ends between the two.
CREATE TRIGGER executions_ended AFTER UPDATE OF completed_at ON executions
    FOR EACH ROW WHEN (OLD.completed_at IS NULL AND NEW.completed_at IS NOT NULL) EXECUTE FUNCTION note_usage();
CREATE TRIGGER executions_ended_at_once AFTER INSERT ON executions
    FOR EACH ROW WHEN (NEW.completed_at IS NOT NULL) EXECUTE FUNCTION note_usage();

INSERT INTO usage_pending
SELECT e.id, e.account_id, coalesce(e.key_id, '00000000-0000-0000-0000-000000000000'),
    coalesce(e.sandbox_id, '00000000-0000-0000-0000-000000000000'), e.runtime, e.status, coalesce(e.reason, ''),
    e.created_at, e.completed_at, coalesce(e.cpu_us, 0), coalesce(e.wall_us, 0), coalesce(e.queue_us, 0),
    coalesce(e.memory_peak, 0), (e.memory_bytes + 1048575) / 1048576 * (coalesce(e.wall_us, 0) / 1000),
    octet_length(e.stdout) + octet_length(e.stderr)
FROM executions e WHERE e.completed_at IS NOT NULL;

-- Everything that a report may ask for, for intervals that do not begin or end with a day.
CREATE TABLE usage_by_quarter_hour (
    account_id uuid NOT NULL,
    quarter timestamptz NOT NULL,
    runtime text NOT NULL,
    key_id uuid NOT NULL,
    sandbox_id uuid NOT NULL,
    status text NOT NULL,
    reason text NOT NULL,
    executions bigint NOT NULL,
    cpu_us bigint NOT NULL,
    wall_us bigint NOT NULL,
    queue_us bigint NOT NULL,
    memory_peak bigint NOT NULL,
    memory_mib_ms bigint NOT NULL,
    output_bytes bigint NOT NULL,
    PRIMARY KEY (account_id, quarter, runtime, key_id, sandbox_id, status, reason)
) PARTITION BY RANGE (quarter);

-- Whole days: small for all that has few values, and apart for keys and for sandboxes, of which there may be many.
CREATE TABLE usage_by_day (
    account_id uuid NOT NULL,
    day date NOT NULL,
    runtime text NOT NULL,
    status text NOT NULL,
    reason text NOT NULL,
    executions bigint NOT NULL,
    cpu_us bigint NOT NULL,
    wall_us bigint NOT NULL,
    queue_us bigint NOT NULL,
    memory_peak bigint NOT NULL,
    memory_mib_ms bigint NOT NULL,
    output_bytes bigint NOT NULL,
    PRIMARY KEY (account_id, day, runtime, status, reason)
) PARTITION BY RANGE (day);

CREATE TABLE usage_by_day_and_key (
    account_id uuid NOT NULL,
    day date NOT NULL,
    key_id uuid NOT NULL,
    status text NOT NULL,
    executions bigint NOT NULL,
    cpu_us bigint NOT NULL,
    wall_us bigint NOT NULL,
    queue_us bigint NOT NULL,
    memory_peak bigint NOT NULL,
    memory_mib_ms bigint NOT NULL,
    output_bytes bigint NOT NULL,
    PRIMARY KEY (account_id, day, key_id, status)
) PARTITION BY RANGE (day);

CREATE TABLE usage_by_day_and_sandbox (
    account_id uuid NOT NULL,
    day date NOT NULL,
    sandbox_id uuid NOT NULL,
    status text NOT NULL,
    executions bigint NOT NULL,
    cpu_us bigint NOT NULL,
    wall_us bigint NOT NULL,
    queue_us bigint NOT NULL,
    memory_peak bigint NOT NULL,
    memory_mib_ms bigint NOT NULL,
    output_bytes bigint NOT NULL,
    PRIMARY KEY (account_id, day, sandbox_id, status)
) PARTITION BY RANGE (day);

-- The 50 executions of each account and day that ran longest: what runs longest in any days is among them.
CREATE TABLE usage_slowest (
    account_id uuid NOT NULL,
    day date NOT NULL,
    execution_id uuid NOT NULL,
    wall_us bigint NOT NULL,
    runtime text NOT NULL,
    status text NOT NULL,
    reason text NOT NULL,
    key_id uuid NOT NULL,
    sandbox_id uuid NOT NULL,
    created_at timestamptz NOT NULL,
    completed_at timestamptz NOT NULL,
    PRIMARY KEY (account_id, day, execution_id)
) PARTITION BY RANGE (day);

-- Whatever no other partition takes, so that no sum can fail to be written.
CREATE TABLE usage_by_quarter_hour_rest PARTITION OF usage_by_quarter_hour DEFAULT;
CREATE TABLE usage_by_day_rest PARTITION OF usage_by_day DEFAULT;
CREATE TABLE usage_by_day_and_key_rest PARTITION OF usage_by_day_and_key DEFAULT;
CREATE TABLE usage_by_day_and_sandbox_rest PARTITION OF usage_by_day_and_sandbox DEFAULT;
CREATE TABLE usage_slowest_rest PARTITION OF usage_slowest DEFAULT;

-- Moves at most so many pending rows into the sums. Returns how many; 0 also while another process does it.
CREATE FUNCTION roll_up_usage(most integer) RETURNS bigint
    LANGUAGE plpgsql AS $$
DECLARE
    moved bigint;
    who uuid[];
    first_day date;
    last_day date;
BEGIN
    -- One at a time: two would wait for each other's rows in ways that cross.
    IF NOT pg_try_advisory_xact_lock(6004230981773841224) THEN
        RETURN 0;
    END IF;
    WITH taken AS MATERIALIZED (
        DELETE FROM usage_pending WHERE ctid = ANY (ARRAY(SELECT ctid FROM usage_pending LIMIT most)) RETURNING *
    ), fine AS MATERIALIZED (
        SELECT account_id, date_bin('15 minutes', completed_at, 'epoch') AS quarter, runtime, key_id, sandbox_id, status,
            reason, count(*) AS executions, sum(cpu_us) AS cpu_us, sum(wall_us) AS wall_us, sum(queue_us) AS queue_us,
            max(memory_peak) AS memory_peak, sum(memory_mib_ms) AS memory_mib_ms, sum(output_bytes) AS output_bytes
        FROM taken GROUP BY 1, 2, 3, 4, 5, 6, 7
    ), quarters AS (
        INSERT INTO usage_by_quarter_hour AS u SELECT * FROM fine
        ON CONFLICT (account_id, quarter, runtime, key_id, sandbox_id, status, reason) DO UPDATE SET
            executions = u.executions + excluded.executions, cpu_us = u.cpu_us + excluded.cpu_us,
            wall_us = u.wall_us + excluded.wall_us, queue_us = u.queue_us + excluded.queue_us,
            memory_peak = greatest(u.memory_peak, excluded.memory_peak),
            memory_mib_ms = u.memory_mib_ms + excluded.memory_mib_ms,
            output_bytes = u.output_bytes + excluded.output_bytes
    ), days AS (
        INSERT INTO usage_by_day AS u
        SELECT account_id, (quarter AT TIME ZONE 'UTC')::date, runtime, status, reason, sum(executions), sum(cpu_us),
            sum(wall_us), sum(queue_us), max(memory_peak), sum(memory_mib_ms), sum(output_bytes)
        FROM fine GROUP BY 1, 2, 3, 4, 5
        ON CONFLICT (account_id, day, runtime, status, reason) DO UPDATE SET
            executions = u.executions + excluded.executions, cpu_us = u.cpu_us + excluded.cpu_us,
            wall_us = u.wall_us + excluded.wall_us, queue_us = u.queue_us + excluded.queue_us,
            memory_peak = greatest(u.memory_peak, excluded.memory_peak),
            memory_mib_ms = u.memory_mib_ms + excluded.memory_mib_ms,
            output_bytes = u.output_bytes + excluded.output_bytes
    ), keys AS (
        INSERT INTO usage_by_day_and_key AS u
        SELECT account_id, (quarter AT TIME ZONE 'UTC')::date, key_id, status, sum(executions), sum(cpu_us),
            sum(wall_us), sum(queue_us), max(memory_peak), sum(memory_mib_ms), sum(output_bytes)
        FROM fine GROUP BY 1, 2, 3, 4
        ON CONFLICT (account_id, day, key_id, status) DO UPDATE SET
            executions = u.executions + excluded.executions, cpu_us = u.cpu_us + excluded.cpu_us,
            wall_us = u.wall_us + excluded.wall_us, queue_us = u.queue_us + excluded.queue_us,
            memory_peak = greatest(u.memory_peak, excluded.memory_peak),
            memory_mib_ms = u.memory_mib_ms + excluded.memory_mib_ms,
            output_bytes = u.output_bytes + excluded.output_bytes
    ), sandboxes AS (
        INSERT INTO usage_by_day_and_sandbox AS u
        SELECT account_id, (quarter AT TIME ZONE 'UTC')::date, sandbox_id, status, sum(executions), sum(cpu_us),
            sum(wall_us), sum(queue_us), max(memory_peak), sum(memory_mib_ms), sum(output_bytes)
        FROM fine GROUP BY 1, 2, 3, 4
        ON CONFLICT (account_id, day, sandbox_id, status) DO UPDATE SET
            executions = u.executions + excluded.executions, cpu_us = u.cpu_us + excluded.cpu_us,
            wall_us = u.wall_us + excluded.wall_us, queue_us = u.queue_us + excluded.queue_us,
            memory_peak = greatest(u.memory_peak, excluded.memory_peak),
            memory_mib_ms = u.memory_mib_ms + excluded.memory_mib_ms,
            output_bytes = u.output_bytes + excluded.output_bytes
    ), ranked AS (
        SELECT *, (completed_at AT TIME ZONE 'UTC')::date AS day, row_number() OVER (
            PARTITION BY account_id, (completed_at AT TIME ZONE 'UTC')::date ORDER BY wall_us DESC, execution_id) AS place
        FROM taken WHERE wall_us > 0
    ), least AS (
        -- What an execution has to surpass to be among the slowest of its day; nothing while there are fewer than 50.
        SELECT d.account_id, d.day, (
            SELECT s.wall_us FROM usage_slowest s WHERE s.account_id = d.account_id AND s.day = d.day
            ORDER BY s.wall_us DESC OFFSET 49 LIMIT 1) AS wall_us
        FROM (SELECT DISTINCT account_id, day FROM ranked) d
    ), slow AS (
        INSERT INTO usage_slowest
        SELECT r.account_id, r.day, r.execution_id, r.wall_us, r.runtime, r.status, r.reason, r.key_id, r.sandbox_id,
            r.created_at, r.completed_at
        FROM ranked r JOIN least l USING (account_id, day)
        WHERE r.place <= 50 AND r.wall_us >= coalesce(l.wall_us, 0)
        RETURNING account_id, day
    )
    SELECT (SELECT count(*) FROM taken), array_agg(DISTINCT account_id), min(day), max(day)
    INTO moved, who, first_day, last_day FROM slow;

    DELETE FROM usage_slowest s USING (
        SELECT account_id, day, execution_id, row_number() OVER (
            PARTITION BY account_id, day ORDER BY wall_us DESC, execution_id) AS place
        FROM usage_slowest WHERE account_id = ANY (who) AND day BETWEEN first_day AND last_day) r
    WHERE r.place > 50 AND s.account_id = r.account_id AND s.day = r.day AND s.execution_id = r.execution_id;
    RETURN moved;
END $$;

-- Makes the partitions of a month, and moves into them what the default partitions hold of it.
CREATE FUNCTION add_usage_partitions(month date) RETURNS void
    LANGUAGE plpgsql AS $$
DECLARE
    begin_ date := date_trunc('month', month::timestamp)::date;
    end_ date := (date_trunc('month', month::timestamp) + interval '1 month')::date;
    parent text;
    part text;
    field text;
    zone text;
BEGIN
    PERFORM pg_advisory_xact_lock(6004230981773841224);
    FOREACH parent IN ARRAY ARRAY[
        'usage_by_quarter_hour', 'usage_by_day', 'usage_by_day_and_key', 'usage_by_day_and_sandbox', 'usage_slowest'] LOOP
        part := parent || '_' || to_char(begin_, 'YYYYMM');
        CONTINUE WHEN to_regclass(part) IS NOT NULL;
        field := CASE parent WHEN 'usage_by_quarter_hour' THEN 'quarter' ELSE 'day' END;
        zone := CASE parent WHEN 'usage_by_quarter_hour' THEN ' 00:00:00+00' ELSE '' END;
        -- Sums are updated in their place while their time lasts.
        EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING ALL) WITH (fillfactor = 80)', part, parent);
        EXECUTE format(
            'WITH moved AS (DELETE FROM %I WHERE %I >= %L AND %I < %L RETURNING *) INSERT INTO %I SELECT * FROM moved',
            parent || '_rest', field, begin_ || zone, field, end_ || zone, part);
        EXECUTE format(
            'ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', parent, part, begin_ || zone, end_ || zone);
    END LOOP;
END $$;

-- Makes the partitions of this month and the two after it, and of earlier months of which the default partitions hold
-- something; drops those whose whole month is more than so many months ago. Returns how many were dropped.
CREATE FUNCTION keep_usage_partitions(keep_months integer) RETURNS integer
    LANGUAGE plpgsql AS $$
DECLARE
    today date := (now() AT TIME ZONE 'UTC')::date;
    oldest date := ((now() AT TIME ZONE 'UTC') - make_interval(months => keep_months))::date;
    month date;
    part record;
    dropped integer := 0;
BEGIN
    FOR month IN
        SELECT m::date FROM generate_series(
            date_trunc('month', today::timestamp), date_trunc('month', today::timestamp) + interval '2 months',
            interval '1 month') m
        UNION
        SELECT date_trunc('month', day::timestamp)::date FROM usage_by_day_rest
        WHERE day >= date_trunc('month', oldest::timestamp)::date AND day < today
    LOOP
        PERFORM add_usage_partitions(month);
    END LOOP;
    FOR part IN
        SELECT c.relname AS name, to_date(right(c.relname, 6), 'YYYYMM') AS month
        FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
        WHERE i.inhparent IN (
                'usage_by_quarter_hour'::regclass, 'usage_by_day'::regclass, 'usage_by_day_and_key'::regclass,
                'usage_by_day_and_sandbox'::regclass, 'usage_slowest'::regclass)
            AND c.relname ~ '_[0-9]{6}$'
    LOOP
        IF part.month + interval '1 month' <= oldest THEN
            EXECUTE format('DROP TABLE %I', part.name);
            dropped := dropped + 1;
        END IF;
    END LOOP;
    -- What a wrong clock has put before all of them.
    DELETE FROM usage_by_quarter_hour_rest WHERE quarter < date_trunc('month', oldest::timestamp) AT TIME ZONE 'UTC';
    DELETE FROM usage_by_day_rest WHERE day < date_trunc('month', oldest::timestamp)::date;
    DELETE FROM usage_by_day_and_key_rest WHERE day < date_trunc('month', oldest::timestamp)::date;
    DELETE FROM usage_by_day_and_sandbox_rest WHERE day < date_trunc('month', oldest::timestamp)::date;
    DELETE FROM usage_slowest_rest WHERE day < date_trunc('month', oldest::timestamp)::date;
    RETURN dropped;
END $$;

SELECT keep_usage_partitions(25);
