SELECT device.id, device.name, device.team_id, device.contract, device.timezone, device.is_enabled,
       team.name <> %(team)s AS is_foreign,
       (extract(epoch FROM device.created_at) * 1000000)::bigint AS added_us,
       EXISTS (SELECT FROM boot_anchor WHERE boot_anchor.device_id = device.id) AS counts_uptime
FROM fleet_device AS device JOIN teams_team AS team ON team.id = device.team_id
WHERE device.name = %(name)s
