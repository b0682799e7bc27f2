-- The names that the channels of a device have had, whatever they held: how many there may be is bounded.
CREATE TABLE channel_name (
    device_id integer NOT NULL,
    channel   text    NOT NULL,
    PRIMARY KEY (device_id, channel)
);

-- A device keeps the names it has, however many. Reads every reading once.
INSERT INTO channel_name (device_id, channel)
SELECT DISTINCT device_id, jsonb_object_keys(channels) FROM reading;
