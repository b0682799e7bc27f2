SELECT id, name, team_id, contract, timezone, (extract(epoch FROM created_at) * 1000000)::bigint AS added_us,
       EXISTS (SELECT FROM boot_anchor WHERE boot_anchor.device_id = fleet_device.id) AS counts_uptime
FROM fleet_device WHERE id = %(device)s
