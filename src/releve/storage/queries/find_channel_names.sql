SELECT device_id, channel FROM channel_name WHERE device_id = ANY(%s::int[])
