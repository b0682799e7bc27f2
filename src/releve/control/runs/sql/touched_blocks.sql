-- Where a reading of the device arrived since; some of them may be in their blocks already.
SELECT min(start), max(start) + interval '5 seconds'
FROM (
    SELECT date_bin('5 seconds', r.time, to_timestamp(0)) AS start
    FROM reading AS r
    WHERE r.device_id = %(device)s AND r.time >= %(since)s AND r.time < %(until)s AND r.received >= %(followed)s
) AS arrived
GROUP BY date_bin('5 minutes', start, to_timestamp(0))
ORDER BY 1
