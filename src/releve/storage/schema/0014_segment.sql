-- History: readings are born as rows of fresh_reading and grow old in the columns of segments. device_id leads every key.

-- What acknowledgement stands on. Rows live here for an hour at most, so the table needs no partitions; the old
-- table, reading, is emptied into segments while both are read.
CREATE TABLE fresh_reading (
    device_id integer     NOT NULL,
    time      timestamptz NOT NULL,
    id        bigint      NOT NULL,
    received  timestamptz NOT NULL,
    channels  text        NOT NULL, -- canonical JSON
    sent      text,
    PRIMARY KEY (device_id, time, id)
) WITH (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_insert_scale_factor = 0.05, autovacuum_analyze_scale_factor = 0.05);
-- Who follows what comes in asks by the time of receipt; rows come in its order.
CREATE INDEX fresh_reading_received ON fresh_reading USING brin (received) WITH (pages_per_range = 16, autosummarize = on);

-- A stretch of one device's readings.
CREATE TABLE segment (
    device_id integer     NOT NULL,
    id        bigint      NOT NULL,
    n         integer     NOT NULL, -- readings
    first     timestamptz NOT NULL,
    last      timestamptz NOT NULL,
    bytes     integer     NOT NULL, -- of all its columns
    value_count bigint    NOT NULL DEFAULT 0, -- those of channels, and a time and a time of receipt for each reading
    sealed    timestamptz NOT NULL,
    replaced  timestamptz,          -- since when its readings are in another segment; readers that began before still read it
    PRIMARY KEY (device_id, id)
);
CREATE INDEX segment_replaced ON segment (replaced) WHERE replaced IS NOT NULL;

-- Its columns, each readable alone, in the format of releve/history/segment.
CREATE TABLE segment_column (
    device_id  integer NOT NULL,
    segment_id bigint  NOT NULL,
    holds      text    NOT NULL, -- t time, r received, i identities, s sent, o odd spellings, c a channel
    name       text    NOT NULL, -- the channel's, empty for the others
    content    bytea   NOT NULL,
    PRIMARY KEY (device_id, segment_id, holds, name)
);
ALTER TABLE segment_column ALTER COLUMN content SET STORAGE EXTERNAL; -- compressed already

-- What its numeric channels did on a grid of time, in arrays that any SQL client reads. It outlives its segment.
CREATE TABLE ladder (
    device_id  integer  NOT NULL,
    segment_id bigint   NOT NULL,
    channel    text     NOT NULL,
    width_us   bigint   NOT NULL,
    start_us   bigint[] NOT NULL, -- microseconds since 1970; rungs without a reading are left out
    n          integer[] NOT NULL,
    first      float8[] NOT NULL,
    low        float8[] NOT NULL,
    high       float8[] NOT NULL,
    last       float8[] NOT NULL,
    total      float8[] NOT NULL,
    PRIMARY KEY (device_id, segment_id, channel)
);
