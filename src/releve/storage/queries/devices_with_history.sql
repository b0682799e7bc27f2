-- Devices that may have readings, those that were removed since too, without a look at each reading.
WITH RECURSIVE fresh AS (
    (SELECT device_id FROM fresh_reading ORDER BY device_id LIMIT 1)
    UNION ALL
    SELECT (SELECT device_id FROM fresh_reading WHERE device_id > fresh.device_id ORDER BY device_id LIMIT 1)
    FROM fresh WHERE fresh.device_id IS NOT NULL
)
SELECT device_id, name FROM (
    SELECT id AS device_id FROM fleet_device
    UNION SELECT device_id FROM segment WHERE replaced IS NULL
    UNION SELECT device_id FROM fresh WHERE device_id IS NOT NULL
) AS known LEFT JOIN fleet_device ON fleet_device.id = device_id
ORDER BY device_id
