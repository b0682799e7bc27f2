SELECT device.id, device.team_id, device.contract, device.timezone, device.is_enabled,
       (extract(epoch FROM device.created_at) * 1000000)::bigint AS added_us,
       EXISTS (SELECT FROM boot_anchor WHERE boot_anchor.device_id = device.id) AS counts_uptime
FROM fleet_device AS device WHERE device.owner_id = %(account)s
ORDER BY device.id LIMIT 1
