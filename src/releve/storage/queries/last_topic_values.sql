SELECT DISTINCT ON (topic) topic, payload
FROM topic_value JOIN fleet_device AS device ON device.id = topic_value.device_id
WHERE device.team_id = ANY(%(teams)s::bigint[])
   OR (%(teams)s::bigint[] IS NULL AND device.team_id = (SELECT id FROM teams_team WHERE name = %(default_team)s))
ORDER BY topic, received DESC
