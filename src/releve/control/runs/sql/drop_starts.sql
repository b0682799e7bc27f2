WITH stale AS (
    SELECT to_timestamp(0) + us * interval '1 microsecond' AS start FROM unnest(%(starts)s::bigint[]) AS given (us)
), dropped AS (
    DELETE FROM run_block
    WHERE device_id = %(device)s AND run_id = %(run)s AND start IN (SELECT start FROM stale)
)
DELETE FROM run_block_channel
WHERE device_id = %(device)s AND run_id = %(run)s AND start IN (SELECT start FROM stale)
