-- What the machines measured: every five seconds for a day, and by the minute for thirty.

CREATE TABLE metric_samples (
    metric text NOT NULL,
    -- The machine and its instance.
    node text NOT NULL,
    -- On a grid of five seconds: two schedulers of one node measure the same moments, and the first to write counts.
    at timestamptz NOT NULL,
    value double precision NOT NULL,
    PRIMARY KEY (metric, node, at)
);

CREATE TABLE metric_minutes (
    metric text NOT NULL,
    node text NOT NULL,
    minute timestamptz NOT NULL,
    -- Of the samples in it.
    count integer NOT NULL CHECK (count > 0),
    sum double precision NOT NULL,
    min double precision NOT NULL,
    max double precision NOT NULL,
    last double precision NOT NULL,
    PRIMARY KEY (metric, node, minute)
);
