-- The devices that are of some teams now, all or those asked for, by their numbers, and since when they are: null for ever.
SELECT device.id, device.contract, (extract(epoch FROM owned.since) * 1000000)::bigint AS since_us
FROM fleet_device AS device
JOIN device_ownership AS owned ON owned.device_id = device.id AND owned.until IS NULL
WHERE owned.team_id = ANY(%(teams)s::bigint[]) AND (%(devices)s::int[] IS NULL OR device.id = ANY(%(devices)s::int[]))
ORDER BY device.id LIMIT %(limit)s
