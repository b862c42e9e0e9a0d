-- Alerts: rules over the measurements, what they found, who did what about it, and what others are told of it.

CREATE TABLE alert_rules (
    id uuid PRIMARY KEY,
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    -- A metric of metric_samples; `component_up` stands for every `component_…_up`.
    metric text NOT NULL,
    comparison text NOT NULL CHECK (comparison IN ('>', '>=', '<', '<=')),
    threshold double precision NOT NULL,
    -- How long it must hold.
    for_seconds integer NOT NULL CHECK (for_seconds >= 0),
    severity text NOT NULL CHECK (severity IN ('info', 'warning', 'critical', 'emergency')),
    enabled boolean NOT NULL DEFAULT true,
    webhook_url text,
    -- Encrypted with a key that the database does not have.
    webhook_secret bytea,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    -- Counts the changes: what was decided by an older one is not carried out.
    revision integer NOT NULL DEFAULT 1,
    CHECK ((webhook_url IS NULL) = (webhook_secret IS NULL))
);

-- No foreign key to the rule, and what the rule said then: an alert outlives it.
CREATE TABLE alerts (
    id uuid PRIMARY KEY,
    rule_id uuid NOT NULL,
    rule_name text NOT NULL,
    metric text NOT NULL,
    comparison text NOT NULL,
    threshold double precision NOT NULL,
    severity text NOT NULL,
    -- What it is about: a node, or a component and its node.
    subject text NOT NULL,
    node text NOT NULL,
    message text NOT NULL,
    value double precision NOT NULL,
    status text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'acknowledged', 'resolved')),
    triggered_at timestamptz NOT NULL DEFAULT now(),
    acknowledged_at timestamptz,
    resolved_at timestamptz,
    resolution text CHECK (
        resolution IN ('condition_ended', 'by_hand', 'rule_changed', 'rule_disabled', 'rule_deleted')),
    CHECK ((status = 'resolved') = (resolved_at IS NOT NULL)),
    CHECK ((status = 'resolved') = (resolution IS NOT NULL))
);
CREATE UNIQUE INDEX alerts_open ON alerts (rule_id, subject) WHERE status <> 'resolved';
CREATE INDEX alerts_subject ON alerts (rule_id, subject, resolved_at) WHERE resolution = 'by_hand';
CREATE INDEX alerts_resolved ON alerts (resolved_at) WHERE status = 'resolved';

CREATE TABLE alert_events (
    id uuid PRIMARY KEY,
    alert_id uuid NOT NULL REFERENCES alerts ON DELETE CASCADE,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    event text NOT NULL CHECK (event IN ('triggered', 'acknowledged', 'resolved')),
    -- Whose request it was; none when the service did it.
    account_id uuid,
    key_id uuid,
    comment text
);
CREATE INDEX alert_events_alert ON alert_events (alert_id, at, id);
CREATE INDEX alert_events_at ON alert_events (at);

-- What is to be sent, written with the change that it tells of. A row is also the job that sends it.
CREATE TABLE webhook_deliveries (
    id uuid PRIMARY KEY,
    -- Their order: what is told of one alert arrives in it.
    number bigint GENERATED ALWAYS AS IDENTITY,
    alert_id uuid NOT NULL REFERENCES alerts ON DELETE CASCADE,
    rule_id uuid NOT NULL,
    event text NOT NULL,
    url text NOT NULL,
    secret bytea NOT NULL,
    body text NOT NULL,
    status text NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'delivered', 'failed', 'cancelled')),
    attempts integer NOT NULL DEFAULT 0,
    due_at timestamptz NOT NULL DEFAULT now(),
    leased_until timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz,
    -- What the last attempt came to.
    http_status integer,
    error text,
    CHECK ((status = 'pending') = (finished_at IS NULL))
);
CREATE INDEX webhook_deliveries_pending ON webhook_deliveries (alert_id, number) WHERE status = 'pending';
CREATE INDEX webhook_deliveries_alert ON webhook_deliveries (alert_id, number);

-- Whether a rule's condition holds for a value.
CREATE FUNCTION alert_holds(value double precision, comparison text, threshold double precision) RETURNS boolean
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT CASE comparison
        WHEN '>' THEN value > threshold
        WHEN '>=' THEN value >= threshold
        WHEN '<' THEN value < threshold
        WHEN '<=' THEN value <= threshold END
$$;

-- The rules that every installation begins with. They are rows like others: changed ones stay changed, deleted ones gone.
INSERT INTO alert_rules (id, name, metric, comparison, threshold, for_seconds, severity) VALUES
    ('01990000-0000-7000-8000-000000000001', 'High CPU Usage', 'cpu_usage', '>', 90, 600, 'warning'),
    ('01990000-0000-7000-8000-000000000002', 'High Memory Usage', 'memory_usage', '>', 90, 300, 'critical'),
    ('01990000-0000-7000-8000-000000000003', 'High Disk Usage', 'disk_usage', '>', 85, 300, 'critical'),
    ('01990000-0000-7000-8000-000000000004', 'Long Queue', 'queue_depth', '>', 100, 300, 'warning'),
    ('01990000-0000-7000-8000-000000000005', 'High Failure Rate', 'executions_failed_percent', '>', 50, 600, 'warning'),
    ('01990000-0000-7000-8000-000000000006', 'Component Down', 'component_up', '<', 1, 15, 'critical');
