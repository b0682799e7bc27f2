INSERT INTO channel_name (device_id, channel) SELECT device_id, channel
FROM unnest(%s::int[], %s::text[]) AS new (device_id, channel)
ON CONFLICT DO NOTHING
