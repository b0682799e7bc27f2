-- Which of these readings, by their places, lie where readings were deleted and are not there as rows.
SELECT asked.place
FROM unnest(%(places)s::int[], %(devices)s::int[], %(times_us)s::bigint[], %(ids)s::bigint[]) AS asked (place, device_id, time_us, id)
JOIN expired_reading AS gone ON gone.device_id = asked.device_id AND gone.channel = ''
WHERE gone.spans @> to_timestamp(0) + asked.time_us * interval '1 microsecond'
  AND (SELECT true FROM fresh_reading AS fresh WHERE fresh.device_id = asked.device_id
       AND fresh.time = to_timestamp(0) + asked.time_us * interval '1 microsecond' AND fresh.id = asked.id LIMIT 1) IS NULL
  AND (SELECT true FROM reading AS old WHERE old.device_id = asked.device_id
       AND old.time = to_timestamp(0) + asked.time_us * interval '1 microsecond' AND old.id = asked.id LIMIT 1) IS NULL
