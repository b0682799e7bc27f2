-- The devices of some teams that were heard of last; one that began a moment ago is not written down as heard yet.
SELECT device.id, device.name, device.team_id
FROM fleet_device AS device LEFT JOIN device_seen AS seen ON seen.device_id = device.id
WHERE device.team_id = ANY(%(teams)s::bigint[]) AND device.deleted_at IS NULL
ORDER BY seen.last_seen DESC NULLS LAST LIMIT %(limit)s
