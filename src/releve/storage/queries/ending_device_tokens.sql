-- The enabled devices whose longest token ends within 30 days, or did within the last 30: no published device signs in
-- again by itself, so somebody must see it coming. `teams` NULL means every team's.
SELECT device.id, device.name, sign_in.ends, device.team_id
FROM fleet_device AS device
CROSS JOIN LATERAL (
    SELECT max(expires_at) AS ends FROM accounts_signin WHERE device_id = device.id AND revoked_at IS NULL
) AS sign_in
WHERE device.is_enabled
  AND sign_in.ends BETWEEN now() - interval '30 days' AND now() + interval '30 days'
  AND (%(teams)s::bigint[] IS NULL OR device.team_id = ANY(%(teams)s::bigint[]))
ORDER BY sign_in.ends, device.id
LIMIT 1000
