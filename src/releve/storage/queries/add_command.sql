WITH added AS (
    INSERT INTO device_command (device_id, topic, body, created_by, expires)
    VALUES (%(device)s, %(topic)s, %(body)s, %(by)s, now() + make_interval(secs => %(expires_s)s))
    RETURNING id, device_id, topic, body, created, created_by, expires, delivered, answer, answered
)
SELECT added.*, pg_notify('releve_revocation', 'command:' || device_id) FROM added
