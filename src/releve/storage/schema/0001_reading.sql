-- The data plane's tables. No foreign keys on the hot table; its distribution key, device_id, leads every key.

CREATE TABLE reading (
    device_id integer     NOT NULL,
    time      timestamptz NOT NULL,
    id        bigint      NOT NULL,
    received  timestamptz NOT NULL,
    channels  jsonb       NOT NULL,
    sent      text,
    PRIMARY KEY (device_id, time, id)
) PARTITION BY RANGE (time);

-- The identity of a keyed reading whose time is the server's, or follows from the device's uptime (promise P2).
CREATE TABLE receipt (
    device_id integer     NOT NULL,
    id        bigint      NOT NULL,
    time      timestamptz NOT NULL,
    received  timestamptz NOT NULL,
    boot      timestamptz,
    PRIMARY KEY (device_id, id)
);
CREATE INDEX receipt_received ON receipt USING brin (received);

-- What a device that counts milliseconds since boot has shown of its clock so far.
CREATE TABLE boot_anchor (
    device_id   integer     PRIMARY KEY,
    boot        timestamptz NOT NULL, -- earliest plausible instant of the present boot
    uptime_ms   bigint      NOT NULL, -- greatest uptime seen since, wraps added
    received    timestamptz NOT NULL  -- when that uptime was received
);

CREATE TABLE quarantine (
    id          bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    device_id   integer     NOT NULL,
    received    timestamptz NOT NULL,
    contract    text        NOT NULL,
    transport   text        NOT NULL,
    field       text        NOT NULL,
    reason      text        NOT NULL,
    digest      bytea       NOT NULL, -- the same bytes again are the same quarantined reading
    payload     bytea       NOT NULL, -- the reading's bytes as received
    replayed_at timestamptz,
    UNIQUE (device_id, digest)
);
CREATE INDEX quarantine_open ON quarantine (device_id, id) WHERE replayed_at IS NULL;

CREATE TABLE device_seen (
    device_id integer     PRIMARY KEY,
    last_seen timestamptz NOT NULL, -- when a reading was last received
    last_time timestamptz NOT NULL  -- the latest instant that a reading was taken at
) WITH (fillfactor = 50);

-- The one place that makes partitions: where the server partitions by itself, replace this function by one that does nothing.
-- A table is made aside and attached, because that locks out no reader and no writer of the other months.
CREATE FUNCTION releve_ensure_partition(instant timestamptz) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    first_day timestamp := date_trunc('month', instant AT TIME ZONE 'UTC');
    partition text := 'reading_' || to_char(first_day, 'YYYY_MM');
BEGIN
    IF to_regclass(partition) IS NOT NULL THEN
        RETURN false;
    END IF;
    PERFORM pg_advisory_xact_lock(hashtext('releve_ensure_partition'));
    -- Asked of the table itself: to_regclass would answer from a cache that waiting for the lock does not refresh.
    IF EXISTS (SELECT FROM pg_class WHERE relname = partition AND relnamespace = current_schema()::regnamespace) THEN
        RETURN false;
    END IF;
    EXECUTE format('CREATE TABLE %I (LIKE reading INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', partition);
    EXECUTE format(
        'ALTER TABLE reading ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
        partition, first_day AT TIME ZONE 'UTC', (first_day + interval '1 month') AT TIME ZONE 'UTC'
    );
    RETURN true;
END
$$;
