-- The channels that a device's readings of a span have; those of a segment count whole.
SELECT name FROM segment_column AS own JOIN segment ON segment.device_id = own.device_id AND segment.id = own.segment_id
WHERE own.device_id = %(device)s AND own.holds = 'c' AND segment.replaced IS NULL
  AND segment.first < to_timestamp(0) + %(to_us)s::bigint * interval '1 microsecond'
  AND segment.last >= to_timestamp(0) + %(from_us)s::bigint * interval '1 microsecond'
UNION
SELECT jsonb_object_keys(channels::jsonb) FROM fresh_reading
WHERE device_id = %(device)s AND time >= to_timestamp(0) + %(from_us)s::bigint * interval '1 microsecond' AND time < to_timestamp(0) + %(to_us)s::bigint * interval '1 microsecond'
UNION
SELECT jsonb_object_keys(channels) FROM reading
WHERE device_id = %(device)s AND time >= to_timestamp(0) + %(from_us)s::bigint * interval '1 microsecond' AND time < to_timestamp(0) + %(to_us)s::bigint * interval '1 microsecond'
ORDER BY 1
