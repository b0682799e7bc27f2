-- The instants and identities of the readings of a device that are rows, fresh ones and those of earlier releases, from one instant to another.
SELECT (extract(epoch FROM held.time) * 1000000)::bigint, held.id
FROM (
    SELECT time, id FROM fresh_reading WHERE device_id = %(device)s
      AND time >= to_timestamp(0) + %(first_us)s::bigint * interval '1 microsecond'
      AND time <= to_timestamp(0) + %(last_us)s::bigint * interval '1 microsecond'
    UNION ALL
    SELECT time, id FROM reading WHERE device_id = %(device)s
      AND time >= to_timestamp(0) + %(first_us)s::bigint * interval '1 microsecond'
      AND time <= to_timestamp(0) + %(last_us)s::bigint * interval '1 microsecond'
) AS held
