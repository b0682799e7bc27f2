WITH edge AS (
    SELECT date_bin('5 seconds', boundary, to_timestamp(0)) AS start
    FROM unnest(%(boundaries)s::timestamptz[]) AS given (boundary)
), dropped AS (
    DELETE FROM run_block
    WHERE device_id = %(device)s AND run_id = ANY(%(runs)s::bigint[]) AND start IN (SELECT start FROM edge)
)
DELETE FROM run_block_channel
WHERE device_id = %(device)s AND run_id = ANY(%(runs)s::bigint[]) AND start IN (SELECT start FROM edge)
