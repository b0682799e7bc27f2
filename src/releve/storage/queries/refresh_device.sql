-- A device's refresh token stays good for its life; its use is kept. No row when the sign-in does not stand.
WITH used AS (
    UPDATE accounts_signin SET refreshed_at = now()
    WHERE id = %(sign_in)s AND device_id = %(device)s AND generation = %(generation)s
      AND revoked_at IS NULL AND expires_at > now()
    RETURNING id, device_id, rotated_at, expires_at
), noted AS (
    INSERT INTO accounts_auditevent (time, kind, is_alert, device_id, team_id, address, user_agent, detail)
    SELECT now(), 'refreshed', false, device.id, device.team_id, %(address)s, %(agent)s, jsonb_build_object('sign_in', used.id)
    FROM used JOIN fleet_device AS device ON device.id = used.device_id
)
SELECT now(), rotated_at, expires_at FROM used
