-- Runs: what no two of them may share, how new readings are found, and the sums that summaries are made of.

-- Ranges of one number stand in for the equality that a GiST index lacks without the contrib module btree_gist.
-- A run without a part spans every part. Deferrable, because a merge or a split passes through an overlap.
ALTER TABLE runs_run ADD CONSTRAINT runs_run_never_overlap EXCLUDE USING gist (
    int8range(device_id, device_id, '[]') WITH &&,
    (CASE WHEN part = '' THEN int8range(NULL, NULL) ELSE int8range(hashtextextended(part, 0), hashtextextended(part, 0), '[]') END) WITH &&,
    tstzrange(started_at, ended_at) WITH &&
) WHERE (deleted_at IS NULL AND device_id IS NOT NULL) DEFERRABLE INITIALLY IMMEDIATE;

-- Rows arrive in the order of `received`, so a few bytes per megabyte find the new ones, late ones included.
CREATE INDEX reading_received ON reading USING brin (received) WITH (autosummarize = on);

-- Per run and 5 seconds (of UTC): how many readings, and which. Made again from `reading` whenever one arrives late, is left
-- out or let in, or a boundary moves: a block is never added to, so that no reading counts twice. Distributes like `reading`.
CREATE TABLE run_block (
    device_id     integer          NOT NULL,
    run_id        bigint           NOT NULL,
    start         timestamptz      NOT NULL,
    stored        bigint           NOT NULL, -- readings of the device, whatever their part, left out or not
    n             bigint           NOT NULL, -- readings that count
    first_time    timestamptz,
    last_time     timestamptz,
    longest_gap_s double precision,          -- between two readings of the block
    PRIMARY KEY (device_id, run_id, start)
);

CREATE TABLE run_block_channel (
    device_id   integer          NOT NULL,
    run_id      bigint           NOT NULL,
    start       timestamptz      NOT NULL,
    channel     text             NOT NULL,
    n           bigint           NOT NULL,
    low         double precision NOT NULL,
    high        double precision NOT NULL,
    mean        double precision NOT NULL,
    squares     double precision NOT NULL, -- of the distances from the mean, summed: these merge without losing digits
    first_value double precision NOT NULL,
    last_value  double precision NOT NULL,
    PRIMARY KEY (device_id, run_id, start, channel)
);
