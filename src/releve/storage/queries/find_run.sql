SELECT id, team_id, name, kind, device_id, part,
       coalesce((SELECT device.contract FROM fleet_device AS device WHERE device.id = device_id), '') AS contract,
       (extract(epoch FROM started_at) * 1000000)::bigint AS started_us,
       (extract(epoch FROM coalesce(ended_at, '9999-01-01 00:00Z')) * 1000000)::bigint AS ended_us
FROM runs_run WHERE id = %(run)s AND deleted_at IS NULL
  AND NOT EXISTS (SELECT FROM fleet_device AS device WHERE device.id = runs_run.device_id AND device.deleted_at IS NOT NULL)
