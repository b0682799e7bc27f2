INSERT INTO numeric_channel (device_id, channel)
SELECT DISTINCT device_id, channel FROM unnest(%s::int[], %s::text[]) AS new (device_id, channel) ORDER BY device_id, channel
ON CONFLICT DO NOTHING
