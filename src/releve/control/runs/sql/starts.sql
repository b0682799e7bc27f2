SELECT (extract(epoch FROM start) * 1000000)::bigint FROM (
    SELECT DISTINCT date_bin(%(width)s::interval, r.time, to_timestamp(0)) AS start
    FROM reading AS r
    WHERE r.device_id = %(device)s AND r.time >= %(since)s AND r.time < %(until)s
) AS stretch
ORDER BY 1
