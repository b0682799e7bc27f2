SELECT waiting.device_id, count(*) FROM quarantine AS waiting
JOIN fleet_device AS device ON device.id = waiting.device_id
JOIN device_ownership AS owned ON owned.device_id = device.id AND owned.team_id = device.team_id
    AND waiting.received >= coalesce(owned.since, '-infinity') AND waiting.received < coalesce(owned.until, 'infinity')
WHERE waiting.device_id = ANY(%(devices)s) AND waiting.replayed_at IS NULL
GROUP BY waiting.device_id
