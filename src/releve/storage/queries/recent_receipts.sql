-- When the newest readings of one device were received: its rhythm.
SELECT (extract(epoch FROM received) * 1000000)::bigint FROM reading
WHERE device_id = %(device)s ORDER BY time DESC, id DESC LIMIT %(limit)s
