SELECT DISTINCT ON (topic) topic, payload
FROM topic_value JOIN fleet_device AS device ON device.id = topic_value.device_id
WHERE %(teams)s::bigint[] IS NULL OR device.team_id = ANY(%(teams)s::bigint[])
ORDER BY topic, received DESC
