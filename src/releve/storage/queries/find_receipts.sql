-- Receipts of the same reading, and of others with the same message id. One from before identities held content counts as
-- that of the same reading when what is stored under it is the same.
WITH asked AS (
    SELECT * FROM unnest(%(devices)s::int[], %(ids)s::bigint[], %(keys)s::bigint[], %(channels)s::text[])
        AS asked (device_id, id, key, channels)
), found AS (
    SELECT receipt.device_id, receipt.id, receipt.key, receipt.time, receipt.received
    FROM asked JOIN receipt ON receipt.device_id = asked.device_id AND receipt.id = asked.id
    UNION
    SELECT receipt.device_id, receipt.id, receipt.key, receipt.time, receipt.received
    FROM asked JOIN receipt ON receipt.device_id = asked.device_id AND receipt.key = asked.key
    UNION
    SELECT receipt.device_id, asked.id, asked.key, receipt.time, receipt.received
    FROM asked
    JOIN receipt ON receipt.device_id = asked.device_id AND receipt.id = asked.key AND receipt.key IS NULL
    JOIN reading ON reading.device_id = receipt.device_id AND reading.time = receipt.time AND reading.id = receipt.id
    WHERE reading.channels::jsonb = asked.channels::jsonb
)
SELECT device_id, id, key, (extract(epoch FROM time) * 1000000)::bigint, (extract(epoch FROM received) * 1000000)::bigint
FROM found
