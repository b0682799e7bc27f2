WITH kept AS (
    INSERT INTO device_config (device_id, body, changed, changed_by) VALUES (%(device)s, %(body)s, now(), %(by)s)
    ON CONFLICT (device_id) DO UPDATE SET body = excluded.body, changed = excluded.changed, changed_by = excluded.changed_by
    RETURNING device_id, body, changed, changed_by
)
SELECT kept.*, pg_notify('releve_revocation', 'config:' || device_id) FROM kept
