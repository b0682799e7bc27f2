-- Blocks of the run whose readings are no longer as many as when the block was made; readings are only ever added.
SELECT (extract(epoch FROM counted.start) * 1000000)::bigint
FROM (
    SELECT date_bin('5 seconds', r.time, to_timestamp(0)) AS start, count(*) AS stored
    FROM reading AS r
    WHERE r.device_id = %(device)s AND r.time >= %(since)s AND r.time < %(until)s
    GROUP BY 1
) AS counted
LEFT JOIN (
    SELECT start, stored FROM run_block
    WHERE device_id = %(device)s AND run_id = %(run)s
      AND start > %(since)s::timestamptz - interval '5 seconds' AND start < %(until)s
) AS block ON block.start = counted.start
WHERE block.stored IS DISTINCT FROM counted.stored
ORDER BY 1
