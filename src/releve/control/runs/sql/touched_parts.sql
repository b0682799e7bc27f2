-- Where readings of the device arrived since, per part, in the time of one of its owners; 13 and 13.0 are one.
SELECT CASE WHEN jsonb_typeof(part) = 'number' THEN trim_scale(part::numeric)::text ELSE part #>> '{}' END AS part, min(time), max(time)
FROM (
    SELECT r.channels -> %(part_channel)s AS part, r.time FROM reading AS r
    WHERE r.device_id = %(device)s AND r.received >= %(followed)s AND r.time >= %(since)s AND r.time < %(until)s
) AS arrived
GROUP BY 1, date_bin(%(width)s::interval, time, to_timestamp(0))
ORDER BY 1, 2
