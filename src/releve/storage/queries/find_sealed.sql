-- Which of these devices have a segment that may hold an instant between the two of each.
SELECT device_id FROM unnest(%(devices)s::int[], %(first_us)s::bigint[], %(last_us)s::bigint[]) AS asked (device_id, first_us, last_us)
WHERE EXISTS (
    SELECT FROM segment
    WHERE segment.device_id = asked.device_id AND replaced IS NULL
      AND first <= to_timestamp(0) + asked.last_us * interval '1 microsecond'
      AND last >= to_timestamp(0) + asked.first_us * interval '1 microsecond'
)
ORDER BY device_id
