-- The next devices that have fresh rows, and whether they have enough of them, or old ones. Devices are found one by one at the
-- head of the primary key, which costs a look for each, however many rows they have.
WITH RECURSIVE device AS (
    (SELECT device_id FROM fresh_reading WHERE device_id > %(after)s ORDER BY device_id LIMIT 1)
    UNION ALL
    SELECT (SELECT device_id FROM fresh_reading WHERE device_id > device.device_id ORDER BY device_id LIMIT 1)
    FROM device WHERE device.device_id IS NOT NULL
)
SELECT device_id,
    EXISTS (
        SELECT FROM (
            SELECT time, received FROM fresh_reading WHERE device_id = device.device_id ORDER BY time, id LIMIT 16
        ) AS oldest
        WHERE greatest(time, received) < now() - %(age_s)s * interval '1 second'
    ) OR EXISTS (
        SELECT FROM fresh_reading WHERE device_id = device.device_id AND time < now() - %(older_s)s * interval '1 second'
        OFFSET %(rows)s
    )
FROM device WHERE device_id IS NOT NULL LIMIT %(limit)s
