-- The rows of a device that may be sealed, from the first on: nothing that a writer may still be about to repeat unasked, and
-- no more than will do. The caller names the table, and the same horizon when it deletes them: now() is the transaction's.
SELECT count(*), array_agg(time), array_agg(id), array_agg(received), array_agg(sent), string_agg(channels, E'\n')
FROM (
    SELECT *, sum(octet_length(channels)) OVER (ORDER BY time, id) - octet_length(channels) AS before
    FROM (
        SELECT time, id, received, sent, channels::text AS channels FROM fresh_reading
        WHERE device_id = %(device)s AND time < least(now() - %(older_s)s * interval '1 second', to_timestamp(0) + %(to_us)s::bigint * interval '1 microsecond')
          AND received < now() - %(older_s)s * interval '1 second'
        ORDER BY time, id LIMIT %(limit)s
    ) AS first_rows
    ORDER BY time, id
) AS page
WHERE before < %(bytes)s
