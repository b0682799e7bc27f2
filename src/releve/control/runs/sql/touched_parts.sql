-- Where readings of the device arrived since, per part.
SELECT r.channels ->> %(part_channel)s AS part, min(r.time), max(r.time)
FROM reading AS r
WHERE r.device_id = %(device)s AND r.received >= %(followed)s
GROUP BY 1, date_bin(%(width)s::interval, r.time, to_timestamp(0))
ORDER BY 1, 2
