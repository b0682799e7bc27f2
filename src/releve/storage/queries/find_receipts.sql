-- Receipts of the same reading, and of others with the same message id. One from before identities held content counts as
-- that of the same reading when what is stored under it is the same: true, or NULL where that lies in a segment.
WITH asked AS (
    SELECT * FROM unnest(%(devices)s::int[], %(ids)s::bigint[], %(keys)s::bigint[], %(channels)s::text[])
        AS asked (device_id, id, key, channels)
), found AS (
    SELECT receipt.device_id, receipt.id, receipt.key, receipt.time, receipt.received, true AS is_same
    FROM asked JOIN receipt ON receipt.device_id = asked.device_id AND receipt.id = asked.id
    UNION
    SELECT receipt.device_id, receipt.id, receipt.key, receipt.time, receipt.received, true
    FROM asked JOIN receipt ON receipt.device_id = asked.device_id AND receipt.key = asked.key
    UNION
    SELECT receipt.device_id, asked.id, asked.key, receipt.time, receipt.received, coalesce(
        (SELECT fresh.channels = asked.channels FROM fresh_reading AS fresh
         WHERE fresh.device_id = receipt.device_id AND fresh.time = receipt.time AND fresh.id = receipt.id),
        (SELECT old.channels = asked.channels::jsonb FROM reading AS old
         WHERE old.device_id = receipt.device_id AND old.time = receipt.time AND old.id = receipt.id)
    )
    FROM asked
    JOIN receipt ON receipt.device_id = asked.device_id AND receipt.id = asked.key AND receipt.key IS NULL
)
SELECT device_id, id, key, (extract(epoch FROM time) * 1000000)::bigint, (extract(epoch FROM received) * 1000000)::bigint, is_same
FROM found WHERE is_same IS NOT FALSE
