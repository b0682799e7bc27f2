-- Devices with many small segments, such as those of batches, and how many.
SELECT device_id, count(*) FROM segment WHERE replaced IS NULL AND n < %(small)s GROUP BY device_id HAVING count(*) >= %(many)s
ORDER BY device_id
