-- The next device that has rows in a month of the table of earlier releases.
SELECT device_id FROM reading
WHERE device_id > %(after)s AND time >= to_timestamp(0) + %(from_us)s::bigint * interval '1 microsecond'
  AND time < to_timestamp(0) + %(to_us)s::bigint * interval '1 microsecond'
ORDER BY device_id LIMIT 1
