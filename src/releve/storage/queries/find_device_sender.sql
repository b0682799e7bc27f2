SELECT device.id, device.name, device.team_id, device.contract, device.timezone,
       device.is_enabled AND sign_in.revoked_at IS NULL AND sign_in.expires_at > now() AS stands,
       (extract(epoch FROM device.created_at) * 1000000)::bigint AS added_us,
       EXISTS (SELECT FROM boot_anchor WHERE boot_anchor.device_id = device.id) AS counts_uptime
FROM accounts_signin AS sign_in JOIN fleet_device AS device ON device.id = sign_in.device_id
WHERE sign_in.id = %(sign_in)s AND device.id = %(principal)s
