SELECT (extract(epoch FROM time) * 1000000)::bigint AS time_us, id,
       (extract(epoch FROM received) * 1000000)::bigint AS received_us, sent,
       CASE WHEN %(channels)s::text[] IS NULL THEN channels::text ELSE (
           SELECT coalesce(jsonb_object_agg(key, value), '{}')::text
           FROM jsonb_each(channels) WHERE key = ANY(%(channels)s::text[])
       ) END AS channels
FROM reading
WHERE device_id = %(device)s
  AND (time, id) > (to_timestamp(0) + %(after_us)s::bigint * interval '1 microsecond', %(after_id)s::bigint)
  AND time < to_timestamp(0) + %(to_us)s::bigint * interval '1 microsecond'
  AND time >= coalesce(lower((SELECT releve_owned(%(device)s, %(teams)s::bigint[]))), '-infinity')
  AND time < coalesce(upper((SELECT releve_owned(%(device)s, %(teams)s::bigint[]))), 'infinity')
  AND time <@ (SELECT releve_owned(%(device)s, %(teams)s::bigint[]))
  AND (%(channels)s::text[] IS NULL OR channels ?| %(channels)s::text[])
ORDER BY time, id
LIMIT %(limit)s
