-- A race with the device that its readings are stored under: the one it has, else the vehicle's own.
SELECT run.id, run.team_id, team.name AS team_name, run.device_id IS NOT NULL AS is_attached,
       (extract(epoch FROM run.started_at) * 1000000)::bigint AS started_us,
       (extract(epoch FROM run.ended_at) * 1000000)::bigint AS ended_us,
       device.id AS device_id, device.name, device.timezone, device.is_enabled,
       (extract(epoch FROM device.created_at) * 1000000)::bigint AS added_us
FROM runs_run AS run
JOIN teams_team AS team ON team.id = run.team_id
LEFT JOIN fleet_device AS device ON device.id = coalesce(run.device_id, (
    SELECT own.id FROM fleet_mount AS mount JOIN fleet_device AS own ON own.id = mount.device_id
    WHERE mount.asset_id = run.asset_id AND own.team_id = run.team_id AND own.contract = 'racing'
      AND own.name LIKE 'vehicle:%%'
    ORDER BY mount.id LIMIT 1
)) AND device.team_id = run.team_id -- a device that moved to another team drives no race of this one
WHERE run.id = %(race)s AND run.kind = 'race' AND run.deleted_at IS NULL
