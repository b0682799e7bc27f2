-- What a sender meant: the unit of its counter, its own message ids, and which channels hold numbers.

-- The unit is learnt from the counter's speed against the wall clock; uptime_ms counts in it.
ALTER TABLE boot_anchor ADD COLUMN tick_us integer; -- microseconds that one count lasts; null while that is not known
ALTER TABLE boot_anchor ADD COLUMN base_count bigint; -- from where the speed is measured; null when there is nothing to learn
ALTER TABLE boot_anchor ADD COLUMN base_received timestamptz;

-- The same message id with other content is another reading; its sender is warned.
ALTER TABLE receipt ADD COLUMN key bigint; -- hash of the message id
CREATE INDEX receipt_key ON receipt (device_id, key) WHERE key IS NOT NULL;

-- The channels of a device that have held numbers: numeric text in them is a number.
CREATE TABLE numeric_channel (
    device_id integer NOT NULL,
    channel   text    NOT NULL,
    PRIMARY KEY (device_id, channel)
);

-- Text that came in a channel which held numbers, the last one of each.
CREATE TABLE strange_text (
    device_id integer     NOT NULL,
    channel   text        NOT NULL,
    text      text        NOT NULL,
    received  timestamptz NOT NULL,
    PRIMARY KEY (device_id, channel)
);
