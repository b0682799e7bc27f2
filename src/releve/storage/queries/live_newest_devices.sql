-- The devices of some teams that were heard of last.
SELECT device.id, device.name, device.team_id
FROM fleet_device AS device JOIN device_seen AS seen ON seen.device_id = device.id
WHERE device.team_id = ANY(%(teams)s::bigint[]) AND device.deleted_at IS NULL
ORDER BY seen.last_seen DESC LIMIT %(limit)s
