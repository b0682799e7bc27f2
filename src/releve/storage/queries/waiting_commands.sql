-- The first hundred of each topic, so that those of a topic that the device does not hear keep none of another's back.
SELECT id, topic, body, created, expires, extract(epoch FROM expires - now())::float8 AS left_s
FROM (
    SELECT *, row_number() OVER (PARTITION BY topic ORDER BY id) AS place
    FROM device_command
    WHERE device_id = %(device)s AND delivered IS NULL AND expires > now()
) AS waiting
WHERE place <= 100
ORDER BY id
