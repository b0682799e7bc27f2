-- Always one row, so that an unknown name costs what a known one does.
SELECT device.id, device.name, device.team_id, device.contract, device.timezone, device.is_enabled, device.secret_hash,
       (extract(epoch FROM device.created_at) * 1000000)::bigint AS added_us,
       EXISTS (SELECT FROM boot_anchor WHERE boot_anchor.device_id = device.id) AS counts_uptime,
       EXISTS (
           SELECT FROM accounts_attempt
           WHERE principal = %(attempt)s AND address = %(subscriber)s AND blocked_until > now()
       ) AS is_blocked
FROM (SELECT) AS one LEFT JOIN fleet_device AS device ON device.name = %(name)s AND device.owner_id IS NULL
