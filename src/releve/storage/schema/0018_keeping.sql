-- How long readings are kept. A segment whose readings a rule has deleted stays as the place of its ladder: it is replaced
-- by nothing, so whoever reads readings passes it over, and expired, so it does not go away with those that are replaced.
ALTER TABLE segment ADD COLUMN expired timestamptz, ADD COLUMN expired_channels text[]; -- null where all of them are
CREATE INDEX segment_expired ON segment (device_id, first) WHERE expired IS NOT NULL;

-- Where readings were deleted: what is sent again from there cannot be told from a repeat, and a run there is not whole.
CREATE TABLE expired_reading (
    device_id integer NOT NULL,
    channel   text    NOT NULL, -- of which only this channel was deleted; empty for whole readings
    spans     tstzmultirange NOT NULL,
    PRIMARY KEY (device_id, channel)
);

-- What came back from an archive, and until when no rule deletes it again.
CREATE TABLE restored_span (
    device_id integer     NOT NULL,
    since     timestamptz NOT NULL,
    until     timestamptz NOT NULL,
    kept_until timestamptz NOT NULL,
    PRIMARY KEY (device_id, since, until)
);
