-- When each of these devices was last heard, and the instant of its latest reading.
SELECT device_id, last_seen, last_time FROM device_seen WHERE device_id = ANY(%(devices)s)
