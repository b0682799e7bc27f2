-- Runs, and the devices whose readings they are stretches of.
SELECT run.id, run.team_id, run.part, run.device_id, device.name, device.team_id AS device_team_id,
       (extract(epoch FROM run.started_at) * 1000000)::bigint AS from_us,
       (extract(epoch FROM run.ended_at) * 1000000)::bigint AS to_us
FROM runs_run AS run LEFT JOIN fleet_device AS device ON device.id = run.device_id
WHERE run.id = ANY(%(runs)s::bigint[]) AND run.deleted_at IS NULL
  AND NOT EXISTS (SELECT FROM fleet_device AS gone WHERE gone.id = run.device_id AND gone.deleted_at IS NOT NULL)
