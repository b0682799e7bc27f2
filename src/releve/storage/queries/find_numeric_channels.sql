SELECT device_id, channel FROM numeric_channel JOIN unnest(%s::int[], %s::text[]) AS asked (device_id, channel)
    USING (device_id, channel)
