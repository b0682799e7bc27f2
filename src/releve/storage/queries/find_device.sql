SELECT id, name, team_id, contract, timezone,
       EXISTS (SELECT FROM boot_anchor WHERE boot_anchor.device_id = fleet_device.id) AS counts_uptime
FROM fleet_device WHERE id = %(device)s
