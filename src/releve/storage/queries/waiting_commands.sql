SELECT id, body, created, expires, extract(epoch FROM expires - now())::float8 AS left_s
FROM device_command
WHERE device_id = %(device)s AND delivered IS NULL AND expires > now()
ORDER BY id LIMIT 100
