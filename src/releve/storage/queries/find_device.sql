SELECT id, name, team_id, contract, timezone, (extract(epoch FROM created_at) * 1000000)::bigint AS added_us,
       EXISTS (SELECT FROM boot_anchor WHERE boot_anchor.device_id = fleet_device.id) AS counts_uptime,
       ARRAY(SELECT DISTINCT owned.team_id FROM device_ownership AS owned WHERE owned.device_id = fleet_device.id) AS owners
FROM fleet_device WHERE id = %(device)s AND deleted_at IS NULL
